//! Conditions of rules, and the templates in them.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use regex::Regex;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::memory::Memory;
use crate::placeholders;

/// A condition: all that is given in it holds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Pointer to the value that is looked at.
    at: Option<String>,
    /// What of it is looked at, if not the value itself.
    measure: Option<Measure>,
    /// It is this: a template, as all that it is compared with.
    is: Option<Value>,
    /// It is anything but this.
    is_not: Option<Value>,
    /// It is one of these.
    among: Option<Value>,
    /// It is none of these.
    not_among: Option<Value>,
    /// It is a list, and this is in it.
    includes: Option<Value>,
    /// This is not in it.
    lacks: Option<Value>,
    /// It is greater: a number than a number, a text than a text.
    above: Option<Value>,
    /// It is less.
    below: Option<Value>,
    /// It is a text in which this regular expression finds something.
    like: Option<Like>,
    /// It is none such.
    unlike: Option<Like>,
    /// It is there; or it is not.
    exists: Option<bool>,
    /// This was seen before.
    seen: Option<String>,
    /// This was not seen before.
    unseen: Option<String>,
    /// Pointers to what tells one from another.
    of: Vec<String>,
    /// Only what was seen so long ago at most counts.
    within_ms: Option<u64>,
    /// Only what was seen longer ago than this counts.
    before_ms: Option<u64>,
    /// It was seen at least so often.
    at_least: Option<usize>,
    /// It was seen at most so often.
    at_most: Option<usize>,
    /// One of these holds.
    any: Vec<When>,
}

/// What of a value is looked at.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many bytes of UTF-8 a text has.
    Bytes,
    /// How many characters it has.
    Chars,
    /// How many items a list has.
    Items,
    /// `null`, `boolean`, `number`, `string`, `array` or `object`.
    Type,
    /// How many milliseconds ago a time is.
    AgeMs,
}

/// A regular expression.
#[derive(Clone, Debug)]
struct Like(Regex);

impl<'de> Deserialize<'de> for Like {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl When {
    /// Whether all of these hold; what was seen is bound in the view as they go.
    pub(super) fn all(conditions: &[Self], view: &mut Value, memory: &Memory) -> bool {
        conditions.iter().all(|condition| condition.holds(view, memory))
    }

    fn holds(&self, view: &mut Value, memory: &Memory) -> bool {
        let one_of_them = self.any.is_empty() || self.any.iter().any(|when| when.holds(view, memory));
        one_of_them && self.was_seen(view, memory) && self.compares(view)
    }

    fn was_seen(&self, view: &mut Value, memory: &Memory) -> bool {
        let Some(name) = self.seen.as_ref().or(self.unseen.as_ref()) else {
            return true;
        };
        let ago = |ms: Option<u64>| Instant::now().checked_sub(Duration::from_millis(ms?));
        let (since, until) = (ago(self.within_ms), ago(self.before_ms));
        let found = memory.recall(name, &values(view, &self.of), since, until);
        let count = found.len();
        view["seen"][name] = json!({
            "count": count, "first": found.first().unwrap_or(&&Value::Null), "last": found.last().unwrap_or(&&Value::Null),
        });
        if self.unseen.is_some() {
            return count == 0;
        }
        count >= self.at_least.unwrap_or(1) && self.at_most.is_none_or(|most| count <= most)
    }

    fn compares(&self, view: &Value) -> bool {
        let Some(at) = &self.at else { return true };
        let there = view.pointer(at);
        if self.exists.is_some_and(|exists| exists != there.is_some()) {
            return false;
        }
        let value = there.cloned().unwrap_or_default();
        let value = match self.measure {
            Some(measure) => measure.of(&value),
            None => value,
        };
        let holds = |operand: &Option<Value>, test: &dyn Fn(&Value) -> bool| {
            operand.as_ref().is_none_or(|operand| test(&fill(operand, view)))
        };
        let includes = |list: &Value, item: &Value| list.as_array().is_some_and(|list| list.contains(item));
        let text = value.as_str();
        holds(&self.is, &|other| value == *other)
            && holds(&self.is_not, &|other| value != *other)
            && holds(&self.among, &|others| includes(others, &value))
            && holds(&self.not_among, &|others| !includes(others, &value))
            && holds(&self.includes, &|item| includes(&value, item))
            && holds(&self.lacks, &|item| !includes(&value, item))
            && holds(&self.above, &|other| {
                order(&value, other) == Some(Ordering::Greater)
            })
            && holds(&self.below, &|other| order(&value, other) == Some(Ordering::Less))
            && (self.like.as_ref()).is_none_or(|like| text.is_some_and(|text| like.0.is_match(text)))
            && (self.unlike.as_ref()).is_none_or(|like| text.is_none_or(|text| !like.0.is_match(text)))
    }

    /// What is wrong with it, if something is.
    pub(super) fn check(&self) -> Result<(), String> {
        let compares = self.exists.is_some()
            || self.like.is_some()
            || self.unlike.is_some()
            || [
                &self.is,
                &self.is_not,
                &self.among,
                &self.not_among,
                &self.includes,
                &self.lacks,
                &self.above,
                &self.below,
            ]
            .iter()
            .any(|operand| operand.is_some());
        if let Some(at) = &self.at {
            pointer(at)?;
        }
        self.of.iter().try_for_each(|at| pointer(at))?;
        let seen = self.seen.is_some() || self.unseen.is_some();
        if compares != self.at.is_some() {
            return Err(match &self.at {
                Some(at) => format!(
                    "the condition at = \"{at}\" compares it with nothing: add is, among, like or the like"
                ),
                None => {
                    "a condition has a comparison, but no at = \"/…\" that says what is compared".to_owned()
                }
            });
        }
        if !(compares || seen || !self.any.is_empty()) {
            return Err("an empty condition always holds: leave it out".to_owned());
        }
        self.any.iter().try_for_each(Self::check)
    }

    /// The names of what it asks whether it was seen.
    pub(super) fn asks_for(&self) -> Vec<&str> {
        let own = self.seen.iter().chain(&self.unseen).map(String::as_str);
        own.chain(self.any.iter().flat_map(Self::asks_for)).collect()
    }
}

impl Measure {
    fn of(self, value: &Value) -> Value {
        let text = value.as_str();
        match self {
            Self::Bytes => text.map(str::len).into(),
            Self::Chars => text.map(|text| text.chars().count()).into(),
            Self::Items => value.as_array().map(Vec::len).into(),
            Self::AgeMs => crate::expect::utc_time(value)
                .ok()
                .and_then(|at| {
                    i64::try_from((time::OffsetDateTime::now_utc() - at).whole_milliseconds()).ok()
                })
                .into(),
            Self::Type => match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            }
            .into(),
        }
    }
}

fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?),
        _ => None,
    }
}

/// Whether it is a JSON pointer to something.
pub(super) fn pointer(text: &str) -> Result<(), String> {
    if text.starts_with('/') {
        Ok(())
    } else {
        Err(format!(
            "\"{text}\" is no JSON pointer: it begins with a slash, as in \"/data/chatId\""
        ))
    }
}

/// The values at these pointers; null where there is nothing.
pub(super) fn values(view: &Value, pointers: &[String]) -> Vec<Value> {
    let value = |at: &String| view.pointer(at).cloned().unwrap_or_default();
    pointers.iter().map(value).collect()
}

/// Fills a template in from the view.
pub(super) fn fill(template: &Value, view: &Value) -> Value {
    let pointed = |at: &str| Some(view.pointer(at).cloned().unwrap_or_default());
    placeholders::json(template, &pointed).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, view: &Value) -> bool {
        let when: When = toml::from_str(condition).unwrap();
        when.check().unwrap();
        When::all(&[when], &mut view.clone(), &Memory::default())
    }

    #[test]
    fn values_are_compared_with_constants_and_with_each_other() {
        let view =
            json!({"data": {"n": 7, "text": "né", "list": ["a", "b"]}, "conn": {"user": "a", "nth": 9}});
        for condition in [
            "at = '/data/n'\nis = 7",
            "at = '/data/n'\nis_not = '7'",
            "at = '/data/none'\nexists = false",
            "at = '/data/none'\nis = '{{/nothing}}'",
            "at = '/data/n'\nabove = 6\nbelow = '{{/conn/nth}}'",
            "at = '/data/text'\nmeasure = 'bytes'\nis = 3",
            "at = '/data/text'\nmeasure = 'chars'\nis = 2",
            "at = '/data/list'\nmeasure = 'items'\nis = 2",
            "at = '/data/list'\nmeasure = 'type'\nis = 'array'",
            "at = '/data/list'\nincludes = '{{/conn/user}}'",
            "at = '/data/list'\nlacks = 'c'",
            "at = '/conn/user'\namong = '{{/data/list}}'",
            "at = '/conn/user'\nnot_among = ['x', 'y']",
            "at = '/data/text'\nlike = '^n.$'",
            "at = '/data/n'\nunlike = '7'",
            "any = [{ at = '/data/n', is = 8 }, { at = '/data/n', is = 7 }]",
        ] {
            assert!(holds(condition, &view), "{condition}");
        }
        for condition in [
            "at = '/data/n'\nis = 8",
            "at = '/data/n'\nis = '7'",
            "at = '/data/none'\nexists = true",
            "at = '/data/n'\nabove = 7",
            "at = '/data/n'\nabove = 'a'",
            "at = '/data/list'\nincludes = 'c'",
            "at = '/data/n'\nincludes = 'c'",
            "at = '/data/n'\nlike = '7'",
            "any = [{ at = '/data/n', is = 8 }]",
        ] {
            assert!(!holds(condition, &view), "{condition}");
        }
    }

    #[test]
    fn what_was_seen_is_counted_and_bound() {
        let mut memory = Memory::default();
        let key = [json!("alice"), json!("chat")];
        for n in 0..3 {
            memory.remember("sent", &key, json!(n));
        }
        let mut view = json!({"conn": {"user": "alice"}, "data": {"chatId": "chat"}});
        let asks = |more: &str| -> When {
            toml::from_str(&format!("of = ['/conn/user', '/data/chatId']\n{more}")).unwrap()
        };
        for (condition, expected) in [
            ("seen = 'sent'", true),
            ("seen = 'sent'\nat_least = 3\nat_most = 3", true),
            ("seen = 'sent'\nat_least = 4", false),
            ("seen = 'sent'\nat_most = 2", false),
            ("seen = 'sent'\nwithin_ms = 60000", true),
            ("unseen = 'sent'", false),
            ("unseen = 'read'", true),
            ("seen = 'read'\nat_least = 0", true),
        ] {
            let when = asks(condition);
            assert_eq!(When::all(&[when], &mut view, &memory), expected, "{condition}");
        }
        assert_eq!(view["seen"]["sent"], json!({"count": 3, "first": 0, "last": 2}));
        std::thread::sleep(Duration::from_millis(5));
        for condition in ["seen = 'sent'\nwithin_ms = 1", "seen = 'sent'\nbefore_ms = 60000"] {
            assert!(!When::all(&[asks(condition)], &mut view, &memory), "{condition}");
        }
        assert!(When::all(
            &[asks("seen = 'sent'\nbefore_ms = 1")],
            &mut view,
            &memory
        ));
    }

    #[test]
    fn templates_keep_types() {
        let view = json!({"a": {"n": 7, "t": "x"}});
        let template = json!({"n": "{{/a/n}}", "none": "{{/b}}", "mixed": ["{{/a/t}} is {{/a/n}}{{", 1]});
        assert_eq!(
            fill(&template, &view),
            json!({"n": 7, "none": null, "mixed": ["x is 7{{", 1]})
        );
    }

    #[test]
    fn conditions_that_say_nothing_are_mistakes() {
        for text in [
            "at = '/a'",
            "is = 1",
            "",
            "at = 'a'\nis = 1",
            "seen = 'x'\nof = ['a']",
        ] {
            let when: When = toml::from_str(text).unwrap();
            assert!(when.check().is_err(), "{text}");
        }
        assert!(toml::from_str::<When>("at = '/a'\nlike = '('").is_err());
        assert!(toml::from_str::<When>("at = '/a'\nequals = 1").is_err());
    }
}

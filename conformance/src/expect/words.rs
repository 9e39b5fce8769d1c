//! What is said about a target, in parts, so that it can be both read and compared from run to run.
//!
//! A message to people mixes what the kit always says with what a target sent, and with what luck decided. Kept apart, the
//! first two say in which way something is wrong, and the last only how it looked this time.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::text::show;

/// A text in parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Words(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// What is the same whenever the same is wrong, but for numbers and ids in it.
    Fixed(String),
    /// What counts as it stands, as a status of HTTP.
    Exact(String),
    /// A value that was sent, or should have been.
    Json(Value),
    /// What may be different each time: how long, how many, in what order, a reason that a library gives.
    Varying(String),
}

/// What may be different each time.
pub fn varying(text: impl fmt::Display) -> Words {
    Words::default().varying(text)
}

impl Words {
    /// Adds what is the same whenever the same is wrong, but for numbers and ids in it.
    #[must_use]
    pub fn fixed(mut self, text: impl Into<String>) -> Self {
        self.0.push(Part::Fixed(text.into()));
        self
    }

    /// Adds what counts as it stands, numbers included.
    #[must_use]
    pub fn exact(mut self, text: impl fmt::Display) -> Self {
        self.0.push(Part::Exact(text.to_string()));
        self
    }

    /// Adds a value that was sent, or should have been.
    #[must_use]
    pub fn json(mut self, value: &Value) -> Self {
        self.0.push(Part::Json(value.clone()));
        self
    }

    /// Adds what may be different each time.
    #[must_use]
    pub fn varying(mut self, text: impl fmt::Display) -> Self {
        self.0.push(Part::Varying(text.to_string()));
        self
    }

    /// What of it is the same in every run in which the same is wrong: without what varies, ids, numbers and times, and how
    /// many of a kind there are in a list.
    pub fn lasting(&self) -> String {
        let mut lasting = String::new();
        for part in &self.0 {
            match part {
                Part::Fixed(text) => lasting.push_str(&plain(text)),
                Part::Exact(text) => lasting.push_str(text),
                Part::Json(value) => lasting.push_str(&outline(value).to_string()),
                Part::Varying(_) => lasting.push('~'),
            }
        }
        lasting
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Fixed(text) | Part::Exact(text) | Part::Varying(text) => f.write_str(text),
            Part::Json(value) => f.write_str(&show(value)),
        })
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self::default().fixed(text)
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self::default().fixed(text)
    }
}

impl From<&Value> for Words {
    fn from(value: &Value) -> Self {
        Self::default().json(value)
    }
}

/// How many characters of a text count, from its beginning: what is wrong is seldom further on.
const COUNTED: usize = 80;

/// A text with every word replaced that was drawn, counted or measured.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | ':' | '+' | '#');
    for word in text.split_inclusive(|c| !in_word(c)) {
        let (word, end) = match word.char_indices().next_back() {
            Some((at, c)) if !in_word(c) => word.split_at(at),
            _ => (word, ""),
        };
        plain.push_str(if is_drawn(word) { "#" } else { word });
        plain.push_str(end);
    }
    plain.chars().take(COUNTED).collect()
}

/// Whether a word looks drawn, counted or measured: ids, tokens, times, numbers, addresses.
fn is_drawn(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|c| kind(&c));
    has(char::is_ascii_digit)
        || (word.len() >= 16 && has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase))
}

/// A value of which only the form is left, and what people wrote.
fn outline(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(_) => "#".into(),
        Value::String(text) => plain(text).into(),
        Value::Array(items) => kinds(items.iter().map(outline)),
        // Names may be ids, too: then several become one, which has what all of them had.
        Value::Object(fields) => {
            let mut outlines: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for (name, value) in fields {
                outlines.entry(plain(name)).or_default().push(outline(value));
            }
            let field = |(name, mut values): (String, Vec<Value>)| match values.len() {
                1 => (name, values.remove(0)),
                _ => (name, kinds(values)),
            };
            Value::Object(outlines.into_iter().map(field).collect())
        }
    }
}

/// Which there are, whatever their number and order.
fn kinds(outlines: impl IntoIterator<Item = Value>) -> Value {
    let kinds: BTreeMap<String, Value> = outlines
        .into_iter()
        .map(|outline| (outline.to_string(), outline))
        .collect();
    kinds.into_values().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lasting(value: &Value) -> String {
        Words::from(value).lasting()
    }

    #[test]
    fn it_reads_as_one_text() {
        let words = Words::from("at ")
            .fixed("bob: ")
            .json(&json!({"ok": true}))
            .varying(" after 5 ms");
        assert_eq!(words.to_string(), r#"at bob: {"ok":true} after 5 ms"#);
        assert_eq!(words.lasting(), r#"at bob: {"ok":true}~"#);
    }

    #[test]
    fn what_was_drawn_does_not_count() {
        let one = json!({
            "_id": "65f0c0ffee65f0c0ffee65f0", "at": "2026-01-02T03:04:05.678Z", "n": 7, "token": "q3Zk81xVbb_0aLmPq7Tz",
            "body": "hi 1b4e28ba-2fa1-11d2-883f-0016d3cca427", "from": "alice.0f3c9a1e.3@chatspec.example",
        });
        let other = json!({
            "_id": "75f0c0ffee65f0c0ffee65f1", "at": "2026-11-02T13:04:05Z", "n": 12, "token": "Zz9Qk81xVbb-0aLmPq7T",
            "body": "hi 9f4e28ba-2fa1-41d2-983f-0016d3cca428", "from": "alice.77e0aa02.112@chatspec.example",
        });
        assert_eq!(lasting(&one), lasting(&other));
    }

    #[test]
    fn what_people_wrote_counts() {
        for (one, other) in [
            (json!({"error": "FORBIDDEN"}), json!({"error": "NOT_FOUND"})),
            (json!({"ok": true}), json!({"ok": false})),
            (json!({"ok": true}), json!({"okay": true})),
            (json!(null), json!("")),
            (json!("start"), json!("stop")),
        ] {
            assert_ne!(lasting(&one), lasting(&other));
        }
    }

    #[test]
    fn how_many_there_are_and_in_what_order_does_not_count() {
        let listing = |names: &[&str]| lasting(&json!(names));
        assert_eq!(listing(&["ann", "bob"]), listing(&["bob", "ann", "bob"]));
        assert_ne!(listing(&["ann"]), listing(&[]));
    }

    #[test]
    fn names_that_are_ids_do_not_count_and_what_they_name_does() {
        let unread = |fields: &[(&str, Value)]| {
            let fields = fields.iter().map(|(id, value)| ((*id).to_owned(), value.clone()));
            lasting(&Value::Object(fields.collect()))
        };
        let (one, none) = (json!({"seen": true}), json!(null));
        let before = unread(&[("a1", one.clone()), ("b2", none.clone())]);
        assert_eq!(
            before,
            unread(&[("c3", none.clone()), ("d4", one.clone()), ("e5", none)])
        );
        assert_ne!(before, unread(&[("a1", one.clone()), ("b2", one)]));
    }
}

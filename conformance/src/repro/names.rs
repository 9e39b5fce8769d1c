//! Values of a recording without what was true of that one run only: placeholders stand in for that.
//!
//! | placeholder | stands for |
//! |---|---|
//! | `{{alice.id}}`, `{{chat}}`, `{{message 1}}` | a value that the server has given; what has it first, gives it |
//! | `{{new first}}` | a text that no other run has, the same wherever it stands |
//! | `{{x * 300}}` | a character so many times |
//! | `{{brace}}` | `{` |
//! | [`ID`], [`TIME`], [`WORDS`] | in what comes back, anything of that kind |

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// Any id.
pub const ID: &str = "{{an id}}";
/// Any time.
pub const TIME: &str = "{{a time}}";
/// Any text that is not blank.
pub const WORDS: &str = "{{some words}}";

/// The one key of an object that stands for a list in any order.
pub const ANY_ORDER: &str = "{{in any order}}";
/// The one key of an object that stands for a list of which some items matter: `[like this, is like that]` for each.
pub const WHERE: &str = "{{where}}";

/// The placeholder of this name.
pub fn placeholder(name: &str) -> String {
    format!("{{{{{name}}}}}")
}

/// Characters of one kind in a row, beyond which their number is written instead.
const RUN: usize = 40;

/// What is known of the values of a recording.
#[derive(Debug, Default)]
pub struct Names {
    known: HashMap<String, String>,
    fresh: HashMap<String, (String, usize)>,
    labels: HashMap<String, usize>,
    messages: usize,
}

/// A text that a scenario has made unique: perhaps a label, then a UUID.
static UNIQUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:([^{}]+) )?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").ok()
});

/// An id of the protocol.
static ID_INSIDE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[0-9a-f]{24}").ok());

/// What the kit writes into what is there for a fence.
const SENTINEL: &str = "chatspec fence";
/// What a script writes there.
const FENCE: &str = "fence";
/// What the kit calls its own texts, and what a script calls them.
const LABELS: [(&str, &str); 3] = [(SENTINEL, FENCE), ("chatspec", "group"), ("", "client id")];

impl Names {
    /// Looks at a value that is sent, so that its unique texts can be numbered. To be done with all of them first.
    pub fn learn(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.learn_text(text),
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.learn(field)),
            _ => {}
        }
    }

    fn learn_text(&mut self, text: &str) {
        let unique = UNIQUE.as_ref().and_then(|unique| unique.captures(text));
        let Some(unique) = unique.filter(|_| !self.fresh.contains_key(text)) else {
            return;
        };
        let label = unique.get(1).map_or("", |label| label.as_str());
        let own = LABELS.iter().find(|(kits, _)| *kits == label);
        let label = own.map_or(label, |(_, own)| own).to_owned();
        let count = self.labels.entry(label.clone()).or_default();
        *count += 1;
        self.fresh.insert(text.to_owned(), (label, *count));
    }

    /// From now on this value has that name.
    pub fn bind(&mut self, value: &str, name: impl Into<String>) {
        self.known.insert(value.to_owned(), name.into());
    }

    /// A name for a message whose id is this.
    pub fn bind_message(&mut self, id: &str) -> String {
        self.messages += 1;
        let name = format!("message {}", self.messages);
        self.bind(id, name.as_str());
        name
    }

    /// The name of a value, if it has one.
    pub fn name(&self, value: &str) -> Option<&str> {
        self.known.get(value).map(String::as_str)
    }

    /// A text, with placeholders for what is known in it.
    pub fn text(&self, text: &str) -> String {
        if let Some(name) = self.name(text) {
            return placeholder(name);
        }
        if text == SENTINEL {
            return FENCE.to_owned();
        }
        if let Some((label, number)) = self.fresh.get(text) {
            let several = self.labels.get(label).is_some_and(|count| *count > 1);
            let number = if several {
                format!(" {number}")
            } else {
                String::new()
            };
            return placeholder(&format!("new {label}{number}"));
        }
        let ids = ID_INSIDE.as_ref().map(|id| id.find_iter(text));
        let (mut filled, mut done) = (String::new(), 0);
        for id in ids.into_iter().flatten() {
            if let Some(name) = self.name(id.as_str()) {
                filled += &literal(&text[done..id.start()]);
                filled += &placeholder(name);
                done = id.end();
            }
        }
        filled + &literal(&text[done..])
    }

    /// Whether a text is that of something which is there for a fence.
    pub fn is_fence(&self, text: &str) -> bool {
        self.fresh.get(text).is_some_and(|(label, _)| label == FENCE)
    }

    /// A value, with placeholders for what is known in it.
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.value(field)));
                Value::Object(fields.collect())
            }
            other => other.clone(),
        }
    }
}

/// A text that has to come out as it is.
fn literal(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let mut times = 1;
        while rest.next_if_eq(&c).is_some() {
            times += 1;
        }
        match c {
            _ if times > RUN => filled += &placeholder(&format!("{c} * {times}")),
            '{' => filled += &placeholder("brace").repeat(times),
            c => filled.extend(std::iter::repeat_n(c, times)),
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHAT: &str = "01a2139a032b0000780eff49";
    const UUID: &str = "2ffac4a3-3d7d-4d7b-94c2-8946e9efbab0";
    const OTHER: &str = "1ca396d6-458d-4427-8818-a8bbb6c7fbbd";

    #[test]
    fn ids_get_names_wherever_they_stand_once_they_are_known() {
        let mut names = Names::default();
        let sent = json!({"chatId": CHAT, "list": [CHAT], "longer": format!("{CHAT}0"), "cut": &CHAT[1..]});
        assert_eq!(names.value(&sent), sent);
        names.bind(CHAT, "chat");
        let wanted =
            json!({"chatId": "{{chat}}", "list": ["{{chat}}"], "longer": "{{chat}}0", "cut": &CHAT[1..]});
        assert_eq!(names.value(&sent), wanted);
    }

    #[test]
    fn unique_texts_are_numbered_where_several_begin_alike() {
        let mut names = Names::default();
        let (one, two) = (format!("first {UUID}"), format!("first {OTHER}"));
        let fence = format!("chatspec fence {UUID}");
        names.learn(&json!([one, {"body": two}, one, UUID, fence]));
        assert_eq!(names.text(&one), "{{new first 1}}");
        assert_eq!(names.text(&two), "{{new first 2}}");
        assert_eq!(names.text(UUID), "{{new client id}}");
        assert_eq!(names.text(&fence), "{{new fence}}");
        assert!(names.is_fence(&fence) && !names.is_fence(&one));
        let plain = format!("{UUID} and more");
        assert_eq!(names.text(&plain), plain);
    }

    #[test]
    fn what_is_no_placeholder_does_not_look_like_one() {
        let names = Names::default();
        for (text, written) in [
            ("", ""),
            ("a {b} }}", "a {{brace}}b} }}"),
            ("{{{chat}}", "{{brace}}{{brace}}{{brace}}chat}}"),
        ] {
            assert_eq!(names.text(text), written);
        }
        let long = format!("{}y", "{".repeat(50));
        assert_eq!(names.text(&long), "{{{ * 50}}y");
        assert_eq!(names.text(&"x".repeat(40)), "x".repeat(40));
    }
}

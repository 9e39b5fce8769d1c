//! Values of a recording without what was true of that one run only: ids become variables, texts with a UUID are made
//! anew.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

/// A value that is sent, or what one that comes is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// JSON's null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Vec<Piece>),
    /// A list.
    List(Vec<Term>),
    /// A list in any order.
    Unordered(Vec<Term>),
    /// An object; others may have further fields.
    Object(Vec<(String, Term)>),
    /// Any id.
    Id,
    /// Any time.
    Time,
    /// Any text that is not blank.
    Words,
    /// No such field.
    Absent,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Plain(String),
    /// What the server, or the script, gave.
    Var(Var),
    /// A text that no other run has: always the same for the same label and number.
    Fresh {
        /// How it begins.
        label: String,
        /// Which of those that begin so; nothing where it is the only one.
        number: Option<usize>,
    },
}

/// A value that is known only when the script runs; numbers count from 0 in the order in which they become known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Var {
    /// The id of a user.
    User(usize),
    /// What a user connects with.
    Token(usize),
    /// A user's session token.
    Session(usize),
    /// The id of a chat.
    Chat(usize),
    /// The id of a message.
    Message(usize),
    /// Of somebody who registers: the mail address, the password, the name, a name that nobody else has.
    Person(&'static str),
}

impl Term {
    /// A text as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Text(vec![Piece::Plain(text.into())])
    }

    /// What a variable holds.
    pub fn var(var: Var) -> Self {
        Self::Text(vec![Piece::Var(var)])
    }

    /// A value, where `text` says what a text in it is.
    pub fn of(value: &Value, text: &impl Fn(&str) -> Self) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(value) => Self::Number(value.clone()),
            Value::String(value) => text(value),
            Value::Array(items) => Self::List(items.iter().map(|item| Self::of(item, text)).collect()),
            Value::Object(fields) => {
                let field = |(name, field): (&String, &Value)| (name.clone(), Self::of(field, text));
                Self::Object(fields.iter().map(field).collect())
            }
        }
    }

    /// Whether it is the text of what is there for a fence.
    pub fn is_fence(&self) -> bool {
        matches!(self, Self::Text(pieces)
            if matches!(pieces.as_slice(), [Piece::Fresh { label, .. }] if label == FENCE))
    }

    /// Every variable in it.
    pub fn vars(&self, found: &mut Vec<Var>) {
        match self {
            Self::Text(pieces) => found.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Var(var) => Some(*var),
                _ => None,
            })),
            Self::List(items) | Self::Unordered(items) => items.iter().for_each(|item| item.vars(found)),
            Self::Object(fields) => fields.iter().for_each(|(_, field)| field.vars(found)),
            _ => {}
        }
    }
}

/// What is known of the values of a recording.
#[derive(Debug, Default)]
pub struct Names {
    known: HashMap<String, Var>,
    fresh: HashMap<String, (String, usize)>,
    labels: HashMap<String, usize>,
    messages: usize,
}

/// A text that a scenario has made unique: perhaps a label, then a UUID.
static UNIQUE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:(.+) )?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$").ok()
});

/// An id of the protocol.
static ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("[0-9a-f]{24}").ok());

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

    /// From now on this value is known by that name.
    pub fn bind(&mut self, value: &str, var: Var) {
        self.known.insert(value.to_owned(), var);
    }

    /// A name for a message whose id is this.
    pub fn bind_message(&mut self, id: &str) -> Var {
        let var = Var::Message(self.messages);
        self.messages += 1;
        self.bind(id, var);
        var
    }

    /// The name of a value, if it has one.
    pub fn var(&self, value: &str) -> Option<Var> {
        self.known.get(value).copied()
    }

    /// A text, with what is known in it by its names.
    pub fn text(&self, text: &str) -> Term {
        if let Some(var) = self.var(text) {
            return Term::var(var);
        }
        if text == SENTINEL {
            return Term::plain(FENCE);
        }
        if let Some((label, number)) = self.fresh.get(text) {
            let several = self.labels.get(label).is_some_and(|count| *count > 1);
            return Term::Text(vec![Piece::Fresh {
                label: label.clone(),
                number: several.then_some(*number),
            }]);
        }
        Term::Text(self.pieces(text))
    }

    /// Ids that are known, and what is between them.
    fn pieces(&self, text: &str) -> Vec<Piece> {
        let ids = ID.as_ref().map(|id| id.find_iter(text));
        let known = ids
            .into_iter()
            .flatten()
            .filter_map(|id| Some((id, self.var(id.as_str())?)));
        let (mut pieces, mut done) = (Vec::new(), 0);
        for (id, var) in known {
            if id.start() > done {
                pieces.push(Piece::Plain(text[done..id.start()].to_owned()));
            }
            pieces.push(Piece::Var(var));
            done = id.end();
        }
        if done < text.len() || pieces.is_empty() {
            pieces.push(Piece::Plain(text[done..].to_owned()));
        }
        pieces
    }

    /// A value, with what is known in it by its names.
    pub fn term(&self, value: &Value) -> Term {
        Term::of(value, &|text| self.text(text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHAT: &str = "01a2139a032b0000780eff49";
    const UUID: &str = "2ffac4a3-3d7d-4d7b-94c2-8946e9efbab0";
    const OTHER: &str = "1ca396d6-458d-4427-8818-a8bbb6c7fbbd";

    fn fresh(label: &str, number: Option<usize>) -> Term {
        Term::Text(vec![Piece::Fresh {
            label: label.to_owned(),
            number,
        }])
    }

    #[test]
    fn ids_get_names_wherever_they_stand_once_they_are_known() {
        let mut names = Names::default();
        let sent = json!({"chatId": CHAT, "list": [CHAT], "longer": format!("{CHAT}0"), "cut": &CHAT[1..]});
        assert_eq!(names.text(CHAT), Term::plain(CHAT));
        names.bind(CHAT, Var::Chat(0));
        let Term::Object(fields) = names.term(&sent) else {
            panic!("an object")
        };
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert_eq!(field("chatId"), Term::var(Var::Chat(0)));
        assert_eq!(field("list"), Term::List(vec![Term::var(Var::Chat(0))]));
        assert_eq!(field("cut"), Term::plain(&CHAT[1..]));
        let longer = vec![Piece::Var(Var::Chat(0)), Piece::Plain("0".to_owned())];
        assert_eq!(field("longer"), Term::Text(longer));
    }

    #[test]
    fn unique_texts_are_numbered_where_several_begin_alike() {
        let mut names = Names::default();
        let (one, two) = (format!("first {UUID}"), format!("first {OTHER}"));
        names.learn(&json!([one, {"body": two}, one, UUID, format!("chatspec fence {UUID}")]));
        assert_eq!(names.text(&one), fresh("first", Some(1)));
        assert_eq!(names.text(&two), fresh("first", Some(2)));
        assert_eq!(names.text(UUID), fresh("client id", None));
        assert_eq!(
            names.text(&format!("chatspec fence {UUID}")),
            fresh("fence", None)
        );
        let plain = format!("{UUID} and more");
        assert_eq!(names.text(&plain), Term::plain(plain));
    }

    #[test]
    fn an_empty_text_stays_one() {
        assert_eq!(Names::default().text(""), Term::plain(""));
    }
}

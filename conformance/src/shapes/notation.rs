//! How a shape is written down, as JSON, and read again.
//!
//! | written | means |
//! |---|---|
//! | `"<objectid>"`, `"<uuid>"`, `"<timestamp>"`, `"<text>"`, `"<number>"` | any value of that kind |
//! | `null`, `true`, `false`, `"FORBIDDEN"` | that value and no other |
//! | `"null \| <text>"` | either of them |
//! | `["<text>"]` | a list of such elements; `[]` is one of which no element was seen |
//! | `{"key": …}` | an object, its keys in alphabetical order |
//! | `"key?"` | a key that is not always there |
//! | `"+key"` | a key that the contract does not know |
//! | `{"\|": […]}` | either of them, where one is an object or a list |
//!
//! Where one of `+`, `?`, `|` and `\` belongs to the name of a key, it has a `\` in front.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::shape::{Key, Plain, Shape};

/// Between kinds of plain values, and the key of an object that stands for several kinds.
const OR: &str = "|";

impl Plain {
    /// As it is written between others.
    pub fn word(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Word(word) => word,
            Self::ObjectId => "<objectid>",
            Self::Uuid => "<uuid>",
            Self::Timestamp => "<timestamp>",
            Self::Text => "<text>",
            Self::Number => "<number>",
        }
    }

    fn read(word: &str) -> Self {
        match word {
            "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            "<objectid>" => Self::ObjectId,
            "<uuid>" => Self::Uuid,
            "<timestamp>" => Self::Timestamp,
            "<text>" => Self::Text,
            "<number>" => Self::Number,
            word => Self::Word(word.to_owned()),
        }
    }
}

/// What values of a shape may be, one kind of values each.
enum Kind<'a> {
    Plain(&'a BTreeSet<Plain>),
    List(&'a Shape),
    Object(&'a BTreeMap<String, Key>),
}

impl Shape {
    fn kinds(&self) -> Vec<Kind<'_>> {
        let plain = (!self.plain.is_empty()).then_some(Kind::Plain(&self.plain));
        let list = self.list.as_deref().map(Kind::List);
        plain
            .into_iter()
            .chain(list)
            .chain(self.object.as_ref().map(Kind::Object))
            .collect()
    }

    /// From JSON; the error says what is wrong with it.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(Plain::Null.into()),
            Value::Bool(value) => Ok(Plain::Bool(*value).into()),
            Value::Number(number) => Err(format!("{number}: numbers are written \"<number>\"")),
            Value::String(words) => Ok(words
                .split('|')
                .map(|word| Plain::read(word.trim()).into())
                .fold(Self::default(), Self::merge)),
            Value::Array(elements) => Ok(Self {
                list: Some(Box::new(Self::any_of(elements)?)),
                ..Self::default()
            }),
            Value::Object(fields) => match fields.get(OR).and_then(Value::as_array) {
                Some(kinds) if fields.len() == 1 => Self::any_of(kinds),
                _ => Ok(Self {
                    object: Some(keys_from_json(fields)?),
                    ..Self::default()
                }),
            },
        }
    }

    fn any_of(shapes: &[Value]) -> Result<Self, String> {
        let mut shapes = shapes.iter().map(Self::from_json);
        shapes.try_fold(Self::default(), |all, shape| Ok(all.merge(shape?)))
    }
}

fn keys_from_json(fields: &Map<String, Value>) -> Result<BTreeMap<String, Key>, String> {
    let mut keys = BTreeMap::new();
    for (text, value) in fields {
        let (name, always, known) = name_from_text(text);
        let shape = Shape::from_json(value)?;
        let key = Key { always, known, shape };
        if keys.insert(name.clone(), key).is_some() {
            return Err(format!("the key {name} is there twice"));
        }
    }
    Ok(keys)
}

impl Key {
    /// Its name with its marks.
    fn to_text(&self, name: &str) -> String {
        let mut text = String::new();
        if !self.known {
            text.push('+');
        }
        for character in name.chars() {
            if matches!(character, '+' | '?' | '|' | '\\') {
                text.push('\\');
            }
            text.push(character);
        }
        if !self.always {
            text.push('?');
        }
        text
    }
}

/// The name, whether it is always there, and whether the contract knows it.
fn name_from_text(text: &str) -> (String, bool, bool) {
    let (mut name, mut always, mut known) = (String::new(), true, true);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '+' if name.is_empty() => known = false,
            '?' if characters.as_str().is_empty() => always = false,
            '\\' => name.extend(characters.next()),
            character => name.push(character),
        }
    }
    (name, always, known)
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kinds().as_slice() {
            [only] => only.serialize(serializer),
            kinds => serializer.collect_map([(OR, kinds)]),
        }
    }
}

impl Serialize for Kind<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(plain) => match plain.iter().collect::<Vec<_>>().as_slice() {
                [Plain::Null] => serializer.serialize_unit(),
                [Plain::Bool(value)] => serializer.serialize_bool(*value),
                several => {
                    let words: Vec<&str> = several.iter().map(|plain| plain.word()).collect();
                    serializer.serialize_str(&words.join(" | "))
                }
            },
            Self::List(elements) => {
                serializer.collect_seq((!elements.kinds().is_empty()).then_some(elements))
            }
            Self::Object(keys) => {
                serializer.collect_map(keys.iter().map(|(name, key)| (key.to_text(name), &key.shape)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;

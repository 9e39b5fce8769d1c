//! The shape of a value, and of several values together.
//!
//! Shapes only ever grow when they are merged, whatever the order and however often: merging is commutative, associative and
//! idempotent. So it does not matter which sample came first, or how many there were.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::contract::place::SchemaLocation;
use crate::expect::{is_id, utc_time};

/// What values look like: each is of one of these kinds. Of no sample there is no kind; [`Shape::default`] is that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// What was seen of values that hold no others.
    pub plain: BTreeSet<Plain>,
    /// Where objects were seen, their keys.
    pub object: Option<BTreeMap<String, Key>>,
    /// Where lists were seen, the elements of all of them.
    pub list: Option<Box<Shape>>,
}

/// A value that holds no others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plain {
    /// Null, as it is.
    Null,
    /// True or false, as it is.
    Bool(bool),
    /// A word that the contract names, as it is.
    Word(String),
    /// 24 lower-case hex characters.
    ObjectId,
    /// A UUID with hyphens.
    Uuid,
    /// An ISO 8601 time in UTC.
    Timestamp,
    /// Any other text.
    Text,
    /// Any number.
    Number,
}

/// A key of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whether every object had it.
    pub always: bool,
    /// Whether the contract knows it; nobody asks that of what is inside a key that it does not know.
    pub known: bool,
    /// What was behind it.
    pub shape: Shape,
}

impl Shape {
    /// The shape of one value at this place, with the words that stay as they are.
    pub fn of(value: &Value, place: &SchemaLocation<'_>, words: &BTreeSet<&str>) -> Self {
        match value {
            Value::Object(fields) => Self {
                object: Some(keys_of(fields, place, words)),
                ..Self::default()
            },
            Value::Array(elements) => {
                let place = place.elements();
                let elements = elements.iter().map(|element| Self::of(element, &place, words));
                Self {
                    list: Some(Box::new(elements.fold(Self::default(), Self::merge))),
                    ..Self::default()
                }
            }
            Value::Null => Plain::Null.into(),
            Value::Bool(value) => Plain::Bool(*value).into(),
            Value::Number(_) => Plain::Number.into(),
            Value::String(text) => Plain::of(text, words).into(),
        }
    }

    /// What both together look like: a key that one of them lacks is not always there, and kinds add up.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.plain.extend(other.plain);
        self.object = either(self.object, other.object, merge_keys);
        self.list = either(self.list, other.list, |one, other| Box::new(one.merge(*other)));
        self
    }
}

impl From<Plain> for Shape {
    fn from(plain: Plain) -> Self {
        Self {
            plain: BTreeSet::from([plain]),
            ..Self::default()
        }
    }
}

impl Plain {
    /// The kind of a text.
    fn of(text: &str, words: &BTreeSet<&str>) -> Self {
        if words.contains(text) {
            Self::Word(text.to_owned())
        } else if is_id(text) {
            Self::ObjectId
        } else if is_uuid(text) {
            Self::Uuid
        } else if utc_time(&text.into()).is_ok() {
            Self::Timestamp
        } else {
            Self::Text
        }
    }
}

/// With hyphens, which are at places 8, 13, 18 and 23 in nothing else that can be read as a UUID and is as long.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn keys_of(
    fields: &Map<String, Value>,
    place: &SchemaLocation<'_>,
    words: &BTreeSet<&str>,
) -> BTreeMap<String, Key> {
    let said = place.keys(fields);
    let keys = fields.iter().map(|(name, value)| {
        let place = said.at(name);
        let key = Key {
            always: true,
            known: place.is_some(),
            shape: Shape::of(value, &place.unwrap_or_default(), words),
        };
        (name_of(name), key)
    });
    // Two ids are one name.
    keys.fold(BTreeMap::new(), |mut all, (name, key)| {
        let key = match all.remove(&name) {
            Some(same) => merge_key(same, key),
            None => key,
        };
        all.insert(name, key);
        all
    })
}

/// A key that is an id is as volatile as any: objects may be maps of users.
fn name_of(key: &str) -> String {
    match Plain::of(key, &BTreeSet::new()) {
        Plain::ObjectId => "<objectid>".to_owned(),
        Plain::Uuid => "<uuid>".to_owned(),
        _ => key.to_owned(),
    }
}

fn merge_keys(one: BTreeMap<String, Key>, mut other: BTreeMap<String, Key>) -> BTreeMap<String, Key> {
    let sometimes = |key: Key| Key { always: false, ..key };
    let mut all: BTreeMap<String, Key> = one
        .into_iter()
        .map(|(name, key)| {
            let key = match other.remove(&name) {
                Some(same) => merge_key(key, same),
                None => sometimes(key),
            };
            (name, key)
        })
        .collect();
    all.extend(other.into_iter().map(|(name, key)| (name, sometimes(key))));
    all
}

fn merge_key(one: Key, other: Key) -> Key {
    Key {
        always: one.always && other.always,
        known: one.known && other.known,
        shape: one.shape.merge(other.shape),
    }
}

/// What there is of both, or both merged.
fn either<T>(one: Option<T>, other: Option<T>, both: impl FnOnce(T, T) -> T) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;

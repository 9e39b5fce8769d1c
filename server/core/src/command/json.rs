//! Reading the fields of a JSON payload, with errors that name the field.

use std::fmt;

use serde_json::{Map, Value};

/// A payload that is no valid request: which field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Invalid {
    field: &'static str,
    problem: String,
}

impl Invalid {
    /// What is wrong with `field`.
    pub fn new(field: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            field,
            problem: problem.to_string(),
        }
    }

    /// The name of the field.
    pub fn field(&self) -> &'static str {
        self.field
    }
}

/// The fields of a payload. Fields that nobody asks for are ignored.
pub(crate) struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(crate) fn of(payload: Option<&'a Value>) -> Result<Self, Invalid> {
        match payload {
            Some(Value::Object(fields)) => Ok(Self(fields)),
            Some(_) => Err(Invalid::new("payload", "must be an object")),
            None => Err(Invalid::new("payload", "is missing")),
        }
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<&'a str, Invalid> {
        match self.0.get(field) {
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Invalid::new(field, "must be a string")),
            None => Err(Invalid::new(field, "is missing")),
        }
    }

    pub(crate) fn id<T: std::str::FromStr<Err: fmt::Display>>(
        &self,
        field: &'static str,
    ) -> Result<T, Invalid> {
        self.text(field)?
            .parse()
            .map_err(|problem| Invalid::new(field, problem))
    }

    /// A text that may be left out, or be null, which is the same.
    pub(crate) fn optional_text(&self, field: &'static str) -> Result<Option<&'a str>, Invalid> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(field).map(Some),
        }
    }

    pub(crate) fn ids<T: std::str::FromStr<Err: fmt::Display>>(
        &self,
        field: &'static str,
    ) -> Result<Vec<T>, Invalid> {
        let items = match self.0.get(field) {
            Some(Value::Array(items)) => items,
            Some(_) => return Err(Invalid::new(field, "must be an array")),
            None => return Err(Invalid::new(field, "is missing")),
        };
        let id = |item: &Value| match item.as_str() {
            Some(text) => text.parse().map_err(|problem| Invalid::new(field, problem)),
            None => Err(Invalid::new(field, "must hold strings only")),
        };
        items.iter().map(id).collect()
    }
}

//! An event that a connection received.

use std::fmt;
use std::time::Instant;

use serde_json::Value;

use crate::text::show;

/// One event that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name, as in `message:new`.
    pub name: String,
    /// All its arguments; the protocol has one.
    pub args: Vec<Value>,
    /// When it arrived.
    pub at: Instant,
    /// The namespace it arrived in.
    pub namespace: String,
    /// Its place among all that the connection received.
    pub(crate) position: usize,
}

impl Event {
    /// The first argument, or null.
    pub fn data(&self) -> &Value {
        const NULL: &Value = &Value::Null;
        self.args.first().unwrap_or(NULL)
    }

    /// Whether it arrived after the mark was set.
    pub fn is_after(&self, mark: Mark) -> bool {
        self.position >= mark.0
    }

    #[cfg(test)]
    pub(crate) fn for_test(name: &str, data: Value) -> Self {
        Self {
            name: name.to_owned(),
            args: vec![data],
            at: Instant::now(),
            namespace: "/".to_owned(),
            position: 0,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        self.args.iter().try_for_each(|arg| write!(f, " {}", show(arg)))
    }
}

/// A point in what a connection received; see [`crate::client::Client::mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub(crate) usize);

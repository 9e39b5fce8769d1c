//! Pure matchers: they look at JSON and say what does not fit, and never fail anything themselves.
//!
//! - [`ack`]: the shape of acknowledgements
//! - [`event`]: patterns for events, and looking them up among those received
//! - [`leak`]: what a text for users must not give away
//! - [`timing`]: durations, with a margin within which nothing is decided
//! - [`words`]: how it is said, so that it can be read and compared

pub mod ack;
pub mod event;
pub mod leak;
#[cfg(test)]
mod properties;
pub mod timing;
pub mod words;

use std::fmt;

use serde::Serialize;
use serde_json::Value;

pub use words::{Words, varying};

/// How something differs from what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// It is wrong.
    Definite(Box<Difference>),
    /// It cannot be told, mostly because the timing was too close; the scenario is run again alone.
    Inconclusive {
        /// What made it uncertain.
        why: String,
    },
    /// The kit itself is at fault, as in a schema that does not exist.
    Fault {
        /// What is wrong with the kit.
        why: String,
    },
}

/// What is wrong, as facts.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// In what way.
    pub kind: MismatchKind,
    /// Where it was seen: a step, a client, a part of a reply; the outermost first.
    pub at: Vec<String>,
    /// Which value is wrong, as a JSON pointer, where it is one value.
    pub pointer: Option<String>,
    /// The allowed outcomes.
    pub expected: Vec<Words>,
    /// What was seen instead.
    pub actual: Words,
}

/// In what way something is wrong. JSON reports have these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MismatchKind {
    /// A value is another one than it has to be, or is not there.
    Value,
    /// A value does not fit its schema.
    Schema,
    /// An event did not come in time.
    EventMissing,
    /// Events came more or less often than they have to.
    EventCount,
    /// An ack has another outcome.
    Ack,
    /// A request got no ack, or could not be sent.
    NoAck,
    /// A connection was not opened, or is not in the state that it has to be in.
    Connection,
    /// An HTTP request was answered in another way, or not at all.
    Http,
    /// Something took too long, or came too early.
    Time,
}

impl Mismatch {
    /// A value that is wrong: one allowed outcome, and what was seen instead.
    pub fn new(expected: impl Into<Words>, actual: impl Into<Words>) -> Self {
        Self::of(MismatchKind::Value, [expected], actual)
    }

    /// What is wrong in this way: several allowed outcomes, and what was seen instead.
    pub fn of(
        kind: MismatchKind,
        expected: impl IntoIterator<Item = impl Into<Words>>,
        actual: impl Into<Words>,
    ) -> Self {
        Self::Definite(Box::new(Difference {
            kind,
            at: Vec::new(),
            pointer: None,
            expected: expected.into_iter().map(Into::into).collect(),
            actual: actual.into(),
        }))
    }

    /// Nothing that can be decided.
    pub fn inconclusive(why: impl Into<String>) -> Self {
        Self::Inconclusive { why: why.into() }
    }

    /// A fault of the kit.
    pub fn fault(why: impl Into<String>) -> Self {
        Self::Fault { why: why.into() }
    }

    /// Says where it was seen, in front of what was seen: `bob: no message:new`.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        match &mut self {
            Self::Definite(difference) => difference.at.insert(0, place.to_owned()),
            Self::Inconclusive { why } | Self::Fault { why } => *why = format!("{place}: {why}"),
        }
        self
    }

    /// Says which value it is about.
    #[must_use]
    pub fn about(mut self, pointer: &str) -> Self {
        if let Self::Definite(difference) = &mut self {
            difference.pointer = Some(pointer.to_owned());
        }
        self
    }

    /// What is wrong, if that is what it says.
    pub fn difference(&self) -> Option<&Difference> {
        match self {
            Self::Definite(difference) => Some(difference),
            Self::Inconclusive { .. } | Self::Fault { .. } => None,
        }
    }
}

impl Difference {
    /// What was seen instead, and where: `bob: none`.
    pub fn seen(&self) -> String {
        let at = self.at.iter().map(|place| format!("{place}: "));
        at.chain([self.actual.to_string()]).collect()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected: Vec<String> = self.expected.iter().map(ToString::to_string).collect();
        write!(f, "expected {}; got {}", expected.join(", or "), self.seen())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definite(difference) => difference.fmt(f),
            Self::Inconclusive { why } | Self::Fault { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for Mismatch {}

/// What most matchers return.
pub type Found<T = ()> = Result<T, Mismatch>;

/// Holds if `condition` does.
pub fn that(condition: bool, expected: impl Into<Words>, actual: impl Into<Words>) -> Found {
    if condition {
        Ok(())
    } else {
        Err(Mismatch::new(expected, actual))
    }
}

/// Holds if both are equal; `what` names the thing, as in `senderId`.
pub fn equal<T: PartialEq + Serialize + ?Sized>(what: &str, actual: &T, expected: &T) -> Found {
    let shown =
        |value: &T| Words::from(format!("{what} = ")).json(&serde_json::to_value(value).unwrap_or_default());
    that(actual == expected, shown(expected), shown(actual))
}

/// All hold: the first mismatch counts.
pub fn all(found: impl IntoIterator<Item = Found>) -> Found {
    found.into_iter().collect()
}

/// The value at a JSON pointer such as `/data/serverId`.
pub fn field<'a>(value: &'a Value, pointer: &str) -> Found<&'a Value> {
    let missing = || Mismatch::new(format!("a value at {pointer}"), value).about(pointer);
    value.pointer(pointer).ok_or_else(missing)
}

/// The text at a JSON pointer.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Found<&'a str> {
    let other = || Mismatch::new(format!("text at {pointer}"), value).about(pointer);
    field(value, pointer)?.as_str().ok_or_else(other)
}

/// The value at `pointer` is exactly `expected`.
pub fn has(value: &Value, pointer: &str, expected: impl Into<Value>) -> Found {
    let expected = expected.into();
    let found = value.pointer(pointer);
    if found == Some(&expected) {
        return Ok(());
    }
    let is = |value: &Value| Words::from(format!("{pointer} = ")).json(value);
    let actual = found.map_or_else(|| Words::from(format!("no {pointer} in ")).json(value), is);
    Err(Mismatch::new(is(&expected), actual).about(pointer))
}

/// An ISO 8601 time in UTC, as the contract writes times.
pub fn utc_time(value: &Value) -> Found<time::OffsetDateTime> {
    let wrong = || Mismatch::new("an ISO 8601 time in UTC", value);
    let text = value.as_str().ok_or_else(wrong)?;
    let parsed = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
        .map_err(|_| wrong())?;
    if parsed.offset().is_utc() {
        Ok(parsed)
    } else {
        Err(wrong())
    }
}

/// 24 lower-case hex characters, as ids are.
pub fn is_id(text: &str) -> bool {
    text.len() == 24
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_pointer_or_named_as_missing() {
        let value = json!({"data": {"serverId": "x"}});
        assert_eq!(text(&value, "/data/serverId"), Ok("x"));
        let missing = text(&value, "/data/clientId").unwrap_err().to_string();
        assert_eq!(
            missing,
            r#"expected a value at /data/clientId; got {"data":{"serverId":"x"}}"#
        );
        assert!(has(&value, "/data/serverId", "x").is_ok());
        assert!(has(&value, "/data/serverId", "y").is_err());
    }

    #[test]
    fn only_utc_is_utc() {
        assert!(utc_time(&json!("2026-01-02T03:04:05.678Z")).is_ok());
        assert!(utc_time(&json!("2026-01-02T03:04:05+00:00")).is_ok());
        for wrong in [
            json!("2026-01-02T03:04:05+02:00"),
            json!("2026-01-02"),
            json!(12),
            json!(null),
        ] {
            assert!(utc_time(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_are_24_lower_case_hex_characters() {
        assert!(is_id("0123456789abcdef01234567"));
        assert!(!is_id("0123456789ABCDEF01234567"));
        assert!(!is_id("0123456789abcdef0123456"));
    }
}

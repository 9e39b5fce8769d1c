//! Pure matchers: they look at JSON and say what does not fit, and never fail anything themselves.
//!
//! - [`ack`]: the shape of acknowledgements
//! - [`event`]: patterns for events, and looking them up among those received
//! - [`leak`]: what a text for users must not give away
//! - [`timing`]: durations, with a margin within which nothing is decided

pub mod ack;
pub mod event;
pub mod leak;
pub mod timing;

use std::fmt;

use serde_json::Value;

use crate::text::{shorten, show};

/// How something differs from what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// It is wrong.
    Definite {
        /// The allowed outcomes.
        expected: Vec<String>,
        /// What was seen instead.
        actual: String,
    },
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

impl Mismatch {
    /// One allowed outcome, and what was seen instead.
    pub fn new(expected: impl Into<String>, actual: impl fmt::Display) -> Self {
        Self::one_of([expected.into()], actual)
    }

    /// Several allowed outcomes, and what was seen instead.
    pub fn one_of(expected: impl IntoIterator<Item = impl Into<String>>, actual: impl fmt::Display) -> Self {
        Self::Definite {
            expected: expected.into_iter().map(Into::into).collect(),
            actual: actual.to_string(),
        }
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
    pub fn at(self, place: &str) -> Self {
        match self {
            Self::Definite { expected, actual } => Self::Definite {
                expected,
                actual: format!("{place}: {actual}"),
            },
            Self::Inconclusive { why } => Self::Inconclusive {
                why: format!("{place}: {why}"),
            },
            Self::Fault { why } => Self::Fault {
                why: format!("{place}: {why}"),
            },
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definite { expected, actual } => {
                write!(f, "expected {}; got {actual}", expected.join(", or "))
            }
            Self::Inconclusive { why } | Self::Fault { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for Mismatch {}

/// What most matchers return.
pub type Found<T = ()> = Result<T, Mismatch>;

/// Holds if `condition` does.
pub fn that(condition: bool, expected: impl Into<String>, actual: impl fmt::Display) -> Found {
    if condition {
        Ok(())
    } else {
        Err(Mismatch::new(expected, actual))
    }
}

/// Holds if both are equal; `what` names the thing, as in `senderId`.
pub fn equal<T: PartialEq + fmt::Debug + ?Sized>(what: &str, actual: &T, expected: &T) -> Found {
    that(
        actual == expected,
        format!("{what} = {}", shorten(&format!("{expected:?}"))),
        format_args!("{what} = {}", shorten(&format!("{actual:?}"))),
    )
}

/// All hold: the first mismatch counts.
pub fn all(found: impl IntoIterator<Item = Found>) -> Found {
    found.into_iter().collect()
}

/// The value at a JSON pointer such as `/data/serverId`.
pub fn field<'a>(value: &'a Value, pointer: &str) -> Found<&'a Value> {
    value
        .pointer(pointer)
        .ok_or_else(|| Mismatch::new(format!("a value at {pointer}"), show(value)))
}

/// The text at a JSON pointer.
pub fn text<'a>(value: &'a Value, pointer: &str) -> Found<&'a str> {
    field(value, pointer)?
        .as_str()
        .ok_or_else(|| Mismatch::new(format!("text at {pointer}"), show(value)))
}

/// The value at `pointer` is exactly `expected`.
pub fn has(value: &Value, pointer: &str, expected: impl Into<Value>) -> Found {
    let expected = expected.into();
    that(
        value.pointer(pointer) == Some(&expected),
        format!("{pointer} = {}", show(&expected)),
        value.pointer(pointer).map_or_else(
            || format!("no {pointer} in {}", show(value)),
            |found| format!("{pointer} = {}", show(found)),
        ),
    )
}

/// An ISO 8601 time in UTC, as the contract writes times.
pub fn utc_time(value: &Value) -> Found<time::OffsetDateTime> {
    let wrong = || Mismatch::new("an ISO 8601 time in UTC", show(value));
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

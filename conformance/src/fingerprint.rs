//! How a failure is told from others over many runs.
//!
//! A fingerprint is a hash over the facts of a failure: the requirement, the scenario, in what way it is wrong, what was
//! expected and what was seen, each without what differs from run to run (see [`Words::lasting`]). Where both cannot be had,
//! that two runs give the same fingerprint weighs more than that every difference is seen: one that wavers would fail runs for
//! no reason. How the kit words a failure does not matter, except for what a scenario itself says of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::expect::{Difference, Mismatch, Words};
use crate::verdict::Check;

/// How many hexadecimal digits a fingerprint has.
const DIGITS: usize = 12;

/// How a failure differs from others, as in `3f29a1c04b7e`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a check that fails, or was blocked.
    pub fn of(check: &Check) -> Self {
        let facts = match (check.blocked(), &check.mismatch) {
            // Of several who take the same step at once, whoever comes first is told.
            (Some(blocked), _) => match &blocked.mismatch {
                Some(mismatch) => format!("blocked\n{}", facts(mismatch, false)),
                None => format!("blocked\n{}", Words::from(blocked.why.as_str()).lasting()),
            },
            (None, Some(mismatch)) => facts(mismatch, true),
            (None, None) => {
                let message = check.message.as_deref().unwrap_or_default();
                return Self::of_message(&check.requirement, &check.scenario, message);
            }
        };
        Self::hash(&check.requirement, &check.scenario, &facts)
    }

    /// The fingerprint of what is said about a requirement in a scenario, where that is all that is known.
    pub fn of_message(requirement: &str, scenario: &str, message: &str) -> Self {
        Self::hash(requirement, scenario, &Words::from(message).lasting())
    }

    fn hash(requirement: &str, scenario: &str, facts: &str) -> Self {
        let hash = Sha256::digest(format!("{requirement}\n{scenario}\n{facts}"));
        let mut hex = format!("{hash:x}");
        hex.truncate(DIGITS);
        Self(hex)
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What of a mismatch is the same in every run, one fact a line.
fn facts(mismatch: &Mismatch, with_place: bool) -> String {
    let Mismatch::Definite(difference) = mismatch else {
        return Words::from(mismatch.to_string()).lasting();
    };
    let Difference {
        kind,
        at,
        pointer,
        expected,
        actual,
    } = &**difference;
    let places = at.iter().filter(|_| with_place).map(|place| role(place));
    let expected = expected.iter().map(Words::lasting);
    let pointer = pointer.iter().cloned();
    let facts = [format!("{kind:?}")].into_iter().chain(places).chain(pointer);
    facts
        .chain(expected)
        .chain([actual.lasting()])
        .collect::<Vec<_>>()
        .join("\n")
}

/// Who it was, whichever of several connections: `alice` of `alice#2`.
fn role(place: &str) -> String {
    let words = place
        .split(' ')
        .map(|word| word.split('#').next().unwrap_or_default());
    Words::from(words.collect::<Vec<_>>().join(" ")).lasting()
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == DIGITS && text.bytes().all(hex) {
            Ok(Self(text))
        } else {
            Err(format!(
                "\"{text}\" is no fingerprint: it has {DIGITS} digits from 0 to 9 and a to f, as JSON reports show them"
            ))
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

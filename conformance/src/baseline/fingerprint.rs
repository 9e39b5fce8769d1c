//! How a failure is told from others over many runs.
//!
//! A fingerprint is a hash over requirement, scenario and what the kit said about the failure, with all that differs from
//! run to run masked: ids, tokens, addresses, times, and how much of something happened to arrive. What is left is what
//! was expected and in which way it was not met. Where both cannot be had, that two runs give the same fingerprint weighs
//! more than that every difference is seen: one that wavers would fail runs for no reason.
//!
//! Whoever changes what is masked here, or how the kit words a mismatch, changes the fingerprints that people have listed:
//! the changelog has to say so, and `chatspec baseline accept` brings their files up to date.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many hexadecimal digits a fingerprint has.
const DIGITS: usize = 12;
/// So many characters are shown of a value that is cut because of its length; see [`crate::text::shorten`].
const SHOWN: usize = 400;
/// So many of them count, once masked: where the cut falls depends on how long the masked things were.
const COUNTED: usize = 80;

/// What differs from run to run, and what stands for it. The order matters: a JWT has dots as host names have.
const MASKS: [(&str, &str); 16] = [
    (r"\beyJ[\w-]+(?:\.[\w-]*){0,2}", "<token>"),
    (
        r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b",
        "<id>",
    ),
    (r"\b[0-9a-fA-F]{16,}\b", "<id>"),
    (r"\bsid=[\w-]+", "sid=<id>"),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", "<email>"),
    (r"\bpw-[0-9a-f]{8}-\d+\b", "<password>"),
    (
        r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?",
        "<time>",
    ),
    (
        r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\b",
        "<time>",
    ),
    // Address and port of the target, or of whatever it speaks to; the path behind it stays.
    (r#"\b(?:https?|wss?|mongodb|redis)://[^\s/"'<>\\)]+"#, "<address>"),
    (
        r"(?:\b\d{1,3}(?:\.\d{1,3}){3}|\blocalhost|\[[0-9a-fA-F:]+\]):\d+\b",
        "<address>",
    ),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "<address>"),
    // Values that their names give away, in JSON or as `/userId = …`: a stranger's ids have a shape of their own.
    (
        r#"(\b(?:_id|id|sid|[A-Za-z]*[a-z]Id)"?\s*[:=]\s*)(?:"(?:[^"\\]|\\.)*"|\d+\b)"#,
        "${1}<id>",
    ),
    (
        r#"(?i)(\b(?:\w*(?:millis|seconds|secs)|\w+ms|retry-?after)"?\s*[:=]\s*"?)\d+(?:\.\d+)?"#,
        "${1}<time>",
    ),
    (
        r"\b\d+(?:\.\d+)?\s?(?:[nµm]s|s|secs?|seconds?|milliseconds?|mins?|minutes?)\b",
        "<time>",
    ),
    (r"\b\d{10,}(?:\.\d+)?\b", "<number>"),
    (r"\s+", " "),
];

/// How the kit says what came instead of what was waited for, from the place where a run's luck begins.
const UNLIKE: [(&str, &str); 6] = [
    // Where the connection has gone, a request fails at once or stays unanswered, whatever is noticed first.
    (
        r"(?s)expected (\S+) to be sent; got (.*?)it could not be sent: .*",
        "expected an ack of ${1} within <time>; got ${2}none",
    ),
    // Something was there that must not be: that it was there is the failure, and not how often.
    (r"(?s)(expected no .*?; got (?:[\w#-]+: )*).*", "${1}some"),
    (r"(?s)\b\d+ of them: .*", "several of them"),
    (r"(?s)\bno event at all\b.*", "none"),
    // The everyday client does not always notice that a connection is gone, and reasons for that are many.
    (r"(?s)\bnone; the connection is .*", "none"),
    (r"\bclosed: [^;)]*", "closed"),
];

/// Who was stopped by a step that did not work: of several who take it at once, whoever comes first.
const WHO: [(&str, &str); 2] = [
    (r"\b(as|reach) [\w#-]+", "$1 somebody"),
    (
        r"(got|:) [\w-]+(?:#\d+)?: (none|expected|it)\b",
        "$1 somebody: $2",
    ),
];

/// How a failure differs from others, as in `3f29a1c04b7e`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of what the kit says about a requirement in a scenario.
    pub fn of(requirement: &str, scenario: &str, message: &str) -> Self {
        let hash = Sha256::digest(format!("{requirement}\n{scenario}\n{}", lasting(message)));
        let mut hex = format!("{hash:x}");
        hex.truncate(DIGITS);
        Self(hex)
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == DIGITS && text.bytes().all(hex) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is no fingerprint: it has {DIGITS} digits from 0 to 9 and a to f, as JSON reports show them"
            ))
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fingerprints of one run, each worked out once: every format of report asks for the same ones. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Fingerprints(Arc<Mutex<HashMap<String, Fingerprint>>>);

impl Fingerprints {
    /// As [`Fingerprint::of`].
    pub fn of(&self, requirement: &str, scenario: &str, message: &str) -> Fingerprint {
        let told = format!("{requirement}\n{scenario}\n{message}");
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Fingerprint::of(requirement, scenario, message);
        known.entry(told).or_insert_with(new).clone()
    }
}

/// What of a message is the same in every run.
fn lasting(message: &str) -> String {
    let mut text = masked(&without_arrivals(message));
    let blocked = message.starts_with("blocked: ");
    let who = WHO_PATTERNS.iter().filter(|_| blocked);
    replace(&mut text, UNLIKE_PATTERNS.iter().chain(who));
    text
}

/// What had arrived by the time that something was missed is a matter of luck, except that there was one of the kind:
/// then it came, and was not as it should be.
fn without_arrivals(message: &str) -> String {
    let Some((before, arrived)) = message.split_once("none; what arrived: ") else {
        return message.to_owned();
    };
    let name = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let wanted = before.rsplit("expected ").next().map(name).unwrap_or_default();
    let instead = if name(arrived) == wanted {
        "another"
    } else {
        "none"
    };
    format!("{before}{instead}")
}

/// The text with everything masked that differs from run to run, and long values by their beginning alone.
fn masked(text: &str) -> String {
    let Some(cut) = CUT.as_ref() else {
        return mask(text);
    };
    let mut lasting = String::new();
    let mut rest = 0;
    for mark in cut.find_iter(text) {
        let before = &text[rest..mark.start()];
        let value = before
            .char_indices()
            .rev()
            .nth(SHOWN - 1)
            .map_or(0, |(start, _)| start);
        lasting.push_str(&mask(&before[..value]));
        lasting.extend(mask(&before[value..]).chars().take(COUNTED));
        lasting.push('…');
        rest = mark.end();
    }
    lasting + &mask(&text[rest..])
}

fn mask(text: &str) -> String {
    let mut text = text.to_owned();
    replace(&mut text, MASK_PATTERNS.iter());
    let Some(word) = WORD.as_ref() else { return text };
    word.replace_all(&text, |word: &Captures<'_>| {
        if is_opaque(&word[0]) {
            "<token>".to_owned()
        } else {
            word[0].to_owned()
        }
    })
    .into_owned()
}

/// One pattern after the other, since what one puts in is what the next one reads.
fn replace<'a>(text: &mut String, patterns: impl Iterator<Item = &'a (Regex, &'static str)>) {
    for (pattern, instead) in patterns {
        if let Cow::Owned(replaced) = pattern.replace_all(text, *instead) {
            *text = replaced;
        }
    }
}

/// Whether a long word looks drawn by lot, as session tokens are; what people write has hyphens, or one case, and few
/// digits.
fn is_opaque(word: &str) -> bool {
    let count = |kind: fn(&char) -> bool| word.chars().filter(kind).count();
    let digits = count(char::is_ascii_digit);
    let both_cases = count(char::is_ascii_uppercase) > 1 && count(char::is_ascii_lowercase) > 1;
    let joined = word.contains(['-', '_']);
    digits > 0 && (both_cases || (digits >= 4 && !joined))
}

static CUT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"… \(\d+ bytes\)").ok());
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[A-Za-z0-9_-]{16,}").ok());
static MASK_PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| compile(&MASKS));
static WHO_PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| compile(&WHO));
static UNLIKE_PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| compile(&UNLIKE));

/// Those that are valid; a test sees to it that all are.
fn compile(patterns: &[(&str, &'static str)]) -> Vec<(Regex, &'static str)> {
    let compiled = |(pattern, instead): &(&str, &'static str)| Some((Regex::new(pattern).ok()?, *instead));
    patterns.iter().filter_map(compiled).collect()
}

#[cfg(test)]
mod tests;

//! The corpus of bad and odd input: what to send, and which answers are allowed.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::packet::Args;

/// The whole corpus.
#[derive(Debug, Default)]
pub struct Corpus {
    /// The payloads by event, as in `message:send`.
    pub events: BTreeMap<String, Vec<Entry>>,
    /// Things that are no token.
    pub tokens: Vec<Token>,
    /// Message bodies that must come back unchanged.
    pub bodies: Vec<Body>,
}

/// One payload.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Unique within the event.
    pub name: String,
    /// The requirement that it bears on.
    pub requirement: String,
    /// Allowed answers: error codes, `ok`, `ignored`, `any`.
    pub expect: Vec<String>,
    /// Whether there is no payload at all.
    #[serde(default)]
    pub missing: bool,
    /// The payload, before placeholders and generators.
    #[serde(default)]
    pub payload: Value,
    /// Arguments after the payload.
    #[serde(default)]
    pub extra: Vec<Value>,
    /// What is odd about it.
    #[serde(default)]
    pub note: String,
}

/// One thing that is no token.
#[derive(Clone, Debug, Deserialize)]
pub struct Token {
    /// Unique.
    pub name: String,
    /// The CONNECT payload.
    pub payload: Value,
    /// The requirement that it bears on.
    pub requirement: String,
}

/// One message body.
#[derive(Clone, Debug, Deserialize)]
pub struct Body {
    /// Unique.
    pub name: String,
    /// The text.
    pub body: String,
}

/// What the placeholders stand for.
#[derive(Clone, Debug, Default)]
pub struct Fill {
    /// `{{chatId}}`.
    pub chat_id: String,
    /// `{{messageId}}`.
    pub message_id: String,
    /// `{{userId}}`.
    pub user_id: String,
}

#[derive(Deserialize)]
struct Entries<T> {
    entries: Vec<T>,
}

#[derive(Deserialize)]
struct EventFile {
    event: String,
    entries: Vec<Entry>,
}

impl Corpus {
    pub(super) fn parse(files: &BTreeMap<String, String>) -> Result<Self, String> {
        fn read<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, String> {
            serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))
        }
        let mut corpus = Self::default();
        for (path, text) in files {
            let Some(name) = path
                .strip_prefix("payloads/")
                .and_then(|name| name.strip_suffix(".json"))
            else {
                continue;
            };
            match name {
                "tokens" => corpus.tokens = read::<Entries<Token>>(path, text)?.entries,
                "bodies" => corpus.bodies = read::<Entries<Body>>(path, text)?.entries,
                _ => {
                    let file: EventFile = read(path, text)?;
                    corpus.events.insert(file.event, file.entries);
                }
            }
        }
        Ok(corpus)
    }

    /// The entries of an event; none where the corpus has none.
    pub fn of(&self, event: &str) -> &[Entry] {
        self.events.get(event).map_or(&[], Vec::as_slice)
    }
}

impl Entry {
    /// The arguments to send: generators expanded, placeholders filled, binary split off. `{{clientId}}` is another one
    /// each time.
    pub fn args(&self, fill: &Fill) -> Args {
        let mut args = Args::default();
        if !self.missing {
            let value = expand(&self.payload, fill, &mut args.attachments);
            args.values.push(value);
        }
        for extra in &self.extra {
            let value = expand(extra, fill, &mut args.attachments);
            args.values.push(value);
        }
        args
    }
}

/// Fills placeholders and expands generators in any value; binary goes into `attachments`.
pub fn expand(value: &Value, fill: &Fill, attachments: &mut Vec<Bytes>) -> Value {
    match value {
        Value::String(text) => match text.as_str() {
            "{{chatId}}" => fill.chat_id.as_str().into(),
            "{{messageId}}" => fill.message_id.as_str().into(),
            "{{userId}}" => fill.user_id.as_str().into(),
            "{{clientId}}" => uuid::Uuid::new_v4().to_string().into(),
            _ => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| expand(item, fill, attachments)).collect(),
        Value::Object(fields) => match fields.get("$generate") {
            Some(how) if fields.len() == 1 => generate(how, attachments),
            _ => Value::Object(
                fields
                    .iter()
                    .map(|(key, field)| (key.clone(), expand(field, fill, attachments)))
                    .collect(),
            ),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn generate(how: &Value, attachments: &mut Vec<Bytes>) -> Value {
    let size = |key: &str| {
        how[key]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
    };
    match how["kind"].as_str() {
        Some("nested-array") => (0..size("depth")).fold(json!(1), |inner, _| Value::Array(vec![inner])),
        Some("nested-object") => (0..size("depth")).fold(json!(1), |inner, _| json!({"a": inner})),
        Some("string") => "a".repeat(size("bytes")).into(),
        Some("binary") => {
            attachments.push(Bytes::from(vec![0xA5; size("bytes")]));
            json!({"_placeholder": true, "num": attachments.len() - 1})
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload: Value) -> Entry {
        serde_json::from_value(
            json!({"name": "x", "requirement": "X-01", "expect": ["any"], "payload": payload}),
        )
        .unwrap()
    }

    #[test]
    fn placeholders_are_filled_wherever_they_stand() {
        let fill = Fill {
            chat_id: "c".to_owned(),
            ..Fill::default()
        };
        let args =
            entry(json!({"chatId": "{{chatId}}", "clientId": "{{clientId}}", "deep": [["{{chatId}}"]]}))
                .args(&fill);
        assert_eq!(args.values[0]["chatId"], "c");
        assert_eq!(args.values[0]["deep"], json!([["c"]]));
        assert_eq!(args.values[0]["clientId"].as_str().unwrap().len(), 36);
    }

    #[test]
    fn generators_expand() {
        let args = entry(json!([
            {"$generate": {"kind": "nested-array", "depth": 2}},
            {"$generate": {"kind": "string", "bytes": 3}},
            {"$generate": {"kind": "binary", "bytes": 4}},
        ]))
        .args(&Fill::default());
        assert_eq!(
            args.values[0],
            json!([[[1]], "aaa", {"_placeholder": true, "num": 0}])
        );
        assert_eq!(args.attachments[0].len(), 4);
    }

    #[test]
    fn a_missing_payload_is_no_argument() {
        let entry: Entry = serde_json::from_value(
            json!({"name": "x", "requirement": "X-01", "expect": ["any"], "missing": true}),
        )
        .unwrap();
        assert!(entry.args(&Fill::default()).values.is_empty());
    }
}

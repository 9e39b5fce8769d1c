//! The corpus of bad and odd input: what to send, and which answers are allowed.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::packet::Args;
use crate::placeholders;

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
    /// Whether the contract leaves the outcome open.
    pub fn allows_anything(&self) -> bool {
        self.expect.iter().any(|outcome| outcome == "any")
    }

    /// The arguments to send: generators expanded, placeholders filled, binary split off. `{{clientId}}` is another one
    /// each time.
    pub fn args(&self, fill: &Fill) -> Args {
        let mut args = Args::default();
        let payload = (!self.missing).then_some(&self.payload);
        for value in payload.into_iter().chain(&self.extra) {
            let mut text = String::new();
            write(value, fill, &mut text, &mut args.attachments);
            args.texts.push(text);
        }
        args
    }
}

/// Writes a value as JSON, with placeholders filled and generators expanded; binary goes into `attachments`.
fn write(value: &Value, fill: &Fill, out: &mut String, attachments: &mut Vec<Bytes>) {
    match value {
        Value::String(text) => *out += &Value::from(fill.text(text)).to_string(),
        Value::Array(items) => list(out, '[', items, ']', |out, item| {
            write(item, fill, out, attachments);
        }),
        Value::Object(fields) => match fields.get("$generate") {
            Some(how) if fields.len() == 1 => generate(how, out, attachments),
            _ => list(out, '{', fields, '}', |out, (key, field)| {
                *out += &Value::from(key.as_str()).to_string();
                out.push(':');
                write(field, fill, out, attachments);
            }),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => *out += &value.to_string(),
    }
}

fn list<T>(
    out: &mut String,
    open: char,
    items: impl IntoIterator<Item = T>,
    close: char,
    mut each: impl FnMut(&mut String, T),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(close);
}

impl Fill {
    fn text(&self, text: &str) -> String {
        let filled = placeholders::text(text, |name| match name {
            "chatId" => Some(self.chat_id.clone()),
            "messageId" => Some(self.message_id.clone()),
            "userId" => Some(self.user_id.clone()),
            "clientId" => Some(uuid::Uuid::new_v4().to_string()),
            _ => None,
        });
        filled.unwrap_or_else(|| text.to_owned())
    }
}

/// Text and not a [`Value`]: ten thousand levels of one would overflow the stack when it is dropped.
fn generate(how: &Value, out: &mut String, attachments: &mut Vec<Bytes>) {
    let size = |key: &str| {
        how[key]
            .as_u64()
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
    };
    let mut nested = |open: &str, close: &str| {
        let depth = size("depth");
        out.extend([&open.repeat(depth), "1", &close.repeat(depth)]);
    };
    match how["kind"].as_str() {
        Some("nested-array") => nested("[", "]"),
        Some("nested-object") => nested(r#"{"a":"#, "}"),
        Some("string") => *out += &Value::from("a".repeat(size("bytes"))).to_string(),
        Some("binary") => {
            attachments.push(Bytes::from(vec![0xA5; size("bytes")]));
            *out += &json!({"_placeholder": true, "num": attachments.len() - 1}).to_string();
        }
        _ => *out += "null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(payload: &Value) -> Entry {
        serde_json::from_value(
            json!({"name": "x", "requirement": "X-01", "expect": ["any"], "payload": payload}),
        )
        .unwrap()
    }

    fn sent(entry: &Entry, fill: &Fill) -> Value {
        serde_json::from_str(&entry.args(fill).texts[0]).unwrap()
    }

    #[test]
    fn placeholders_are_filled_wherever_they_stand() {
        let fill = Fill {
            chat_id: "c".to_owned(),
            ..Fill::default()
        };
        let entry = entry(
            &json!({"chatId": "{{chatId}}", "clientId": "{{clientId}}", "deep": [["{{chatId}}"], "\""]}),
        );
        let sent = sent(&entry, &fill);
        assert_eq!(sent["chatId"], "c");
        assert_eq!(sent["deep"], json!([["c"], "\""]));
        assert_eq!(sent["clientId"].as_str().unwrap().len(), 36);
    }

    #[test]
    fn generators_expand() {
        let entry = entry(&json!([
            {"$generate": {"kind": "nested-array", "depth": 2}},
            {"$generate": {"kind": "nested-object", "depth": 2}},
            {"$generate": {"kind": "string", "bytes": 3}},
            {"$generate": {"kind": "binary", "bytes": 4}},
        ]));
        assert_eq!(
            sent(&entry, &Fill::default()),
            json!([[[1]], {"a": {"a": 1}}, "aaa", {"_placeholder": true, "num": 0}])
        );
        assert_eq!(entry.args(&Fill::default()).attachments[0].len(), 4);
    }

    #[test]
    fn any_depth_can_be_generated() {
        let entry = entry(&json!({"$generate": {"kind": "nested-object", "depth": 1_000_000}}));
        assert_eq!(entry.args(&Fill::default()).texts[0].len(), 6_000_001);
    }

    #[test]
    fn a_missing_payload_is_no_argument() {
        let entry: Entry = serde_json::from_value(
            json!({"name": "x", "requirement": "X-01", "expect": ["any"], "missing": true}),
        )
        .unwrap();
        assert!(entry.args(&Fill::default()).texts.is_empty());
    }
}

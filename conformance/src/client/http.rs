//! REST requests, written to the transcript.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use url::Url;

use crate::expect::{Found, Mismatch, MismatchKind, Words, varying};
use crate::text::shorten;
use crate::transcript::redact::{redact, redact_long_strings};
use crate::transcript::{Direction, Transcript, decode};

/// What the target answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null where it is none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Reply {
    /// The first header of this name, whatever the case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body, if the status is one of these.
    pub fn expect(&self, statuses: &[u16]) -> Found<&Value> {
        if statuses.contains(&self.status) {
            Ok(&self.body)
        } else {
            let http = |status: &u16| Words::from("HTTP ").exact(status);
            let actual = http(&self.status).fixed(format!(" {}", shorten(&redact(&self.text))));
            Err(Mismatch::of(
                MismatchKind::Http,
                statuses.iter().map(http),
                actual,
            ))
        }
    }
}

/// A speaker of HTTP to the target, as one user or as nobody.
#[derive(Clone, Debug)]
pub struct Http {
    pub(crate) client: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) who: String,
    /// The header that carries the token: name and value.
    pub(crate) auth: Option<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the answer holds tokens, which are not written down then.
    pub(crate) answers_with_tokens: bool,
    pub(crate) transcript: Arc<Transcript>,
    pub(crate) deadline: Duration,
}

impl Http {
    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// GET of a path, query included.
    pub async fn get(&self, path: &str) -> Found<Reply> {
        self.send(Method::GET, path, None).await
    }

    /// Any method with a body as text; a body that begins like JSON is labelled as JSON.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Found<Reply> {
        let shown = body.as_deref().map(|body| format!(" {body}")).unwrap_or_default();
        self.log(
            Direction::Out,
            &format!("{method} {path}{shown}"),
            &decode::request(method.as_str(), path, body.as_deref()),
        );
        let reply = self.exchange(&method, path, body).await;
        match &reply {
            Ok(reply) if self.answers_with_tokens => {
                self.log_answer(reply.status, &redact_long_strings(&reply.text));
            }
            Ok(reply) => self.log_answer(reply.status, &reply.text),
            Err(mismatch) => self
                .transcript
                .write(&self.who, Direction::Note, &mismatch.to_string()),
        }
        reply
    }

    async fn exchange(&self, method: &Method, path: &str, body: Option<String>) -> Found<Reply> {
        let failed = |error: &reqwest::Error| {
            let expected = format!("an HTTP answer to {method} {path}");
            Mismatch::of(MismatchKind::Http, [expected], varying(innermost(error)))
        };
        let url = self
            .base
            .join(path)
            .map_err(|error| Mismatch::fault(format!("{path}: {error}")))?;
        let mut request = self.client.request(method.clone(), url).timeout(self.deadline);
        for (name, value) in self.auth.iter().chain(&self.headers) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            if body.starts_with(['{', '[']) {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        let response = request.send().await.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        let text = response.text().await.map_err(|error| failed(&error))?;
        Ok(Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        })
    }

    fn log_answer(&self, status: u16, body: &str) {
        let decoded = decode::response(status, body);
        self.log(Direction::In, &format!("HTTP {status} {body}"), &decoded);
    }

    fn log(&self, direction: Direction, text: &str, decoded: &Value) {
        self.transcript.write_as(&self.who, direction, text, decoded);
    }
}

/// The innermost cause, which is what a person can act on.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// The id of a chat, user or message in a reply.
pub(crate) fn id_at(body: &Value, pointer: &str) -> Found<String> {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .map(ToOwned::to_owned)
        .ok_or_else(|| Mismatch::new(format!("an id at {pointer}"), body).about(pointer))
}

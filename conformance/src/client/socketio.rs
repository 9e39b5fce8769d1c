//! The everyday client: `rust_socketio` over WebSocket, without reconnection.
//!
//! Two of its habits shape this module. Its ack ids are random and never given back, so one request at a time is
//! outstanding, and a client whose ack did not come is not used for another one. And it reports CONNECT being accepted
//! or refused through the `open` and `error` callbacks only, after `connect()` has returned.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use rust_socketio::asynchronous::{Client as Inner, ClientBuilder};
use rust_socketio::{Event, Payload, TransportType};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use super::inbox::{Inbox, Item};
use super::no_ack;
use crate::expect::{Found, Mismatch, MismatchKind, Words, varying};
use crate::text::show;
use crate::transcript::{Direction, Transcript, decode};

const REFUSED: &str = "Received an ConnectError frame: ";

/// One connection through `rust_socketio`.
pub(crate) struct SocketIoTransport {
    client: Inner,
    log: Log,
    /// Whether an ack was missed; the lock keeps requests one at a time.
    spoilt: Mutex<bool>,
}

#[derive(Clone)]
struct Log {
    name: String,
    transcript: Arc<Transcript>,
    inbox: Arc<Inbox>,
}

impl Log {
    fn note(&self, text: &str) {
        self.transcript.write(&self.name, Direction::Note, text);
    }

    fn refused_or_lost(&self, text: &str) {
        let refusal = text
            .strip_prefix(REFUSED)
            .map(|json| decode::frame(&format!("44{json}")));
        match refusal.flatten() {
            Some(decoded) => self.line(Direction::In, text, &decoded),
            None => self.note(text),
        }
    }

    fn line(&self, direction: Direction, text: &str, decoded: &Value) {
        self.transcript.write_as(&self.name, direction, text, decoded);
    }
}

/// Opens a connection and waits until CONNECT is answered. The error says what happened instead of being accepted.
pub(crate) async fn connect(
    url: &str,
    auth: Option<Value>,
    name: &str,
    inbox: Arc<Inbox>,
    transcript: Arc<Transcript>,
    within: Duration,
) -> Found<SocketIoTransport> {
    let log = Log {
        name: name.to_owned(),
        transcript,
        inbox,
    };
    log.line(
        Direction::Out,
        &format!(
            "connects to {url} with {}",
            auth.as_ref().map(show).unwrap_or_default()
        ),
        &decode::connect(url, auth.as_ref()),
    );
    let opening = open(url, auth, log.clone());
    tokio::time::timeout(within, opening).await.unwrap_or_else(|_| {
        let expected =
            Words::from("CONNECT to be answered").varying(format!(" within {} ms", within.as_millis()));
        Err(Mismatch::of(MismatchKind::Connection, [expected], "no answer"))
    })
}

async fn open(url: &str, auth: Option<Value>, log: Log) -> Found<SocketIoTransport> {
    let (answered, mut answers) = mpsc::unbounded_channel::<Result<(), String>>();
    let refused = answered.clone();
    let on_open = log.clone();
    let on_error = log.clone();
    let on_close = log.clone();
    let on_any = log.clone();
    let mut builder = ClientBuilder::new(url)
        .transport_type(TransportType::Websocket)
        .reconnect(false)
        .on(Event::Connect, move |_, _| {
            on_open.line(
                Direction::In,
                "CONNECT accepted",
                &json!({"packet": "connect", "namespace": "/"}),
            );
            on_open.inbox.push(Item::Connected {
                namespace: "/".to_owned(),
                data: Value::Null,
            });
            answered.send(Ok(())).ok();
            std::future::ready(()).boxed()
        })
        .on(Event::Error, move |payload, _| {
            let text = text_of(&payload);
            on_error.refused_or_lost(&text);
            on_error.inbox.push(item_of_error(&text));
            refused.send(Err(text)).ok();
            std::future::ready(()).boxed()
        })
        .on(Event::Close, move |_, _| {
            on_close.line(
                Direction::In,
                "DISCONNECT",
                &json!({"packet": "disconnect", "namespace": "/"}),
            );
            on_close.inbox.push(Item::Disconnected("/".to_owned()));
            std::future::ready(()).boxed()
        })
        .on_any(move |event, payload, _| {
            let args = values_of(payload);
            let shown: Vec<String> = args.iter().map(show).collect();
            on_any.line(
                Direction::In,
                &format!("{event} {}", shown.join(" ")),
                &decode::event(event.as_str(), &args, false),
            );
            on_any.inbox.push_event("/", event.as_str(), args);
            std::future::ready(()).boxed()
        });
    if let Some(auth) = auth {
        builder = builder.auth(auth);
    }
    let not_accepted = |why: &dyn std::fmt::Display| {
        Mismatch::of(MismatchKind::Connection, ["CONNECT to be accepted"], varying(why))
    };
    let client = builder.connect().await.map_err(|error| not_accepted(&error))?;
    match answers.recv().await {
        Some(Ok(())) => Ok(SocketIoTransport {
            client,
            log,
            spoilt: Mutex::new(false),
        }),
        Some(Err(text)) => Err(not_accepted(&text)),
        None => Err(not_accepted(&"the connection ended without an answer")),
    }
}

fn text_of(payload: &Payload) -> String {
    match values_of(payload.clone()).as_slice() {
        [Value::String(text)] => text.clone(),
        other => Value::from(other.to_vec()).to_string(),
    }
}

fn values_of(payload: Payload) -> Vec<Value> {
    match payload {
        Payload::Text(values) => values,
        Payload::Binary(bytes) => vec![Value::String(format!("({} bytes of binary)", bytes.len()))],
        #[expect(deprecated, reason = "the variant still exists and must be matched")]
        Payload::String(text) => vec![Value::String(text)],
    }
}

fn item_of_error(text: &str) -> Item {
    match text.strip_prefix(REFUSED) {
        Some(json) => Item::Refused {
            namespace: "/".to_owned(),
            data: serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned())),
        },
        None => Item::Closed(text.to_owned()),
    }
}

impl SocketIoTransport {
    pub(crate) async fn request(&self, event: &str, args: Vec<Value>, within: Duration) -> Found<Value> {
        let mut spoilt = self.spoilt.lock().await;
        if *spoilt {
            let why = "an earlier ack on this connection did not come";
            return Err(no_ack(event, within, Some(why.to_owned())));
        }
        self.write(event, &args, true);
        let (acked, mut acks) = mpsc::unbounded_channel::<Value>();
        let sending = self
            .client
            .emit_with_ack(event, Payload::Text(args), within * 2, move |payload, _| {
                let args = values_of(payload);
                // The library hands over the whole argument list as one value.
                let data = match args.into_iter().next() {
                    Some(Value::Array(mut list)) if !list.is_empty() => list.swap_remove(0),
                    Some(Value::Array(_)) | None => Value::Null,
                    Some(other) => other,
                };
                acked.send(data).ok();
                std::future::ready(()).boxed()
            });
        let answer = tokio::time::timeout(within, async {
            sending
                .await
                .map_err(|error| not_sent(event, &error.to_string()))?;
            Ok(acks.recv().await)
        });
        match answer.await {
            Ok(Ok(Some(ack))) => {
                self.log.line(
                    Direction::In,
                    &format!("ack of {event}: {}", show(&ack)),
                    &decode::ack_of(event, &ack),
                );
                Ok(ack)
            }
            Ok(Err(mismatch)) => Err(mismatch),
            Ok(Ok(None)) | Err(_) => {
                *spoilt = true;
                Err(no_ack(event, within, self.log.inbox.closed()))
            }
        }
    }

    pub(crate) async fn emit(&self, event: &str, args: Vec<Value>) -> Found {
        self.write(event, &args, false);
        let sending = self.client.emit(event, Payload::Text(args));
        match tokio::time::timeout(Duration::from_secs(10), sending).await {
            Ok(sent) => sent.map_err(|error| not_sent(event, &error.to_string())),
            Err(_) => Err(not_sent(event, "the target does not read")),
        }
    }

    pub(crate) async fn close(&self) {
        self.log.line(
            Direction::Out,
            "disconnects",
            &json!({"packet": "disconnect", "namespace": "/"}),
        );
        // What fails here is gone already.
        tokio::time::timeout(Duration::from_secs(2), self.client.disconnect())
            .await
            .ok();
        self.log.inbox.push(Item::Closed("closed by the kit".to_owned()));
    }

    fn write(&self, event: &str, args: &[Value], wants_ack: bool) {
        let shown: Vec<String> = args.iter().map(show).collect();
        let suffix = if wants_ack { " (ack wanted)" } else { "" };
        self.log.line(
            Direction::Out,
            &format!("{event} {}{suffix}", shown.join(" ")),
            &decode::event(event, args, wants_ack),
        );
    }
}

fn not_sent(event: &str, why: &str) -> Mismatch {
    // Where the connection has gone, a request fails at once or stays unanswered, whatever is noticed first.
    let expected = Words::from(format!("an ack of {event}"));
    Mismatch::of(
        MismatchKind::NoAck,
        [expected],
        Words::from("none").varying(format!("; it could not be sent: {why}")),
    )
}

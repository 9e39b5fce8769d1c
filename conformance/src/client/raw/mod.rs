//! The raw client: Engine.IO and Socket.IO frames by hand over a WebSocket.
//!
//! It always answers pings, so that a close is never the ping timeout in disguise, unless it has been told to fall
//! silent. Its acks are exact: every request has an id of its own, and every ack is kept.

mod transport;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;

use super::inbox::{Inbox, Item};
use super::{Client, no_ack};
use crate::expect::{Found, Mismatch, MismatchKind, Words, varying};
use crate::packet::{Args, encode_connect};
use crate::text::shorten;
use transport::Mode;
pub(crate) use transport::{RawTransport, dial};

/// A [`Client`] over hand-written frames, with what only such a one can do.
#[derive(Clone, Debug)]
pub struct RawClient {
    client: Client,
}

impl Deref for RawClient {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A request whose ack is still to come.
pub struct Pending {
    id: u64,
    event: String,
    inbox: Arc<Inbox>,
}

impl Pending {
    /// The id that the request was sent with.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the first ack of this request.
    pub async fn ack(&self, within: Duration) -> Found<Value> {
        let mine = |items: &[Item]| acks_of(items, self.id).into_iter().next();
        match self.inbox.wait(within, mine).await {
            Some(ack) => Ok(ack),
            None => Err(no_ack(&self.event, within, self.inbox.closed())),
        }
    }
}

fn acks_of(items: &[Item], wanted: u64) -> Vec<Value> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Ack { id, data, .. } if *id == wanted => Some(data.clone()),
            _ => None,
        })
        .collect()
}

impl RawClient {
    /// Wraps a client that is known to be raw.
    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Waits for the Engine.IO handshake.
    pub(crate) async fn opened(&self, within: Duration) -> Found {
        self.transport()?.opened(within).await
    }

    fn transport(&self) -> Found<&RawTransport> {
        match self.client.transport() {
            super::Transport::Raw(transport) => Ok(transport),
            super::Transport::SocketIo(_) => Err(Mismatch::fault("not a raw client")),
        }
    }

    /// Sends CONNECT by hand, for a connection made by `scene.raw()`; the answer shows up in [`RawClient::answer`].
    pub fn connect(&self, namespace: &str, auth: Option<&Value>) -> Found {
        self.send_text(&encode_connect(namespace, auth))
    }

    /// Waits until CONNECT to this namespace is answered: accepted with a payload, or refused with one.
    pub async fn answer(&self, namespace: &str, within: Duration) -> Found<Result<Value, Value>> {
        let found = self.inbox().wait(within, |items| {
            items.iter().find_map(|item| match item {
                Item::Connected { namespace: n, data } if n == namespace => Some(Ok(data.clone())),
                Item::Refused { namespace: n, data } if n == namespace => Some(Err(data.clone())),
                _ => None,
            })
        });
        found.await.ok_or_else(|| {
            let actual = self.closed().map_or_else(
                || varying("no answer; the connection is open"),
                |why| varying(format!("the connection was closed: {why}")),
            );
            let expected = Words::from("an answer to CONNECT").varying(in_time(within));
            Mismatch::of(MismatchKind::Connection, [expected], actual).at(self.name())
        })
    }

    /// Sends a request and does not wait, so that many can be outstanding at once.
    pub fn start(&self, event: &str, args: impl Into<Args>) -> Found<Pending> {
        self.transport()?.start(event, &args.into())
    }

    /// Sends an event without asking for an ack, binary attachments included.
    pub fn emit_raw(&self, event: &str, args: impl Into<Args>) -> Found {
        self.transport()?.emit(event, &args.into())
    }

    /// Every ack received so far for the request with this id: there must be one.
    pub fn acks(&self, id: u64) -> Vec<Value> {
        self.inbox().look(|items| acks_of(items, id))
    }

    /// Sends a text frame as it is.
    pub fn send_text(&self, text: &str) -> Found {
        self.transport()?.send(Message::text(text), text)
    }

    /// Sends a binary frame as it is.
    pub fn send_binary(&self, bytes: impl Into<Bytes>) -> Found {
        let bytes = bytes.into();
        let shown = format!("({} bytes of binary)", bytes.len());
        self.transport()?.send(Message::Binary(bytes), &shown)
    }

    /// Sends a WebSocket frame as it is, however broken.
    pub fn send_frame(&self, frame: Frame) -> Found {
        let shown = format!("(hand-made frame: {})", shorten(&format!("{:?}", frame.header())));
        self.transport()?.send(Message::Frame(frame), &shown)
    }

    /// Waits for a frame that is no packet of Socket.IO, as in the answer to a probe.
    pub async fn wait_frame(&self, text: &str, within: Duration) -> Found {
        let found = self.inbox().wait(within, |items| {
            items
                .iter()
                .any(|item| matches!(item, Item::Other(frame) if frame == text))
                .then_some(())
        });
        found.await.ok_or_else(|| {
            let expected = Words::from(format!("the frame {text}")).varying(in_time(within));
            Mismatch::of(MismatchKind::Connection, [expected], "no such frame").at(self.name())
        })
    }

    /// Waits until the connection is closed, and tells why.
    pub async fn wait_closed(&self, within: Duration) -> Found<String> {
        let found = self.inbox().wait(within, |items| match items.last() {
            Some(Item::Closed(why)) => Some(why.clone()),
            _ => None,
        });
        found.await.ok_or_else(|| {
            let expected = Words::from("the connection to be closed").varying(in_time(within));
            Mismatch::of(MismatchKind::Connection, [expected], "it is still open").at(self.name())
        })
    }

    /// The payload of the Engine.IO handshake: `sid`, `pingInterval`, `pingTimeout`, `maxPayload`.
    pub fn handshake(&self) -> Value {
        self.inbox().look(|items| {
            let opened = items.iter().find_map(|item| match item {
                Item::Opened(handshake) => Some(handshake.clone()),
                _ => None,
            });
            opened.unwrap_or(Value::Null)
        })
    }

    /// Closes the TCP connection at once, without a word of goodbye.
    pub fn drop_transport(&self) {
        self.change(Mode::Dropped);
    }

    /// Falls silent but keeps the TCP connection: reads nothing more, answers no ping, as a device out of coverage.
    pub fn fall_silent(&self) {
        self.change(Mode::Silent);
    }

    fn change(&self, mode: Mode) {
        if let Ok(transport) = self.transport() {
            transport.change(mode);
        }
    }
}

fn in_time(within: Duration) -> String {
    format!(" within {} ms", within.as_millis())
}

//! The raw client: Engine.IO and Socket.IO frames by hand over a WebSocket.
//!
//! It always answers pings, so that a close is never the ping timeout in disguise, unless it has been told to fall
//! silent. Its acks are exact: every request has an id of its own, and every ack is kept.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::inbox::{Inbox, Item};
use super::packet::{Args, Incoming, decode, encode_connect, encode_event};
use super::{Client, no_ack};
use crate::expect::{Found, Mismatch, shorten};
use crate::transcript::{Direction, Transcript};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

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

    fn wire(&self) -> Found<&Wire> {
        match self.client.wire() {
            super::Wire::Raw(wire) => Ok(wire),
            super::Wire::SocketIo(_) => Err(Mismatch::fault("not a raw client")),
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
                || "no answer; the connection is open".to_owned(),
                |why| format!("the connection was closed: {why}"),
            );
            Mismatch::new(
                format!("an answer to CONNECT within {} ms", within.as_millis()),
                actual,
            )
            .at(self.name())
        })
    }

    /// Sends a request and does not wait, so that many can be outstanding at once.
    pub fn start(&self, event: &str, args: impl Into<Args>) -> Found<Pending> {
        self.wire()?.start(event, &args.into())
    }

    /// Sends an event without asking for an ack, binary attachments included.
    pub fn emit_raw(&self, event: &str, args: impl Into<Args>) -> Found {
        self.wire()?.emit(event, &args.into())
    }

    /// Every ack received so far for the request with this id: there must be one.
    pub fn acks(&self, id: u64) -> Vec<Value> {
        self.inbox().look(|items| acks_of(items, id))
    }

    /// Sends a text frame as it is.
    pub fn send_text(&self, text: &str) -> Found {
        self.wire()?.send(Message::text(text), text)
    }

    /// Sends a binary frame as it is.
    pub fn send_binary(&self, bytes: impl Into<Bytes>) -> Found {
        let bytes = bytes.into();
        let shown = format!("({} bytes of binary)", bytes.len());
        self.wire()?.send(Message::Binary(bytes), &shown)
    }

    /// Sends a WebSocket frame as it is, however broken.
    pub fn send_frame(&self, frame: Frame) -> Found {
        let shown = format!("(hand-made frame: {})", shorten(&format!("{:?}", frame.header())));
        self.wire()?.send(Message::Frame(frame), &shown)
    }

    /// Waits until the connection is closed, and tells why.
    pub async fn wait_closed(&self, within: Duration) -> Found<String> {
        let found = self.inbox().wait(within, |items| match items.last() {
            Some(Item::Closed(why)) => Some(why.clone()),
            _ => None,
        });
        found.await.ok_or_else(|| {
            Mismatch::new(
                format!("the connection to be closed within {} ms", within.as_millis()),
                "it is still open",
            )
            .at(self.name())
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
        if let Ok(wire) = self.wire() {
            wire.log(
                Direction::Note,
                match mode {
                    Mode::Normal => "reads on",
                    Mode::Silent => "falls silent, connection kept",
                    Mode::Dropped => "drops the transport",
                },
            );
            wire.mode.send_replace(mode);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Normal,
    Silent,
    Dropped,
}

/// The connection underneath; its tasks end with it.
pub(crate) struct Wire {
    name: String,
    out: mpsc::UnboundedSender<Message>,
    mode: watch::Sender<Mode>,
    inbox: Arc<Inbox>,
    transcript: Arc<Transcript>,
    next_id: AtomicU64,
    tasks: [AbortHandle; 2],
}

impl Drop for Wire {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Opens the WebSocket; the Engine.IO handshake is read, CONNECT is not sent.
pub(crate) async fn open(
    url: &str,
    name: &str,
    inbox: Arc<Inbox>,
    transcript: Arc<Transcript>,
    within: Duration,
) -> Found<Wire> {
    transcript.write(name, Direction::Note, &format!("opens {url}"));
    let expected = || "a WebSocket to be opened";
    let opening = tokio_tungstenite::connect_async_with_config(url, None, true);
    let (socket, _) = tokio::time::timeout(within, opening)
        .await
        .map_err(|_| {
            Mismatch::new(
                expected(),
                format_args!("nothing within {} ms", within.as_millis()),
            )
        })?
        .map_err(|error| Mismatch::new(expected(), error))?;
    let (sink, stream) = socket.split();
    let (out, messages) = mpsc::unbounded_channel();
    let (mode, modes) = watch::channel(Mode::Normal);
    let reader = Reader {
        name: name.to_owned(),
        inbox: inbox.clone(),
        transcript: transcript.clone(),
        out: out.downgrade(),
    };
    let tasks = [
        tokio::spawn(write(sink, messages, modes.clone())).abort_handle(),
        tokio::spawn(reader.run(stream, modes)).abort_handle(),
    ];
    let wire = Wire {
        name: name.to_owned(),
        out,
        mode,
        inbox,
        transcript,
        next_id: AtomicU64::new(0),
        tasks,
    };
    let opened = |items: &[Item]| {
        items
            .iter()
            .any(|item| matches!(item, Item::Opened(_)))
            .then_some(())
    };
    if wire.inbox.wait(within, opened).await.is_none() {
        let actual = wire.inbox.closed().unwrap_or_else(|| "nothing".to_owned());
        return Err(Mismatch::new("an Engine.IO handshake", actual));
    }
    Ok(wire)
}

impl Wire {
    fn log(&self, direction: Direction, text: &str) {
        self.transcript.write(&self.name, direction, text);
    }

    fn send(&self, message: Message, shown: &str) -> Found {
        self.log(Direction::Out, shown);
        match self.inbox.closed() {
            Some(why) => Err(Mismatch::new("an open connection", format_args!("closed: {why}"))),
            None => self
                .out
                .send(message)
                .map_err(|_| Mismatch::new("an open connection", "closed")),
        }
    }

    pub(crate) fn start(&self, event: &str, args: &Args) -> Found<Pending> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        self.send_event(Some(id), event, args)?;
        Ok(Pending {
            id,
            event: event.to_owned(),
            inbox: self.inbox.clone(),
        })
    }

    pub(crate) fn emit(&self, event: &str, args: &Args) -> Found {
        self.send_event(None, event, args)
    }

    fn send_event(&self, id: Option<u64>, event: &str, args: &Args) -> Found {
        let (text, attachments) = encode_event("/", id, event, args);
        self.send(Message::text(text.as_str()), &text)?;
        attachments.into_iter().try_for_each(|bytes| {
            let shown = format!("({} bytes of binary)", bytes.len());
            self.send(Message::Binary(bytes), &shown)
        })
    }

    pub(crate) async fn close(&self) {
        if self.inbox.closed().is_some() {
            return;
        }
        self.send(Message::text("41"), "41 (goodbye)").ok();
        self.out.send(Message::Close(None)).ok();
        let gone = |items: &[Item]| matches!(items.last(), Some(Item::Closed(_))).then_some(());
        if self.inbox.wait(Duration::from_secs(2), gone).await.is_none() {
            self.mode.send_replace(Mode::Dropped);
        }
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    mut messages: mpsc::UnboundedReceiver<Message>,
    mut modes: watch::Receiver<Mode>,
) {
    let work = async {
        while let Some(message) = messages.recv().await {
            if sink.send(message).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = work => {}
        _ = modes.wait_for(|mode| *mode == Mode::Dropped) => {}
    }
}

/// Returns when the connection is no longer to be read.
async fn left(modes: &mut watch::Receiver<Mode>) {
    modes.wait_for(|mode| *mode != Mode::Normal).await.ok();
}

struct Reader {
    name: String,
    inbox: Arc<Inbox>,
    transcript: Arc<Transcript>,
    /// Weak, so that the writer ends when the client is gone.
    out: mpsc::WeakUnboundedSender<Message>,
}

impl Reader {
    async fn run(self, mut stream: SplitStream<Socket>, mut modes: watch::Receiver<Mode>) {
        let why = loop {
            let next = tokio::select! {
                biased;
                () = left(&mut modes) => break self.rest(stream, modes).await,
                next = stream.next() => next,
            };
            match next {
                Some(Ok(message)) => {
                    if let Some(why) = self.take(message) {
                        break why;
                    }
                }
                Some(Err(error)) => break why_closed(&error),
                None => break "end of stream".to_owned(),
            }
        };
        self.transcript
            .write(&self.name, Direction::Note, &format!("closed: {why}"));
        self.inbox.push(Item::Closed(why));
    }

    /// Holds the connection without reading until it is to be dropped.
    async fn rest(&self, stream: SplitStream<Socket>, mut modes: watch::Receiver<Mode>) -> String {
        modes.wait_for(|mode| *mode == Mode::Dropped).await.ok();
        drop(stream);
        "dropped by the kit".to_owned()
    }

    /// Takes in one message; gives the reason when it was the last.
    fn take(&self, message: Message) -> Option<String> {
        match message {
            Message::Text(text) => self.take_text(text.as_str()),
            Message::Binary(bytes) => {
                let shown = format!("({} bytes of binary)", bytes.len());
                self.transcript.write(&self.name, Direction::In, &shown);
                self.inbox.push(Item::Other(shown));
            }
            Message::Close(frame) => {
                let why = frame.map_or_else(
                    || "close frame".to_owned(),
                    |frame| format!("close frame {} {}", u16::from(frame.code), frame.reason),
                );
                return Some(why);
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        None
    }

    fn take_text(&self, text: &str) {
        self.transcript.write(&self.name, Direction::In, text);
        let item = match decode(text) {
            Incoming::Ping => {
                if let Some(out) = self.out.upgrade() {
                    self.transcript.write(&self.name, Direction::Out, "3");
                    out.send(Message::text("3")).ok();
                }
                return;
            }
            Incoming::Event {
                namespace,
                name,
                args,
            } => {
                return self.inbox.push_event(&namespace, &name, args);
            }
            Incoming::Open(handshake) => Item::Opened(handshake),
            Incoming::Connected { namespace, data } => Item::Connected { namespace, data },
            Incoming::Refused { namespace, data } => Item::Refused { namespace, data },
            Incoming::Disconnected { namespace } => Item::Disconnected(namespace),
            Incoming::Ack { id, data } => Item::Ack {
                id,
                data,
                at: std::time::Instant::now(),
            },
            Incoming::Other => Item::Other(text.to_owned()),
        };
        self.inbox.push(item);
    }
}

fn why_closed(error: &Error) -> String {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "end of stream".to_owned(),
        other => other.to_string(),
    }
}

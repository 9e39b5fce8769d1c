//! The connection underneath: one task writes, one reads and answers pings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Pending;
use crate::client::inbox::{Inbox, Item};
use crate::expect::{Found, Mismatch, MismatchKind, Words, varying};
use crate::packet::{Args, Incoming, decode, encode_event};
use crate::transcript::{Direction, Transcript};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How the connection is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Read from, and pings answered.
    Normal,
    /// Kept, but neither read from nor written to.
    Silent,
    /// Closed without a word.
    Dropped,
}

/// The connection underneath; its tasks end with it.
pub(crate) struct RawTransport {
    name: String,
    out: mpsc::UnboundedSender<Message>,
    mode: watch::Sender<Mode>,
    inbox: Arc<Inbox>,
    transcript: Arc<Transcript>,
    next_id: AtomicU64,
    tasks: [AbortHandle; 2],
}

impl Drop for RawTransport {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Opens the WebSocket and waits for nothing more; CONNECT is not sent.
pub(crate) async fn dial(
    url: &str,
    name: &str,
    inbox: Arc<Inbox>,
    transcript: Arc<Transcript>,
    within: Duration,
) -> Found<RawTransport> {
    transcript.write(name, Direction::Note, &format!("opens {url}"));
    let not_opened = |why: String| {
        Mismatch::of(
            MismatchKind::Connection,
            ["a WebSocket to be opened"],
            varying(why),
        )
    };
    let opening = tokio_tungstenite::connect_async_with_config(url, None, true);
    let (socket, _) = tokio::time::timeout(within, opening)
        .await
        .map_err(|_| not_opened(format!("nothing within {} ms", within.as_millis())))?
        .map_err(|error| not_opened(error.to_string()))?;
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
    Ok(RawTransport {
        name: name.to_owned(),
        out,
        mode,
        inbox,
        transcript,
        next_id: AtomicU64::new(0),
        tasks,
    })
}

impl RawTransport {
    /// Waits for the Engine.IO handshake. A WebSocket that takes a session over gets none.
    pub(crate) async fn opened(&self, within: Duration) -> Found {
        let opened = |items: &[Item]| {
            items
                .iter()
                .any(|item| matches!(item, Item::Opened(_)))
                .then_some(())
        };
        self.inbox.wait(within, opened).await.ok_or_else(|| {
            let actual = self.inbox.closed().unwrap_or_else(|| "nothing".to_owned());
            Mismatch::of(
                MismatchKind::Connection,
                ["an Engine.IO handshake"],
                varying(actual),
            )
        })
    }

    fn log(&self, direction: Direction, text: &str) {
        self.transcript.write(&self.name, direction, text);
    }

    /// Treats the connection in another way from now on.
    pub(super) fn change(&self, mode: Mode) {
        let note = match mode {
            Mode::Normal => "reads on",
            Mode::Silent => "falls silent, connection kept",
            Mode::Dropped => "drops the transport",
        };
        self.log(Direction::Note, note);
        self.mode.send_replace(mode);
    }

    pub(super) fn send(&self, message: Message, shown: &str) -> Found {
        self.log(Direction::Out, shown);
        let closed = |actual: Words| Mismatch::of(MismatchKind::Connection, ["an open connection"], actual);
        match self.inbox.closed() {
            Some(why) => Err(closed(Words::from("closed").varying(format!(": {why}")))),
            None => self.out.send(message).map_err(|_| closed("closed".into())),
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
        self.send(Message::text("41"), "41").ok();
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

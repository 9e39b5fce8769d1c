//! One WebSocket through the proxy: two sockets, and everything that goes from one to the other in the order in which it came,
//! but for what rules do to it.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::flow::FrameActions;
use super::frames::{Frames, Heading, Piece, encode};
use super::rule::REORDERED_WITHIN;

/// Pieces that may wait for a side that does not read; then the other side is not read from either.
const WAITING: usize = 32;

/// What a side is to be sent.
#[derive(Debug)]
enum Out {
    Bytes(Bytes),
    /// Nothing more comes.
    End,
    /// The connection is cut.
    Cut,
}

/// The way to both sides of a connection.
#[derive(Debug)]
pub(super) struct Link {
    to_server: mpsc::Sender<Out>,
    to_client: mpsc::Sender<Out>,
    /// Ends the connection, without a goodbye to either side.
    cut: CancellationToken,
    /// The client is given up, and the server does not know.
    half_open: AtomicBool,
}

impl Link {
    fn queue(&self, heading: Heading) -> &mpsc::Sender<Out> {
        match heading {
            Heading::ToServer => &self.to_server,
            Heading::ToClient => &self.to_client,
        }
    }

    /// Sends, when there is room; false where that side is gone.
    async fn send(&self, heading: Heading, bytes: Bytes) -> bool {
        self.queue(heading).send(Out::Bytes(bytes)).await.is_ok()
    }

    async fn end(&self, heading: Heading) {
        self.queue(heading).send(Out::End).await.ok();
    }

    /// Cuts the connection, when its client has been sent what it was to be sent until then.
    fn cut(&self) {
        if self.to_client.try_send(Out::Cut).is_err() {
            self.cut.cancel();
        }
    }

    fn is_half_open(&self) -> bool {
        self.half_open.load(Ordering::Acquire)
    }
}

/// The open connections, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Links {
    open: HashMap<u64, Arc<Link>>,
    added: u64,
}

impl Links {
    fn add(&mut self, link: Arc<Link>) -> u64 {
        self.added += 1;
        self.open.insert(self.added, link);
        self.added
    }

    fn get(&self, id: u64) -> Option<Arc<Link>> {
        self.open.get(&id).cloned()
    }

    fn remove(&mut self, id: u64) {
        self.open.remove(&id);
    }
}

/// Passes everything on until both sides are done, or one of them is gone. `token` stands in the query string.
pub(super) async fn relay<C, S>(shared: &Arc<Shared>, token: Option<String>, client: C, server: S)
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    let (server_queue, for_server) = mpsc::channel(WAITING);
    let (client_queue, for_client) = mpsc::channel(WAITING);
    let link = Arc::new(Link {
        to_server: server_queue,
        to_client: client_queue,
        cut: CancellationToken::new(),
        half_open: AtomicBool::new(false),
    });
    // Whoever is told of the connection can send to it.
    let id = shared.links().add(link.clone());
    shared.state().open(id, token);
    let relay = Relay {
        id,
        shared: shared.clone(),
        link: link.clone(),
    };
    let work = async {
        tokio::join!(
            relay.read(from_client, Heading::ToServer),
            relay.read(from_server, Heading::ToClient),
            write(to_server, for_server, &link.cut),
            write(to_client, for_client, &link.cut),
        )
    };
    link.cut.run_until_cancelled(work).await;
}

/// One connection, known to the proxy until this is dropped.
struct Relay {
    id: u64,
    shared: Arc<Shared>,
    link: Arc<Link>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.state().close(self.id);
        self.shared.links().remove(self.id);
    }
}

impl Relay {
    /// Reads one side until its end, and passes on what it says.
    async fn read(&self, mut from: impl AsyncRead + Unpin, heading: Heading) {
        let mut frames = Frames::default();
        // An error is an end as well: the other side cannot be told more.
        while from.read_buf(frames.buffer()).await.is_ok_and(|read| read > 0) {
            while let Some(piece) = frames.next() {
                let passed = if self.link.is_half_open() {
                    self.keep_up(heading, &piece).await
                } else {
                    self.pass(heading, piece).await
                };
                if !passed {
                    return;
                }
            }
        }
        // What is left is the beginning of a frame that has no end.
        let rest = frames.buffer().split().freeze();
        if !rest.is_empty() && !self.link.is_half_open() {
            self.link.send(heading, rest).await;
        }
        self.ended(heading).await;
    }

    async fn ended(&self, heading: Heading) {
        match (heading, self.link.is_half_open()) {
            // The server is not to know that its client is gone.
            (Heading::ToServer, true) => {}
            (Heading::ToClient, true) => {
                self.link.end(Heading::ToServer).await;
                self.link.end(Heading::ToClient).await;
            }
            (heading, false) => self.link.end(heading).await,
        }
    }

    /// Answers the server's pings in place of a client that is gone, and lets nothing else pass.
    async fn keep_up(&self, heading: Heading, piece: &Piece) -> bool {
        match (heading, piece) {
            (Heading::ToClient, Piece::Text { text, .. }) if text == "2" => {
                self.link.send(Heading::ToServer, encode("3", true)).await
            }
            _ => true,
        }
    }

    /// Passes a piece on as the rules have it; false where the other side is gone.
    async fn pass(&self, heading: Heading, piece: Piece) -> bool {
        match piece {
            Piece::Other(raw) => self.link.send(heading, raw).await,
            Piece::Text { raw, text } => {
                let actions = self.shared.state().frame(self.id, heading, raw, &text);
                self.carry_out(heading, actions).await
            }
        }
    }

    async fn carry_out(&self, heading: Heading, actions: FrameActions) -> bool {
        for bytes in actions.pass {
            if !self.link.send(heading, bytes).await {
                return false;
            }
        }
        if let Some((delay, bytes)) = actions.later {
            let link = self.link.clone();
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                link.send(heading, bytes).await;
            });
        }
        if let Some(rule) = actions.held {
            let (shared, link, id) = (self.shared.clone(), self.link.clone(), self.id);
            tokio::spawn(async move {
                tokio::time::sleep(REORDERED_WITHIN).await;
                let released = shared.state().release(id, rule);
                if let Some(bytes) = released {
                    link.send(heading, bytes).await;
                }
            });
        }
        for (id, heading, bytes) in actions.elsewhere {
            if id == self.id {
                self.link.send(heading, bytes).await;
            } else if let Some(link) = self.shared.links().get(id) {
                // One connection does not wait for another; who does not read misses what was not meant for it anyway.
                link.queue(heading).try_send(Out::Bytes(bytes)).ok();
            }
        }
        for link in actions
            .cut
            .into_iter()
            .filter_map(|id| self.shared.links().get(id))
        {
            link.cut();
        }
        if actions.half_open {
            self.link.half_open.store(true, Ordering::Release);
            self.link.end(Heading::ToClient).await;
        }
        true
    }
}

/// Writes to one side until there is nothing more, or it is gone.
async fn write(mut to: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Out>, cut: &CancellationToken) {
    loop {
        match queue.recv().await {
            Some(Out::Bytes(bytes)) => {
                if write_one(&mut to, &bytes, queue.is_empty()).await.is_err() {
                    return;
                }
            }
            Some(Out::Cut) => return cut.cancel(),
            Some(Out::End) | None => break,
        }
    }
    to.shutdown().await.ok();
}

async fn write_one(to: &mut (impl AsyncWrite + Unpin), bytes: &Bytes, flush: bool) -> io::Result<()> {
    to.write_all(bytes).await?;
    if flush { to.flush().await } else { Ok(()) }
}

//! One WebSocket through the proxy: two sockets, and everything that goes from one to the other in the order in which it came.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frames::{Frames, Piece};

/// Pieces that may wait for a side that does not read; then the other side is not read from either.
const WAITING: usize = 32;

/// Which way something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    ToServer,
    ToClient,
}

/// What a side is to be sent.
#[derive(Debug)]
enum Out {
    Bytes(Bytes),
    /// Nothing more comes.
    End,
}

/// The way to both sides of a connection.
#[derive(Debug)]
pub(super) struct Link {
    to_server: mpsc::Sender<Out>,
    to_client: mpsc::Sender<Out>,
    /// Ends the connection without a goodbye to either side.
    cut: CancellationToken,
}

impl Link {
    fn queue(&self, way: Way) -> &mpsc::Sender<Out> {
        match way {
            Way::ToServer => &self.to_server,
            Way::ToClient => &self.to_client,
        }
    }

    /// Sends, when there is room; false where that side is gone.
    pub(super) async fn send(&self, way: Way, bytes: Bytes) -> bool {
        self.queue(way).send(Out::Bytes(bytes)).await.is_ok()
    }
}

/// Passes everything on until both sides are done, or one of them is gone.
pub(super) async fn relay<C, S>(client: C, server: S)
where
    C: AsyncRead + AsyncWrite,
    S: AsyncRead + AsyncWrite,
{
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    let (server_queue, for_server) = mpsc::channel(WAITING);
    let (client_queue, for_client) = mpsc::channel(WAITING);
    let link = Link {
        to_server: server_queue,
        to_client: client_queue,
        cut: CancellationToken::new(),
    };
    let work = async {
        tokio::join!(
            read(from_client, Way::ToServer, &link),
            read(from_server, Way::ToClient, &link),
            write(to_server, for_server),
            write(to_client, for_client),
        )
    };
    link.cut.run_until_cancelled(work).await;
}

/// Reads one side until its end, and passes on what it says.
async fn read(mut from: impl AsyncRead + Unpin, way: Way, link: &Link) {
    let mut frames = Frames::default();
    // An error is an end as well: the other side cannot be told more.
    while from.read_buf(frames.buffer()).await.is_ok_and(|read| read > 0) {
        while let Some(piece) = frames.next() {
            let (Piece::Text { raw, .. } | Piece::Other(raw)) = piece;
            if !link.send(way, raw).await {
                return;
            }
        }
    }
    // What is left is the beginning of a frame that has no end.
    let rest = frames.buffer().split().freeze();
    if !rest.is_empty() {
        link.send(way, rest).await;
    }
    link.queue(way).send(Out::End).await.ok();
}

/// Writes to one side until there is nothing more, or it is gone.
async fn write(mut to: impl AsyncWrite + Unpin, mut queue: mpsc::Receiver<Out>) {
    while let Some(Out::Bytes(bytes)) = queue.recv().await {
        if write_one(&mut to, &bytes, queue.is_empty()).await.is_err() {
            return;
        }
    }
    to.shutdown().await.ok();
}

async fn write_one(to: &mut (impl AsyncWrite + Unpin), bytes: &Bytes, flush: bool) -> io::Result<()> {
    to.write_all(bytes).await?;
    if flush { to.flush().await } else { Ok(()) }
}

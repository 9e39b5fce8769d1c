//! A WebSocket that is never waited for to write: what does not fit yet is kept, and goes out while it is read from. Who waits
//! until a server reads may wait for one that waits until it is read from.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, Stream};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// So much is read at once; every connection keeps so many bytes for it.
const READ_BUFFER: usize = 4 * 1024;
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// One WebSocket.
pub(super) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Whether something may not have gone out yet.
    unsent: bool,
}

impl Socket {
    /// Opens one.
    pub(super) async fn open(url: &str) -> Result<Self, String> {
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let opened = tokio_tungstenite::connect_async_with_config(url, Some(config), true).await;
        let (stream, _) = opened.map_err(|error| error.to_string())?;
        Ok(Self {
            stream,
            unsent: false,
        })
    }

    /// Puts a text frame behind those that are still to go out.
    pub(super) fn send(&mut self, text: String) -> Result<(), String> {
        self.put(Message::text(text))
    }

    fn put(&mut self, message: Message) -> Result<(), String> {
        self.unsent = true;
        Pin::new(&mut self.stream)
            .start_send(message)
            .map_err(|error| describe(&error))
    }

    /// The next message; the error says how the connection ended. Nothing is lost when this is given up.
    pub(super) async fn next(&mut self) -> Result<Message, String> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, String>> {
        if self.unsent {
            match Pin::new(&mut self.stream).poll_flush(context) {
                Poll::Ready(Ok(())) => self.unsent = false,
                // What the server said last, such as why it closes, may still be read.
                Poll::Ready(Err(_)) | Poll::Pending => {}
            }
        }
        Pin::new(&mut self.stream)
            .poll_next(context)
            .map(|next| match next {
                Some(Ok(Message::Close(Some(frame)))) => {
                    Err(format!("closed with {} {}", u16::from(frame.code), frame.reason))
                }
                Some(Ok(message)) => Ok(message),
                Some(Err(error)) => Err(describe(&error)),
                None => Err("the server ended the connection".to_owned()),
            })
    }

    /// Takes leave, and reads until the server has done so too.
    pub(super) async fn close(mut self) {
        let goodbye = async {
            self.send("41".to_owned())?;
            self.put(Message::Close(None))?;
            while self.next().await.is_ok() {}
            Ok::<_, String>(())
        };
        tokio::time::timeout(GOODBYE, goodbye).await.ok();
    }
}

fn describe(error: &Error) -> String {
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => "the server ended the connection".to_owned(),
        other => other.to_string(),
    }
}

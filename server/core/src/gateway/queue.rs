//! Requests of one connection, one after the other, in the order of sending (MSG-20).
//!
//! The library runs each event's handler in a task of its own, which loses the order. Extractors, however, run in the
//! read loop: this one puts the request into the connection's queue, and one task processes them.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::Value;
use socketioxide::adapter::{Adapter, LocalAdapter};
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide::handler::FromMessage;
use socketioxide::socket::Socket;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Gateway;
use super::ack::Reply;
use crate::error::ChatError;
use crate::ids::{ConnectionId, UserId};

/// Requests that may wait; a client that is further ahead is cut off.
const CAPACITY: usize = 1_024;

/// A request as it came: the packet's text, and where the ack goes.
pub(super) struct Request {
    packet: socketioxide_core::Value,
    wants_ack: bool,
    ack: AckSender,
}

/// The sending end, kept with the socket. In boxes, since the channel keeps places for many from the start.
#[derive(Clone)]
pub(super) struct Queue(Sender<Box<Request>>);

/// A queue and its end.
pub(super) fn queue() -> (Queue, Receiver<Box<Request>>) {
    let (sender, receiver) = channel(CAPACITY);
    (Queue(sender), receiver)
}

/// Proof that a request was queued; there is nothing left to do for its handler.
pub(super) struct Queued;

impl FromMessage<LocalAdapter> for Queued {
    type Error = Infallible;

    fn from_message(
        socket: Arc<Socket<LocalAdapter>>,
        packet: socketioxide_core::Value,
        ack_id: Option<i64>,
    ) -> Result<Self, Infallible> {
        let Some(Queue(queue)) = socket.extensions.get::<Queue>() else {
            return Ok(Self);
        };
        let ack = ack_sender(&socket, ack_id);
        if queue
            .try_send(Box::new(Request {
                packet,
                wants_ack: ack_id.is_some(),
                ack,
            }))
            .is_err()
        {
            tracing::warn!("a client sent more than {CAPACITY} requests ahead and is cut off");
            let _ = SocketRef::from(socket).disconnect();
        }
        Ok(Self)
    }
}

fn ack_sender<A: Adapter>(socket: &Arc<Socket<A>>, ack_id: Option<i64>) -> AckSender<A> {
    use socketioxide::handler::FromMessageParts as _;
    let nothing = &mut socketioxide_core::Value::Str("".into(), None);
    let Ok(ack) = AckSender::from_message_parts(socket, nothing, &ack_id);
    ack
}

/// Processes a connection's requests, one after the other, until the connection is gone.
pub(super) async fn process(
    gateway: Arc<Gateway>,
    user: UserId,
    connection: ConnectionId,
    mut requests: Receiver<Box<Request>>,
) {
    while let Some(request) = requests.recv().await {
        let Request {
            packet,
            wants_ack,
            ack,
        } = *request;
        let (event, arguments) = read(&packet);
        let answer = AssertUnwindSafe(gateway.answer(user, connection, &event, &arguments)).catch_unwind();
        let reply = answer.await.unwrap_or_else(|_| {
            let error = ChatError::internal(&std::io::Error::other("a handler panicked"));
            Some(Reply::refused(&error))
        });
        if let (true, Some(reply)) = (wants_ack, reply)
            && let Err(error) = ack.send(&reply)
        {
            gateway.metrics.ack_undelivered();
            tracing::debug!(%user, connection = connection.0, %error, "an ack could not be delivered");
        }
    }
}

/// The event's name and arguments. Arguments that cannot be read, nested too deeply for instance, are one null: no
/// event takes that.
fn read(packet: &socketioxide_core::Value) -> (String, Vec<Value>) {
    let text = packet.as_str().map_or("", |text| text.as_str());
    match serde_json::from_str::<Vec<Value>>(text) {
        Ok(mut arguments) if matches!(arguments.first(), Some(Value::String(_))) => {
            let event = arguments.remove(0);
            (event.as_str().unwrap_or_default().to_owned(), arguments)
        }
        _ => (event_name(text), vec![Value::Null]),
    }
}

/// The name alone of a packet whose rest cannot be read; the library has made sure that it is a plain string.
fn event_name(text: &str) -> String {
    let name = text
        .trim_start()
        .trim_start_matches('[')
        .trim_start()
        .strip_prefix('"');
    name.and_then(|rest| rest.split_once('"'))
        .map_or_else(String::new, |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packet(text: &str) -> (String, Vec<Value>) {
        read(&socketioxide_core::Value::Str(text.to_owned().into(), None))
    }

    #[test]
    fn name_and_arguments_are_read() {
        assert_eq!(packet(r#"["a"]"#), ("a".into(), vec![]));
        assert_eq!(
            packet(r#"["a",{"b":1},2]"#),
            ("a".into(), vec![json!({"b": 1}), json!(2)])
        );
    }

    #[test]
    fn what_cannot_be_read_is_null_under_its_name() {
        let deep = format!(r#"["room:join",{}{}]"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(packet(&deep), ("room:join".into(), vec![Value::Null]));
        assert_eq!(packet(r#"["x","\ud800"]"#), ("x".into(), vec![Value::Null]));
    }
}

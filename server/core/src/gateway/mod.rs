//! The Socket.IO side: the only place that knows the library.
//!
//! - `connect`: the handshake, and what a connection is from then on
//! - `queue`: requests of one connection, one after the other, in the order of sending
//! - `ack`: what a request is answered
//! - `sockets`: rooms and broadcasts; implements [`Publish`](crate::publish::Publish)

mod ack;
mod connect;
mod queue;
mod sockets;

pub use ack::Reply;
pub use sockets::Sockets;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use socketioxide::SocketIo;
use socketioxide::layer::SocketIoLayer;

use crate::auth::Authenticator;
use crate::chat::Service;
use crate::command::{Limits, SocketCommand, decode};
use crate::config::Config;
use crate::error::ChatError;
use crate::ids::{ConnectionId, UserId};
use crate::metrics::Metrics;
use crate::policy::Denied;
use crate::presence::PresenceRegistry;

/// What the handlers of a connection work with. Share it behind an `Arc`.
pub struct Gateway {
    /// The use-cases.
    pub service: Arc<Service>,
    /// Whose token is this.
    pub auth: Arc<Authenticator>,
    /// Who is online.
    pub presence: PresenceRegistry,
    /// The connections.
    pub sockets: Arc<Sockets>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The limits on fields.
    pub limits: Limits,
}

/// The Socket.IO service as a layer around the HTTP routes; nobody can connect until [`open`].
pub fn layer(config: &Config) -> (SocketIoLayer, SocketIo) {
    let max_payload = usize::try_from(config.max_payload_bytes).unwrap_or(usize::MAX);
    SocketIo::builder()
        .ping_interval(Duration::from_millis(config.ping_interval_ms))
        .ping_timeout(Duration::from_millis(config.ping_timeout_ms))
        .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
        .max_buffer_size(config.max_buffered_packets as usize)
        // The first limits polling alone; a frame that is not split is held by both of the others.
        .max_payload(config.max_payload_bytes)
        .ws_max_message_size(max_payload)
        .ws_max_frame_size(max_payload)
        .build_layer()
}

/// Lets clients connect.
pub fn open(io: &SocketIo, gateway: Arc<Gateway>) {
    connect::open(io, gateway);
}

impl Gateway {
    /// Carries out one request of `user` and says what to answer; `None`: nothing, not even when asked.
    ///
    /// `arguments` are what came beside the event's name; only the first of them means anything.
    pub async fn answer(
        &self,
        user: UserId,
        connection: ConnectionId,
        event: &str,
        arguments: &[serde_json::Value],
    ) -> Option<Reply> {
        let began = Instant::now();
        let outcome = match decode(event, arguments.first(), connection, self.limits) {
            Ok(None) => {
                self.metrics.unknown_event();
                return None;
            }
            Ok(Some(command)) => self.carry_out(user, command).await,
            Err(invalid) => Err(invalid.into()),
        };
        self.metrics.request(
            event,
            outcome.as_ref().map_or_else(ChatError::code, |_| "ok"),
            began.elapsed(),
        );
        Some(match outcome {
            // Typing that is ignored looks like typing that is not (TYPE-04, TYPE-05).
            Err(_) if event.starts_with("typing:") => Reply::done(),
            Ok(reply) => reply,
            Err(error) => Reply::refused(&error),
        })
    }

    /// Only the queue's task calls this, and it is never dropped before it returns: `perform_in_place` asks for that.
    async fn carry_out(&self, user: UserId, command: SocketCommand) -> Result<Reply, ChatError> {
        let service = &self.service;
        let done = match command {
            SocketCommand::Join(join) => service.perform_in_place(user, join).await.map(|()| Reply::done()),
            SocketCommand::Leave(leave) => service
                .perform_in_place(user, leave)
                .await
                .map(|()| Reply::done()),
            SocketCommand::Typing(typing) => service
                .perform_in_place(user, typing)
                .await
                .map(|()| Reply::done()),
            SocketCommand::Send(send) => service.perform_in_place(user, send).await.map(|sent| {
                Reply::data(json!({"clientId": sent.message.client_id, "serverId": sent.message.id}))
            }),
            SocketCommand::Read(read) => service
                .perform_in_place(user, read)
                .await
                .map(|read| Reply::data(json!({"readAt": read.read_at}))),
            SocketCommand::Ping => Ok(Reply::data(json!({"serverTime": service.clock().now()}))),
        };
        done.map_err(hide_existence)
    }
}

/// Over the socket a chat that does not exist looks like one of others (ROOM-07).
fn hide_existence(error: ChatError) -> ChatError {
    match error {
        ChatError::NoSuchChat => Denied::NotMember.into(),
        other => other,
    }
}

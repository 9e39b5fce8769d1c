//! What is sent to whom after a change is durable: the events of the contract, and their audiences.
//!
//! Use-cases produce [`Outbound`] values inside a [`Committed`]; the gateway, which knows the sockets, implements
//! [`Publish`].

use serde::Serialize;

use crate::clock::Timestamp;
use crate::ids::{ChatId, ConnectionId, MessageId, UserId};
use crate::model::{Chat, Message};

/// An event of the contract, server to client (§5–§10).
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ServerEvent {
    /// `message:new`
    MessageNew {
        /// The stored message.
        message: Message,
    },
    /// `typing:update`
    #[serde(rename_all = "camelCase")]
    TypingUpdate {
        /// The chat in which somebody types.
        chat_id: ChatId,
        /// The user who types.
        user_id: UserId,
        /// Whether typing has begun or ended.
        state: TypingState,
    },
    /// `receipt:update`
    #[serde(rename_all = "camelCase")]
    ReceiptUpdate {
        /// The chat of the message.
        chat_id: ChatId,
        /// The newest message read.
        message_id: MessageId,
        /// The member who read it.
        user_id: UserId,
        /// When the server took the receipt.
        read_at: Timestamp,
    },
    /// `presence:update`
    #[serde(rename_all = "camelCase")]
    PresenceUpdate {
        /// The user whose presence has changed.
        user_id: UserId,
        /// Whether they have a connection now.
        status: Presence,
    },
    /// `chat:update`
    ChatUpdate {
        /// The chat as it is now.
        chat: Chat,
    },
}

impl ServerEvent {
    /// The event's name on the wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MessageNew { .. } => "message:new",
            Self::TypingUpdate { .. } => "typing:update",
            Self::ReceiptUpdate { .. } => "receipt:update",
            Self::PresenceUpdate { .. } => "presence:update",
            Self::ChatUpdate { .. } => "chat:update",
        }
    }

    /// Whether a later event makes this one worthless, so that a full buffer may drop it.
    pub fn is_volatile(&self) -> bool {
        matches!(self, Self::TypingUpdate { .. })
    }
}

/// Whether somebody has begun to type, or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TypingState {
    /// Typing has begun.
    Start,
    /// Typing has ended.
    Stop,
}

/// Whether a user has a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// The user has at least one connection.
    Online,
    /// The user has no connection.
    Offline,
}

/// Who hears an event.
#[derive(Clone, Debug)]
pub enum Audience {
    /// Every connection in the chat's room.
    Room(ChatId),
    /// Every connection in the chat's room but this one.
    RoomExcept(ChatId, ConnectionId),
    /// Every connection of these users.
    Users(Vec<UserId>),
}

/// One effect of a commit on the connections.
#[derive(Clone, Debug)]
pub enum Outbound {
    /// Send an event to an audience.
    Event(Audience, ServerEvent),
    /// Let a connection into a chat's room.
    Enter(ConnectionId, ChatId),
    /// Take a connection out of a chat's room.
    Exit(ConnectionId, ChatId),
    /// Take all of a user's connections out of a chat's room (ROOM-09).
    Evict(UserId, ChatId),
}

/// The outcome of a use-case: the reply, and what must be published before the reply is sent.
#[must_use = "what was committed must be published"]
#[derive(Debug)]
pub struct Committed<R> {
    reply: R,
    outbound: Vec<Outbound>,
}

impl<R> Committed<R> {
    /// A reply, with nothing to publish.
    pub fn silent(reply: R) -> Self {
        Self {
            reply,
            outbound: Vec::new(),
        }
    }

    /// A reply, and what to publish before it.
    pub fn new(reply: R, outbound: Vec<Outbound>) -> Self {
        Self { reply, outbound }
    }

    /// Publishes everything, then hands out the reply.
    pub async fn publish(self, to: &dyn Publish) -> R {
        for outbound in self.outbound {
            to.publish(outbound).await;
        }
        self.reply
    }
}

/// Where effects go: the gateway with its sockets, or a recorder in tests.
#[async_trait::async_trait]
pub trait Publish: Send + Sync + 'static {
    /// Carries out one effect. It cannot fail for who made the request: a connection that misses an event is counted, logged and
    /// closed by the gateway.
    async fn publish(&self, outbound: Outbound);
}

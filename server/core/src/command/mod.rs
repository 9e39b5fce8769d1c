//! What a client can ask for, once it has been understood: every field checked, nothing allowed yet.
//!
//! A command says *what*; [`crate::policy`] decides *whether*, [`crate::chat`] does it.

mod fields;
mod json;
mod socket;

pub use fields::{Body, ClientId, GROUP_MAX_MEMBERS, Limits, MemberList, Title};
pub(crate) use json::Fields;
pub use json::Invalid;
pub use socket::{SocketCommand, decode};

use crate::ids::{ChatId, ConnectionId, MessageId, UserId};
use crate::model::{ChatCursor, Window};

/// `room:join`: let a connection hear what happens in a chat.
#[derive(Clone, Debug)]
pub struct JoinRoom {
    /// The chat whose room is joined.
    pub chat: ChatId,
    /// The connection that joins.
    pub connection: ConnectionId,
}

/// `room:leave`: stop hearing what happens in a chat.
#[derive(Clone, Debug)]
pub struct LeaveRoom {
    /// The chat whose room is left.
    pub chat: ChatId,
    /// The connection that leaves.
    pub connection: ConnectionId,
}

/// `message:send`, and its REST twin.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// The chat it goes to.
    pub chat: ChatId,
    /// The client's own id for it, which identifies repeats. Optional over REST.
    pub client_id: Option<ClientId>,
    /// The text.
    pub body: Body,
    /// Whether the sender's rate limit applies: over the socket it does, over REST it does not (contract §13).
    pub rate_limited: bool,
}

/// `typing:start` or `typing:stop`.
#[derive(Clone, Debug)]
pub struct Typing {
    /// The chat in which the user types.
    pub chat: ChatId,
    /// The connection that types, and gets no event.
    pub connection: ConnectionId,
    /// Whether typing has begun or ended.
    pub active: bool,
}

/// `receipt:read`, and its REST twin.
#[derive(Clone, Debug)]
pub struct MarkRead {
    /// The chat of the message.
    pub chat: ChatId,
    /// The newest message read.
    pub message: MessageId,
}

/// Open a direct chat, or find the one that exists.
#[derive(Clone, Debug)]
pub struct OpenDirect {
    /// The other member.
    pub peer: UserId,
}

/// Create a group.
#[derive(Clone, Debug)]
pub struct CreateGroup {
    /// The members beside the creator.
    pub others: MemberList,
    /// Its name, if it has one.
    pub title: Option<Title>,
}

/// Change a group's name.
#[derive(Clone, Debug)]
pub struct Rename {
    /// The group to rename.
    pub chat: ChatId,
    /// The new name.
    pub title: Title,
}

/// Add members to a group.
#[derive(Clone, Debug)]
pub struct AddMembers {
    /// The group that grows.
    pub chat: ChatId,
    /// Who joins.
    pub users: MemberList,
}

/// Remove a member from a group; everyone may remove themselves.
#[derive(Clone, Debug)]
pub struct RemoveMember {
    /// The group that the member leaves.
    pub chat: ChatId,
    /// Who goes.
    pub user: UserId,
}

/// Read a chat.
#[derive(Clone, Debug)]
pub struct ReadChat {
    /// The chat to read.
    pub chat: ChatId,
}

/// List the actor's own chats.
#[derive(Clone, Debug)]
pub struct ListChats {
    /// Where the page begins; with the latest activity when `None`.
    pub after: Option<ChatCursor>,
    /// How many chats at most.
    pub limit: u32,
}

/// List the messages of a chat.
#[derive(Clone, Debug)]
pub struct ListMessages {
    /// The chat whose messages are listed.
    pub chat: ChatId,
    /// Which of its messages.
    pub window: Window,
    /// How many messages at most.
    pub limit: u32,
}

/// Find the messages that contain every word of a text.
#[derive(Clone, Debug)]
pub struct Search {
    /// The text.
    pub query: String,
    /// The chat to look in; in all of the actor's chats when `None`.
    pub chat: Option<ChatId>,
    /// Only messages older than this one.
    pub before: Option<MessageId>,
    /// How many messages at most.
    pub limit: u32,
}

//! The data of the contract: chats, members, messages, users. A type that is a DTO there (§5, §13) serializes as such.

mod cursor;

pub use cursor::{ChatCursor, InvalidCursor};

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::clock::Timestamp;
use crate::ids::{ChatId, MembershipId, MessageId, UserId};

/// What a member may do in a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May rename the chat, add and remove members.
    Admin,
    /// May read and write.
    Member,
}

/// Whether a chat is between two or among many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatKind {
    /// Two members for ever, no title.
    #[serde(rename = "dm")]
    Direct,
    /// Members come and go.
    #[serde(rename = "group")]
    Group,
}

/// What is known of a chat, and of the actor in it, when the decision is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The kind of chat.
    pub kind: ChatKind,
    /// The actor's role in it; `None` for a stranger.
    pub role: Option<Role>,
}

/// MessageDTO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: MessageId,
    /// Where it was sent.
    pub chat_id: ChatId,
    /// Who sent it.
    pub sender_id: UserId,
    /// The text; empty once deleted. Shared with the command and the event.
    #[serde(serialize_with = "as_text")]
    pub body: Arc<str>,
    /// The sender's own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last changed, if ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// Whether its text is gone.
    pub deleted: bool,
}

fn as_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// ChatDTO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ChatId,
    /// `dm` or `group`.
    #[serde(rename = "type")]
    pub kind: ChatKind,
    /// Its name; null when it has none.
    pub title: Option<String>,
    /// Who made it.
    pub created_by: UserId,
    /// Its members, longest-standing first.
    pub member_ids: Vec<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed, or was written in.
    pub updated_at: Timestamp,
}

/// A row of the chat listing: ChatDTO with what a client shows beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatSummary {
    /// The chat.
    #[serde(flatten)]
    pub chat: Chat,
    /// Messages newer than the reader's cursor; all of them while there is none.
    pub unread_count: u64,
    /// The newest message, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message: Option<LastMessage>,
}

/// The newest message of a chat, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastMessage {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: MessageId,
    /// Who sent it.
    pub sender_id: UserId,
    /// The first 100 characters of its text.
    pub body: String,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl LastMessage {
    /// As much of a text as a listing shows (contract §13).
    pub fn preview(body: &str) -> String {
        body.chars().take(100).collect()
    }
}

/// MembershipDTO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: MembershipId,
    /// The chat.
    pub chat_id: ChatId,
    /// The member.
    pub user_id: UserId,
    /// What they may do.
    pub role: Role,
    /// The newest message they have read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_read_message_id: Option<MessageId>,
    /// Since when they belong.
    pub created_at: Timestamp,
    /// When role or cursor last changed.
    pub updated_at: Timestamp,
}

/// A user, as others may see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Their normalised e-mail address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their day of birth, `YYYY-MM-DD`, if they gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// Since when they are registered.
    pub created_at: Timestamp,
}

/// A registration, checked and hashed.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The normalised e-mail address: the unique key.
    pub email: String,
    /// The name.
    pub name: String,
    /// The day of birth, `YYYY-MM-DD`.
    pub birthdate: Option<String>,
    /// The password, as an Argon2id PHC string.
    pub password_hash: String,
}

/// What a login is checked against.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user.
    pub user: User,
    /// Their password, as an Argon2id PHC string.
    pub password_hash: String,
}

/// SHA-256 of a session token: the store never sees the token itself.
pub type TokenHash = [u8; 32];

/// A login that lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of its token.
    pub token: TokenHash,
    /// The user who has logged in.
    pub user: UserId,
    /// Until when, exclusive.
    pub expires_at: Timestamp,
}

/// Which part of a chat's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The newest, newest first.
    Newest,
    /// Older than this id, newest first.
    Before(MessageId),
    /// Newer than this id, oldest first (SYNC-05).
    After(MessageId),
}

/// A page of messages, and the id to go on from where there are more: pass it as `before` or `after` again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagePage {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<MessageId>,
}

impl MessagePage {
    /// Of one message more than `limit`, where there are as many: the page, and where the next one begins.
    pub fn cut(mut messages: Vec<Message>, limit: u32) -> Self {
        let more = messages.len() > limit as usize;
        messages.truncate(limit as usize);
        let next_cursor = messages.last().filter(|_| more).map(|message| message.id);
        Self {
            messages,
            next_cursor,
        }
    }
}

/// A page of chats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatPage {
    /// The chats.
    pub chats: Vec<ChatSummary>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<ChatCursor>,
}

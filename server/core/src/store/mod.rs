//! What is kept, the one trait that every backend implements, and the embedded backend.
//!
//! - `embedded`: SQLite
//! - `pending`: a write that has been asked for, and its place among others
//! - `faulty`: failures for rehearsals
//!
//! A backend keeps these promises:
//! - A call that changes something, and a [`Pending`] that is awaited, return after the change is durable.
//! - "Not there" is `None`, never an error; errors are failures of the backend itself.
//! - Every rule that must hold under concurrency (one message per key, one direct chat per pair, a cursor that only
//!   moves forward, membership at the moment of writing) is a constraint or a condition of the write itself.
//! - Only calls made with a [`Permit`] read or change what belongs to a chat. The rules themselves are in [`crate::policy`].

mod embedded;
mod faulty;
mod pending;

pub use embedded::{EmbeddedStore, Location, OpenError};
pub use faulty::{FaultyStore, StoreSwitch};
pub use pending::Pending;

use async_trait::async_trait;

use crate::command::{
    AddMembers, ListChats, ListMessages, MarkRead, ReadChat, RemoveMember, Rename, Search, SendMessage,
};
use crate::ids::{ChatId, UserId};
use crate::model::{
    Chat, ChatPage, Credentials, Facts, Membership, Message, MessagePage, NewUser, Session, TokenHash, User,
};
use crate::policy::{NewChat, Permit};

/// The backend failed; the cause is for the log.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// Wraps a backend's own error.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// What every call returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// How [`Store::append`] ended.
#[derive(Debug)]
pub enum Append {
    /// A new message.
    Stored(Message),
    /// The sender's `clientId` is known in this chat: the message it named the first time (MSG-05, MSG-08).
    Repeat(Message),
    /// The sender is a member no longer.
    NotMember,
}

/// How [`Store::advance_cursor`] ended.
#[derive(Debug)]
pub enum Advance {
    /// The cursor has moved forward.
    Moved(Membership),
    /// The cursor was there already, or further (RCPT-02, RCPT-03).
    Unchanged(Membership),
    /// The reader is a member no longer.
    NotMember,
}

/// How [`Store::create_chat`] ended.
#[derive(Debug)]
pub enum Create {
    /// A new chat.
    Created(Chat),
    /// The direct chat of this pair, which existed.
    Existing(Chat),
    /// Somebody named is no user.
    UnknownUser(UserId),
}

/// How [`Store::add_members`] ended; anything but `Added` has changed nothing.
#[derive(Debug)]
pub enum Add {
    /// All of them are members now.
    Added(Chat),
    /// Somebody named is no user.
    UnknownUser(UserId),
    /// Somebody named is a member already.
    AlreadyMember(UserId),
    /// The group would grow beyond its limit.
    TooMany,
}

/// How [`Store::remove_member`] ended.
#[derive(Debug)]
pub enum Remove {
    /// Gone; the chat as it is without them.
    Removed(Chat),
    /// They were no member.
    NotMember,
}

/// A backend. Cheap to share behind an `Arc`; every method may be called concurrently.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Answers if the backend can be reached (`/readyz`).
    async fn ping(&self) -> Result<()>;

    /// Finishes what has been begun and releases files. Calls after it fail.
    async fn close(&self) -> Result<()>;

    /// Registers a user; `None` when the normalised e-mail address is taken.
    async fn create_user(&self, user: NewUser) -> Result<Option<User>>;

    /// What a login is checked against.
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>>;

    /// Keeps a session.
    async fn create_session(&self, session: Session) -> Result<()>;

    /// The session of a token, expired or not.
    async fn session(&self, token: TokenHash) -> Result<Option<Session>>;

    /// Forgets a session; `false` when there was none.
    async fn revoke_session(&self, token: TokenHash) -> Result<bool>;

    /// What the policy needs to know of a chat and of `actor` in it; `None` when there is no such chat.
    async fn facts(&self, chat: ChatId, actor: UserId) -> Result<Option<Facts>>;

    /// A chat.
    async fn chat(&self, permit: &Permit<ReadChat>) -> Result<Option<Chat>>;

    /// The actor's chats, latest activity first.
    async fn chats(&self, permit: &Permit<ListChats>) -> Result<ChatPage>;

    /// Creates a chat, or finds the direct chat that its pair has.
    async fn create_chat(&self, new: NewChat) -> Result<Create>;

    /// Gives a chat another title; `None` when it is gone.
    async fn rename(&self, permit: &Permit<Rename>) -> Result<Option<Chat>>;

    /// Adds members, all or none.
    async fn add_members(&self, permit: &Permit<AddMembers>) -> Result<Add>;

    /// Removes a member, and makes their [`successor`](crate::policy::membership::successor) an admin.
    async fn remove_member(&self, permit: &Permit<RemoveMember>) -> Result<Remove>;

    /// Stores a message and moves the chat's `updatedAt`; makes the members admins where it is
    /// [time](crate::policy::membership::admins_after). Id and `createdAt` grow in the order in which messages are stored.
    ///
    /// Messages of one chat are stored in the order of the calls, unless what these return is [`Pending::Unplaced`].
    fn append(&self, permit: &Permit<SendMessage>) -> Pending<'_, Append>;

    /// The chat of the message that is to be marked as read; `None` when there is no such message.
    async fn chat_of_message(&self, permit: &Permit<MarkRead>) -> Result<Option<ChatId>>;

    /// The messages of a chat.
    async fn messages(&self, permit: &Permit<ListMessages>) -> Result<MessagePage>;

    /// Moves the actor's read cursor forward, never back.
    async fn advance_cursor(&self, permit: &Permit<MarkRead>) -> Result<Advance>;

    /// The messages in the actor's chats that contain every word of the query, newest first.
    async fn search(&self, permit: &Permit<Search>) -> Result<MessagePage>;

    /// Everyone who shares at least one chat with `user` now, each once, without `user`.
    async fn contacts_of(&self, user: UserId) -> Result<Vec<UserId>>;
}

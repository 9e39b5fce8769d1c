//! The production store of the reference server: MongoDB, a replica set, since what belongs together is written in one transaction.
//!
//! - `connect`: from an address to a store, or to an error that says what to do
//! - `indexes`: what the queries are served by; made at the start
//! - `documents`: between documents and the model
//! - `sessions`: in which transactions run
//! - `transaction`: several writes as one, and what makes an error a duplicate
//! - `outage`: while the database does not answer
//! - `users`, `chats`, `members`, `messages`: the queries, each naming the index that serves it
//! - `words`: what a search compares
//!
//! Every write is acknowledged by a majority of the set, in their journals: an ack means durable. Every read asks the
//! primary for what a majority holds.

mod chats;
mod connect;
mod documents;
mod indexes;
mod members;
mod messages;
#[cfg(test)]
mod mongodb_tests;
mod outage;
mod sessions;
mod transaction;
mod users;
mod words;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use mongodb::bson::doc;
use mongodb::error::ErrorKind;
use mongodb::{Client, Collection};
use tokio_util::task::TaskTracker;

use chatspec_server_core::clock::Clock;
use chatspec_server_core::command::{
    AddMembers, ListChats, ListMessages, MarkRead, ReadChat, RemoveMember, Rename, Search, SendMessage,
};
use chatspec_server_core::ids::{ChatId, Ids, UserId};
use chatspec_server_core::model::{
    Chat, ChatPage, Credentials, Facts, MessagePage, NewUser, Session, TokenHash, User,
};
use chatspec_server_core::policy::{NewChat, Permit};
use chatspec_server_core::store::{Add, Advance, Append, Create, Pending, Remove, Result, Store, StoreError};
pub use connect::{ConnectError, MongoOptions};
use documents::{ChatDoc, MembershipDoc, MessageDoc, SessionDoc, UserDoc};
use outage::Outage;
use sessions::{SessionRecord, Sessions};

/// The database did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("MongoDB did not answer within {} ms", .0.as_millis())]
struct TooSlow(Duration);

/// The store was closed before.
#[derive(Debug, thiserror::Error)]
#[error("the store is closed")]
struct Closed;

/// The store on MongoDB.
pub struct MongoStore {
    db: Db,
    outage: Outage,
    /// The calls under way; closed with the store.
    calls: TaskTracker,
}

/// The collections, and what the queries need besides. Cheap to clone.
#[derive(Clone)]
struct Db {
    client: Client,
    users: Collection<UserDoc>,
    sessions: Collection<SessionDoc>,
    chats: Collection<ChatDoc>,
    memberships: Collection<MembershipDoc>,
    messages: Collection<MessageDoc>,
    records: Collection<SessionRecord>,
    transactions: Arc<Sessions>,
    ids: Arc<Ids>,
    clock: Arc<dyn Clock>,
    /// How long a call may take.
    patience: Duration,
}

impl MongoStore {
    /// Runs a call to its end, in a task: a caller may drop its future at any time, and the driver's must not be dropped half-way.
    /// A write that was carried out must also be reported, since it is published then.
    async fn run<T, F>(&self, call: impl FnOnce(Db) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = mongodb::error::Result<T>> + Send + 'static,
    {
        if self.calls.is_closed() {
            return Err(StoreError::new(Closed));
        }
        self.outage.check().map_err(StoreError::new)?;
        match self.calls.spawn(call(self.db.clone())).await {
            Ok(done) => done.map_err(|error| {
                if matches!(*error.kind, ErrorKind::ServerSelection { .. }) {
                    self.outage.begin(&self.db, &self.calls);
                }
                StoreError::new(error)
            }),
            Err(panicked) => Err(StoreError::new(panicked)),
        }
    }

    /// Runs a call that changes nothing, until its end or that of patience.
    async fn read<T, F>(&self, call: impl FnOnce(Db) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = mongodb::error::Result<T>> + Send + 'static,
    {
        let patience = self.db.patience;
        match tokio::time::timeout(patience, self.run(call)).await {
            Ok(done) => done,
            Err(_) => Err(StoreError::new(TooSlow(patience))),
        }
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn ping(&self) -> Result<()> {
        self.read(async |db: Db| db.database().run_command(doc! {"ping": 1}).await.map(drop))
            .await
    }

    async fn close(&self) -> Result<()> {
        self.calls.close();
        let end = async {
            // The client must not go before the calls, and waits for the sessions.
            self.calls.wait().await;
            self.db.transactions.clear();
            self.db.client.clone().shutdown().await;
        };
        tokio::time::timeout(self.db.patience, end)
            .await
            .map_err(|_| StoreError::new(TooSlow(self.db.patience)))
    }

    async fn create_user(&self, user: NewUser) -> Result<Option<User>> {
        self.run(|db| users::create(db, user)).await
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>> {
        let email = email.to_owned();
        self.read(|db| users::credentials(db, email)).await
    }

    async fn create_session(&self, session: Session) -> Result<()> {
        self.run(|db| users::create_session(db, session)).await
    }

    async fn session(&self, token: TokenHash) -> Result<Option<Session>> {
        self.read(|db| users::session(db, token)).await
    }

    async fn revoke_session(&self, token: TokenHash) -> Result<bool> {
        self.run(|db| users::revoke_session(db, token)).await
    }

    async fn facts(&self, chat: ChatId, actor: UserId) -> Result<Option<Facts>> {
        self.read(|db| members::facts(db, chat, actor)).await
    }

    async fn chat(&self, permit: &Permit<ReadChat>) -> Result<Option<Chat>> {
        let chat = permit.command().chat;
        self.read(|db| chats::find(db, chat)).await
    }

    async fn chats(&self, permit: &Permit<ListChats>) -> Result<ChatPage> {
        let (user, command) = (permit.actor(), permit.command().clone());
        self.read(|db| chats::list(db, user, command.after, command.limit))
            .await
    }

    async fn create_chat(&self, new: NewChat) -> Result<Create> {
        self.run(|db| chats::create(db, new)).await
    }

    async fn rename(&self, permit: &Permit<Rename>) -> Result<Option<Chat>> {
        let command = permit.command().clone();
        self.run(|db| chats::rename(db, command)).await
    }

    async fn add_members(&self, permit: &Permit<AddMembers>) -> Result<Add> {
        let command = permit.command().clone();
        self.run(|db| members::add(db, command)).await
    }

    async fn remove_member(&self, permit: &Permit<RemoveMember>) -> Result<Remove> {
        let command = permit.command().clone();
        self.run(|db| members::remove(db, command)).await
    }

    fn append(&self, permit: &Permit<SendMessage>) -> Pending<'_, Append> {
        let (sender, command) = (permit.actor(), permit.command().clone());
        // Each transaction has a connection of its own; which of two comes first is decided in the database.
        Pending::Unplaced(self.run(move |db| messages::append(db, sender, command)).boxed())
    }

    async fn chat_of_message(&self, permit: &Permit<MarkRead>) -> Result<Option<ChatId>> {
        let message = permit.command().message;
        self.read(|db| messages::chat_of(db, message)).await
    }

    async fn messages(&self, permit: &Permit<ListMessages>) -> Result<MessagePage> {
        let command = permit.command().clone();
        self.read(|db| messages::page(db, command)).await
    }

    async fn advance_cursor(&self, permit: &Permit<MarkRead>) -> Result<Advance> {
        let (reader, command) = (permit.actor(), permit.command().clone());
        self.run(|db| members::advance(db, reader, command)).await
    }

    async fn search(&self, permit: &Permit<Search>) -> Result<MessagePage> {
        let (user, command) = (permit.actor(), permit.command().clone());
        self.read(|db| messages::search(db, user, command)).await
    }

    async fn contacts_of(&self, user: UserId) -> Result<Vec<UserId>> {
        self.read(|db| members::contacts(db, user)).await
    }
}

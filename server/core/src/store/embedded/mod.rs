//! The embedded store: SQLite, with nothing to install or to start.
//!
//! - `schema.sql`: the tables, with the constraints that keep the rules
//! - `executor`: where SQLite runs: on the calling thread, or on threads with group commit
//! - `users`, `chats`, `members`, `messages`: the statements, each beside the function that uses it
//! - `rows`: between rows and the model

mod chats;
mod executor;
mod members;
mod messages;
mod rows;
#[cfg(test)]
mod tests;
mod users;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;

use super::{Add, Advance, Append, Create, Pending, Remove, Result, Store};
use crate::clock::Clock;
use crate::command::{
    AddMembers, ListChats, ListMessages, MarkRead, ReadChat, RemoveMember, Rename, Search, SendMessage,
};
use crate::ids::{ChatId, Ids, RawId, UserId};
use crate::model::{Chat, ChatPage, Credentials, Facts, MessagePage, NewUser, Session, TokenHash, User};
use crate::policy::{NewChat, Permit};
use executor::Executor;

const SCHEMA: &str = include_str!("schema.sql");
/// Kept in the file; a file with a higher number was written by a newer server.
const SCHEMA_VERSION: i64 = 1;
const NEWEST_ID: &str =
    "SELECT max(id) FROM (SELECT max(id) AS id FROM messages UNION ALL SELECT max(id) FROM chats
     UNION ALL SELECT max(id) FROM users UNION ALL SELECT max(id) FROM memberships)";
/// A database in memory of one connection's own, which has room for 1 GB. What SQLite calls `:memory:` keeps all pages in its
/// cache, and goes through that at the end of many transactions: a message costs several times as much with a million stored.
const IN_MEMORY: &str = "file:chat?vfs=memdb";
/// Threads that read a store on disk.
const READERS: usize = 2;

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Location {
    /// In this process only.
    Memory,
    /// In files in this folder, which is made if need be.
    Folder(PathBuf),
}

/// Why the store cannot be opened; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("cannot write to the data folder {}: {cause}; choose another with --data", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Another server has it open.
    #[error("the data folder {} is in use by another server; stop that one, or choose another with --data", .0.display())]
    InUse(PathBuf),
    /// The data was written by a newer server.
    #[error(
        "the data was written by a newer chatspec-server (schema {found}, known here: {SCHEMA_VERSION}); upgrade"
    )]
    Newer {
        /// The file's schema version.
        found: i64,
    },
    /// SQLite refuses the file.
    #[error("cannot open the database: {0}; is this file one of ours, and intact?")]
    Database(#[from] rusqlite::Error),
    /// The system gives no thread.
    #[error("cannot start the threads of the store: {0}")]
    Threads(std::io::Error),
}

/// The store on SQLite.
pub struct EmbeddedStore {
    executor: Executor,
    ids: Arc<Ids>,
    clock: Arc<dyn Clock>,
    /// Holds the folder for this process until the store is dropped.
    _lock: Option<Lock>,
}

/// Keeps other servers out of a folder. Given back by hand: a child process that is just being started still has the file
/// for a moment, and would keep the lock with it.
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Where it cannot be given back, it goes with the file.
        let _ = self.0.unlock();
    }
}

impl EmbeddedStore {
    /// Opens what is at `location`, or begins anew there. `ids` goes on after the newest id kept.
    pub fn open(location: Location, ids: Arc<Ids>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let (lock, file) = match location {
            Location::Memory => (None, None),
            Location::Folder(folder) => (Some(lock_folder(&folder)?), Some(folder.join("chat.db"))),
        };
        let writer = open_writer(file.as_deref())?;
        if let Some(newest) = writer.query_row(NEWEST_ID, [], |row| row.get::<_, Option<RawId>>(0))? {
            ids.start_after(newest);
        }
        let executor = match file {
            None => Executor::in_memory(writer),
            Some(file) => {
                let readers = (0..READERS)
                    .map(|_| open_reader(&file))
                    .collect::<rusqlite::Result<_>>()?;
                Executor::on_disk(writer, readers, open_reader(&file)?).map_err(OpenError::Threads)?
            }
        };
        Ok(Self {
            executor,
            ids,
            clock,
            _lock: lock,
        })
    }
}

/// Makes the folder and keeps other servers out of it.
fn lock_folder(folder: &Path) -> Result<Lock, OpenError> {
    let unusable = |cause| OpenError::Folder {
        folder: folder.to_owned(),
        cause,
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    let lock = File::create(folder.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(Lock(lock)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(cause)) => Err(unusable(cause)),
    }
}

/// A database in `file`, or in memory, with all tables.
fn open_writer(file: Option<&Path>) -> Result<Connection, OpenError> {
    let writer = match file {
        None => {
            let writer = Connection::open(IN_MEMORY)?;
            // A transaction first copies each page that it is going to change, and a message changes few bytes of several.
            writer.pragma_update(None, "page_size", 2_048)?;
            writer.pragma_update(None, "journal_mode", "memory")?;
            // No other process can open it, and there is nothing to flush.
            writer.pragma_update(None, "locking_mode", "exclusive")?;
            writer.pragma_update(None, "synchronous", "off")?;
            writer
        }
        Some(file) => {
            let writer = Connection::open(file)?;
            // WAL: readers and the writer do not wait for each other. FULL: a commit is on the disk.
            writer.pragma_update(None, "journal_mode", "wal")?;
            writer.pragma_update(None, "synchronous", "full")?;
            writer
        }
    };
    writer.set_prepared_statement_cache_capacity(64);
    migrate(&writer)?;
    Ok(writer)
}

fn open_reader(file: &Path) -> rusqlite::Result<Connection> {
    let reader = Connection::open(file)?;
    reader.pragma_update(None, "query_only", true)?;
    reader.set_prepared_statement_cache_capacity(64);
    Ok(reader)
}

fn migrate(writer: &Connection) -> Result<(), OpenError> {
    let found: i64 = writer.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        SCHEMA_VERSION => Ok(()),
        0 => {
            let version = format!("PRAGMA user_version = {SCHEMA_VERSION};");
            writer.execute_batch(&format!("BEGIN; {SCHEMA} {version} COMMIT;"))?;
            Ok(())
        }
        found => Err(OpenError::Newer { found }),
    }
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn ping(&self) -> Result<()> {
        // Through the writer, since a full disk shows there first.
        self.executor.write(|_| Ok(())).await
    }

    async fn close(&self) -> Result<()> {
        self.executor.close().await
    }

    async fn create_user(&self, user: NewUser) -> Result<Option<User>> {
        let ids = self.ids.clone();
        self.executor
            .write(move |db| users::insert_user(db, ids.next(), user))
            .await
    }

    async fn credentials(&self, email: &str) -> Result<Option<Credentials>> {
        let email = email.to_owned();
        self.executor.read(move |db| users::credentials(db, &email)).await
    }

    async fn create_session(&self, session: Session) -> Result<()> {
        let now = self.clock.now();
        self.executor
            .write(move |db| users::insert_session(db, &session, now))
            .await
    }

    async fn session(&self, token: TokenHash) -> Result<Option<Session>> {
        self.executor.read(move |db| users::session(db, token)).await
    }

    async fn revoke_session(&self, token: TokenHash) -> Result<bool> {
        self.executor
            .write(move |db| users::delete_session(db, token))
            .await
    }

    async fn facts(&self, chat: ChatId, actor: UserId) -> Result<Option<Facts>> {
        self.executor.look_up(|db| members::facts(db, chat, actor))
    }

    async fn chat(&self, permit: &Permit<ReadChat>) -> Result<Option<Chat>> {
        let chat = permit.command().chat;
        self.executor.read(move |db| chats::find(db, chat)).await
    }

    async fn chats(&self, permit: &Permit<ListChats>) -> Result<ChatPage> {
        let (user, command) = (permit.actor(), permit.command().clone());
        self.executor
            .read(move |db| chats::list(db, user, command.after, command.limit))
            .await
    }

    async fn create_chat(&self, new: NewChat) -> Result<Create> {
        let ids = self.ids.clone();
        self.executor.write(move |db| chats::create(db, &ids, new)).await
    }

    async fn rename(&self, permit: &Permit<Rename>) -> Result<Option<Chat>> {
        let (now, command) = (self.clock.now(), permit.command().clone());
        self.executor
            .write(move |db| chats::rename(db, command.chat, command.title.as_str(), now))
            .await
    }

    async fn add_members(&self, permit: &Permit<AddMembers>) -> Result<Add> {
        let (ids, command) = (self.ids.clone(), permit.command().clone());
        self.executor
            .write(move |db| members::add(db, &ids, &command))
            .await
    }

    async fn remove_member(&self, permit: &Permit<RemoveMember>) -> Result<Remove> {
        let (now, command) = (self.clock.now(), permit.command().clone());
        self.executor
            .write(move |db| members::remove(db, now, &command))
            .await
    }

    fn append(&self, permit: &Permit<SendMessage>) -> Pending<'_, Append> {
        let (ids, sender, command) = (self.ids.clone(), permit.actor(), permit.command().clone());
        self.executor
            .write(move |db| messages::append(db, &ids, sender, &command))
    }

    async fn chat_of_message(&self, permit: &Permit<MarkRead>) -> Result<Option<ChatId>> {
        let message = permit.command().message;
        self.executor.read(move |db| messages::chat_of(db, message)).await
    }

    async fn messages(&self, permit: &Permit<ListMessages>) -> Result<MessagePage> {
        let command = permit.command().clone();
        self.executor.read(move |db| messages::page(db, &command)).await
    }

    async fn advance_cursor(&self, permit: &Permit<MarkRead>) -> Result<Advance> {
        let (now, reader, command) = (self.clock.now(), permit.actor(), permit.command().clone());
        self.executor
            .write(move |db| members::advance(db, reader, now, &command))
            .await
    }

    async fn search(&self, permit: &Permit<Search>) -> Result<MessagePage> {
        let (user, command) = (permit.actor(), permit.command().clone());
        self.executor.write(messages::index_words).await?;
        self.executor
            .read(move |db| messages::search(db, user, &command))
            .await
    }

    async fn contacts_of(&self, user: UserId) -> Result<Vec<UserId>> {
        self.executor.read(move |db| members::contacts(db, user)).await
    }
}

//! Where SQLite runs.
//!
//! - a store in memory: inline, on the calling thread. A statement takes some microseconds, less than the way to another thread
//!   and back
//! - a store on disk: in `threads`, since a flush takes milliseconds; only look-ups by key run inline

mod threads;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use rusqlite::Connection;

use super::rows::execute;
use crate::store::{Pending, Result, StoreError};
use threads::Threads;

/// Runs work on the database.
pub(super) struct Executor {
    /// For a database in memory the only connection, for one on disk the one for look-ups. `None` once closed.
    inline: Mutex<Option<Connection>>,
    /// For a database on disk.
    threads: Option<Threads>,
}

#[derive(Debug, thiserror::Error)]
#[error("it is closed")]
struct Closed;

impl Executor {
    /// For a database in memory, which has one connection only.
    pub(super) fn in_memory(connection: Connection) -> Self {
        Self {
            inline: Mutex::new(Some(connection)),
            threads: None,
        }
    }

    /// For a database on disk: threads for `writer` and each of `readers`, and `inline` for look-ups.
    pub(super) fn on_disk(
        writer: Connection,
        readers: Vec<Connection>,
        inline: Connection,
    ) -> std::io::Result<Self> {
        Ok(Self {
            inline: Mutex::new(Some(inline)),
            threads: Some(Threads::start(writer, readers)?),
        })
    }

    /// Runs `work`, all of it or nothing, after what was to be written before; awaiting it waits until it is durable.
    pub(super) fn write<T, F>(&self, work: F) -> Pending<'static, T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        match &self.threads {
            Some(threads) => Pending::Queued(threads.write(work).boxed()),
            None => Pending::Done(self.run_inline(|connection| in_savepoint(connection, work))),
        }
    }

    /// Runs `work`, which changes nothing.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        match &self.threads {
            Some(threads) => threads.read(work).await,
            None => self.run_inline(work),
        }
    }

    /// Runs `work`, which finds single rows by their keys, inline.
    pub(super) fn look_up<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.run_inline(work)
    }

    fn run_inline<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let inline = self.inline.lock();
        let connection = inline.as_ref().ok_or_else(|| StoreError::new(Closed))?;
        work(connection).map_err(StoreError::new)
    }

    /// Finishes what is queued and closes the connections.
    pub(super) async fn close(&self) -> Result<()> {
        drop(self.inline.lock().take());
        match &self.threads {
            Some(threads) => threads.close().await,
            None => Ok(()),
        }
    }
}

/// Work that fails undoes what it has done, and nothing else.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    execute(connection, "SAVEPOINT job", [])?;
    let done = work(connection);
    if done.is_err() {
        execute(connection, "ROLLBACK TO job", [])?;
    }
    execute(connection, "RELEASE job", [])?;
    done
}

//! Several writes as one.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use mongodb::bson::Document;
use mongodb::error::{Error, ErrorKind, Result, WriteFailure};
use mongodb::{ClientSession, Collection};
use serde::de::DeserializeOwned;

use super::Db;
use super::indexes::Index;

/// What MongoDB says when a unique index has the key already.
const DUPLICATE_KEY: i32 = 11_000;

/// A transaction that conflicted with others again and again, until its time was over.
#[derive(Debug, thiserror::Error)]
#[error("the transaction was given up after it had been overtaken for too long")]
struct Contended;

impl Db {
    /// Runs `work` in a transaction: all of its writes are kept, or none. When it meets another on the same documents
    /// it is begun again, as long as somebody waits for it.
    ///
    /// An error of a query inside has ended the transaction, and must be returned.
    ///
    /// A commit that breaks off is repeated, and MongoDB then says whether it was done. A database that has forgotten that
    /// when it comes back makes the driver begin again, and `work` meets what it has done itself: messages are prepared for
    /// it; members and new chats are not, and are then answered as if somebody else had been faster.
    pub(super) async fn transaction<C, R, F>(&self, context: C, mut work: F) -> Result<R>
    where
        C: Send + 'static,
        R: Send + 'static,
        F: for<'a> FnMut(&'a mut ClientSession, &'a mut C) -> BoxFuture<'a, Result<R>> + Send,
    {
        let deadline = Instant::now() + self.patience;
        let mut taken = self.transactions.take(self).await?;
        let done = taken
            .session
            .start_transaction()
            .and_run(context, move |session, context| {
                if Instant::now() > deadline {
                    return Box::pin(std::future::ready(Err(Error::custom(Contended))));
                }
                work(session, context)
            })
            .await;
        // After a duplicate it was aborted in good order.
        if done.as_ref().map_or_else(is_duplicate, |_| true) {
            self.transactions.give_back(taken);
        }
        done
    }
}

impl Db {
    /// The document whose key was a duplicate. It cannot be read until a majority holds it, which may take a moment.
    pub(super) async fn find_committed<T>(
        &self,
        collection: &Collection<T>,
        key: Document,
        index: Index,
    ) -> Result<Option<T>>
    where
        T: DeserializeOwned + Send + Sync,
    {
        const PACE: Duration = Duration::from_millis(20);
        let deadline = Instant::now() + self.patience;
        loop {
            let found = collection.find_one(key.clone()).hint(index.into()).await?;
            if found.is_some() || Instant::now() > deadline {
                return Ok(found);
            }
            tokio::time::sleep(PACE).await;
        }
    }
}

/// Whether the write failed because a unique index has its key already.
pub(super) fn is_duplicate(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::InsertMany(error) => error
            .write_errors
            .iter()
            .flatten()
            .any(|error| error.code == DUPLICATE_KEY),
        ErrorKind::Command(error) => error.code == DUPLICATE_KEY,
        _ => false,
    }
}

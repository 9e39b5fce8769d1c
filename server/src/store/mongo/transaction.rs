//! Several writes as one.

use std::time::Instant;

use futures_util::future::BoxFuture;
use mongodb::ClientSession;
use mongodb::error::{Error, ErrorKind, Result, WriteFailure};

use super::Db;

/// What MongoDB says when a unique index has the key already.
const DUPLICATE_KEY: i32 = 11_000;

/// A transaction that met others again and again, until nobody waited for it any more.
#[derive(Debug, thiserror::Error)]
#[error("the transaction was given up after it had been overtaken for too long")]
struct Overtaken;

impl Db {
    /// Runs `work` in a transaction: all of its writes are kept, or none. When it meets another on the same documents
    /// it is begun again, as long as somebody waits for it.
    ///
    /// An error of a query inside has ended the transaction, and must be returned.
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
                    return Box::pin(std::future::ready(Err(Error::custom(Overtaken))));
                }
                work(session, context)
            })
            .await;
        if done.is_ok() {
            self.transactions.give_back(taken);
        }
        done
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

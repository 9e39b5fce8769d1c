//! While the database does not answer, calls fail at once instead of each waiting for its time-out: behind one that
//! waits, all others of the same chat would wait too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mongodb::bson::doc;
use tokio_util::task::TaskTracker;

use super::Db;

/// How long to wait between two looks whether the database is back.
const PACE: Duration = Duration::from_millis(100);

/// The database did not answer the call before, and has not been back since.
#[derive(Debug, thiserror::Error)]
#[error("MongoDB does not answer")]
pub(super) struct Away;

/// Whether there is an outage. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Outage(Arc<AtomicBool>);

impl Outage {
    /// Refuses while there is one.
    pub(super) fn check(&self) -> Result<(), Away> {
        if self.0.load(Ordering::Acquire) {
            Err(Away)
        } else {
            Ok(())
        }
    }

    /// One begins, unless there is one: it lasts until the database answers again, which a task of its own looks for.
    pub(super) fn begin(&self, db: &Db, calls: &TaskTracker) {
        if self.0.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!("MongoDB does not answer: requests fail until it does");
        let (outage, db, store) = (self.clone(), db.clone(), calls.clone());
        calls.spawn(async move {
            while !answers(&db).await {
                if store.is_closed() {
                    return;
                }
                tokio::time::sleep(PACE).await;
            }
            outage.0.store(false, Ordering::Release);
            tracing::info!("MongoDB answers again");
        });
    }
}

/// Whether the database takes writes again: asked of the primary, within the patience for any call.
async fn answers(db: &Db) -> bool {
    let database = db.database();
    let ping = database.run_command(doc! {"ping": 1});
    let ping = tokio::time::timeout(db.patience, ping.into_future());
    matches!(ping.await, Ok(Ok(_)))
}

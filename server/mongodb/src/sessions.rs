//! The sessions in which transactions run, each on record before its first.
//!
//! A transaction outlives the process that began it: MongoDB keeps what it has touched from everyone else until the
//! transaction is a minute old. So a process that starts ends what is on record. Where several processes share a database,
//! what another of them has under way at that moment is ended too: the driver begins most of that again by itself, and the
//! rest fails, to be asked for once more.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use mongodb::ClientSession;
use mongodb::bson::{Binary, DateTime, doc};
use mongodb::error::{Error, Result};
use parking_lot::Mutex;
use serde::Deserialize;

use super::Db;

/// How long a session stays on record. MongoDB forgets its transactions long before.
pub(super) const ON_RECORD: Duration = Duration::from_hours(24);
/// How long a session is used at most, so that its record outlives it.
const LIFETIME: Duration = Duration::from_hours(12);
/// How long a session may be idle; after half an hour MongoDB has forgotten it.
const IDLE: Duration = Duration::from_mins(20);

/// The record of a session.
#[derive(Deserialize)]
pub(super) struct SessionRecord {
    /// The session's own id, which is a UUID.
    #[serde(rename = "_id")]
    id: Binary,
}

/// Sessions that wait for their next transaction.
#[derive(Default)]
pub(super) struct Sessions(Mutex<Vec<Idle>>);

struct Idle {
    session: ClientSession,
    made: Instant,
    since: Instant,
}

/// A session in use.
pub(super) struct Taken {
    pub(super) session: ClientSession,
    made: Instant,
}

impl Sessions {
    /// A session for one transaction; no other has it meanwhile.
    pub(super) async fn take(&self, db: &Db) -> Result<Taken> {
        if let Some(taken) = self.take_idle() {
            return Ok(taken);
        }
        let session = db.client.start_session().await?;
        // The driver reuses sessions, so this one may be on record already.
        let now = doc! {"$set": {"recordedAt": DateTime::now()}};
        db.records
            .update_one(doc! {"_id": id(&session)?}, now)
            .upsert(true)
            .await?;
        let made = Instant::now();
        Ok(Taken { session, made })
    }

    fn take_idle(&self) -> Option<Taken> {
        let mut idle = self.0.lock();
        idle.retain(|idle| idle.made.elapsed() < LIFETIME && idle.since.elapsed() < IDLE);
        idle.pop()
            .map(|Idle { session, made, .. }| Taken { session, made })
    }

    /// For the next transaction, after one that went well.
    pub(super) fn give_back(&self, Taken { session, made }: Taken) {
        let since = Instant::now();
        let mut idle = self.0.lock();
        idle.push(Idle { session, made, since });
    }

    /// There will be no further transaction.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }
}

/// The session's id, which MongoDB wraps in a document.
fn id(session: &ClientSession) -> Result<Binary> {
    let id = mongodb::bson::deserialize_from_document::<Id>(session.id().clone());
    id.map(|id| id.id).map_err(Error::from)
}

#[derive(Deserialize)]
struct Id {
    id: Binary,
}

/// Ends the transactions of every session on record.
pub(super) async fn end_left_over(db: &Db) -> Result<()> {
    let records = db.records.find(doc! {}).await?;
    let left_over: Vec<_> = records
        .map_ok(|record| doc! {"id": record.id})
        .try_collect()
        .await?;
    if !left_over.is_empty() {
        let kill = doc! {"killSessions": left_over};
        db.client.database("admin").run_command(kill).await?;
    }
    Ok(())
}

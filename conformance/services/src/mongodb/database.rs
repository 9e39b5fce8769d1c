//! A database of one run, in a MongoDB that may hold others.

use std::sync::Arc;
use std::time::Duration;

use super::MongoDb;

/// How long removing it may take at most.
const FORGET_WITHIN: Duration = Duration::from_secs(5);

/// A database that nobody else has. It is removed when this is dropped, unless its MongoDB goes with it.
#[derive(Debug)]
pub struct Database {
    uri: String,
    mongodb: Arc<MongoDb>,
}

impl Database {
    /// A new one; it comes into being when something is written to it.
    pub fn new_in(mongodb: Arc<MongoDb>) -> Self {
        let name = format!("chatspec_{}", uuid::Uuid::new_v4().simple());
        Self {
            uri: mongodb.database(&name),
            mongodb,
        }
    }

    /// Its connection string.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// How its MongoDB was had, for people.
    pub fn origin(&self) -> &str {
        self.mongodb.origin()
    }

    /// Its MongoDB, if that can be taken down and brought up.
    pub fn ours(&self) -> Option<Arc<MongoDb>> {
        Some(self.mongodb.clone()).filter(|mongodb| mongodb.is_ours())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.mongodb.is_ours() {
            return;
        }
        let uri = self.uri.clone();
        // In a thread of its own: whoever drops this may be in a runtime.
        let forgetting = std::thread::spawn(move || {
            if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
                runtime.block_on(async { tokio::time::timeout(FORGET_WITHIN, forget(&uri)).await.ok() });
            }
        });
        forgetting.join().ok();
    }
}

/// Removes a database; one that cannot be reached any more has been removed with its MongoDB.
async fn forget(uri: &str) {
    if let Ok(client) = mongodb::Client::with_uri_str(uri).await
        && let Some(database) = client.default_database()
    {
        database.drop().await.ok();
    }
}

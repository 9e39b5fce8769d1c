//! In place of `chatspec_services::mongodb` where the kit is built without it: there never is a MongoDB.

use std::convert::Infallible;
use std::sync::Arc;

use thiserror::Error;

/// Cannot exist: this chatspec is built without MongoDB.
#[derive(Debug)]
pub struct MongoDb(Infallible);

/// Cannot exist: this chatspec is built without MongoDB.
#[derive(Debug)]
pub struct Database(Infallible);

/// There is none, and what to do about it.
#[derive(Debug, Error)]
#[error("{}", super::MISSING)]
pub struct NoMongoDb;

impl MongoDb {
    /// Always fails, and says what to do.
    pub const fn obtain() -> Result<Self, NoMongoDb> {
        Err(NoMongoDb)
    }

    /// Cannot be called.
    pub const fn take_down(&self) -> Result<(), NoMongoDb> {
        match self.0 {}
    }

    /// Cannot be called.
    pub const fn bring_up(&self) -> Result<(), NoMongoDb> {
        match self.0 {}
    }
}

impl Database {
    /// Cannot be called.
    #[expect(clippy::needless_pass_by_value, reason = "as it is where there is one")]
    pub fn new_in(mongodb: Arc<MongoDb>) -> Self {
        match mongodb.0 {}
    }

    /// Cannot be called.
    pub const fn uri(&self) -> &str {
        match self.0 {}
    }

    /// Cannot be called.
    pub const fn origin(&self) -> &str {
        match self.0 {}
    }

    /// Cannot be called.
    pub const fn ours(&self) -> Option<Arc<MongoDb>> {
        match self.0 {}
    }
}

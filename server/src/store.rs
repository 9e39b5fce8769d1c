//! Where the program keeps its data: in the embedded store, or in MongoDB.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::config::Config;
use chatspec_server_core::ids::Ids;
use chatspec_server_core::store::{EmbeddedStore, Location, Store};
use chatspec_server_mongodb::{MongoOptions, MongoStore};
use clap::{Args, ValueEnum};

/// A message and the words in it are one document, of 16 MiB at most.
const MONGODB_BODY_MAX_BYTES: u32 = 1_048_576;

/// Which store, and where it is.
#[derive(Args, Debug)]
pub(crate) struct StoreArgs {
    /// Where chats and messages are kept [default: mongodb where --mongodb-uri is given, otherwise embedded].
    #[arg(long, env = "CHATSPEC_STORE", value_enum)]
    store: Option<StoreKind>,

    /// Connection string of a MongoDB replica set, with the database to use.
    #[arg(
        long,
        env = "CHATSPEC_MONGODB_URI",
        hide_env_values = true,
        value_name = "URI",
        conflicts_with = "in_memory",
        required_if_eq("store", "mongodb")
    )]
    mongodb_uri: Option<String>,

    /// How long one request waits for MongoDB before it fails.
    #[arg(long, env = "CHATSPEC_MONGODB_TIMEOUT_MS", default_value_t = 3_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=120_000))]
    mongodb_timeout_ms: u64,

    /// Folder for the embedded store's files, made if need be.
    #[arg(
        long,
        env = "CHATSPEC_DATA",
        default_value = "chatspec-data",
        value_name = "DIR"
    )]
    data: PathBuf,

    /// Keep everything in memory, up to 1 GB; it is gone when the server stops.
    #[arg(long, env = "CHATSPEC_IN_MEMORY", conflicts_with = "data")]
    in_memory: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StoreKind {
    /// In files of the server's own, or in memory: nothing to install.
    Embedded,
    /// In MongoDB.
    Mongodb,
}

impl StoreArgs {
    /// Opens the store; the error says what to do.
    pub(crate) async fn open(&self, config: &Config) -> anyhow::Result<Arc<dyn Store>> {
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        if let Some(options) = self.mongodb() {
            anyhow::ensure!(
                config.body_max_bytes <= MONGODB_BODY_MAX_BYTES,
                "--body-max-bytes {} is more than a document in MongoDB can hold beside its words; at most \
                 {MONGODB_BODY_MAX_BYTES} will do",
                config.body_max_bytes
            );
            return Ok(Arc::new(MongoStore::connect(&options, ids, clock).await?));
        }
        let location = if self.in_memory {
            Location::Memory
        } else {
            Location::Folder(self.data.clone())
        };
        Ok(Arc::new(EmbeddedStore::open(location, ids, clock)?))
    }

    /// How long a request waits: as long as one call to MongoDB may take. The embedded store is always there.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.mongodb().map(|options| options.patience)
    }

    /// The MongoDB to use, if one is to be used.
    fn mongodb(&self) -> Option<MongoOptions> {
        let uri = self.mongodb_uri.clone()?;
        (self.store != Some(StoreKind::Embedded)).then(|| MongoOptions {
            uri,
            patience: Duration::from_millis(self.mongodb_timeout_ms),
        })
    }
}

//! A MongoDB to test with, however one can be had here.
//!
//! - [`MongoDb::obtain`]: tries the sources in their order, and says what it has found
//! - `address`: connection strings
//! - [`Database`]: one of a run in it
//! - `container`: the way through a container engine
//! - `local`: the way without one
//! - `server_thread`: the thread that starts and stops a MongoDB of ours

mod address;
mod container;
mod database;
mod local;
mod server_thread;

use std::env;
use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use thiserror::Error;

pub use database::Database;
use server_thread::ServerThread;

/// The connection string of a MongoDB that is there already.
const URI: &str = "MONGODB_URI";
/// The one way to take, instead of the first that works.
const ONLY: &str = "CHATSPEC_MONGO";

/// A MongoDB, for as long as this lives. What was started for it is stopped when it is dropped.
pub struct MongoDb {
    uri: String,
    origin: String,
    thread: Option<ServerThread>,
    /// Whether it needs no stopping when the process ends.
    ends_with_us: bool,
}

impl fmt::Debug for MongoDb {
    /// Without the connection string, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MongoDb({})", self.origin)
    }
}

/// A way to a MongoDB, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MongoDbSource {
    /// One that runs already, named by `MONGODB_URI`. It is the only one tried where that is set.
    Uri,
    /// A container, where an engine answers: Docker, or podman's socket through `DOCKER_HOST`.
    Container,
    /// A server that speaks the same protocol, installed and started by `scripts/mongo.sh`.
    Local,
}

/// Why there is none, and the ways to mend it.
#[derive(Debug, Error)]
pub enum NoMongoDb {
    /// `CHATSPEC_MONGO` names no way.
    #[error("{ONLY}={0} is unknown: use uri, container or local")]
    UnknownSource(String),
    /// No way led to one; one line for each that was tried.
    #[error("no MongoDB is available. Any one of these helps:{}", listed(.0))]
    NoneAvailable(Vec<(MongoDbSource, String)>),
}

/// Why a MongoDB could not be taken down or brought up.
#[derive(Debug, Error)]
pub enum SwitchError {
    /// It was there before us.
    #[error("the MongoDB at {URI} was not started by chatspec, so it is not stopped either")]
    NotOurs,
    /// It was tried.
    #[error("{0}")]
    Failed(String),
}

impl MongoDb {
    /// The first that can be had: `MONGODB_URI`, a container, `scripts/mongo.sh`; `CHATSPEC_MONGO=uri|container|local`
    /// leaves one of them. Blocks until it answers, which takes a second or two, and longer where something has to be
    /// downloaded first.
    pub fn obtain() -> Result<Self, NoMongoDb> {
        Self::first_of(sources(
            env::var(ONLY).ok().as_deref(),
            env::var_os(URI).is_some(),
        )?)
    }

    /// Like [`MongoDb::obtain`], for one that is to be taken down: it is started here, whatever runs elsewhere.
    pub fn obtain_ours() -> Result<Self, NoMongoDb> {
        let mut sources = sources(
            env::var(ONLY).ok().as_deref().filter(|only| *only != "uri"),
            false,
        )?;
        sources.retain(|source| *source != MongoDbSource::Uri);
        Self::first_of(sources)
    }

    fn first_of(sources: Vec<MongoDbSource>) -> Result<Self, NoMongoDb> {
        let mut tried = Vec::new();
        for source in sources {
            match source.take() {
                Ok(mongodb) => return Ok(mongodb),
                Err(why) => tried.push((source, why)),
            }
        }
        Err(NoMongoDb::NoneAvailable(tried))
    }

    /// The one that this process has already, or one that is obtained now; for tests, which come one after the other.
    /// What is used is told on standard error. It is stopped when nobody uses it any more, or when the process ends where
    /// that is all it takes.
    pub fn shared() -> Result<Arc<Self>, NoMongoDb> {
        static SHARED: Mutex<Weak<MongoDb>> = Mutex::new(Weak::new());
        static KEPT: OnceLock<Arc<MongoDb>> = OnceLock::new();
        let mut shared = SHARED.lock();
        if let Some(mongodb) = shared.upgrade() {
            return Ok(mongodb);
        }
        let mongodb = Arc::new(Self::obtain()?);
        // Unlike what is printed, this is seen also where a test runner captures the output.
        writeln!(std::io::stderr(), "MongoDB: {}", mongodb.origin).ok();
        *shared = Arc::downgrade(&mongodb);
        if mongodb.ends_with_us {
            KEPT.get_or_init(|| mongodb.clone());
        }
        Ok(mongodb)
    }

    /// The connection string of a database in it.
    pub fn database(&self, name: &str) -> String {
        address::with_database(&self.uri, name)
    }

    /// How it was had, for people.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it can be taken down and brought up.
    pub const fn is_ours(&self) -> bool {
        self.thread.is_some()
    }

    /// Stops it, and keeps its data and its address. Blocks until it is down.
    pub fn take_down(&self) -> Result<(), SwitchError> {
        self.thread.as_ref().ok_or(SwitchError::NotOurs)?.take_down()
    }

    /// Starts it again where it was. Blocks until it answers.
    pub fn bring_up(&self) -> Result<(), SwitchError> {
        self.thread.as_ref().ok_or(SwitchError::NotOurs)?.bring_up()
    }
}

/// The ways to try. An address that was given is meant: nothing else is taken in its stead.
fn sources(only: Option<&str>, uri_given: bool) -> Result<Vec<MongoDbSource>, NoMongoDb> {
    match only {
        Some("uri") => Ok(vec![MongoDbSource::Uri]),
        Some("container") => Ok(vec![MongoDbSource::Container]),
        Some("local") => Ok(vec![MongoDbSource::Local]),
        Some(other) => Err(NoMongoDb::UnknownSource(other.to_owned())),
        None if uri_given => Ok(vec![MongoDbSource::Uri]),
        None => Ok(vec![
            MongoDbSource::Uri,
            MongoDbSource::Container,
            MongoDbSource::Local,
        ]),
    }
}

impl MongoDbSource {
    fn take(self) -> Result<MongoDb, String> {
        match self {
            Self::Uri => match env::var(URI) {
                Ok(uri) => Ok(MongoDb {
                    origin: format!("{URI}, {}", address::without_password(&uri)),
                    uri,
                    thread: None,
                    ends_with_us: true,
                }),
                Err(_) => Err("it is not set".to_owned()),
            },
            Self::Container => {
                let image = container::Image::from_env();
                let origin = format!("a container of the image {image}");
                ServerThread::start(move || container::Container::start(&image))
                    .map(|server| MongoDb::stoppable(server, origin))
            }
            Self::Local => {
                let origin = "scripts/mongo.sh, a server that speaks MongoDB's protocol".to_owned();
                ServerThread::start(local::Local::start).map(|server| MongoDb {
                    ends_with_us: true,
                    ..MongoDb::stoppable(server, origin)
                })
            }
        }
    }

    /// What to do to make this way lead to one.
    const fn remedy(self) -> &'static str {
        match self {
            Self::Uri => "set MONGODB_URI to the connection string of a MongoDB replica set",
            Self::Container => {
                "start Docker, or set DOCKER_HOST to the socket of podman or Docker, with the image of \
                 CHATSPEC_MONGO_IMAGE at hand"
            }
            Self::Local => {
                "let scripts/mongo.sh install its server: it needs bash and Python 3.10 or newer with venv"
            }
        }
    }
}

impl fmt::Display for MongoDbSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uri => URI,
            Self::Container => "container",
            Self::Local => "scripts/mongo.sh",
        })
    }
}

impl MongoDb {
    fn stoppable((thread, uri): (ServerThread, String), origin: String) -> Self {
        Self {
            uri,
            origin,
            thread: Some(thread),
            ends_with_us: false,
        }
    }
}

fn listed(tried: &[(MongoDbSource, String)]) -> String {
    let lines = tried
        .iter()
        .map(|(source, why)| format!("\n  - {} ({source}: {})", source.remedy(), why.trim_end()));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_have_an_order_and_an_address_is_meant() {
        let tried = |only, given| sources(only, given).unwrap();
        assert_eq!(
            tried(None, false),
            [MongoDbSource::Uri, MongoDbSource::Container, MongoDbSource::Local]
        );
        assert_eq!(tried(None, true), [MongoDbSource::Uri]);
        assert_eq!(tried(Some("local"), true), [MongoDbSource::Local]);
        assert!(matches!(
            sources(Some("magic"), false),
            Err(NoMongoDb::UnknownSource(_))
        ));
    }

    #[test]
    fn having_none_tells_every_way_to_mend_it() {
        let sources = sources(None, false).unwrap();
        let none = NoMongoDb::NoneAvailable(
            sources
                .into_iter()
                .map(|source| (source, "no".to_owned()))
                .collect(),
        );
        let text = none.to_string();
        assert_eq!(text.lines().count(), 4, "{text}");
        for part in [
            "MONGODB_URI",
            "DOCKER_HOST",
            "CHATSPEC_MONGO_IMAGE",
            "scripts/mongo.sh",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn one_that_was_there_before_is_left_alone() {
        let given = MongoDb {
            uri: "mongodb://db.example/".to_owned(),
            origin: URI.to_owned(),
            thread: None,
            ends_with_us: true,
        };
        assert!(!given.is_ours());
        assert!(matches!(given.take_down(), Err(SwitchError::NotOurs)));
        assert!(matches!(given.bring_up(), Err(SwitchError::NotOurs)));
    }
}

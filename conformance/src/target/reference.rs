//! The reference server, started inside the kit's process: the only module that knows the server's crate.

use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;

use chatspec_server::config::Config;
use chatspec_server::serve_when_ready;
use thiserror::Error;
use tokio::sync::oneshot;

use super::profile::{Auth, Cors, Faults, Profile};
use super::store::StoreSwitch;
use crate::services::mongodb::{Database, MongoDb};

const ISSUER: &str = "https://chatspec.example";
const AUDIENCE: &str = "chatspec";
const FAULT: &str = "chatspec: fail on this message";
const ORIGIN: &str = "http://allowed.example";

/// A reference server that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    store: StoreSwitch,
    database: Option<Database>,
}

impl Running {
    /// The way to take its store away: the MongoDB itself where that is ours to stop, otherwise a switch in the server.
    pub fn store_switch(&self) -> StoreSwitch {
        self.store.clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Its database is removed when it does not write to it any more.
        if let Some(thread) = self.thread.take().filter(|_| self.database.is_some()) {
            thread.join().ok();
        }
    }
}

/// Why the reference server does not run.
#[derive(Debug, Error)]
pub enum ReferenceError {
    /// No port, no thread, no runtime.
    #[error("the reference server cannot be started inside the kit: {0}")]
    System(#[from] std::io::Error),
    /// The server itself does not start.
    #[error("the reference server does not start: {0}")]
    Server(String),
}

/// Starts the reference server on a free port, with a key that the kit knows; gives the profile to test it with. It keeps
/// everything in memory, or in a database of its own in `mongodb`. It has a runtime of its own, so that kit and server do
/// not starve each other.
pub async fn start(mongodb: Option<Arc<MongoDb>>) -> Result<(Profile, Running), ReferenceError> {
    let secret = uuid::Uuid::new_v4().simple().to_string().repeat(2);
    let mut config = Config::in_memory();
    config.jwt_secret = Some(secret.clone());
    config.jwt_issuer = Some(ISSUER.to_owned());
    config.jwt_audience = Some(AUDIENCE.to_owned());
    config.cors_origins = vec![ORIGIN.to_owned()];
    config.fault_body = Some(FAULT.to_owned());
    // A run registers hundreds of users, and is not about how hard their passwords are to guess.
    (config.password_memory_kib, config.password_passes) = (64, 1);
    // The contract leaves these open; shorter ones let a run wait for a connection that has vanished.
    config.ping_interval_ms = 3_000;
    config.ping_timeout_ms = 2_500;
    let database = mongodb.map(Database::new_in);
    config.mongodb_uri = database.as_ref().map(|database| database.uri().to_owned());
    let store = if let Some(mongodb) = database.as_ref().and_then(Database::ours) {
        StoreSwitch::MongoDb(mongodb)
    } else {
        let switch = config.store_switch.clone();
        StoreSwitch::InProcess(Arc::new(
            move |up| if up { switch.bring_up() } else { switch.take_down() },
        ))
    };

    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, is_ready) = oneshot::channel();
    let (ended, has_ended) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("reference".to_owned())
        .spawn(move || {
            let why = match serve(listener, config, ready, async {
                stopped.await.unwrap_or_default();
            }) {
                Ok(()) => "it ended by itself".to_owned(),
                Err(why) => why,
            };
            // Nobody waits any more once it has been ready.
            ended.send(why).ok();
        })?;
    if is_ready.await.is_err() {
        return Err(ReferenceError::Server(has_ended.await.unwrap_or_default()));
    }
    let profile = Profile {
        name: database.as_ref().map_or_else(
            || "reference server".to_owned(),
            |database| format!("reference server on MongoDB ({})", database.origin()),
        ),
        urls: vec![url],
        auth: Auth {
            jwt_secret: Some(secret),
            issuer: Some(ISSUER.to_owned()),
            audience: Some(AUDIENCE.to_owned()),
            ..Auth::default()
        },
        cors: Cors {
            allowed_origin: Some(ORIGIN.to_owned()),
            denied_origin: Some("http://denied.example".to_owned()),
        },
        faults: Faults {
            internal_body: Some(FAULT.to_owned()),
        },
        ..Profile::default()
    };
    let running = Running {
        stop: Some(stop),
        thread: Some(thread),
        store,
        database,
    };
    Ok((profile, running))
}

fn serve(
    listener: std::net::TcpListener,
    config: Config,
    ready: oneshot::Sender<()>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("reference")
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        let tell = move || {
            ready.send(()).ok();
        };
        serve_when_ready(listener, config, tell, stopped)
            .await
            .map_err(|error| error.to_string())
    })
}

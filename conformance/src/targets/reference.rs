//! The reference server, started inside the kit's process: the only module that knows the server's crates.

use std::future::Future;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use chatspec_server_core::Server;
use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::config::Config;
use chatspec_server_core::ids::Ids;
use chatspec_server_core::store::{EmbeddedStore, FaultyStore, Location, Store, StoreSwitch as Switch};
use thiserror::Error;
use tokio::sync::oneshot;

use super::profile::launch::Launch;
use super::profile::{Auth, Cors, Faults, Profile};
use super::store::StoreSwitch;
use crate::private::Private;
use crate::services::mongodb::{Database, MongoDb};

const ISSUER: &str = "https://chatspec.example";
const AUDIENCE: &str = "chatspec";
const FAULT: &str = "chatspec: fail on this message";
const ORIGIN: &str = "http://allowed.example";
/// Memory in KiB and passes: hundreds of users are registered, and it is not about how hard their passwords are to guess.
const QUICK_HASH: (u32, u32) = (64, 1);

/// How long one call to MongoDB may take.
const MONGODB_PATIENCE: Duration = Duration::from_secs(3);

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
    let config = Config {
        // The contract leaves these open; shorter ones let a run wait for a connection that has vanished.
        ping_interval_ms: 3_000,
        ping_timeout_ms: 2_500,
        ..Config::default()
    };
    start_as(config, mongodb).await
}

/// The same for a load, in memory and with pings as they are by default; `rate_max` is the limit that it keeps.
pub async fn start_for_load(rate_max: u32) -> Result<(Profile, Running), ReferenceError> {
    let config = Config {
        rate_max,
        ..Config::default()
    };
    let (mut profile, running) = start_as(config, None).await?;
    profile.limits.rate_max = rate_max as usize;
    Ok((profile, running))
}

/// The reference server as a target that is started in a process of its own, in memory; nothing where its program is not
/// beside the kit's. `rate_max` is the limit that it keeps.
pub fn in_own_process(rate_max: u32) -> Option<Profile> {
    let program = std::env::current_exe()
        .ok()?
        .with_file_name(format!("chatspec-server{}", std::env::consts::EXE_SUFFIX));
    let program = program.is_file().then(|| program.to_str())??;
    let quoted = shlex::try_quote(program).ok()?;
    let mut profile = Profile {
        name: "reference server".to_owned(),
        launch: Some(Launch {
            command: format!(
                "exec {quoted} --listen 127.0.0.1:0 --in-memory --log warn --rate-max {rate_max} \
                 --password-memory-kib {} --password-passes {}",
                QUICK_HASH.0, QUICK_HASH.1
            ),
            cwd: None,
            env: Private::default(),
            ready_url: None,
            ready_line: Some(r"listening on (http://\S+)".to_owned()),
            ready_within_ms: 30_000,
            stop_within_ms: 5_000,
        }),
        ..Profile::default()
    };
    profile.limits.rate_max = rate_max as usize;
    Some(profile)
}

async fn start_as(
    mut config: Config,
    mongodb: Option<Arc<MongoDb>>,
) -> Result<(Profile, Running), ReferenceError> {
    let secret = uuid::Uuid::new_v4().simple().to_string().repeat(2);
    config.jwt_secret = Some(secret.clone());
    config.jwt_issuer = Some(ISSUER.to_owned());
    config.jwt_audience = Some(AUDIENCE.to_owned());
    config.cors_origins = vec![ORIGIN.to_owned()];
    config.fault_body = Some(FAULT.to_owned());
    (config.password_memory_kib, config.password_passes) = QUICK_HASH;
    let database = mongodb.map(Database::new_in);
    let uri = database.as_ref().map(|database| database.uri().to_owned());
    let switch = Switch::default();
    let store = match database.as_ref().and_then(Database::ours) {
        Some(mongodb) => StoreSwitch::MongoDb(mongodb),
        None => in_process(switch.clone()),
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
            let why = match serve(listener, config, (uri, switch), ready, async {
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

/// A switch in the server itself.
fn in_process(switch: Switch) -> StoreSwitch {
    StoreSwitch::InProcess(Arc::new(
        move |up| if up { switch.bring_up() } else { switch.take_down() },
    ))
}

fn serve(
    listener: std::net::TcpListener,
    config: Config,
    (uri, switch): (Option<String>, Switch),
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
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        let server = if let Some(uri) = uri {
            let store = FaultyStore::switched(on_mongodb(uri, ids, clock).await?, switch);
            Server::new(config, Arc::new(store)).with_patience(MONGODB_PATIENCE)
        } else {
            let store = EmbeddedStore::open(Location::Memory, ids, clock);
            let store = Arc::new(store.map_err(|error| error.to_string())?);
            Server::new(config, Arc::new(FaultyStore::switched(store, switch)))
        };
        let tell = move || {
            ready.send(()).ok();
        };
        let done = server.serve(listener, tell, stopped).await;
        done.map_err(|error| error.to_string())
    })
}

#[cfg(feature = "services")]
async fn on_mongodb(uri: String, ids: Arc<Ids>, clock: Arc<SystemClock>) -> Result<Arc<dyn Store>, String> {
    let options = chatspec_server_mongodb::MongoOptions {
        uri,
        patience: MONGODB_PATIENCE,
    };
    let store = chatspec_server_mongodb::MongoStore::connect(&options, ids, clock).await;
    Ok(Arc::new(store.map_err(|error| error.to_string())?))
}

/// Nobody gets here: without services there is no database whose address could be given.
#[cfg(not(feature = "services"))]
#[expect(clippy::unused_async, reason = "as it is where there is one")]
async fn on_mongodb(_: String, _: Arc<Ids>, _: Arc<SystemClock>) -> Result<Arc<dyn Store>, String> {
    Err(crate::services::mongodb::NoMongoDb.to_string())
}

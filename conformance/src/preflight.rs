//! Before a run: is there a target that can be talked to, and how fast is it?

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use thiserror::Error;
use url::Url;

use crate::calibration::Calibration;
use crate::client::http::innermost;
use crate::client::inbox::Inbox;
use crate::client::raw;
use crate::contract::Contract;
use crate::expect::Mismatch;
use crate::expect::event::event;
use crate::scene::{Context, RunOptions, Scene, Stop};
use crate::services::mongodb::{MongoDb, NoMongoDb};
use crate::targets::profile::Profile;
use crate::targets::reference::{self, ReferenceError};
use crate::targets::{Target, TargetError, websocket_url};
use crate::text::shorten;
use crate::transcript::Transcript;

/// Why the target cannot be tested: what is wrong, and what to do.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum PreflightError {
    /// No connection at all.
    #[error("cannot connect to {url}: {why}. Is the server running, and is this its address and port?")]
    Unreachable {
        /// The address that was tried.
        url: String,
        /// The error of the attempt.
        why: String,
    },
    /// It takes the connection and says nothing.
    #[error(
        "{url} accepts connections but does not answer within {seconds} s. Is it a chat server? Is it stuck?"
    )]
    Silent {
        /// The address that was tried.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Something else than HTTP.
    #[error("{url} does not speak HTTP: {why}. Check the port, and whether it is http or https")]
    NotHttp {
        /// The address that was tried.
        url: String,
        /// What was received instead.
        why: String,
    },
    /// HTTP, but no Socket.IO.
    #[error("{url} speaks HTTP but not Socket.IO: {why}. Give the address of the server, without a path")]
    NotSocketIo {
        /// The address that was tried.
        url: String,
        /// What was received instead.
        why: String,
    },
    /// Users cannot be made there.
    #[error(
        "users cannot be created at {url}: {why}. Describe how to create them in the target file, under [provision] and \
         [rest.register]; run chatspec doctor to see step by step what works"
    )]
    NoUsers {
        /// The address that was tried.
        url: String,
        /// The error of the attempt.
        why: String,
    },
}

/// Why there is nothing to run against.
#[derive(Debug, Error)]
pub enum PrepareError {
    /// The profile does not say where the target is.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The reference server does not start.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The reference server was to run on a MongoDB, and there is none.
    #[error(transparent)]
    MongoDb(#[from] NoMongoDb),
    /// The target cannot be tested.
    #[error(transparent)]
    Unfit(#[from] PreflightError),
}

/// The server that is to be tested.
#[derive(Clone, Debug)]
pub enum TargetChoice {
    /// The server of a profile, which runs already or is started.
    Profile(Box<Profile>),
    /// The reference server, started inside the kit.
    Reference,
    /// The same, on a MongoDB that is obtained for it.
    ReferenceOnMongoDb,
}

impl From<Profile> for TargetChoice {
    fn from(profile: Profile) -> Self {
        Self::Profile(Box::new(profile))
    }
}

/// What a run needs: its target, running, looked at and measured.
pub async fn prepare(
    subject: TargetChoice,
    contract: impl Into<Arc<Contract>>,
    options: RunOptions,
) -> Result<Arc<Context>, PrepareError> {
    let target = match subject {
        TargetChoice::Profile(profile) => Target::start(*profile).await?,
        TargetChoice::Reference => start_reference(None).await?,
        TargetChoice::ReferenceOnMongoDb => start_reference(Some(Arc::new(obtain_mongodb().await?))).await?,
    };
    let context = Arc::new(Context::new(target, contract, options));
    check(&context).await?;
    context.calibrate(measure(&context).await);
    Ok(context)
}

/// The reference server as a target, started inside the kit.
pub(crate) async fn start_reference(mongodb: Option<Arc<MongoDb>>) -> Result<Target, PrepareError> {
    let (profile, running) = reference::start(mongodb).await?;
    Ok(Target::new(profile)?.keeping(running))
}

async fn obtain_mongodb() -> Result<MongoDb, PrepareError> {
    let obtained = tokio::task::spawn_blocking(MongoDb::obtain).await;
    Ok(obtained.map_err(|error| ReferenceError::Server(error.to_string()))??)
}

/// Looks whether the target can be tested.
async fn check(context: &Arc<Context>) -> Result<(), PreflightError> {
    can_be_reached(context).await?;
    let scene = Scene::new(context.clone(), "kit/calibration");
    let registered = scene.user("preflight").await;
    scene.tear_down().await.ok();
    registered.map_err(|stop| PreflightError::NoUsers {
        url: context
            .target
            .urls()
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        why: stop.why(),
    })?;
    Ok(())
}

/// Looks whether Socket.IO answers at every URL.
pub(crate) async fn can_be_reached(context: &Context) -> Result<(), PreflightError> {
    for url in context.target.urls() {
        speaks_http(context, url).await?;
        opens_engine(context, url)
            .await
            .map_err(|mismatch| PreflightError::NotSocketIo {
                url: url.to_string(),
                why: actual(mismatch),
            })?;
    }
    Ok(())
}

/// Measures the target; nothing where it does not get through the steps, which the scenarios then find out.
async fn measure(context: &Arc<Context>) -> Option<Calibration> {
    let scene = Scene::new(context.clone(), "kit/calibration");
    let limit = context.timing().deadline() * 4;
    let measured = tokio::time::timeout(limit, calibrate(&scene)).await;
    scene.tear_down().await.ok();
    measured.ok()?.ok()
}

/// Whether the target still opens connections, asked twice.
pub async fn still_there(context: &Context) -> Result<(), String> {
    let url = context.target.next_url();
    if opens_engine(context, url).await.is_ok() {
        return Ok(());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let gone = opens_engine(context, url).await.map_err(actual);
    match context.target.exit_report() {
        Some(exit_report) => gone.map_err(|why| format!("{why}; {exit_report}")),
        None => gone,
    }
}

async fn speaks_http(context: &Context, url: &Url) -> Result<(), PreflightError> {
    let within = context.timing().connect();
    let shown = url.to_string();
    let path = url
        .join(&format!(
            "{}?EIO=4&transport=polling",
            context.target.profile.handshake.path
        ))
        .map_err(|error| PreflightError::Unreachable {
            url: shown.clone(),
            why: error.to_string(),
        })?;
    let asked = context.target.http().get(path).timeout(within).send().await;
    let response = asked.map_err(|error| {
        let why = innermost(&error);
        if error.is_connect() {
            PreflightError::Unreachable {
                url: shown.clone(),
                why,
            }
        } else if error.is_timeout() {
            PreflightError::Silent {
                url: shown.clone(),
                seconds: within.as_secs(),
            }
        } else {
            PreflightError::NotHttp {
                url: shown.clone(),
                why,
            }
        }
    })?;
    let kind = response
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    if kind.starts_with("text/html") && response.status().is_success() {
        let why = format!(
            "it answers {} with a web page (HTTP {}, {kind})",
            context.target.profile.handshake.path,
            response.status().as_u16()
        );
        return Err(PreflightError::NotSocketIo { url: shown, why });
    }
    Ok(())
}

async fn opens_engine(context: &Context, url: &Url) -> Result<(), Mismatch> {
    let path = format!(
        "{}?EIO=4&transport=websocket",
        context.target.profile.handshake.path
    );
    let url = websocket_url(url, &path).map_err(|error| Mismatch::fault(error.to_string()))?;
    let within = context.timing().connect();
    let wire = raw::dial(
        url.as_str(),
        "preflight",
        Arc::new(Inbox::default()),
        Arc::new(Transcript::default()),
        within,
    );
    let wire = wire.await?;
    wire.opened(within).await?;
    wire.close().await;
    Ok(())
}

async fn calibrate(scene: &Scene) -> Result<Calibration, Stop> {
    const PINGS: usize = 30;
    const MESSAGES: usize = 5;
    const PINGING: Duration = Duration::from_secs(3);
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let began = Instant::now();
    let sender = scene.connect_raw(&alice).await?;
    let connect = began.elapsed();
    let receiver = scene.connect_raw(&bob).await?;
    let mut trips = Vec::with_capacity(PINGS);
    let pinging = Instant::now();
    for _ in 0..PINGS {
        // A slow target is known to be slow after fewer.
        if !trips.is_empty() && pinging.elapsed() > PINGING {
            break;
        }
        let began = Instant::now();
        scene.step(&sender, "presence:ping", json!({})).await?;
        trips.push(began.elapsed());
    }
    trips.sort();
    scene.join(&sender, &chat).await?;
    scene.join(&receiver, &chat).await?;
    let mut broadcast = Duration::ZERO;
    for _ in 0..MESSAGES.min(scene.profile().limits.rate_max) {
        let body = scene.unique("calibration");
        let began = Instant::now();
        scene.send(&sender, &chat, &body).await?;
        receiver
            .expect(&event("message:new").at("/message/body", body.as_str()))
            .await?;
        broadcast = broadcast.max(began.elapsed());
    }
    let at = |share: usize| {
        trips
            .get((trips.len() - 1) * share / 100)
            .copied()
            .unwrap_or_default()
    };
    Ok(Calibration {
        connect_ms: ms(connect),
        rtt_median_ms: ms(at(50)),
        rtt_p99_ms: ms(at(99)),
        rtt_max_ms: ms(at(100)),
        broadcast_ms: ms(broadcast),
    })
}

/// Milliseconds to the microsecond.
fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn actual(mismatch: Mismatch) -> String {
    match mismatch {
        Mismatch::Definite(difference) => shorten(&difference.seen()),
        Mismatch::Inconclusive { why } | Mismatch::Fault { why } => why,
    }
}

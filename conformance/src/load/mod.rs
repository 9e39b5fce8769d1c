//! `load`: a load generator that checks while it loads.
//!
//! ```text
//! LoadOptions → Plan → people → connections → pacer ─► sends │ acks, deliveries ─► Ledger, LatencyRecorder → LoadResult → reports
//! ```
//!
//! - [`plan`]: who sends what, and when
//! - `people`: users and chats, made in the target's own way
//! - `fleet`: all connections, opened one after the other; `connection`: one of them; `socket`: the WebSocket below;
//!   `frame`: what comes over it
//! - `pace`: tells connections to send, each message at its time
//! - [`check`]: the ledger, which tells what is lost, doubled, out of order or invented
//! - [`latency`]: how long things took; [`process`], `usage`: what it cost
//! - [`outcome`]: what came of it; [`report`]: for people and for machines
//!
//! The loop is open: message `n` goes out at its time whether or not those before it have been answered, and latencies count
//! from that time.

pub mod check;
mod connection;
mod fleet;
mod frame;
pub mod latency;
pub mod outcome;
mod pace;
mod people;
pub mod plan;
pub mod process;
pub mod report;
#[cfg(test)]
pub(crate) mod sample;
mod socket;
mod usage;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use thiserror::Error;
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::preflight::{self, PreflightError};
use crate::scene::Context;
use check::{Ledger, Open};
use fleet::Fleet;
use latency::LatencyRecorder;
use outcome::{About, Kit, Load, LoadResult, Rates, per_second};
use plan::Plan;
use process::Watched;
use usage::Meter;

/// When nothing has arrived for so long, nothing more is on its way.
const QUIET: Duration = Duration::from_millis(500);
/// How often it is looked whether all is there.
const PACE: Duration = Duration::from_millis(50);

/// Why a load could not be run.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The target cannot be talked to.
    #[error(transparent)]
    Unfit(#[from] PreflightError),
    /// Users or chats cannot be made.
    #[error(
        "users and chats for the load could not be created: {0}. Run chatspec doctor to see step by step what works"
    )]
    Participants(String),
    /// Nobody is let in.
    #[error("none of the {wanted} connections could be opened: {why}")]
    Nobody {
        /// How many were tried.
        wanted: u64,
        /// Why the first of them failed.
        why: String,
    },
    /// It was to stop before anything was sent.
    #[error("interrupted before the load began")]
    Interrupted,
    /// The kit is at fault.
    #[error("the load generator is at fault: {0}")]
    Fault(String),
}

/// How far a load has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Users are being made.
    Registering {
        /// Those that are there.
        done: u32,
        /// The total.
        of: u32,
    },
    /// Connections are being opened.
    Connecting {
        /// Those that are there, or have failed.
        done: u64,
        /// The total.
        of: u64,
    },
    /// Messages are on their way.
    Loading {
        /// Since the load began.
        since: Duration,
        /// How long it goes on.
        of: Duration,
        /// How many have been sent.
        sent: u64,
        /// How many of them have been acknowledged.
        acked: u64,
        /// How many have arrived, counted where they do.
        delivered: u64,
    },
    /// All is sent; waiting for what is still to come.
    Draining {
        /// What that is.
        open: Open,
    },
}

/// Gets told how far the load has got.
pub type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// How a load is made, beside what is sent.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// What the target runs as, where that is known.
    pub watched: Option<Watched>,
    /// Whether it runs in this process.
    pub shares_process: bool,
    /// Connections that are being opened at the same time, at most.
    pub connecting: usize,
    /// How long a connection may take to come about.
    pub connect_within: Duration,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            watched: None,
            shares_process: false,
            connecting: 128,
            connect_within: Duration::from_secs(30),
        }
    }
}

/// What all connections share.
struct Shared {
    plan: Arc<Plan>,
    ledger: Ledger,
    latency: LatencyRecorder,
    connect_within: Duration,
    /// When the load began.
    began: OnceLock<Instant>,
    /// Messages that have arrived, whatever they were.
    messages: AtomicU64,
    /// When the last ack came, in µs from the beginning of the load.
    last_ack: AtomicU64,
    /// When the last message arrived, likewise.
    last_delivery: AtomicU64,
}

impl Shared {
    /// How long ago a message was due.
    fn since_due(&self, number: u32, now: Instant) -> Duration {
        self.since(now).saturating_sub(self.plan.due(number))
    }

    /// How long the load has gone on; nothing is sent before it has begun.
    fn since(&self, now: Instant) -> Duration {
        let began = self.began.get().copied();
        began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began))
    }

    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(self.since(now).as_micros()).unwrap_or(u64::MAX)
    }
}

/// Loads the target, and tells what came of it. When `stop` turns true nothing more is sent.
pub async fn run(
    plan: Plan,
    context: Arc<Context>,
    conditions: Conditions,
    mut stop: watch::Receiver<bool>,
    tell: Tell,
) -> Result<LoadResult, LoadError> {
    let (started_at, started) = (OffsetDateTime::now_utc(), Instant::now());
    let plan = Arc::new(plan);
    let mut interrupted = stop.clone();
    // In a box, since it is large and soon over.
    let preparing = Box::pin(async {
        preflight::can_be_reached(&context).await?;
        let people = people::provision(&context, &plan, &tell).await;
        people.map_err(|stop| LoadError::Participants(stop.why()))
    });
    let people = tokio::select! {
        people = preparing => people?,
        _ = interrupted.wait_for(|stop| *stop) => return Err(LoadError::Interrupted),
    };
    let shared = Arc::new(Shared {
        ledger: Ledger::new(plan.clone(), people.rooms),
        latency: LatencyRecorder::new(plan.wanted.duration)
            .map_err(|error| LoadError::Fault(error.to_string()))?,
        plan: plan.clone(),
        connect_within: conditions.connect_within,
        began: OnceLock::new(),
        messages: AtomicU64::default(),
        last_ack: AtomicU64::default(),
        last_delivery: AtomicU64::default(),
    });
    let mut meter = Meter::start(conditions.watched.clone());
    let connecting = Fleet::connect(people.specs, &shared, conditions.connecting, &tell);
    let mut fleet = tokio::select! {
        fleet = connecting => fleet,
        _ = interrupted.wait_for(|stop| *stop) => return Err(LoadError::Interrupted),
    };
    if fleet.connections.made == 0 {
        let why = fleet.connections.reasons.into_keys().next().unwrap_or_default();
        let wanted = fleet.connections.wanted;
        return Err(LoadError::Nobody { wanted, why });
    }
    meter.connected(fleet.connections.made, plan.total() > 0);
    let sending = if plan.total() > 0 {
        send_all(&mut fleet, &shared, &stop, &tell).await?
    } else {
        hold(&mut fleet, plan.wanted.duration, &mut stop).await
    };
    let usage = meter.stop();
    fleet.close().await;
    let (messages, faults) = shared.ledger.judge(sending.drained);
    let latency = shared.latency.merged();
    let interrupted = *stop.borrow();
    let span = |last: &AtomicU64| {
        let last = Duration::from_micros(last.load(Ordering::Relaxed));
        last.max(if interrupted {
            sending.took
        } else {
            plan.wanted.duration
        })
    };
    let deliveries = latency.delivery.count;
    let mut outcome = LoadResult {
        schema: outcome::SCHEMA,
        kit: Kit::default(),
        target: about(&context, conditions.shares_process),
        started_at,
        duration_s: outcome::round(started.elapsed().as_secs_f64(), 1e3),
        interrupted,
        load: load(&plan),
        connections: fleet.connections,
        rates: Rates {
            acks_per_s: per_second(messages.acked, span(&shared.last_ack)),
            deliveries_per_s: per_second(deliveries, span(&shared.last_delivery)),
        },
        messages,
        faults,
        latency,
        target_usage: usage.target(deliveries),
        generator_usage: usage.generator(),
        warnings: Vec::new(),
    };
    outcome.warnings = usage::warnings(&outcome);
    Ok(outcome)
}

fn about(context: &Context, shares_process: bool) -> About {
    let profile = &context.target.profile;
    About {
        name: profile.name.clone(),
        urls: context.target.urls().iter().map(ToString::to_string).collect(),
        provisioning: profile.provision.kind(),
        limits: profile.limits.clone(),
        shares_process,
    }
}

fn load(plan: &Plan) -> Load {
    let wanted = &plan.wanted;
    Load {
        rooms: wanted.rooms,
        room_size: if wanted.rooms == 0 { 0 } else { wanted.room_size },
        idle: plan.idle(),
        users: plan.users(),
        rate: wanted.rate,
        seconds: wanted.duration.as_secs_f64(),
        payload: wanted.payload,
        repeat: wanted.repeat,
        late_ms: wanted.late.as_secs_f64() * 1e3,
    }
}

/// How sending went.
struct Sending {
    /// How long it took.
    took: Duration,
    /// Whether what is missing was waited for to the end.
    drained: bool,
}

/// Sends every message at its time, and waits for what is to come.
async fn send_all(
    fleet: &mut Fleet,
    shared: &Arc<Shared>,
    stop: &watch::Receiver<bool>,
    tell: &Tell,
) -> Result<Sending, LoadError> {
    let began = *shared.began.get_or_init(Instant::now);
    let orders = fleet.orders();
    let plan = shared.plan.clone();
    let until = stop.clone();
    let mut pacing = tokio::task::spawn_blocking(move || pace::pace(&plan, began, &orders, &until));
    let paced = loop {
        tokio::select! {
            paced = &mut pacing => break paced,
            () = tokio::time::sleep(2 * PACE) => {}
        }
        fleet.look();
        let [sent, acked, delivered] = shared.ledger.so_far();
        tell(Progress::Loading {
            since: began.elapsed(),
            of: shared.plan.wanted.duration,
            sent,
            acked,
            delivered,
        });
    };
    paced.map_err(|error| LoadError::Fault(error.to_string()))?;
    let took = began.elapsed();
    let drained = drain(fleet, shared, stop, tell).await;
    Ok(Sending { took, drained })
}

/// Waits until all is there and nothing more comes, as long as there is progress; false if that was cut short.
async fn drain(fleet: &mut Fleet, shared: &Shared, stop: &watch::Receiver<bool>, tell: &Tell) -> bool {
    // Who has stopped the sending wants to know what became of what was sent.
    let stopped = *stop.borrow();
    let mut last = None;
    let (mut since, mut complete) = (Instant::now(), None);
    loop {
        fleet.look();
        let open = shared.ledger.open();
        tell(Progress::Draining { open });
        let now = Some((open, shared.messages.load(Ordering::Relaxed)));
        if now != last {
            (last, since) = (now, Instant::now());
        }
        let all_there = open == Open::default();
        let patience = shared.plan.wanted.drain.max(QUIET);
        if since.elapsed() > if all_there { QUIET } else { patience } {
            return true;
        }
        // A server that never stops to send what nobody waits for.
        if all_there && complete.get_or_insert_with(Instant::now).elapsed() > patience {
            return true;
        }
        if *stop.borrow() && !stopped {
            return false;
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Keeps the connections for a while.
async fn hold(fleet: &mut Fleet, how_long: Duration, stop: &mut watch::Receiver<bool>) -> Sending {
    let began = Instant::now();
    tokio::select! {
        () = tokio::time::sleep(how_long) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    fleet.look();
    Sending {
        took: began.elapsed(),
        drained: true,
    }
}

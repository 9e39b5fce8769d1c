//! What came of a load, as the reports tell it; `fixtures/schemas/load.json` describes its JSON.

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;

use super::check::{Counts, Faults};
use super::latency::Latencies;
use crate::result::Exit;
use crate::targets::profile::Limits;

/// What a JSON report says that it is.
pub const SCHEMA: &str = "chatspec-load/1";

/// What came of a load.
#[derive(Clone, Debug, Serialize)]
pub struct LoadResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// The kit.
    pub kit: Kit,
    /// The server under load.
    pub target: About,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// How long it took in all, in s.
    pub duration_s: f64,
    /// Whether it was cut short from outside.
    pub interrupted: bool,
    /// The load that was asked for.
    pub load: Load,
    /// How many connections were opened, failed and were lost.
    pub connections: Connections,
    /// What came of the messages.
    pub messages: Counts,
    /// Messages that were lost, doubled, out of order and the like.
    pub faults: Faults,
    /// How fast it went.
    pub rates: Rates,
    /// How long things took, in ms.
    pub latency: Latencies,
    /// What the target used; nothing where that is not known.
    pub target_usage: Option<TargetUsage>,
    /// What the generator used; nothing where that is not known.
    pub generator_usage: Option<GeneratorUsage>,
    /// What makes the numbers less meaningful than they look.
    pub warnings: Vec<String>,
}

/// Who measured.
#[derive(Clone, Debug, Serialize)]
pub struct Kit {
    /// Name of the kit: `chatspec`.
    pub name: &'static str,
    /// Version of the kit.
    pub version: &'static str,
}

impl Default for Kit {
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The server under load.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// Name of the target.
    pub name: String,
    /// Addresses of the target.
    pub urls: Vec<String>,
    /// How its users were made.
    pub provisioning: &'static str,
    /// The limits by which the load was planned.
    pub limits: Limits,
    /// Whether it ran in the generator's process.
    pub shares_process: bool,
}

/// The load that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    /// Chats.
    pub rooms: u32,
    /// Members of each.
    pub room_size: u32,
    /// Connections that did nothing.
    pub idle: u32,
    /// Connections in all.
    pub users: u32,
    /// Messages per second.
    pub rate: f64,
    /// How long messages were sent, or connections held, in s.
    pub seconds: f64,
    /// Length of a body in bytes.
    pub payload: usize,
    /// The share of messages that were repeated.
    pub repeat: f64,
    /// The limit beyond which a delivery was late, in ms.
    pub late_ms: f64,
}

/// How many connections were opened, failed and were lost.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Connections {
    /// How many were to be made.
    pub wanted: u64,
    /// How many were made.
    pub made: u64,
    /// How many were not.
    pub failed: u64,
    /// How many were lost before the end.
    pub lost: u64,
    /// How long it took until all were there, rooms joined, in s.
    pub seconds: f64,
    /// How many came about in a second.
    pub per_second: f64,
    /// Why those failed or were lost, and how many of each.
    pub reasons: std::collections::BTreeMap<String, u64>,
}

/// How fast it went.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Rates {
    /// Acks of success, without those of repeats, in a second.
    pub acks_per_s: f64,
    /// Deliveries in a second.
    pub deliveries_per_s: f64,
}

/// What the target used.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TargetUsage {
    /// CPU time while messages were sent and delivered, in s; where there are none, while connecting.
    pub cpu_s: f64,
    /// How many cores it kept busy on average.
    pub cores: f64,
    /// Deliveries for a second of its CPU time; nothing where it took too little of it to tell.
    pub deliveries_per_cpu_s: Option<f64>,
    /// Resident memory before anybody connected, in bytes.
    pub rss_before: u64,
    /// The same when all were connected.
    pub rss_connected: u64,
    /// The most of it that was seen.
    pub rss_peak: u64,
    /// What a connection has added to it, in bytes; nothing where there is none.
    pub rss_per_connection: Option<u64>,
}

/// What the generator used.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct GeneratorUsage {
    /// CPU time in the same stretch, in s.
    pub cpu_s: f64,
    /// The share of all cores of the machine, between 0 and 1.
    pub share: f64,
    /// Resident memory at the end, in bytes.
    pub rss: u64,
}

/// How it stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadVerdict {
    /// All was as it should be, and all was looked at.
    Clean,
    /// Nothing wrong was seen, but not all could be judged: something was refused, unanswered or cut off.
    Partly,
    /// Something is wrong.
    Faulty,
    /// Nothing at all came about, or nothing is left.
    Dead,
}

impl LoadResult {
    /// How it stands.
    pub fn verdict(&self) -> LoadVerdict {
        let connections = &self.connections;
        let messages = &self.messages;
        if self.faults.sum() > 0 {
            LoadVerdict::Faulty
        } else if connections.lost >= connections.made || (messages.sent > 0 && messages.acked == 0) {
            LoadVerdict::Dead
        } else if self.interrupted
            || connections.failed + connections.lost > 0
            || messages.acked < messages.planned
            || !messages.refused.is_empty()
        {
            LoadVerdict::Partly
        } else {
            LoadVerdict::Clean
        }
    }

    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self.verdict() {
            _ if self.interrupted => Exit::Interrupted,
            LoadVerdict::Faulty => Exit::Fails,
            LoadVerdict::Dead => Exit::Fault,
            LoadVerdict::Clean | LoadVerdict::Partly => Exit::Conforms,
        }
    }

    /// How it stands, in a sentence.
    pub fn headline(&self) -> String {
        let messages = &self.messages;
        match self.verdict() {
            LoadVerdict::Faulty => {
                let Faults {
                    lost,
                    doubled,
                    out_of_order,
                    invented,
                    ids,
                    ..
                } = self.faults;
                let parts = [
                    (lost, "lost"),
                    (doubled, "doubled"),
                    (out_of_order, "out of order"),
                    (invented, "invented"),
                    (ids, "with a wrong id"),
                ];
                let parts: Vec<String> = parts
                    .iter()
                    .filter(|(n, _)| *n > 0)
                    .map(|(n, what)| format!("{n} {what}"))
                    .collect();
                format!("Faulty: {}", parts.join(", "))
            }
            LoadVerdict::Dead if self.connections.made == 0 => "Nobody could connect".to_owned(),
            LoadVerdict::Dead if self.connections.lost >= self.connections.made => {
                "All connections were lost: the server has ended, or closes them".to_owned()
            }
            LoadVerdict::Dead => "No message was acknowledged".to_owned(),
            LoadVerdict::Partly if messages.planned == 0 => {
                "Some connections could not be opened, or were lost".to_owned()
            }
            LoadVerdict::Partly => format!(
                "Nothing wrong was seen, but only {} of {} messages were acknowledged",
                messages.acked, messages.planned
            ),
            LoadVerdict::Clean if messages.planned == 0 => {
                "All connections were opened, and none was lost".to_owned()
            }
            LoadVerdict::Clean => "Clean: every message arrived everywhere, once and in order".to_owned(),
        }
    }
}

/// Per second; 0 where there was no time.
#[expect(
    clippy::cast_precision_loss,
    reason = "nobody counts more than fits a float exactly"
)]
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        return 0.0;
    }
    round(count as f64 / time.as_secs_f64(), 10.0)
}

/// Rounded to a tenth, a hundredth or the like.
pub(super) fn round(number: f64, per_unit: f64) -> f64 {
    (number * per_unit).round() / per_unit
}

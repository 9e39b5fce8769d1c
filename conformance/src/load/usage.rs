//! What the load cost the target and the generator, and whether that makes the numbers less meaningful.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::outcome::{GeneratorUsage, LoadResult, TargetUsage, per_second, round};
use super::process::{self, Usage, Watched};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// Less CPU time says nothing about what it was spent for: it is counted in hundredths of a second.
const TELLING: Duration = Duration::from_millis(200);
/// A generator that takes more of the machine may be what is measured.
const BUSY: f64 = 0.8;
/// Of a hundred messages, one may be so late under way.
const LAG_MS: f64 = 10.0;

/// Looks at what is used while it goes on.
pub(super) struct Meter {
    watched: Option<Watched>,
    before: Option<Usage>,
    connected: Option<Usage>,
    connections: u64,
    /// Where the stretch begins over which CPU time is counted.
    from: Moment,
    peak: Arc<AtomicU64>,
    sampling: AbortHandle,
}

/// What had been used at a time.
#[derive(Clone, Copy)]
struct Moment {
    at: Instant,
    target: Option<Usage>,
    own: Option<Usage>,
}

impl Moment {
    fn now(watched: Option<&Watched>) -> Self {
        Self {
            at: Instant::now(),
            target: watched.and_then(process::usage),
            own: process::own(),
        }
    }
}

/// What was used.
pub(super) struct Used {
    from: Moment,
    to: Moment,
    before: Option<Usage>,
    connected: Option<Usage>,
    connections: u64,
    peak: u64,
}

impl Meter {
    /// Begins to look, before anybody connects.
    pub(super) fn start(watched: Option<Watched>) -> Self {
        let from = Moment::now(watched.as_ref());
        let peak = Arc::new(AtomicU64::default());
        let sampling = tokio::spawn(sample(watched.clone(), peak.clone())).abort_handle();
        Self {
            before: from.target,
            connected: None,
            connections: 0,
            from,
            peak,
            sampling,
            watched,
        }
    }

    /// All are connected; where `anew`, the stretch begins now.
    pub(super) fn connected(&mut self, connections: u64, anew: bool) {
        let now = Moment::now(self.watched.as_ref());
        self.connected = now.target;
        self.connections = connections;
        if anew {
            self.from = now;
        }
    }

    /// The stretch is over.
    pub(super) fn stop(self) -> Used {
        self.sampling.abort();
        let to = Moment::now(self.watched.as_ref());
        let last = to.target.map_or(0, |usage| usage.rss);
        Used {
            from: self.from,
            to,
            before: self.before,
            connected: self.connected,
            connections: self.connections,
            peak: self.peak.load(Ordering::Relaxed).max(last),
        }
    }
}

async fn sample(watched: Option<Watched>, peak: Arc<AtomicU64>) {
    let Some(watched) = watched else { return };
    loop {
        if let Some(usage) = process::usage(&watched) {
            peak.fetch_max(usage.rss, Ordering::Relaxed);
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl Used {
    /// The stretch.
    fn time(&self) -> Duration {
        self.to.at - self.from.at
    }

    /// CPU time of both in it.
    fn cpu(&self, of: fn(&Moment) -> Option<Usage>) -> Option<Duration> {
        Some(of(&self.to)?.cpu.saturating_sub(of(&self.from)?.cpu))
    }

    /// What the target used, where all of it is known.
    pub(super) fn target(&self, deliveries: u64) -> Option<TargetUsage> {
        let cpu = self.cpu(|moment| moment.target)?;
        let (before, connected) = (self.before?.rss, self.connected?.rss);
        Some(TargetUsage {
            cpu_s: cpu.as_secs_f64(),
            cores: round(cpu.as_secs_f64() / self.time().as_secs_f64().max(1e-3), 100.0),
            deliveries_per_cpu_s: (deliveries > 0 && cpu >= TELLING).then(|| per_second(deliveries, cpu)),
            rss_before: before,
            rss_connected: connected,
            rss_peak: self.peak,
            rss_per_connection: connected.saturating_sub(before).checked_div(self.connections),
        })
    }

    /// What the generator used.
    pub(super) fn generator(&self) -> Option<GeneratorUsage> {
        let cpu = self.cpu(|moment| moment.own)?;
        Some(GeneratorUsage {
            cpu_s: cpu.as_secs_f64(),
            share: round(
                cpu.as_secs_f64() / (self.time().as_secs_f64().max(1e-3) * cores()),
                1e3,
            ),
            rss: self.to.own?.rss,
        })
    }
}

fn cores() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    f64::from(u32::try_from(cores).unwrap_or(u32::MAX))
}

/// What makes the numbers less meaningful than they look.
pub(super) fn warnings(outcome: &LoadResult) -> Vec<String> {
    let mut warnings = Vec::new();
    let lag = outcome.latency.lag;
    if outcome.target.shares_process {
        warnings.push(
            "the server runs in the process of the generator: they take CPU time from each other, and what each has used \
             cannot be told"
                .to_owned(),
        );
    }
    if lag.p99 > LAG_MS {
        warnings.push(format!(
            "the generator was behind its plan by {:.1} ms (p99) and up to {:.1} ms: latencies hold that too",
            lag.p99, lag.max
        ));
    }
    let own = outcome.generator_usage.filter(|_| !outcome.target.shares_process);
    let Some(own) = own else { return warnings };
    let target = outcome.target_usage.map_or(0.0, |target| target.cores / cores());
    if own.share > BUSY {
        warnings.push(format!(
            "the generator took {:.0} % of all cores: it is the bottleneck, and not the server",
            own.share * 100.0
        ));
    } else if own.share + target > 0.95 {
        warnings.push(format!(
            "generator and server together took {:.0} % of all cores of one machine: they slow each other down",
            (own.share + target) * 100.0
        ));
    }
    warnings
}

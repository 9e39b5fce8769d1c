//! How long things took: histograms that many connections write to, merged at the end.
//!
//! Every latency is counted from the time at which the message was due, and not from when it went out: what was held up
//! behind something slow counts as slow too. A tool that waits for an answer before it sends the next message leaves out just
//! the moments that hurt (coordinated omission).

use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;

/// The longest time that is recorded, in µs; longer ones count as this.
const LONGEST_US: u64 = 3_600_000_000;
/// The number of intervals that the timeline of a load has.
const INTERVALS: u32 = 50;
/// The shortest interval of the timeline.
const SHORTEST: Duration = Duration::from_millis(200);

/// Latencies measured so far, in histograms that several connections write to at once.
#[derive(Debug)]
pub struct LatencyRecorder {
    shards: Vec<Mutex<Shard>>,
    interval: Duration,
}

#[derive(Debug)]
struct Shard {
    acks: Histogram<u64>,
    deliveries: Histogram<u64>,
    lag: Histogram<u64>,
    connects: Histogram<u64>,
    timeline: Vec<Interval>,
}

#[derive(Debug)]
struct Interval {
    acks: Histogram<u32>,
    deliveries: Histogram<u32>,
}

/// A distribution of times in ms; half of them are at most `p50`, and so on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// How many there are.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// Nine out of ten are at most this.
    pub p90: f64,
    /// 99 out of 100 are at most this.
    pub p99: f64,
    /// 999 out of 1,000 are at most this.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// A share of all, and the time in ms that they do not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Between 0 and 1.
    pub quantile: f64,
    /// In ms.
    pub ms: f64,
}

/// A stretch of the load, by when messages were due.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stretch {
    /// When it began, in s from the beginning of the load.
    pub at_s: f64,
    /// From when a message was due to its ack.
    pub ack: Latency,
    /// From when a message was due to each of its deliveries.
    pub delivery: Latency,
}

/// All of it, merged.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latencies {
    /// From when a message was due to its ack.
    pub ack: Latency,
    /// From when a message was due to each of its deliveries.
    pub delivery: Latency,
    /// From when a message was due until the generator had it under way.
    pub lag: Latency,
    /// From opening a connection to CONNECT being answered.
    pub connect: Latency,
    /// The distribution of `ack`.
    pub ack_curve: Vec<Point>,
    /// The distribution of `delivery`.
    pub delivery_curve: Vec<Point>,
    /// How it went on; stretches in which nothing was due are left out.
    pub timeline: Vec<Stretch>,
}

impl LatencyRecorder {
    /// Nothing measured yet, for a load of this length.
    pub fn new(duration: Duration) -> Result<Self, CreationError> {
        let interval = (duration / INTERVALS).max(SHORTEST);
        // The last message is due before the end.
        let intervals = duration.as_millis().div_ceil(interval.as_millis().max(1)).max(1);
        let intervals = usize::try_from(intervals).unwrap_or(1);
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (0..workers).map(|_| Shard::new(intervals).map(Mutex::new));
        Ok(Self {
            shards: shards.collect::<Result<_, _>>()?,
            interval,
        })
    }

    /// A message that was due then was acknowledged so much later.
    pub fn acked(&self, connection: usize, due: Duration, took: Duration) {
        let mut shard = self.shard(connection);
        record(&mut shard.acks, took);
        if let Some(interval) = shard.interval(due, self.interval) {
            record(&mut interval.acks, took);
        }
    }

    /// A message that was due then has arrived so much later.
    pub fn delivered(&self, connection: usize, due: Duration, took: Duration) {
        let mut shard = self.shard(connection);
        record(&mut shard.deliveries, took);
        if let Some(interval) = shard.interval(due, self.interval) {
            record(&mut interval.deliveries, took);
        }
    }

    /// The generator was so much behind its plan.
    pub fn lagged(&self, connection: usize, by: Duration) {
        record(&mut self.shard(connection).lag, by);
    }

    /// A connection was let in after so long.
    pub fn connected(&self, connection: usize, took: Duration) {
        record(&mut self.shard(connection).connects, took);
    }

    /// All shards together.
    pub fn merged(&self) -> Latencies {
        let shards: Vec<_> = self.shards.iter().map(Mutex::lock).collect();
        let sum = |of: fn(&Shard) -> &Histogram<u64>| merged(shards.iter().map(|shard| of(shard)));
        let (acks, deliveries) = (sum(|shard| &shard.acks), sum(|shard| &shard.deliveries));
        let intervals = shards.first().map_or(0, |shard| shard.timeline.len());
        let stretch = |n: usize, at: Duration| {
            let of = |of: fn(&Interval) -> &Histogram<u32>| {
                latency(merged(shards.iter().map(|shard| of(&shard.timeline[n]))).as_ref())
            };
            Stretch {
                at_s: at.as_secs_f64(),
                ack: of(|interval| &interval.acks),
                delivery: of(|interval| &interval.deliveries),
            }
        };
        let begins = std::iter::successors(Some(Duration::ZERO), |at| Some(*at + self.interval));
        Latencies {
            ack: latency(acks.as_ref()),
            delivery: latency(deliveries.as_ref()),
            lag: latency(sum(|shard| &shard.lag).as_ref()),
            connect: latency(sum(|shard| &shard.connects).as_ref()),
            ack_curve: curve(acks.as_ref()),
            delivery_curve: curve(deliveries.as_ref()),
            timeline: (0..intervals)
                .zip(begins)
                .map(|(n, at)| stretch(n, at))
                .filter(|stretch| stretch.ack.count + stretch.delivery.count > 0)
                .collect(),
        }
    }

    /// For a moment only, and never while something is awaited.
    fn shard(&self, connection: usize) -> MutexGuard<'_, Shard> {
        self.shards[connection % self.shards.len()].lock()
    }
}

impl Shard {
    fn new(intervals: usize) -> Result<Self, CreationError> {
        let histogram = || Histogram::new(3);
        let interval = || {
            Ok(Interval {
                acks: Histogram::new(2)?,
                deliveries: Histogram::new(2)?,
            })
        };
        Ok(Self {
            acks: histogram()?,
            deliveries: histogram()?,
            lag: histogram()?,
            connects: histogram()?,
            timeline: (0..intervals).map(|_| interval()).collect::<Result<_, _>>()?,
        })
    }

    fn interval(&mut self, due: Duration, length: Duration) -> Option<&mut Interval> {
        let n = due.as_micros() / length.as_micros().max(1);
        self.timeline.get_mut(usize::try_from(n).ok()?)
    }
}

/// The histograms grow with what is recorded; that fails for no time that a u64 has.
fn record<T: hdrhistogram::Counter>(histogram: &mut Histogram<T>, time: Duration) {
    let micros = u64::try_from(time.as_micros())
        .unwrap_or(LONGEST_US)
        .min(LONGEST_US);
    histogram.record(micros).ok();
}

/// The sum of histograms; nothing where there is none.
fn merged<'a, T: hdrhistogram::Counter + 'a>(
    all: impl IntoIterator<Item = &'a Histogram<T>>,
) -> Option<Histogram<T>> {
    let mut all = all.into_iter();
    let mut sum = all.next()?.clone();
    for one in all {
        // It grows as the others have.
        sum.add(one).ok()?;
    }
    Some(sum)
}

fn latency<T: hdrhistogram::Counter>(of: Option<&Histogram<T>>) -> Latency {
    let Some(histogram) = of.filter(|histogram| !histogram.is_empty()) else {
        return Latency::default();
    };
    let at = |quantile| ms(histogram.value_at_quantile(quantile));
    Latency {
        count: histogram.len(),
        mean: histogram.mean().round() / 1e3,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        max: ms(histogram.max()),
    }
}

fn curve(of: Option<&Histogram<u64>>) -> Vec<Point> {
    let Some(histogram) = of.filter(|histogram| !histogram.is_empty()) else {
        return Vec::new();
    };
    let points = histogram.iter_quantiles(4);
    points
        .map(|step| Point {
            quantile: (step.quantile_iterated_to() * 1e6).round() / 1e6,
            ms: ms(step.value_iterated_to()),
        })
        .collect()
}

/// Milliseconds of microseconds.
#[expect(
    clippy::cast_precision_loss,
    reason = "no time that is recorded is longer than a float tells exactly"
)]
fn ms(micros: u64) -> f64 {
    micros as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn shards_and_stretches_add_up() {
        let recorder = LatencyRecorder::new(TEN).unwrap();
        for n in 0..100_u64 {
            let connection = usize::try_from(n).unwrap();
            recorder.acked(connection, millis(n * 100), millis(n + 1));
            recorder.delivered(connection, millis(n * 100), millis(2 * (n + 1)));
        }
        let all = recorder.merged();
        assert_eq!((all.ack.count, all.delivery.count), (100, 100));
        for (seen, expected) in [
            (all.ack.p50, 50.0),
            (all.ack.p99, 99.0),
            (all.ack.max, 100.0),
            (all.delivery.p90, 180.0),
        ] {
            assert!((seen - expected).abs() / expected < 0.01, "{seen} {expected}");
        }
        assert_eq!(all.timeline.len(), 50);
        assert!(all.timeline.iter().all(|stretch| stretch.ack.count == 2));
        assert!(
            all.ack_curve
                .windows(2)
                .all(|pair| pair[0].quantile <= pair[1].quantile && pair[0].ms <= pair[1].ms)
        );
    }

    /// A server that stands still for a second in ten: whoever waits for it before asking again asks once in that time, and
    /// a hundred times as often, it seems, it is quick.
    #[test]
    fn a_standstill_counts_for_all_that_was_due_in_it() {
        let recorder = LatencyRecorder::new(TEN).unwrap();
        let stands_still = 4_000..5_000;
        for due in (0..10_000).step_by(10) {
            let answered = if stands_still.contains(&due) {
                5_000
            } else {
                due + 1
            };
            recorder.acked(0, millis(due), millis(answered - due));
        }
        let ack = recorder.merged().ack;
        assert!(ack.p50 < 2.0 && ack.p90 < 20.0, "{ack:?}");
        assert!((880.0..920.0).contains(&ack.p99) && ack.max >= 1_000.0, "{ack:?}");
        let slow = recorder.merged().timeline;
        let slow = slow.iter().filter(|stretch| stretch.ack.max > 100.0);
        let at: Vec<f64> = slow.map(|stretch| stretch.at_s).collect();
        assert!(
            at.iter().all(|at| (4.0..5.0).contains(at)) && at.len() == 5,
            "{at:?}"
        );
    }

    #[test]
    fn nothing_measured_is_nothing() {
        let all = LatencyRecorder::new(millis(1)).unwrap().merged();
        assert_eq!(all, Latencies::default());
    }
}

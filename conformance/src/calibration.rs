//! How fast the target is here and now, and the deadlines that follow from it.

use std::time::Duration;

use serde::Serialize;

/// What was measured before the run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Time to connect, up to CONNECT being answered.
    pub connect_ms: f64,
    /// Round trip of `presence:ping`, half of them faster.
    pub rtt_median_ms: f64,
    /// Round trip of `presence:ping`, nearly all of them faster.
    pub rtt_p99_ms: f64,
    /// Round trip of `presence:ping`, the slowest.
    pub rtt_max_ms: f64,
    /// From sending a message to its arrival at another member.
    pub broadcast_ms: f64,
}

/// The times that everything waits for.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    scale: f64,
    measured: Option<Calibration>,
}

impl Timing {
    /// From what was measured, and the factor that the user gave.
    pub const fn new(scale: f64, measured: Option<Calibration>) -> Self {
        Self { scale, measured }
    }

    /// How long to wait for an ack, an event or an HTTP answer: 5 s, or 50 of the slowest round trips.
    pub fn deadline(&self) -> Duration {
        self.at_least(5_000.0, |seen| 50.0 * seen.rtt_max_ms.max(seen.broadcast_ms))
    }

    /// How long to wait for a connection: 10 s, or 20 times what it took.
    pub fn connect(&self) -> Duration {
        self.at_least(10_000.0, |seen| 20.0 * seen.connect_ms)
    }

    /// How long a scenario may take in all, for one whose steps themselves wait for `waits`: a minute and a thousand round
    /// trips more.
    pub fn scenario(&self, waits: Duration) -> Duration {
        const TRIPS: f64 = 1_000.0;
        let trips = self
            .measured
            .map_or(0.0, |seen| TRIPS * seen.rtt_median_ms.max(seen.broadcast_ms));
        (Duration::from_mins(1) + 2 * waits + millis(trips)).mul_f64(self.scale)
    }

    /// What a fence waits after its sentinel, since a server may handle two events at once: 4 slow round trips
    /// or broadcasts, between 20 and 500 ms.
    pub fn settle(&self) -> Duration {
        let slow = self
            .measured
            .map_or(25.0, |seen| seen.rtt_p99_ms.max(seen.broadcast_ms));
        millis((4.0 * slow).clamp(20.0, 500.0)).mul_f64(self.scale)
    }

    /// How near to a limit nothing is decided: 4 slow round trips, at least 50 ms.
    pub fn margin(&self) -> Duration {
        let p99 = self.measured.map_or(25.0, |seen| seen.rtt_p99_ms);
        millis((4.0 * p99).max(50.0))
    }

    /// What was measured, if it was.
    pub const fn measured(&self) -> Option<&Calibration> {
        self.measured.as_ref()
    }

    fn at_least(&self, default_ms: f64, from: impl Fn(&Calibration) -> f64) -> Duration {
        let measured = self.measured.as_ref().map_or(0.0, from);
        millis(default_ms.max(measured) * self.scale)
    }
}

fn millis(ms: f64) -> Duration {
    Duration::try_from_secs_f64(ms / 1e3).unwrap_or(Duration::from_hours(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOW: Calibration = Calibration {
        connect_ms: 900.0,
        rtt_median_ms: 100.0,
        rtt_p99_ms: 150.0,
        rtt_max_ms: 200.0,
        broadcast_ms: 120.0,
    };

    #[test]
    fn slow_targets_get_more_time() {
        let slow = Timing::new(1.0, Some(SLOW));
        assert_eq!(slow.deadline(), Duration::from_secs(10));
        assert_eq!(slow.connect(), Duration::from_secs(18));
        assert_eq!(slow.settle(), Duration::from_millis(500));
        let unknown = Timing::new(2.0, None);
        assert_eq!(unknown.deadline(), Duration::from_secs(10));
        assert_eq!(unknown.settle(), Duration::from_millis(200));
    }
}

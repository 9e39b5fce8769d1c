//! What was measured on the way to a verdict: windows, counts, distances.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// A measured value that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// The requirement that it was measured for, as in `PRES-09`.
    pub requirement: String,
    /// What was measured, as in `offline after the connection vanished`.
    pub what: String,
    /// The value, in `unit`.
    pub value: f64,
    /// The unit of `value`.
    pub unit: Unit,
}

/// The unit of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// Things.
    Count,
}

impl Measurement {
    /// A time, to the millisecond.
    pub fn time(requirement: &str, what: &str, time: Duration) -> Self {
        Self {
            requirement: requirement.to_owned(),
            what: what.to_owned(),
            value: (time.as_secs_f64() * 1e3).round(),
            unit: Unit::Ms,
        }
    }

    /// A number of things.
    pub fn count(requirement: &str, what: &str, count: usize) -> Self {
        Self {
            requirement: requirement.to_owned(),
            what: what.to_owned(),
            value: f64::from(u32::try_from(count).unwrap_or(u32::MAX)),
            unit: Unit::Count,
        }
    }
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Ms => " ms",
            Unit::Count => "",
        };
        write!(f, "{}: {}{unit}", self.what, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_sentences() {
        let time = Measurement::time("PRES-09", "offline after", Duration::from_micros(5_612_400));
        assert_eq!(time.to_string(), "offline after: 5612 ms");
        assert_eq!(
            Measurement::count("RATE-07", "rounds", 3).to_string(),
            "rounds: 3"
        );
    }
}

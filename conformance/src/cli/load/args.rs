//! What `load` takes.

use std::time::Duration;

use clap::Args;

use super::outputs::{Asked, parse};
use crate::cli::{Color, Failure, TargetArgs};
use crate::load::plan::{Idle, LoadOptions};
use crate::targets::profile::{Limits, Profile};

/// What `load` takes.
#[derive(Debug, Args)]
pub(in crate::cli) struct LoadArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Number of chats.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rooms: u32,
    /// Members of each chat; all are connected, and take turns sending.
    #[arg(long, value_name = "N", default_value_t = 10)]
    room_size: u32,
    /// Messages per second, over all members.
    #[arg(long, value_name = "N", default_value_t = 50.0, value_parser = positive)]
    rate: f64,
    /// How long to send messages, as in 500ms, 30s or 2m; a plain number means seconds.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// Length of a message in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 100)]
    payload: usize,
    /// Share of messages that are sent a second time with the same clientId.
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = share)]
    repeat: f64,
    /// Additional connections that stay idle: a number, or their share of all connections, as in 90%.
    #[arg(long, value_name = "N|SHARE", default_value = "0", value_parser = idle)]
    idle: Idle,
    /// Time over which connections are opened, at an even rate.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    ramp: Duration,
    /// Most connections that are being opened at the same time.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) connecting: u16,
    /// Open this many connections, hold them for the duration, and send nothing.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
          conflicts_with_all = ["rooms", "room_size", "rate", "payload", "repeat", "idle"])]
    connect_only: Option<u32>,
    /// Messages that the server lets one user send per rate window, if it differs from the target file (the contract says
    /// 10); the reference server is started with this limit.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate_max: Option<u32>,
    /// Deliveries that take longer than this count as late.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    late: Duration,
    /// After the last message: once nothing has arrived for this long, what is still missing counts as lost.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    drain: Duration,
    /// Process id of the server, to report its CPU time and memory; not needed for a server that the kit starts.
    #[arg(long, value_name = "PID")]
    pub(super) pid: Vec<u32>,
    /// Report to write: terminal, json or html, with =PATH into a file. One may go to standard output without a path; the
    /// terminal report then goes to standard error.
    #[arg(long, value_name = "FORMAT[=PATH]", value_parser = parse)]
    pub(super) report: Vec<Asked>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub(super) color: Color,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number greater than 0".to_owned()),
    }
}

/// A time that is not negative and no longer than a week.
fn time(text: &str) -> Result<Duration, String> {
    const LONGEST: f64 = 7.0 * 24.0 * 3_600.0;
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err("the units are ms, s, m and h".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if number * unit <= LONGEST => Ok(Duration::from_secs_f64(number * unit)),
        Ok(_) => Err("that is longer than a week".to_owned()),
        Err(_) => Err("a time as in 500ms, 30s or 2m".to_owned()),
    }
}

/// A share of a whole: 2% or 0.02.
fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    match share {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share between 0% and 100%".to_owned()),
    }
}

fn idle(text: &str) -> Result<Idle, String> {
    if !text.ends_with('%') {
        let number = text.parse().map(Idle::Number);
        return number.map_err(|_| "a number of connections, or their share of all as in 90%".to_owned());
    }
    match share(text) {
        Ok(share) if share <= 0.999 => Ok(Idle::Share(share)),
        _ => Err("a share of all connections between 0% and 99.9%".to_owned()),
    }
}

impl LoadArgs {
    pub(super) fn wanted(&self) -> LoadOptions {
        let wanted = LoadOptions {
            rooms: self.rooms,
            room_size: self.room_size,
            idle: self.idle,
            rate: self.rate,
            duration: self.duration,
            payload: self.payload,
            repeat: self.repeat,
            ramp: self.ramp,
            late: self.late,
            drain: self.drain,
        };
        match self.connect_only {
            Some(number) => wanted.connections(number),
            None => wanted,
        }
    }

    /// The target that is named, with the limit that is.
    pub(super) fn profile(&self) -> Result<Option<Profile>, Failure> {
        let mut profile = self.target.profile()?;
        if let (Some(profile), Some(rate_max)) = (&mut profile, self.rate_max) {
            profile.limits.rate_max = rate_max as usize;
        }
        Ok(profile)
    }

    /// What the reference server is started with.
    pub(super) fn reference_limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(rate_max) = self.rate_max {
            limits.rate_max = rate_max as usize;
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0", 0),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(expected)), "{text}");
        }
        for wrong in ["", "s", "5 s", "-1s", "1d", "9999h", "1.2.3s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_are_percent_or_fractions() {
        assert_eq!(
            (share("2%"), share("0.5"), share("100%")),
            (Ok(0.02), Ok(0.5), Ok(1.0))
        );
        for wrong in ["", "%", "2", "-1%", "101%", "NaN"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (idle("7"), idle("90%")),
            (Ok(Idle::Number(7)), Ok(Idle::Share(0.9)))
        );
        assert!(idle("100%").is_err() && idle("0.5").is_err());
    }
}

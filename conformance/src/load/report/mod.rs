//! What people and machines get to read of a load.
//!
//! - [`terminal`]: for people, in twenty lines
//! - [`json`]: for machines
//! - [`html`]: a page with the curves; `chart` draws them

mod chart;
pub mod html;
pub mod terminal;

use std::io;

use super::outcome::LoadResult;
use super::plan::whole;
use crate::text;

/// For machines; `fixtures/schemas/load.json` describes it.
pub fn json(outcome: &LoadResult) -> io::Result<String> {
    text::json(outcome)
}

/// A number with a comma at every third place.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Milliseconds, with no more places than mean something.
fn ms(ms: f64) -> String {
    match ms {
        ms if ms < 9.995 => format!("{ms:.2}"),
        ms if ms < 99.95 => format!("{ms:.1}"),
        ms => format!("{ms:.0}"),
    }
}

/// A rate, with a place where it is low.
fn rate(number: f64) -> String {
    if number < 100.0 {
        format!("{number:.1}")
    } else {
        grouped(whole(number).into())
    }
}

/// Bytes as people say it.
fn bytes(number: u64) -> String {
    match number {
        0..10_000 => format!("{number} B"),
        10_000..10_000_000 => format!("{} kB", (number + 500) / 1_000),
        _ => format!("{} MB", (number + 500_000) / 1_000_000),
    }
}

/// What was asked for, in a line.
fn asked(outcome: &LoadResult) -> String {
    let load = &outcome.load;
    if load.rooms == 0 {
        return format!("{} connections, held for {} s", load.users, load.seconds);
    }
    let idle = match load.idle {
        0 => String::new(),
        idle => format!(", {idle} idle"),
    };
    format!(
        "{} users in {} rooms of {}{idle}; {} messages/s for {} s, {} bytes each, {} % of them repeated",
        load.users,
        load.rooms,
        load.room_size,
        load.rate,
        load.seconds,
        load.payload,
        super::outcome::round(load.repeat * 100.0, 100.0),
    )
}

/// What the target used, in words.
fn target_usage(outcome: &LoadResult) -> Option<String> {
    let used = outcome.target_usage?;
    let mut parts = vec![format!("{:.2} CPU-s ({} cores)", used.cpu_s, used.cores)];
    if let Some(deliveries) = used.deliveries_per_cpu_s {
        parts.push(format!("{} deliveries per CPU-s", rate(deliveries)));
    }
    parts.push(format!("{} at most", bytes(used.rss_peak)));
    if let Some(each) = used.rss_per_connection {
        parts.push(format!("{} per connection", bytes(each)));
    }
    Some(parts.join(", "))
}

/// What the generator used, in words.
fn generator_usage(outcome: &LoadResult) -> Option<String> {
    let used = outcome.generator_usage?;
    Some(format!(
        "{:.2} CPU-s ({:.0} % of all cores), {}",
        used.cpu_s,
        used.share * 100.0,
        bytes(used.rss)
    ))
}

#[cfg(test)]
mod tests;

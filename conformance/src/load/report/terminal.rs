//! For people, at the end of a load.
//!
//! Colours are always written; the stream that it goes to leaves them out where they do not belong.

use std::io::{self, Write};

use anstyle::Style;

use super::{asked, generator_usage, grouped, ms, rate, target_usage};
use crate::load::latency::Latency;
use crate::load::outcome::{LoadResult, LoadVerdict};
use crate::report::palette::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::text::{brief, one_line};

/// How many faults are shown, at most.
const FAULTS: usize = 10;

/// Writes all of it.
pub fn write(out: &mut impl Write, outcome: &LoadResult) -> io::Result<()> {
    let (name, urls) = (
        brief(&outcome.target.name),
        one_line(&outcome.target.urls.join(" ")),
    );
    writeln!(out, "{BOLD}chatspec load{BOLD:#}  {name}  {DIM}{urls}{DIM:#}")?;
    writeln!(out, "  {}\n", asked(outcome))?;
    let (sign, style) = sign(outcome.verdict());
    writeln!(out, "{style}{sign} {}{style:#}", outcome.headline())?;
    if outcome.interrupted {
        writeln!(out, "{YELLOW}! interrupted: not all was sent{YELLOW:#}")?;
    }
    writeln!(out)?;
    if outcome.messages.planned > 0 {
        messages(out, outcome)?;
    }
    connections(out, outcome)?;
    latencies(out, outcome)?;
    let usage = [
        ("target", target_usage(outcome)),
        ("generator", generator_usage(outcome)),
    ];
    if usage.iter().any(|(_, used)| used.is_some()) {
        writeln!(out)?;
    }
    for (who, used) in usage {
        if let Some(used) = used {
            line(out, who, &used)?;
        }
    }
    faults(out, outcome)?;
    if !outcome.warnings.is_empty() {
        writeln!(out)?;
    }
    for warning in &outcome.warnings {
        writeln!(out, "{YELLOW}! {warning}{YELLOW:#}")?;
    }
    out.flush()
}

const fn sign(standing: LoadVerdict) -> (&'static str, Style) {
    match standing {
        LoadVerdict::Clean => ("✓", GREEN),
        LoadVerdict::Partly => ("○", YELLOW),
        LoadVerdict::Faulty | LoadVerdict::Dead => ("✗", RED),
    }
}

fn line(out: &mut impl Write, what: &str, text: &str) -> io::Result<()> {
    writeln!(out, "  {what:<12} {text}")
}

fn messages(out: &mut impl Write, outcome: &LoadResult) -> io::Result<()> {
    let counts = &outcome.messages;
    let sent = format!(
        "{} sent, {} acknowledged, {} repeated",
        grouped(counts.sent),
        grouped(counts.acked),
        grouped(counts.repeats)
    );
    line(out, "messages", &sent)?;
    let open = [
        (counts.planned - counts.sent.min(counts.planned), "not sent"),
        (counts.unanswered, "unanswered"),
        (counts.cut_off, "cut off before the ack"),
        (counts.stray_acks, "acks that nothing was waiting for"),
    ];
    for (n, what) in open.into_iter().filter(|(n, _)| *n > 0) {
        line(out, "", &format!("{YELLOW}{} {what}{YELLOW:#}", grouped(n)))?;
    }
    for (code, n) in &counts.refused {
        line(
            out,
            "",
            &format!("{YELLOW}{} refused: {}{YELLOW:#}", grouped(*n), brief(code)),
        )?;
    }
    let delivered = format!(
        "{} of {} due, {} later than {} ms",
        grouped(counts.delivered),
        grouped(counts.due),
        grouped(counts.late),
        outcome.load.late_ms
    );
    line(out, "deliveries", &delivered)?;
    if counts.undecided > 0 {
        let undecided = grouped(counts.undecided);
        line(
            out,
            "",
            &format!("{YELLOW}{undecided} not waited for to the end{YELLOW:#}"),
        )?;
    }
    if counts.overtaken > 0 {
        let overtaken = format!(
            "{} overtaken by what was sent before their ack",
            grouped(counts.overtaken)
        );
        line(out, "", &overtaken)?;
    }
    let faults = &outcome.faults;
    let kinds = [
        (faults.lost, "lost"),
        (faults.doubled, "doubled"),
        (faults.out_of_order, "out of order"),
        (faults.invented, "invented"),
        (faults.ids, "with a wrong id"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(n, what)| match n {
            0 => format!("0 {what}"),
            n => format!("{RED}{} {what}{RED:#}", grouped(*n)),
        })
        .collect();
    line(out, "faults", &kinds.join(", "))?;
    let rates = format!(
        "{} acks/s, {} deliveries/s",
        rate(outcome.rates.acks_per_s),
        rate(outcome.rates.deliveries_per_s)
    );
    line(out, "rates", &rates)
}

fn connections(out: &mut impl Write, outcome: &LoadResult) -> io::Result<()> {
    let made = &outcome.connections;
    let told = format!(
        "{} of {} in {:.2} s ({} per second)",
        grouped(made.made),
        grouped(made.wanted),
        made.seconds,
        rate(made.per_second)
    );
    line(out, "connections", &told)?;
    for (n, what) in [(made.failed, "failed"), (made.lost, "lost")] {
        if n > 0 {
            line(out, "", &format!("{YELLOW}{} {what}{YELLOW:#}", grouped(n)))?;
        }
    }
    for (reason, n) in made.reasons.iter().take(FAULTS) {
        line(
            out,
            "",
            &format!("{DIM}{} × {}{DIM:#}", grouped(*n), brief(reason)),
        )?;
    }
    Ok(())
}

fn latencies(out: &mut impl Write, outcome: &LoadResult) -> io::Result<()> {
    let all = &outcome.latency;
    let rows = [
        ("ack", all.ack),
        ("delivery", all.delivery),
        ("connect", all.connect),
        ("send lag", all.lag),
    ];
    writeln!(
        out,
        "\n  {DIM}{:<12} {:>8} {:>8} {:>8} {:>8} {:>8}{DIM:#}",
        "ms", "p50", "p90", "p99", "p99.9", "max"
    )?;
    for (what, latency) in rows.iter().filter(|(_, latency)| latency.count > 0) {
        let Latency {
            p50,
            p90,
            p99,
            p999,
            max,
            ..
        } = latency;
        let figures: Vec<String> = [p50, p90, p99, p999, max]
            .iter()
            .map(|time| format!("{:>8}", ms(**time)))
            .collect();
        line(out, what, &figures.join(" "))?;
    }
    Ok(())
}

fn faults(out: &mut impl Write, outcome: &LoadResult) -> io::Result<()> {
    let faults = &outcome.faults;
    if faults.told.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for fault in faults.told.iter().take(FAULTS) {
        let kind: &str = fault.kind.into();
        writeln!(out, "{RED}{kind}{RED:#}  {}", brief(&fault.text))?;
    }
    let told = faults.told.len().min(FAULTS) as u64;
    if faults.sum() > told {
        writeln!(out, "{DIM}and {} more{DIM:#}", grouped(faults.sum() - told))?;
    }
    Ok(())
}

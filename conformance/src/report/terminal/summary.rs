//! The end of the report: what failed and why, what could not be told, and the sum.

use std::io::{self, Write};

use super::{BOLD, CYAN, DIM, Detail, GREEN, RED, YELLOW, baseline, brief, many, requirement_line, timings};
use crate::expect::Mismatch;
use crate::report::evidence;
use crate::report::status::{self, Tone};
use crate::result::{RequirementResult, RunResult};
use crate::verdict::{Blocked, Check, Level, Verdict};

/// What of it is shown.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    /// How long each scenario took.
    pub(super) timings: bool,
    /// Whether what is unverified fails the run.
    /// How much is told.
    pub(super) detail: Detail,
}

/// Writes all of it.
pub(super) fn write(out: &mut impl Write, result: &RunResult, shown: Shown) -> io::Result<()> {
    for verdict in [Verdict::Fail, Verdict::Warn, Verdict::Harness] {
        for requirement in result.requirements.iter().filter(|r| r.verdict == verdict) {
            broken(out, result, requirement, verdict, shown.detail)?;
        }
    }
    let faults = result
        .scenarios
        .iter()
        .filter(|s| s.verdict == Verdict::Harness && s.message.is_some() && !result.is_later(s.scenario));
    for scenario in faults {
        writeln!(
            out,
            "\n{YELLOW}the kit is at fault{YELLOW:#} in {}: {}",
            scenario.scenario.id,
            scenario.message.as_deref().unwrap_or_default()
        )?;
    }
    if shown.detail > Detail::Quiet {
        undecided(out, result, shown.detail)?;
    }
    baseline::write(out, result)?;
    if shown.detail > Detail::Quiet {
        noted(out, result)?;
        measured(out, result)?;
        left_out(out, result)?;
        later(out, result)?;
        counts(out, result)?;
    }
    if shown.timings {
        timings::write(out, result)?;
    }
    baseline::counts(out, result)?;
    ending(out, result)?;
    out.flush()
}

fn broken(
    out: &mut impl Write,
    result: &RunResult,
    requirement: &RequirementResult,
    verdict: Verdict,
    detail: Detail,
) -> io::Result<()> {
    let most = if detail == Detail::Verbose { usize::MAX } else { 3 };
    let (style, word) = match verdict {
        Verdict::Fail => (RED, "FAIL"),
        Verdict::Warn => (YELLOW, "WARN"),
        _ => (YELLOW, "KIT "),
    };
    writeln!(
        out,
        "\n{style}{word}{style:#} {BOLD}{}{BOLD:#} {DIM}{}{DIM:#}  {}",
        requirement.id,
        requirement.level.word(),
        requirement.statement
    )?;
    // Where not all are shown, those that nobody knows yet are.
    let decisive = evidence::decisive(result, requirement);
    for check in decisive.iter().take(most) {
        writeln!(out, "     {DIM}in{DIM:#}       {}", check.scenario)?;
        baseline::mark(out, result, requirement, check)?;
        match &check.mismatch {
            Some(Mismatch::Definite(difference)) => {
                let expected: Vec<String> = difference.expected.iter().map(ToString::to_string).collect();
                let expected = expected.join("\n              or ");
                writeln!(out, "     {DIM}expected{DIM:#} {expected}")?;
                writeln!(out, "     {DIM}got{DIM:#}      {}", difference.seen())?;
            }
            _ => writeln!(
                out,
                "     {DIM}because{DIM:#}  {}",
                check.message.as_deref().unwrap_or("(no reason given)")
            )?,
        }
        for frame in &check.frames {
            let frame = frame.to_string();
            let shown = if detail == Detail::Verbose {
                frame
            } else {
                brief(&frame)
            };
            writeln!(out, "       {DIM}{shown}{DIM:#}")?;
        }
    }
    if decisive.len() > most {
        writeln!(
            out,
            "     {DIM}and {} more{DIM:#}",
            many(decisive.len() - most, "check")
        )?;
    }
    Ok(())
}

/// What was not decided, one line per reason.
fn undecided(out: &mut impl Write, result: &RunResult, detail: Detail) -> io::Result<()> {
    for (verdict, title) in [
        (Verdict::Unverified, "Not verified"),
        (Verdict::Inconclusive, "Too close to tell"),
    ] {
        let reasons = status::by_reason(result.requirements.iter().filter(|r| r.verdict == verdict));
        if !reasons.is_empty() {
            writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        }
        for reason in reasons {
            for line in reason.ids.chunks(10) {
                writeln!(out, "  {YELLOW}{}{YELLOW:#}", line.join(" "))?;
            }
            writeln!(out, "    {}", reason.text)?;
            for (check, by) in &reason.blocked {
                blocked(out, check, by, detail)?;
            }
        }
    }
    Ok(())
}

/// Where a scenario did not get on, what says more about it, and the frames that led there.
fn blocked(out: &mut impl Write, check: &Check, by: &Blocked, detail: Detail) -> io::Result<()> {
    write!(out, "    {DIM}in{DIM:#} {}", check.scenario)?;
    match &by.requirement {
        Some(requirement) => writeln!(out, "{DIM}; see{DIM:#} {requirement}")?,
        None => writeln!(out)?,
    }
    let shown = if detail == Detail::Verbose {
        check.frames.len()
    } else {
        3
    };
    for frame in &check.frames[check.frames.len().saturating_sub(shown)..] {
        writeln!(out, "      {DIM}{}{DIM:#}", brief(&frame.to_string()))?;
    }
    Ok(())
}

/// How the target uses the freedoms that the contract leaves.
fn noted(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let mut notes = result
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.notes)
        .peekable();
    if notes.peek().is_some() {
        writeln!(out, "\n{BOLD}Freedoms taken{BOLD:#}")?;
    }
    for (requirement, text) in notes {
        writeln!(out, "  {CYAN}{requirement:<9}{CYAN:#} {text}")?;
    }
    Ok(())
}

fn measured(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let mut figures = result
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.measurements)
        .peekable();
    if figures.peek().is_some() {
        writeln!(out, "\n{BOLD}Measured{BOLD:#}")?;
    }
    for figure in figures {
        writeln!(out, "  {CYAN}{:<9}{CYAN:#} {figure}", figure.requirement)?;
    }
    Ok(())
}

fn left_out(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    if !result.left_out.is_empty() {
        writeln!(
            out,
            "\n{BOLD}Left out by --quick{BOLD:#}, since they take waiting"
        )?;
    }
    for line in result.left_out.chunks(10) {
        writeln!(out, "  {YELLOW}{}{YELLOW:#}", line.join(" "))?;
    }
    Ok(())
}

/// What was added to the contract after the set that counts.
fn later(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    if !result.later.is_empty() {
        writeln!(
            out,
            "\n{BOLD}Added after {}{BOLD:#}, which fails nothing",
            result.set
        )?;
    }
    for requirement in &result.later {
        writeln!(out, "{}", requirement_line(requirement))?;
        if let Some(reason) = &requirement.reason {
            writeln!(out, "        {DIM}{}{DIM:#}", brief(reason))?;
        }
    }
    Ok(())
}

fn counts(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    writeln!(out)?;
    for level in [Level::Must, Level::Should] {
        let all = result.requirements.iter().filter(|r| r.level == level).count();
        if all == 0 {
            continue;
        }
        let parts: Vec<String> = [
            (Verdict::Fail, RED),
            (Verdict::Warn, YELLOW),
            (Verdict::Unverified, YELLOW),
            (Verdict::Inconclusive, YELLOW),
            (Verdict::Harness, YELLOW),
        ]
        .into_iter()
        .map(|(verdict, style)| (result.count(level, verdict), verdict, style))
        .filter(|(n, _, _)| *n > 0)
        .map(|(n, verdict, style)| format!("   {style}{n} {}{style:#}", verdict.word()))
        .collect();
        let passed = result.count(level, Verdict::Pass);
        writeln!(
            out,
            "  {BOLD}{:<6}{BOLD:#} {GREEN}{passed} of {all} pass{GREEN:#}{}",
            level.word(),
            parts.concat()
        )?;
    }
    Ok(())
}

fn ending(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let (tone, text) = status::headline(result);
    let style = match tone {
        Tone::Good => GREEN,
        Tone::Doubtful => YELLOW,
        Tone::Bad => RED,
    };
    let took = format!("{:.1} s", result.duration.as_secs_f64());
    writeln!(out, "\n  {style}{text}{style:#} {DIM}{took}{DIM:#}\n")
}

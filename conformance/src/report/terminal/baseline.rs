//! Which failures are known, and which entries of the baseline have become wrong.

use std::io::{self, Write};

use anstyle::Style;

use super::{BOLD, CYAN, DIM, RED, YELLOW, many};
use crate::baseline::{CheckLocation, Judged};
use crate::report::status::{listed, terms};
use crate::result::{RequirementResult, RunResult};
use crate::verdict::Check;

/// How many of the entries that the run did not cover are listed, at most.
const MOST: usize = 5;

/// Says beside a failure whether it is known.
pub(super) fn mark(
    out: &mut impl Write,
    result: &RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> io::Result<()> {
    let Some((word, text)) = listed(result, requirement, check) else {
        return Ok(());
    };
    let style = if word == "known" { YELLOW } else { RED };
    writeln!(out, "     {style}{word:<8}{style:#} {text}")
}

/// What the failures above do not show: blocked requirements, and entries that do not fit this run.
pub(super) fn write(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let Some(judged) = &result.baseline else {
        return Ok(());
    };
    let lines = lines(judged);
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{BOLD}Baseline{BOLD:#} {DIM}{}{DIM:#}", judged.file)?;
    for (
        style,
        word,
        CheckLocation {
            requirement,
            scenario,
        },
        text,
    ) in lines
    {
        writeln!(
            out,
            "  {style}{word:<14}{style:#} {CYAN}{requirement}{CYAN:#} in {scenario}\n    {text}"
        )?;
    }
    if judged.not_looked_at.len() > MOST {
        let more = judged.not_looked_at.len() - MOST;
        writeln!(out, "  {DIM}and {more} more that this run did not look at{DIM:#}")?;
    }
    advice(out, judged)
}

/// One thing that is told, how, and about what.
type Line<'a> = (Style, &'static str, &'a CheckLocation, String);

fn lines(judged: &Judged) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let known = judged.known.iter().filter(|listed| listed.failure.blocked);
    lines.extend(known.map(|one| (YELLOW, "blocked, known", &one.entry.place, terms(&one.entry))));
    let new = judged.new.iter().filter(|failure| failure.blocked);
    lines.extend(new.map(|one| (RED, "blocked, new", &one.place, one.message.clone())));
    let gone = judged.gone.iter().map(|entry| ("gone", entry));
    let changed = judged.changed.iter().map(|one| ("changed", &one.entry));
    let expired = judged.expired.iter().map(|one| ("expired", &one.entry));
    let wrong = gone.chain(changed).chain(expired);
    lines.extend(wrong.map(|(word, entry)| (RED, word, &entry.place, terms(entry))));
    let unseen = judged.not_looked_at.iter().take(MOST);
    lines.extend(unseen.map(|one| (DIM, "not looked at", &one.entry.place, one.why.clone())));
    lines
}

/// How to mend the file.
fn advice(out: &mut impl Write, judged: &Judged) -> io::Result<()> {
    let file = &judged.file;
    if !judged.gone.is_empty() {
        writeln!(
            out,
            "  What no longer fails is removed by: chatspec baseline prune REPORT.json --baseline {file}"
        )?;
    }
    if !judged.changed.is_empty() {
        writeln!(
            out,
            "  What fails in another way is listed anew by: chatspec baseline accept REPORT.json --baseline {file}"
        )?;
    }
    if !judged.expired.is_empty() {
        writeln!(
            out,
            "  What has expired is extended by: chatspec baseline accept REPORT.json --baseline {file} --expires DATE"
        )?;
    }
    Ok(())
}

/// The line in the sum: `2 known failures by known.toml, 1 new`.
pub(super) fn counts(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let Some(judged) = &result.baseline else {
        return Ok(());
    };
    let known = many(judged.known.len(), "known failure");
    write!(out, "  {YELLOW}{known}{YELLOW:#} by {}", judged.file)?;
    let new = judged.new.len();
    let style = if new == 0 { Style::new() } else { RED };
    write!(out, ", {style}{new} new{style:#}")?;
    for (n, word) in [
        (judged.gone.len(), "gone"),
        (judged.changed.len(), "changed"),
        (judged.expired.len(), "expired"),
    ] {
        if n > 0 {
            write!(out, ", {RED}{n} {word}{RED:#}")?;
        }
    }
    match judged.not_looked_at.len() {
        0 => writeln!(out),
        n => writeln!(out, ", {DIM}{n} not looked at{DIM:#}"),
    }
}

#[cfg(test)]
mod tests;

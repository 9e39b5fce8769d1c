//! Which failures are known, and which entries of the baseline have become wrong.

use std::io::{self, Write};

use anstyle::Style;

use super::{BOLD, CYAN, DIM, RED, YELLOW, many};
use crate::baseline::findings::of_check;
use crate::baseline::{Entry, Judged, Outcome, Place, Standing, file};
use crate::result::{Exit, RequirementResult, RunResult};
use crate::verdict::Check;

/// So many entries are told one by one that the run says nothing about.
const MOST: usize = 5;

/// What the baseline says to a check; nothing if there is none, or if the check does not fail the run.
fn standing<'a>(
    result: &'a RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> Option<(&'a Judged, Standing<'a>)> {
    let judged = result.baseline.as_ref()?;
    match of_check(result, requirement, check).outcome {
        Outcome::Fail(failure) => Some((judged, judged.standing(&failure))),
        Outcome::Pass | Outcome::Warning | Outcome::Undecided(_) => None,
    }
}

/// Whether a check fails as listed.
pub(super) fn is_known(result: &RunResult, requirement: &RequirementResult, check: &Check) -> bool {
    matches!(
        standing(result, requirement, check),
        Some((_, Standing::Known(_)))
    )
}

/// Says beside a failure whether it is known.
pub(super) fn mark(
    out: &mut impl Write,
    result: &RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> io::Result<()> {
    let Some((judged, standing)) = standing(result, requirement, check) else {
        return Ok(());
    };
    let (style, word, text) = match standing {
        Standing::Known(entry) => (YELLOW, "known", told(entry)),
        Standing::New => (RED, "new", format!("not listed in {}", judged.file)),
        Standing::Changed(entry) => (
            RED,
            "changed",
            format!("listed, but failed in another way: {}", told(entry)),
        ),
        Standing::Expired(entry) => (RED, "expired", told(entry)),
    };
    writeln!(out, "     {style}{word:<8}{style:#} {text}")
}

/// Why an entry is tolerated, and until when.
fn told(entry: &Entry) -> String {
    let until = entry.expires.map(file::show_day);
    let until = until.map_or_else(String::new, |day| format!(" (until {day})"));
    format!("{}{until}", entry.reason)
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
        Place {
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
type Line<'a> = (Style, &'static str, &'a Place, String);

fn lines(judged: &Judged) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let known = judged.known.iter().filter(|listed| listed.failure.blocked);
    lines.extend(known.map(|one| (YELLOW, "blocked, known", &one.entry.place, told(&one.entry))));
    let new = judged.new.iter().filter(|failure| failure.blocked);
    lines.extend(new.map(|one| (RED, "blocked, new", &one.place, one.message.clone())));
    let gone = judged.gone.iter().map(|entry| ("gone", entry));
    let changed = judged.changed.iter().map(|one| ("changed", &one.entry));
    let expired = judged.expired.iter().map(|one| ("expired", &one.entry));
    let wrong = gone.chain(changed).chain(expired);
    lines.extend(wrong.map(|(word, entry)| (RED, word, &entry.place, told(entry))));
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

/// The last line, where it is the baseline that makes the difference.
pub(super) fn ending(result: &RunResult, exit: Exit) -> Option<(Style, String)> {
    let judged = result.baseline.as_ref()?;
    let file = &judged.file;
    match exit {
        Exit::Conforms if !judged.known.is_empty() => Some((
            YELLOW,
            format!("Does not conform, but fails in nothing that {file} does not list."),
        )),
        Exit::Fails if judged.failing().next().is_none() && judged.is_stale() => {
            Some((RED, format!("{file} lists what no longer fails.")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;

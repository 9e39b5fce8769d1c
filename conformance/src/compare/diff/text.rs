//! For people: what got worse first and in full, then the rest, and one line for all of it.
//!
//! Colours are always written; the stream that it goes to leaves them out where they do not belong.

use std::io::{self, Write};

use anstyle::Style;

use super::{Change, Diff, Reason, Seen};
use crate::compare::common::About;
use crate::report::palette::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, style};
use crate::text::{brief, one_line};
use crate::verdict::Verdict;

/// How many reasons are given for one requirement, at most.
const MOST: usize = 3;

/// Writes all of it.
pub fn write(out: &mut impl Write, diff: &Diff, strict: bool) -> io::Result<()> {
    head(out, diff)?;
    title(out, RED, "Worse", &diff.worse)?;
    for change in &diff.worse {
        verdicts(out, change)?;
        reasons(out, "because", change.now.as_ref())?;
    }
    title(out, CYAN, "New", &diff.new)?;
    let (passing, others) = diff.new_passing_and_not();
    for change in others {
        verdicts(out, change)?;
        reasons(out, "because", change.now.as_ref())?;
    }
    if !passing.is_empty() {
        writeln!(out, "  passing, and not looked at in A")?;
        ids(
            out,
            GREEN,
            passing.iter().map(|change| change.requirement.id.as_str()),
        )?;
    }
    title(out, YELLOW, "Changed", &diff.changed)?;
    for change in &diff.changed {
        verdicts(out, change)?;
        reasons(out, "was", change.before.as_ref())?;
        reasons(out, "is", change.now.as_ref())?;
    }
    title(out, GREEN, "Better", &diff.better)?;
    for change in &diff.better {
        verdicts(out, change)?;
        reasons(out, "but", change.now.as_ref())?;
    }
    title(out, YELLOW, "Not looked at in B", &diff.gone)?;
    for (why, of_why) in diff.gone_by_reason() {
        writeln!(out, "  {}", brief(&why.to_string()))?;
        ids(out, YELLOW, of_why.into_iter())?;
    }
    let style = match (diff.is_worse(strict), diff.gone.is_empty()) {
        (true, _) => RED,
        (false, true) => GREEN,
        (false, false) => YELLOW,
    };
    writeln!(out, "\n{style}{}{style:#}", diff.summary(strict))?;
    out.flush()
}

fn head(out: &mut impl Write, diff: &Diff) -> io::Result<()> {
    let protocol = one_line(&diff.protocol);
    writeln!(out, "{BOLD}chatspec diff{BOLD:#} {DIM}protocol {protocol}{DIM:#}")?;
    for (name, About { target, .. }, about) in [("A", &diff.a, &diff.a), ("B", &diff.b, &diff.b)] {
        let (target, details) = (brief(target), about.details());
        writeln!(out, "  {BOLD}{name}{BOLD:#}  {target}  {DIM}{details}{DIM:#}")?;
    }
    for limit in &diff.limits {
        writeln!(
            out,
            "  {YELLOW}judged by other limits:{YELLOW:#} {}",
            limit.describe(" → ")
        )?;
    }
    for note in &diff.notes {
        writeln!(out, "  {YELLOW}note:{YELLOW:#} {note}")?;
    }
    Ok(())
}

fn title(out: &mut impl Write, style: Style, title: &str, changes: &[Change]) -> io::Result<()> {
    match changes.len() {
        0 => Ok(()),
        n => writeln!(out, "\n{style}{title}{style:#} {DIM}{n}{DIM:#}"),
    }
}

/// `MSG-02 MUST  pass → fail  What is required.`
fn verdicts(out: &mut impl Write, change: &Change) -> io::Result<()> {
    let (id, statement) = (brief(&change.requirement.id), &change.requirement.statement);
    let level = change.requirement.level.word();
    let word = |seen: &Seen| {
        let style = style(seen.verdict);
        format!("{style}{}{style:#}", seen.verdict.word())
    };
    let both: Vec<String> = [&change.before, &change.now]
        .into_iter()
        .flatten()
        .map(word)
        .collect();
    let line = format!(
        "{BOLD}{id:<9}{BOLD:#} {DIM}{level:<6}{DIM:#}  {}",
        both.join(" → ")
    );
    writeln!(out, "{}", format!("  {line}  {statement}").trim_end())
}

/// Why it does not pass, if it does not.
fn reasons(out: &mut impl Write, word: &str, seen: Option<&Seen>) -> io::Result<()> {
    let Some(seen) = seen.filter(|seen| seen.verdict != Verdict::Pass) else {
        return Ok(());
    };
    for Reason {
        scenario, message, ..
    } in seen.reasons.iter().take(MOST)
    {
        let scenario = scenario
            .as_deref()
            .map_or_else(String::new, |s| format!("{}: ", brief(s)));
        let message = match message.as_str() {
            "" => "(no reason given)".to_owned(),
            message => brief(message),
        };
        writeln!(out, "    {DIM}{word:<7}{DIM:#} {scenario}{message}")?;
    }
    match seen.reasons.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => writeln!(out, "    {DIM}and {more} more{DIM:#}"),
    }
}

fn ids<'a>(out: &mut impl Write, style: Style, ids: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let ids: Vec<String> = ids.map(brief).collect();
    for line in ids.chunks(10) {
        writeln!(out, "    {style}{}{style:#}", line.join(" "))?;
    }
    Ok(())
}

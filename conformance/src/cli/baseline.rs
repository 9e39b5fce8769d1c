//! `baseline accept` and `baseline prune`: keeping the file of known failures up to date.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use time::{Date, OffsetDateTime};

use super::Failure;
use crate::baseline::edit::{self, EditError, HEADER, NO_REASON};
use crate::baseline::{Baseline, BaselineError, Change, Judged, Terms, file, save};
use crate::contract::Contract;
use crate::result::Exit;
use crate::saved::Saved;
use crate::scenarios;

const ACCEPT_EXAMPLES: &str = "Examples:
  chatspec --url \"$URL\" --report json=report.json
  chatspec baseline accept report.json --baseline known.toml
  chatspec baseline accept report.json --baseline known.toml --reason https://issues.example/7 --expires 2026-12-31
  chatspec --url \"$URL\" --report json | chatspec baseline accept - --baseline known.toml
  chatspec --url \"$URL\" --baseline known.toml      fails only for what is new";

const PRUNE_EXAMPLES: &str = "Examples:
  chatspec --url \"$URL\" --baseline known.toml --report json=report.json
  chatspec baseline prune report.json --baseline known.toml";

/// What `baseline` takes.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Add the failures of a report that are not listed yet; entries that now fail in another way get a new fingerprint.
    #[command(after_help = ACCEPT_EXAMPLES)]
    Accept {
        #[command(flatten)]
        files: Files,
        /// Why the failures are tolerated: a sentence or a link, for every entry that is added.
        #[arg(long, value_name = "TEXT", value_parser = reason)]
        reason: Option<String>,
        /// Last day on which they are tolerated (UTC), for every entry that is added or has expired.
        #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
        expires: Option<Date>,
    },
    /// Remove the entries that no longer fail in a report; entries that the report does not cover stay.
    #[command(after_help = PRUNE_EXAMPLES)]
    Prune {
        #[command(flatten)]
        files: Files,
    },
}

/// The two files that are held against each other.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// JSON report of a run; - reads standard input.
    #[arg(value_name = "REPORT.json")]
    report: PathBuf,
    /// File of known failures.
    #[arg(long, value_name = "FILE")]
    baseline: PathBuf,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn day(text: &str) -> Result<Date, String> {
    match file::parse_day(text) {
        Some(day) if day < today() => Err("that day is in the past".to_owned()),
        Some(day) => Ok(day),
        None => Err("a date such as 2026-12-31".to_owned()),
    }
}

fn today() -> Date {
    OffsetDateTime::now_utc().date()
}

pub(super) fn baseline(command: &Command, contract: &Contract) -> Result<Exit, Failure> {
    match command {
        Command::Accept {
            files,
            reason,
            expires,
        } => {
            let terms = Terms {
                reason: reason.clone(),
                expires: *expires,
                today: today(),
            };
            accept(files, &terms, contract)
        }
        Command::Prune { files } => prune(files, contract),
    }
}

fn accept(files: &Files, terms: &Terms, contract: &Contract) -> Result<Exit, Failure> {
    let held = Held::read(files, true, terms.today, contract)?;
    let edited = edit::accept(&held.text, &held.baseline, &held.judged, terms);
    let changes = held.save(edited, files, contract)?;
    let count = |meant: fn(&Change) -> bool| changes.iter().filter(|change| meant(change)).count();
    let added = count(|change| matches!(change, Change::Added(_)));
    let refreshed = count(|change| matches!(change, Change::Refreshed(_)));
    let known = held.judged.known.len();
    let sum = format!("{added} added, {refreshed} refreshed, {known} known before");
    let hint = (added > 0 && terms.reason.is_none()).then(|| {
        format!(
            "the new entries have the reason \"{NO_REASON}\": write down why in the file, or give --reason"
        )
    });
    tell(&changes, files, &sum, hint.as_deref())
}

fn prune(files: &Files, contract: &Contract) -> Result<Exit, Failure> {
    let held = Held::read(files, false, today(), contract)?;
    let edited = edit::prune(&held.text, &held.baseline, &held.judged);
    let changes = held.save(edited, files, contract)?;
    let (removed, unseen) = (changes.len(), held.judged.not_looked_at.len());
    let left = held.baseline.entries.len() - removed;
    let sum = format!("{removed} removed, {left} left, {unseen} of them not looked at in this report");
    tell(&changes, files, &sum, None)
}

/// A baseline held against a report.
struct Held {
    text: String,
    /// Whether the file is not there yet.
    absent: bool,
    baseline: Baseline,
    judged: Judged,
}

impl Held {
    /// Reads both; `may_be_absent` takes a file that is not there as one with nothing in it.
    fn read(files: &Files, may_be_absent: bool, today: Date, contract: &Contract) -> Result<Self, Failure> {
        let (text, absent) = match file::read_text(&files.baseline) {
            Err(BaselineError::Absent { .. }) if may_be_absent => (HEADER.to_owned(), true),
            read => (read.map_err(usage)?, false),
        };
        let baseline = parse(&text, files, contract)?;
        let findings = Saved::read(&files.report)
            .and_then(Saved::findings)
            .map_err(usage)?;
        let judged = baseline.judge(&findings, today);
        Ok(Self {
            text,
            absent,
            baseline,
            judged,
        })
    }

    /// Writes the new text if it is another one; gives what was done.
    fn save(
        &self,
        edited: Result<(String, Vec<Change>), EditError>,
        files: &Files,
        contract: &Contract,
    ) -> Result<Vec<Change>, Failure> {
        let path = files.baseline.display();
        let (text, changes) = edited.map_err(|error| usage(format!("baseline {path}: {error}")))?;
        if self.absent || changes.iter().any(Change::is_made) {
            // What could not be read again would be of no use to the next run.
            parse(&text, files, contract)?;
            save::replace(&files.baseline, &text)
                .map_err(|error| usage(format!("baseline {path} cannot be written: {error}")))?;
        }
        Ok(changes)
    }
}

fn parse(text: &str, files: &Files, contract: &Contract) -> Result<Baseline, Failure> {
    let all: Vec<_> = scenarios::all().collect();
    Baseline::parse(text, &files.baseline.display().to_string(), contract, &all).map_err(usage)
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, error)
}

/// Prints what was done; a reader that has gone away is no failure.
fn tell(changes: &[Change], files: &Files, sum: &str, hint: Option<&str>) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let mut write = || -> io::Result<()> {
        for change in changes {
            writeln!(out, "{change}")?;
        }
        writeln!(out, "{}: {sum}", files.baseline.display())?;
        hint.map_or(Ok(()), |hint| writeln!(out, "{hint}"))
    };
    match write() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Fault, error)),
        _ => Ok(Exit::Conforms),
    }
}

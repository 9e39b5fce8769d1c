//! Changing the file of known failures, with what people have written into it left as it is.

use std::fmt;

use thiserror::Error;
use time::Date;
use toml_edit::{ArrayOfTables, Datetime, DocumentMut, Item, Table, TomlError, Value, value};

use super::file::{Baseline, BaselineEntry, show_day};
use super::findings::{CheckLocation, Failure};
use super::judge::{Judged, Listed};
use crate::fingerprint::Fingerprint;

/// The reason that stands in an entry until somebody gives one.
pub const NO_REASON: &str = "TODO: why is this tolerated?";

/// What a new file begins with.
pub const HEADER: &str = "\
# Known failures: `chatspec run --baseline` with this file shows them, and does not fail for them.
#
# One [[known]] for each:
#   id           the requirement, as in MSG-02; `chatspec explain MSG-02` tells what it asks for
#   scenario     where it fails, as in messages/send-and-broadcast
#   fingerprint  how it fails, whatever differs from run to run left out; JSON reports show it
#   reason       why it is tolerated: a sentence or a link
#   expires      the last day on which it is tolerated (UTC), as in 2026-12-31; may be left out
#
# An entry fails the run when what it lists no longer fails, fails in another way, or has expired.
#   chatspec baseline accept REPORT.json --baseline FILE   lists what fails and is not listed yet
#   chatspec baseline prune REPORT.json --baseline FILE    removes what no longer fails
";

/// What `accept` writes into new entries.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Why they are tolerated, where that is known already.
    pub reason: Option<String>,
    /// Until when.
    pub expires: Option<Date>,
    /// The day on which that is said.
    pub today: Date,
}

/// One thing that was changed, or that has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An entry for a failure that was not listed.
    Added(Failure),
    /// Another fingerprint in an entry; reason and expiry stay.
    Refreshed(Listed),
    /// A later last day in an entry that had expired.
    Extended(CheckLocation, Date),
    /// Nothing: the entry has expired, and no later day was given.
    LeftExpired(BaselineEntry),
    /// An entry taken away, since what it lists no longer fails.
    Removed(BaselineEntry),
}

impl Change {
    /// Whether the file is another one for it.
    pub const fn is_made(&self) -> bool {
        !matches!(self, Self::LeftExpired(_))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(failure) => {
                write!(f, "added     {}  {}", failure.place, failure.fingerprint)
            }
            Self::Refreshed(Listed { entry, failure }) => {
                let (place, was, now) = (&entry.place, &entry.fingerprint, &failure.fingerprint);
                write!(f, "refreshed {place}  {was} is now {now}")
            }
            Self::Extended(place, day) => write!(f, "extended  {place}  until {}", show_day(*day)),
            Self::LeftExpired(entry) => {
                let day = entry.expires.map(show_day).unwrap_or_default();
                write!(f, "expired   {}  on {day}: extend it with --expires", entry.place)
            }
            Self::Removed(entry) => write!(f, "removed   {}  {}", entry.place, entry.reason),
        }
    }
}

/// Why a file cannot be changed.
#[derive(Debug, Error)]
pub enum EditError {
    /// It is no TOML.
    #[error("{0}")]
    Toml(#[from] TomlError),
    /// It is written in a way that comments cannot be kept in.
    #[error(
        "known is one inline array, which cannot be edited in place: write each entry as its own [[known]] table"
    )]
    Inline,
    /// The entries of the text are not those of the baseline.
    #[error("the file has changed since it was read: the entry for {0} is missing")]
    Other(CheckLocation),
}

/// Lists what is new, and brings what has changed up to date; gives the new text and what was done.
pub fn accept(
    text: &str,
    baseline: &Baseline,
    judged: &Judged,
    terms: &Terms,
) -> Result<(String, Vec<Change>), EditError> {
    let mut document = Document::parse(text)?;
    let mut changes = Vec::new();
    for listed in &judged.changed {
        let table = document.table(baseline, &listed.entry)?;
        set(table, "fingerprint", listed.failure.fingerprint.as_str().into());
        changes.push(Change::Refreshed(listed.clone()));
    }
    let over = |listed: &&Listed| listed.entry.has_expired(terms.today);
    for Listed { entry, .. } in judged.expired.iter().chain(judged.changed.iter().filter(over)) {
        changes.push(match terms.expires {
            Some(day) => {
                set(document.table(baseline, entry)?, "expires", toml_day(day));
                Change::Extended(entry.place.clone(), day)
            }
            None => Change::LeftExpired(entry.clone()),
        });
    }
    for failure in &judged.new {
        document.append(table_for(failure, terms))?;
        changes.push(Change::Added(failure.clone()));
    }
    Ok((document.text(), changes))
}

/// Removes what no longer fails; gives the new text and what was done.
pub fn prune(text: &str, baseline: &Baseline, judged: &Judged) -> Result<(String, Vec<Change>), EditError> {
    let mut document = Document::parse(text)?;
    let mut gone = Vec::new();
    for entry in &judged.gone {
        gone.push((document.place(baseline, entry)?, entry));
    }
    // From the last to the first, so that the places of the others stay what they are.
    gone.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, _) in &gone {
        document.remove(*at)?;
    }
    let removed = judged.gone.iter().cloned().map(Change::Removed);
    Ok((document.text(), removed.collect()))
}

/// The file as it is written.
struct Document(DocumentMut);

impl Document {
    fn parse(text: &str) -> Result<Self, EditError> {
        Ok(Self(text.parse()?))
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn entries(&mut self) -> Result<&mut ArrayOfTables, EditError> {
        let none = || Item::ArrayOfTables(ArrayOfTables::new());
        let known = self.0.entry("known").or_insert_with(none);
        known.as_array_of_tables_mut().ok_or(EditError::Inline)
    }

    /// At which place an entry stands: both hold them in the order of the file.
    fn place(&mut self, baseline: &Baseline, entry: &BaselineEntry) -> Result<usize, EditError> {
        let at = baseline.entries.iter().position(|other| other == entry);
        let count = self.entries()?.len();
        at.filter(|at| *at < count)
            .ok_or_else(|| EditError::Other(entry.place.clone()))
    }

    fn table(&mut self, baseline: &Baseline, entry: &BaselineEntry) -> Result<&mut Table, EditError> {
        let at = self.place(baseline, entry)?;
        let missing = || EditError::Other(entry.place.clone());
        self.entries()?.get_mut(at).ok_or_else(missing)
    }

    /// Adds an entry after everything that is there, comments at the end included.
    fn append(&mut self, mut table: Table) -> Result<(), EditError> {
        let end = self.0.trailing().as_str().unwrap_or_default().to_owned();
        let line = if end.is_empty() || end.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        table.decor_mut().set_prefix(format!("{end}{line}\n"));
        self.entries()?.push(table);
        self.0.set_trailing("");
        Ok(())
    }

    /// Takes an entry away with the comment right above it; what stands apart from it, as the head of the file does, stays.
    fn remove(&mut self, at: usize) -> Result<(), EditError> {
        let entries = self.entries()?;
        let removed = entries.remove(at);
        let kept = apart(prefix(&removed));
        if kept.is_empty() {
            return Ok(());
        }
        if let Some(next) = entries.get_mut(at) {
            let joined = format!("{kept}{}", prefix(next).trim_start_matches(['\r', '\n']));
            next.decor_mut().set_prefix(joined);
        } else {
            let end = self.0.trailing().as_str().unwrap_or_default();
            let joined = format!("{kept}{}", end.trim_start_matches(['\r', '\n']));
            self.0.set_trailing(joined);
        }
        Ok(())
    }
}

fn prefix(table: &Table) -> &str {
    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
    prefix.unwrap_or_default()
}

/// What of the lines above an entry is parted from it by an empty one, with that one; nothing where that is no comment.
fn apart(above: &str) -> &str {
    let mut end = 0;
    let mut at = 0;
    for line in above.split_inclusive('\n') {
        at += line.len();
        if line.trim().is_empty() {
            end = at;
        }
    }
    let apart = &above[..end];
    if apart.trim().is_empty() { "" } else { apart }
}

fn table_for(failure: &Failure, terms: &Terms) -> Table {
    let CheckLocation {
        requirement,
        scenario,
    } = &failure.place;
    let mut table = Table::new();
    table.insert("id", value(requirement));
    table.insert("scenario", value(scenario));
    table.insert("fingerprint", value(Fingerprint::as_str(&failure.fingerprint)));
    table.insert("reason", value(terms.reason.as_deref().unwrap_or(NO_REASON)));
    if let Some(day) = terms.expires {
        table.insert("expires", Item::Value(toml_day(day)));
    }
    table
}

/// Sets a value; a comment beside it stays.
fn set(table: &mut Table, key: &str, mut new: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        None => drop(table.insert(key, Item::Value(new))),
    }
}

/// A day as TOML writes it, without quotes.
fn toml_day(day: Date) -> Value {
    let text = show_day(day);
    match text.parse::<Datetime>() {
        Ok(date) => date.into(),
        // A year beyond 9999, which TOML does not know.
        Err(_) => text.into(),
    }
}

#[cfg(test)]
mod tests;

//! What a baseline says to a run: which failures are known, and which entries have become wrong.

use serde::Serialize;
use serde::ser::Serializer;
use time::Date;

use super::file::{Baseline, BaselineEntry};
use super::findings::{CheckLocation, Failure, Finding, FindingOutcome};
use crate::fingerprint::Fingerprint;

/// An entry beside the failure that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The entry in the file.
    pub entry: BaselineEntry,
    /// As it was seen.
    pub failure: Failure,
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            #[serde(flatten)]
            entry: &'a BaselineEntry,
            message: &'a str,
            /// Only where it is another one than in the file.
            #[serde(skip_serializing_if = "Option::is_none")]
            now: Option<&'a Fingerprint>,
        }
        let now = &self.failure.fingerprint;
        let shown = Shown {
            entry: &self.entry,
            message: &self.failure.message,
            now: (*now != self.entry.fingerprint).then_some(now),
        };
        shown.serialize(serializer)
    }
}

/// An entry that a run says nothing about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotLookedAt {
    /// The entry in the file.
    #[serde(flatten)]
    pub entry: BaselineEntry,
    /// Why this run cannot tell whether it still fails.
    pub why: String,
}

/// What a baseline says to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// What the baseline's file is called.
    pub file: String,
    /// Fails as listed.
    pub known: Vec<Listed>,
    /// Fails and is not listed.
    pub new: Vec<Failure>,
    /// Is listed and fails no more.
    pub gone: Vec<BaselineEntry>,
    /// Is listed and fails in another way.
    pub changed: Vec<Listed>,
    /// Fails as listed, but was to be tolerated until a day that is over.
    pub expired: Vec<Listed>,
    /// Is listed and was not part of the run, or could not be decided there.
    pub not_looked_at: Vec<NotLookedAt>,
}

/// What a baseline says to one failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing<'a> {
    /// It is listed.
    Known(&'a BaselineEntry),
    /// It is not.
    New,
    /// It is listed with another fingerprint.
    Changed(&'a BaselineEntry),
    /// It was listed until a day that is over.
    Expired(&'a BaselineEntry),
}

impl Listing<'_> {
    /// Whether it is listed as it was seen.
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }
}

impl Baseline {
    /// Holds the findings of a run that began on this day against the entries.
    pub fn judge(&self, findings: &[Finding], today: Date) -> Judged {
        let mut judged = Judged {
            file: self.file.clone(),
            known: Vec::new(),
            new: self.unlisted(findings),
            gone: Vec::new(),
            changed: Vec::new(),
            expired: Vec::new(),
            not_looked_at: Vec::new(),
        };
        for entry in &self.entries {
            let as_listed = failures(findings).find(|failure| entry.is_about(failure));
            match as_listed {
                Some(failure) => {
                    let listed = Listed {
                        entry: entry.clone(),
                        failure: failure.clone(),
                    };
                    if entry.has_expired(today) {
                        judged.expired.push(listed);
                    } else {
                        judged.known.push(listed);
                    }
                }
                None => judged.record_unmatched(entry, findings),
            }
        }
        judged
    }

    /// The failures that no entry is about, each once.
    fn unlisted(&self, findings: &[Finding]) -> Vec<Failure> {
        let mut unlisted: Vec<Failure> = Vec::new();
        for failure in failures(findings) {
            let same = |other: &Failure| {
                (&other.place, &other.fingerprint) == (&failure.place, &failure.fingerprint)
            };
            if !self.entries.iter().any(|entry| entry.is_about(failure)) && !unlisted.iter().any(same) {
                unlisted.push(failure.clone());
            }
        }
        unlisted
    }
}

impl Judged {
    /// Sorts in an entry that no failure of the run matches: it fails in another way now, was not run, or is gone.
    fn record_unmatched(&mut self, entry: &BaselineEntry, findings: &[Finding]) {
        // What fails there without being listed is what has become of it; each failure is taken once.
        let instead = self.new.iter().position(|failure| failure.place == entry.place);
        if let Some(instead) = instead {
            self.changed.push(Listed {
                entry: entry.clone(),
                failure: self.new.remove(instead),
            });
        } else if let Some(why) = not_looked_at(&entry.place, findings) {
            self.not_looked_at.push(NotLookedAt {
                entry: entry.clone(),
                why,
            });
        } else {
            self.gone.push(entry.clone());
        }
    }

    /// Whether something fails that is not known.
    pub fn has_failures(&self) -> bool {
        !(self.new.is_empty() && self.changed.is_empty() && self.expired.is_empty())
    }

    /// Whether an entry has become wrong, which fails the run so that the file gets mended.
    pub fn is_stale(&self) -> bool {
        !(self.gone.is_empty() && self.changed.is_empty() && self.expired.is_empty())
    }

    /// What the baseline says to a failure of this run.
    pub fn listed(&self, failure: &Failure) -> Listing<'_> {
        if let Some(entry) = find(&self.known, failure) {
            Listing::Known(entry)
        } else if let Some(entry) = find(&self.changed, failure) {
            Listing::Changed(entry)
        } else if let Some(entry) = find(&self.expired, failure) {
            Listing::Expired(entry)
        } else {
            Listing::New
        }
    }
}

/// The entry that stands beside this failure.
fn find<'a>(listed: &'a [Listed], failure: &Failure) -> Option<&'a BaselineEntry> {
    let place = |one: &&Listed| one.failure.place == failure.place;
    let mut there = listed.iter().filter(place);
    there
        .find(|one| one.failure.fingerprint == failure.fingerprint)
        .map(|one| &one.entry)
}

fn failures(findings: &[Finding]) -> impl Iterator<Item = &Failure> {
    findings.iter().filter_map(|finding| match &finding.outcome {
        FindingOutcome::Fail(failure) => Some(failure),
        FindingOutcome::Pass | FindingOutcome::Warning | FindingOutcome::Undecided(_) => None,
    })
}

/// Why it cannot be told from these findings that a failure is gone, if so.
fn not_looked_at(place: &CheckLocation, findings: &[Finding]) -> Option<String> {
    let mut there = findings
        .iter()
        .filter(|finding| finding.place == *place)
        .peekable();
    if there.peek().is_none() {
        return Some("it was not part of this run".to_owned());
    }
    let mut passes = true;
    for finding in there {
        match &finding.outcome {
            FindingOutcome::Pass => {}
            FindingOutcome::Fail(_) => passes = false,
            FindingOutcome::Warning => return Some("without --strict it is only a warning".to_owned()),
            FindingOutcome::Undecided(why) => return Some(why.clone()),
        }
    }
    // Where it still fails in other ways, this one would have shown too, had the story got to its end.
    let broke_off = |finding: &Finding| match &finding.outcome {
        FindingOutcome::Pass | FindingOutcome::Warning => false,
        FindingOutcome::Fail(failure) => failure.blocked,
        FindingOutcome::Undecided(_) => true,
    };
    let of_scenario = |finding: &&Finding| finding.place.scenario == place.scenario;
    (!passes && findings.iter().filter(of_scenario).any(broke_off))
        .then(|| "the scenario did not get to its end".to_owned())
}

#[cfg(test)]
mod tests;

//! The file of known failures: reading it, and everything that may be wrong with it.

use std::io;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use time::Date;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use toml::Spanned;
use toml::value::Datetime;

use super::findings::{CheckLocation, Failure};
use crate::contract::Contract;
use crate::fingerprint::Fingerprint;
use crate::plan::{did_you_mean, near};
use crate::scenarios::Scenario;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// One known failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaselineEntry {
    /// Where it fails.
    #[serde(flatten)]
    pub place: CheckLocation,
    /// How it fails.
    pub fingerprint: Fingerprint,
    /// Why it is tolerated: a sentence or a link.
    pub reason: String,
    /// The last day on which it is tolerated, in UTC; for ever without one.
    #[serde(serialize_with = "write_day", skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

impl BaselineEntry {
    /// Whether this failure is the one that is meant.
    pub fn is_about(&self, failure: &Failure) -> bool {
        self.place == failure.place && self.fingerprint == failure.fingerprint
    }

    /// Whether the last day is over.
    pub fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

/// The known failures of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// What the file is called.
    pub file: String,
    /// In the order of the file.
    pub entries: Vec<BaselineEntry>,
}

/// What is wrong with a baseline file.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// There is none.
    #[error(
        "baseline {file}: there is no such file; write it with: chatspec baseline accept REPORT.json --baseline {file}"
    )]
    Absent {
        /// Path of the baseline.
        file: String,
    },
    /// It cannot be read.
    #[error("baseline {file}: {source}")]
    Read {
        /// Path of the baseline.
        file: String,
        /// The error of the file system.
        source: io::Error,
    },
    /// It is no TOML, or has keys or values that a baseline has not; the text shows the line.
    #[error("baseline {file} is not valid:\n{why}")]
    Invalid {
        /// Path of the baseline.
        file: String,
        /// The line and what is wrong in it.
        why: String,
    },
    /// An entry is about nothing that the kit looks at, or stands there twice.
    #[error("baseline {file}, line {line}: {wrong}")]
    BaselineEntry {
        /// Path of the baseline.
        file: String,
        /// Number of the line, from 1 on.
        line: usize,
        /// What is wrong with the entry.
        wrong: WrongEntry,
    },
}

/// What is wrong with an entry.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum WrongEntry {
    /// The contract has no such requirement.
    #[error("no requirement has the id {id}{}", did_you_mean(.near))]
    Requirement {
        /// The id as it is in the file.
        id: String,
        /// Ids that are spelt alike.
        near: Vec<String>,
    },
    /// The kit has no such scenario.
    #[error("no scenario has the id {id}{}", did_you_mean(.near))]
    Scenario {
        /// The id as it is in the file.
        id: String,
        /// Ids that are spelt alike.
        near: Vec<String>,
    },
    /// That requirement cannot fail in that scenario.
    #[error("{scenario} does not check {requirement}; see chatspec explain {requirement}")]
    Elsewhere {
        /// The requirement.
        requirement: String,
        /// The scenario.
        scenario: String,
    },
    /// The same failure is listed twice.
    #[error(
        "{place} with the fingerprint {fingerprint} is already listed in line {first}: remove one of the two"
    )]
    Twice {
        /// Where it fails.
        place: CheckLocation,
        /// How it fails.
        fingerprint: Fingerprint,
        /// The line of the first.
        first: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Known>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    id: Spanned<String>,
    scenario: Spanned<String>,
    fingerprint: Fingerprint,
    reason: Reason,
    #[serde(default, deserialize_with = "read_day")]
    expires: Option<Date>,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Reason(String);

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.trim().is_empty() {
            Err("the reason is empty: say why this is tolerated, or where that is discussed")
        } else {
            Ok(Self(text))
        }
    }
}

impl Baseline {
    /// Reads the file and sees whether its entries can be about anything.
    pub fn read(
        path: &Path,
        contract: &Contract,
        scenarios: &[&'static Scenario],
    ) -> Result<Self, BaselineError> {
        let file = path.display().to_string();
        Self::parse(&read_text(path)?, &file, contract, scenarios)
    }

    /// Takes the entries from a text; `file` is what to call it.
    pub fn parse(
        text: &str,
        file: &str,
        contract: &Contract,
        scenarios: &[&'static Scenario],
    ) -> Result<Self, BaselineError> {
        let File { known } = toml::from_str(text).map_err(|error| BaselineError::Invalid {
            file: file.to_owned(),
            why: error.to_string().trim_end().to_owned(),
        })?;
        let mut baseline = Self {
            file: file.to_owned(),
            entries: Vec::new(),
        };
        let mut lines = Vec::new();
        for known in known {
            let at = |start: usize| text[..start].matches('\n').count() + 1;
            let wrong = |line, wrong| BaselineError::BaselineEntry {
                file: file.to_owned(),
                line,
                wrong,
            };
            let line = at(known.id.span().start);
            check_requirement(known.id.as_ref(), contract).map_err(|why| wrong(line, why))?;
            check_scenario(known.id.as_ref(), known.scenario.as_ref(), contract, scenarios)
                .map_err(|why| wrong(at(known.scenario.span().start), why))?;
            let entry = BaselineEntry::from(known);
            let same = |other: &BaselineEntry| {
                (&other.place, &other.fingerprint) == (&entry.place, &entry.fingerprint)
            };
            if let Some(first) = baseline.entries.iter().position(same) {
                let twice = WrongEntry::Twice {
                    place: entry.place,
                    fingerprint: entry.fingerprint,
                    first: lines[first],
                };
                return Err(wrong(line, twice));
            }
            baseline.entries.push(entry);
            lines.push(line);
        }
        Ok(baseline)
    }
}

/// The text of the file.
pub fn read_text(path: &Path) -> Result<String, BaselineError> {
    let file = path.display().to_string();
    std::fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => BaselineError::Absent { file },
        _ => BaselineError::Read { file, source },
    })
}

impl From<Known> for BaselineEntry {
    fn from(known: Known) -> Self {
        Self {
            place: CheckLocation {
                requirement: known.id.into_inner(),
                scenario: known.scenario.into_inner(),
            },
            fingerprint: known.fingerprint,
            reason: known.reason.0,
            expires: known.expires,
        }
    }
}

fn check_requirement(id: &str, contract: &Contract) -> Result<(), WrongEntry> {
    if contract.requirement(id).is_some() {
        return Ok(());
    }
    let mut near = near(id, contract, &[]);
    near.retain(|id| contract.requirement(id).is_some());
    Err(WrongEntry::Requirement {
        id: id.to_owned(),
        near,
    })
}

fn check_scenario(
    requirement: &str,
    id: &str,
    contract: &Contract,
    scenarios: &[&'static Scenario],
) -> Result<(), WrongEntry> {
    match scenarios.iter().find(|scenario| scenario.id == id) {
        Some(scenario) if scenario.requirements.contains(&requirement) => Ok(()),
        Some(_) => Err(WrongEntry::Elsewhere {
            requirement: requirement.to_owned(),
            scenario: id.to_owned(),
        }),
        None => {
            let mut near = near(id, contract, scenarios);
            near.retain(|id| id.contains('/'));
            Err(WrongEntry::Scenario {
                id: id.to_owned(),
                near,
            })
        }
    }
}

/// A day written as 2026-12-31.
pub fn parse_day(text: &str) -> Option<Date> {
    Date::parse(text, DAY).ok()
}

/// A day as 2026-12-31.
pub fn show_day(day: Date) -> String {
    // It only fails for formats with a time in them.
    day.format(DAY).unwrap_or_else(|_| day.to_string())
}

fn read_day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    // It may stand in quotes as well as without; a time of day has no meaning here.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Date(Datetime),
        Text(String),
    }
    let text = match Written::deserialize(from) {
        Ok(Written::Date(date)) => date.to_string(),
        Ok(Written::Text(text)) => text,
        Err(_) => "this".to_owned(),
    };
    let day = parse_day(&text);
    let wrong = || serde::de::Error::custom(format!("{text} is no date: write it as 2026-12-31"));
    day.map(Some).ok_or_else(wrong)
}

#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over like that"
)]
fn write_day<S: Serializer>(day: &Option<Date>, to: S) -> Result<S::Ok, S::Error> {
    day.map(show_day).serialize(to)
}

#[cfg(test)]
mod tests;

//! Reports side by side: a table of requirements and implementations.
//!
//! What a report did not look at is shown as that, and never as passed.
//!
//! - `names`: what the columns are called
//! - `text`, `markdown`, `html`, `json`: for terminals, for wikis and pull requests, for a web page, for machines

mod html;
mod json;
mod markdown;
mod names;
mod text;

pub use html::write as html;
pub use json::{SCHEMA, write as json};
pub use markdown::write as markdown;
pub use text::write as text;

use serde::Serialize;

use super::common::{About, LimitsDiffer, OtherProtocol, limits, protocol, requirements};
use crate::contract::Contract;
use crate::saved::{Saved, SavedRequirement};
use crate::verdict::{Level, Verdict};

/// The table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The protocol version of all reports.
    pub protocol: String,
    /// The reports, as they were given.
    pub columns: Vec<Column>,
    /// The limits by which the targets were not judged alike.
    pub limits: Vec<LimitsDiffer>,
    /// The requirements by area, in the order of the contract.
    pub areas: Vec<Area>,
    /// How many have which verdict.
    pub counts: Vec<Count>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// What tells it from all others.
    pub name: String,
    /// What else to know about it.
    #[serde(flatten)]
    pub about: About,
}

/// The requirements of one area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Area {
    /// As in `rooms`; none for what this kit does not know.
    pub id: Option<String>,
    /// For people.
    pub title: String,
    /// Its requirements.
    pub requirements: Vec<Row>,
}

/// A requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// As in `MSG-02`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What is required; nothing where this kit does not know it.
    pub statement: String,
    /// What each report says of it.
    pub cells: Vec<Cell>,
}

/// What one report says of one requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Its verdict; none where the report did not look at it.
    pub verdict: Option<Verdict>,
    /// Why it does not pass, or was not looked at.
    pub reason: Option<String>,
}

/// How many requirements of a level have a verdict in each report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Which level.
    pub level: Level,
    /// Which verdict; none for what was not looked at.
    pub verdict: Option<Verdict>,
    /// How many in each report.
    pub counts: Vec<usize>,
}

impl Matrix {
    /// Sets reports side by side.
    pub fn of(reports: &[Saved], contract: &Contract) -> Result<Self, OtherProtocol> {
        let reports: Vec<&Saved> = reports.iter().collect();
        let protocol = protocol(&reports)?;
        let mut areas: Vec<Area> = Vec::new();
        for described in requirements(&reports, contract) {
            let row = Row {
                cells: reports
                    .iter()
                    .map(|report| Cell::of(report, &described.id))
                    .collect(),
                id: described.id,
                level: described.level,
                statement: described.statement,
            };
            match areas.last_mut() {
                Some(area) if area.id == described.area => area.requirements.push(row),
                _ => areas.push(Area::of(described.area, row, contract)),
            }
        }
        let names = names::of(&reports);
        let columns = names.into_iter().zip(&reports).map(|(name, report)| Column {
            name,
            about: About::of(report),
        });
        Ok(Self {
            protocol,
            columns: columns.collect(),
            limits: limits(&reports),
            counts: counts(&areas, reports.len()),
            areas,
        })
    }
}

impl Area {
    fn of(id: Option<String>, row: Row, contract: &Contract) -> Self {
        let known = id.as_ref().and_then(|id| contract.area(id));
        let title = known.map_or("Unknown to this chatspec", |area| &area.title);
        Self {
            title: title.to_owned(),
            id,
            requirements: vec![row],
        }
    }
}

impl Cell {
    fn of(report: &Saved, id: &str) -> Self {
        match report.look(id) {
            Ok(SavedRequirement { verdict, reason, .. }) => Self {
                verdict: Some(*verdict),
                reason: reason.clone().filter(|_| *verdict != Verdict::Pass),
            },
            Err(why) => Self {
                verdict: None,
                reason: Some(why.to_string()),
            },
        }
    }

    /// What is written for a verdict, or for there being none.
    const fn word(verdict: Option<Verdict>) -> &'static str {
        match verdict {
            Some(verdict) => verdict.word(),
            None => "not looked at",
        }
    }
}

/// The sums of the table. What is nowhere is left out, except passes: that there are none is worth knowing.
fn counts(areas: &[Area], columns: usize) -> Vec<Count> {
    let rows = || areas.iter().flat_map(|area| &area.requirements);
    let mut all = Vec::new();
    for level in [Level::Must, Level::Should, Level::May] {
        let of_level = || rows().filter(|row| row.level == level);
        for verdict in Verdict::ALL.map(Some).into_iter().chain([None]) {
            let count = |column: usize| {
                of_level()
                    .filter(|row| row.cells.get(column).is_some_and(|cell| cell.verdict == verdict))
                    .count()
            };
            let counts: Vec<usize> = (0..columns).map(count).collect();
            let passes = verdict == Some(Verdict::Pass) && of_level().next().is_some();
            if passes || counts.iter().any(|n| *n > 0) {
                all.push(Count {
                    level,
                    verdict,
                    counts,
                });
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;

//! What every comparison tells: which reports it is about, in which order their requirements come, and how verdicts look.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, UtcOffset};

use crate::contract::Contract;
use crate::contract::set::DEFAULT;
use crate::report::markdown::quote;
use crate::saved::Saved;
use crate::text::{brief, one_line};
use crate::verdict::Level;

/// What stands for a requirement that was not looked at.
pub(super) const UNSEEN: &str = "-";

/// A report, as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Where it was read from.
    pub file: String,
    /// What its target is called.
    pub target: String,
    /// The version of the kit that wrote it.
    pub kit: String,
    /// The requirement set that counted; nothing where the report does not say.
    pub set: String,
    /// When its run began.
    pub started_at: String,
    /// Whether its run was cut short.
    pub interrupted: bool,
    /// How many requirements `--quick` has left out.
    pub left_out: usize,
}

impl About {
    pub(super) fn of(report: &Saved) -> Self {
        Self {
            file: report.file.clone(),
            target: report.target.name.clone(),
            kit: report.kit.version.clone(),
            set: report.set.clone(),
            started_at: report.started_at.clone(),
            interrupted: report.interrupted,
            left_out: report.left_out.len(),
        }
    }

    /// What there is to say beside its name, fit to be shown.
    pub(super) fn details(&self) -> String {
        let kit = match self.kit.as_str() {
            "" => String::new(),
            version => format!("chatspec {}", one_line(version)),
        };
        let set = match self.set.as_str() {
            "" | DEFAULT => String::new(),
            other => format!("held to the requirement set {}", brief(other)),
        };
        let left_out = match self.left_out {
            0 => String::new(),
            n => format!("{n} left out by --quick"),
        };
        let interrupted = if self.interrupted { "interrupted" } else { "" };
        let parts = [
            brief(&self.file),
            when(&self.started_at),
            kit,
            set,
            left_out,
            interrupted.to_owned(),
        ];
        let told: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        told.join(", ")
    }
}

/// A time to the minute; one that is none as it stands.
fn when(timestamp: &str) -> String {
    let minute = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let parsed = OffsetDateTime::parse(timestamp, &Rfc3339).ok();
    let shown = parsed.and_then(|time| time.checked_to_offset(UtcOffset::UTC)?.format(minute).ok());
    shown.unwrap_or_else(|| brief(timestamp))
}

/// A text from a report in Markdown, cut where it gets long; nothing where there is none.
pub(super) fn code(text: &str) -> String {
    quote::code(&brief(text))
}

/// Reports that cannot be compared, since they are about different promises.
#[derive(Debug, PartialEq, Eq, Error)]
#[error(
    "the reports are of different protocol versions, {versions}, which promise different things: write all of them with \
     the same chatspec"
)]
pub struct OtherProtocol {
    /// Which report is of which version.
    pub versions: String,
}

/// The protocol version that all have.
pub(super) fn protocol(reports: &[&Saved]) -> Result<String, OtherProtocol> {
    let versions: BTreeSet<&str> = reports.iter().map(|report| report.protocol.as_str()).collect();
    if versions.len() > 1 {
        let told = |report: &&Saved| format!("{} ({})", brief(&report.protocol), report.file);
        let told: Vec<String> = reports.iter().map(told).collect();
        return Err(OtherProtocol {
            versions: told.join(", "),
        });
    }
    Ok(versions.into_iter().next().unwrap_or_default().to_owned())
}

/// A limit by which not all targets were judged alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitsDiffer {
    /// Its key in target files.
    pub limit: String,
    /// What it was in each report; none where the report does not say.
    pub values: Vec<Option<Value>>,
}

impl LimitsDiffer {
    /// As `rate_max 10, 5, not told`, fit to be shown.
    pub(super) fn describe(&self, between: &str) -> String {
        let value = |value: &Option<Value>| {
            let value = value.as_ref().map(|value| brief(&value.to_string()));
            value.unwrap_or_else(|| "not told".to_owned())
        };
        let values: Vec<String> = self.values.iter().map(value).collect();
        format!("{} {}", brief(&self.limit), values.join(between))
    }
}

/// The limits that differ, by key. A report without any is of a kit that did not tell them.
pub(super) fn limits(reports: &[&Saved]) -> Vec<LimitsDiffer> {
    let keys: BTreeSet<&String> = reports.iter().flat_map(|r| r.target.limits.keys()).collect();
    let of_key = |key: &String| LimitsDiffer {
        limit: key.clone(),
        values: reports
            .iter()
            .map(|r| r.target.limits.get(key).cloned())
            .collect(),
    };
    keys.into_iter()
        .map(of_key)
        .filter(|limit| limit.values.windows(2).any(|pair| pair[0] != pair[1]))
        .collect()
}

/// A requirement as the contract describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// As in `MSG-02`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The area it belongs to; none where this kit does not know it.
    pub area: Option<String>,
    /// What is required; nothing where this kit does not know it.
    pub statement: String,
}

/// Every requirement of any of the reports, in the order of the contract; those that it does not know come last.
pub(super) fn requirements(reports: &[&Saved], contract: &Contract) -> Vec<Described> {
    let mut levels: BTreeMap<&str, Level> = BTreeMap::new();
    for requirement in reports.iter().flat_map(|report| &report.requirements) {
        levels.entry(&requirement.id).or_insert(requirement.level);
    }
    let mut described: Vec<Described> = Vec::new();
    for known in &contract.requirements {
        if let Some(level) = levels.remove(known.id.as_str()) {
            described.push(Described {
                id: known.id.clone(),
                level,
                area: Some(known.area.clone()),
                statement: known.statement.clone(),
            });
        }
    }
    described.extend(levels.into_iter().map(|(id, level)| Described {
        id: id.to_owned(),
        level,
        area: None,
        statement: String::new(),
    }));
    described
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::compare::sample::{SampleCheck, named, report};
    use crate::verdict::Verdict;

    #[test]
    fn reports_of_different_protocols_are_refused_by_name() {
        let (one, mut other) = (named("one.json", "x", &[]), named("other.json", "x", &[]));
        assert_eq!(protocol(&[&one, &other]), Ok("1.0".to_owned()));
        other.protocol = "2.0".to_owned();
        let told = protocol(&[&one, &other]).unwrap_err().to_string();
        assert!(
            told.contains("1.0 (one.json), 2.0 (other.json)") && told.contains("same chatspec"),
            "{told}"
        );
    }

    #[test]
    fn times_are_told_to_the_minute_and_what_is_none_is_shown() {
        assert_eq!(when("2026-01-02T03:04:05.678+02:00"), "2026-01-02 01:04 UTC");
        assert_eq!(when("at \u{1b} noon"), r"at \u{1b} noon");
        assert_eq!(when(""), "");
        assert!(when("9999-12-31T23:59:59-23:59").starts_with("9999"));
    }

    #[test]
    fn only_limits_that_differ_are_told() {
        let one = report(&[]);
        let mut other = one.clone();
        assert_eq!(limits(&[&one, &other]), []);
        other.target.limits.insert("rate_max".to_owned(), json!(5));
        other.target.limits.insert("new".to_owned(), json!(1));
        let told: Vec<String> = limits(&[&one, &other])
            .iter()
            .map(|l| l.describe(" → "))
            .collect();
        assert_eq!(told, ["new not told → 1", "rate_max 10 → 5"]);
    }

    #[test]
    fn requirements_come_in_the_order_of_the_contract() {
        let one = report(&[
            SampleCheck::must("Z-01", Verdict::Pass),
            SampleCheck::must("Y-01", Verdict::Pass),
        ]);
        let other = report(&[
            SampleCheck::must("A-01", Verdict::Pass),
            SampleCheck::should("X-02", Verdict::Pass),
        ]);
        let told = requirements(&[&one, &other], &Contract::for_test());
        let ids: Vec<&str> = told.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(ids, ["X-02", "Y-01", "A-01", "Z-01"]);
        assert_eq!(told[0].statement, "What X-02 asks for.");
        assert_eq!((told[3].area.as_deref(), told[3].statement.as_str()), (None, ""));
    }
}

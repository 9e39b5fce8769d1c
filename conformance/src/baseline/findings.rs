//! What a run says about each requirement in each scenario, as far as a baseline cares: taken from the run itself, or
//! from its JSON report.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use thiserror::Error;

use super::fingerprint::Fingerprint;
use crate::report::saved::{ReportError, Saved, SavedCheck};
use crate::result::{RequirementResult, RunResult};
use crate::verdict::{Check, Level, Unverified, Verdict};

/// A requirement in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Id of the requirement, as in `MSG-02`.
    pub requirement: String,
    /// Id of the scenario, as in `messages/send-and-broadcast`.
    pub scenario: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.requirement, self.scenario)
    }
}

/// What fails a run for as long as no baseline lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// How it differs from others.
    pub fingerprint: Fingerprint,
    /// What was expected, and what was seen instead.
    pub message: String,
    /// Whether it is a MUST that could not be looked at because a step before it did not work.
    #[serde(skip)]
    pub blocked: bool,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not, or was blocked.
    Fail(Failure),
    /// It does not, which is no failure without `--strict`.
    Warning,
    /// It cannot be told, and why.
    Undecided(String),
}

/// What one check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub outcome: Outcome,
}

/// What a run says.
pub fn of_run(run: &RunResult) -> Vec<Finding> {
    let of_requirement = |requirement| move |check| of_check(run, requirement, check);
    run.requirements
        .iter()
        .flat_map(|requirement| requirement.checks.iter().map(of_requirement(requirement)))
        .collect()
}

/// What a check of a run says.
pub fn of_check(run: &RunResult, requirement: &RequirementResult, check: &Check) -> Finding {
    let place = Place {
        requirement: check.requirement.clone(),
        scenario: check.scenario.clone(),
    };
    let message = check.message.clone().unwrap_or_default();
    let failure = |message: String, blocked| Failure {
        fingerprint: run.fingerprints.of(&place.requirement, &place.scenario, &message),
        place: place.clone(),
        message,
        blocked,
    };
    let outcome = match check.verdict {
        Verdict::Pass => Outcome::Pass,
        Verdict::Fail => Outcome::Fail(failure(message, false)),
        Verdict::Warn => Outcome::Warning,
        Verdict::Unverified if blocks(run, requirement, check) => Outcome::Fail(failure(message, true)),
        Verdict::Unverified | Verdict::Inconclusive | Verdict::Harness => Outcome::Undecided(message),
    };
    Finding { place, outcome }
}

/// The fingerprint of a check that fails its run, unless a baseline lists it.
pub fn fingerprint(run: &RunResult, requirement: &RequirementResult, check: &Check) -> Option<Fingerprint> {
    match of_check(run, requirement, check).outcome {
        Outcome::Fail(failure) => Some(failure.fingerprint),
        Outcome::Pass | Outcome::Warning | Outcome::Undecided(_) => None,
    }
}

/// Whether what blocked this check fails the run. What a run that was cut short did not get to is nobody's failure.
fn blocks(run: &RunResult, requirement: &RequirementResult, check: &Check) -> bool {
    let cut_short = run.interrupted || run.lost.is_some();
    let fails = requirement.verdict == Verdict::Fail || requirement.blocked;
    check.unverified == Some(Unverified::Blocked) && requirement.level == Level::Must && fails && !cut_short
}

/// Why a report does not say what fails.
#[derive(Debug, Error)]
pub enum FindingsError {
    /// There is none.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// It comes from a kit that knew no baselines.
    #[error(
        "report {file} has no fingerprints: it was written by an older chatspec; run it again with this one"
    )]
    NoFingerprints {
        /// Which file.
        file: String,
    },
}

/// What a JSON report says about its run; `-` is standard input.
pub fn of_report(path: &Path) -> Result<Vec<Finding>, FindingsError> {
    of_saved(Saved::read(path)?)
}

fn of_saved(report: Saved) -> Result<Vec<Finding>, FindingsError> {
    let mut findings = Vec::new();
    for requirement in report.requirements {
        for check in requirement.checks {
            let place = Place {
                requirement: requirement.id.clone(),
                scenario: check.scenario.clone(),
            };
            let outcome = outcome(check, &place).ok_or_else(|| FindingsError::NoFingerprints {
                file: report.file.clone(),
            })?;
            findings.push(Finding { place, outcome });
        }
    }
    Ok(findings)
}

/// What a check says; nothing if it failed and has no fingerprint.
fn outcome(check: SavedCheck, place: &Place) -> Option<Outcome> {
    Some(match (check.verdict, check.fingerprint) {
        (Verdict::Pass, _) => Outcome::Pass,
        (verdict, Some(fingerprint)) => Outcome::Fail(Failure {
            place: place.clone(),
            fingerprint,
            message: check.message,
            blocked: verdict == Verdict::Unverified,
        }),
        (Verdict::Fail, None) => return None,
        (Verdict::Warn, None) => Outcome::Warning,
        (_, None) => Outcome::Undecided(check.message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};
    use crate::verdict::Check;

    #[test]
    fn a_run_and_its_report_say_the_same() {
        let run = sample::result();
        let report = json::document(&run).to_string();
        let of_run: Vec<Finding> = of_run(&run)
            .into_iter()
            // The report leaves out what passes beside what does not.
            .filter(|finding| finding.outcome != Outcome::Pass)
            .collect();
        let saved = Saved::parse(report.as_bytes(), "out.json").unwrap();
        assert_eq!(of_saved(saved).unwrap(), of_run);
        let failed = |finding: &&Finding| matches!(finding.outcome, Outcome::Fail(_));
        assert_eq!(of_run.iter().filter(failed).count(), 1, "a warning is no failure");
    }

    #[test]
    fn a_blocked_must_fails_unless_the_run_was_cut_short() {
        let blocked = Check::unverified("Y-01", "y/two", Unverified::Blocked, "blocked: joining");
        let mut run = (*sample::result()).clone();
        let mut requirement = run.requirements.remove(2);
        requirement.blocked = true;
        let outcome =
            |run: &RunResult, requirement: &RequirementResult| of_check(run, requirement, &blocked).outcome;
        assert!(matches!(
            outcome(&run, &requirement),
            Outcome::Fail(Failure { blocked: true, .. })
        ));
        let undecided = Outcome::Undecided("blocked: joining".to_owned());
        let mut interrupted = run.clone();
        interrupted.interrupted = true;
        assert_eq!(outcome(&interrupted, &requirement), undecided);
        let mut lost = run.clone();
        lost.lost = Some("it has crashed".to_owned());
        assert_eq!(outcome(&lost, &requirement), undecided);
        // Where something else decides the requirement, it fails the run or not for that.
        requirement.blocked = false;
        requirement.verdict = Verdict::Inconclusive;
        assert_eq!(outcome(&run, &requirement), undecided);
        requirement.verdict = Verdict::Fail;
        assert_ne!(outcome(&run, &requirement), undecided);
        requirement.level = Level::Should;
        assert_eq!(outcome(&run, &requirement), undecided);
    }

    #[test]
    fn a_report_without_fingerprints_is_told() {
        let old = json::document(&sample::result())
            .to_string()
            .replace("\"fingerprint\"", "\"other\"");
        let saved = Saved::parse(old.as_bytes(), "out.json").unwrap();
        let told = of_saved(saved).unwrap_err().to_string();
        assert!(
            told.contains("out.json") && told.contains("older chatspec"),
            "{told}"
        );
    }
}

//! What verdicts mean for a run, decided here for its exit code, for every report, for baselines and for comparisons.
//!
//! A run is red exactly when its exit code is not 0: a requirement's [`Standing`] fails it, or a [`Trouble`] that no
//! requirement shows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::baseline::{Baseline, CheckLocation, Failure, Finding, FindingOutcome, Judged};
use crate::fingerprint::Fingerprint;
use crate::result::{Exit, RequirementResult, RunResult};
use crate::verdict::{Check, Level, Verdict};

/// What a requirement means for its run. JSON reports have these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It holds.
    Pass,
    /// A SHOULD that does not hold, which fails nothing without `--strict`.
    Warning,
    /// Unverified, or too close to tell, which fails nothing.
    Undecided,
    /// It fails or is blocked, as the baseline lists it.
    Known,
    /// It fails.
    Failure,
    /// Not verified, which fails the run: a MUST that is blocked, a SHOULD under `--strict`, or any MUST under `--require-all`.
    Unproven,
    /// The kit is at fault, so that nothing is known about it.
    Fault,
}

impl Standing {
    /// What this requirement means for this run.
    pub fn of(run: &RunResult, requirement: &RequirementResult) -> Self {
        match requirement.verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Warn => Self::Warning,
            Verdict::Harness => Self::Fault,
            Verdict::Fail | Verdict::Unverified | Verdict::Inconclusive if is_known(run, requirement) => {
                Self::Known
            }
            Verdict::Fail => Self::Failure,
            Verdict::Unverified | Verdict::Inconclusive if is_unproven(run, requirement) => Self::Unproven,
            Verdict::Unverified | Verdict::Inconclusive => Self::Undecided,
        }
    }

    /// Whether the run fails for it.
    pub const fn fails_run(self) -> bool {
        matches!(self, Self::Failure | Self::Unproven | Self::Fault)
    }
}

/// What a run that was cut short did not get to is nobody's failure: the run itself tells it.
const fn cut_short(run: &RunResult) -> bool {
    run.interrupted || run.lost.is_some()
}

fn is_unproven(run: &RunResult, requirement: &RequirementResult) -> bool {
    let blocked = requirement
        .checks
        .iter()
        .any(|check| blocks(run, requirement, check));
    let asked_for = run.rules.require_all && requirement.level == Level::Must && !cut_short(run);
    blocked || asked_for
}

/// Whether what blocked this check fails the run.
fn blocks(run: &RunResult, requirement: &RequirementResult, check: &Check) -> bool {
    let binding = match requirement.level {
        Level::Must => true,
        Level::Should => run.rules.strict,
        Level::May => false,
    };
    let fails = requirement.verdict == Verdict::Fail || requirement.blocked;
    check.blocked().is_some() && binding && fails && !cut_short(run)
}

/// Whether something fails, and all that does is listed.
fn is_known(run: &RunResult, requirement: &RequirementResult) -> bool {
    let Some(judged) = &run.baseline else {
        return false;
    };
    let mut failures = failures(run, requirement).peekable();
    failures.peek().is_some() && failures.all(|failure| judged.listed(&failure).is_known())
}

fn failures(run: &RunResult, requirement: &RequirementResult) -> impl Iterator<Item = Failure> {
    let failure = |check| failure(run, requirement, check);
    requirement.checks.iter().filter_map(failure)
}

/// How a check fails its run, for as long as no baseline lists it.
pub fn failure(run: &RunResult, requirement: &RequirementResult, check: &Check) -> Option<Failure> {
    match finding(run, requirement, check).outcome {
        FindingOutcome::Fail(failure) => Some(failure),
        FindingOutcome::Pass | FindingOutcome::Warning | FindingOutcome::Undecided(_) => None,
    }
}

/// What a check says, as far as a baseline cares.
fn finding(run: &RunResult, requirement: &RequirementResult, check: &Check) -> Finding {
    let place = CheckLocation {
        requirement: check.requirement.clone(),
        scenario: check.scenario.clone(),
    };
    let message = check.message.clone().unwrap_or_default();
    let failure = |message: String, blocked| Failure {
        fingerprint: Fingerprint::of(check),
        place: place.clone(),
        message,
        blocked,
    };
    let outcome = match check.verdict {
        Verdict::Pass => FindingOutcome::Pass,
        Verdict::Fail => FindingOutcome::Fail(failure(message, false)),
        Verdict::Warn => FindingOutcome::Warning,
        Verdict::Unverified if blocks(run, requirement, check) => {
            FindingOutcome::Fail(failure(message, true))
        }
        Verdict::Unverified | Verdict::Inconclusive | Verdict::Harness => FindingOutcome::Undecided(message),
    };
    Finding { place, outcome }
}

/// What a run says about each requirement in each scenario.
pub fn findings(run: &RunResult) -> Vec<Finding> {
    let of = |requirement| move |check| finding(run, requirement, check);
    let requirements = run.requirements.iter();
    requirements
        .flat_map(|one| one.checks.iter().map(of(one)))
        .collect()
}

impl Baseline {
    /// The result of a run with what this baseline says to it, by which [`RunResult::exit`] then goes.
    #[must_use]
    pub fn apply(&self, run: &RunResult) -> Arc<RunResult> {
        Arc::new(RunResult {
            baseline: Some(self.judge(&findings(run), run.started_at.date())),
            ..run.clone()
        })
    }
}

impl RunResult {
    /// How the process ends.
    pub fn exit(&self) -> Exit {
        let has = |wanted: Standing| self.requirements.iter().any(|r| Standing::of(self, r) == wanted);
        if self.interrupted {
            Exit::Interrupted
        } else if has(Standing::Failure) {
            Exit::Fails
        } else if self.lost.is_some() || self.at_fault() {
            Exit::Fault
        } else if has(Standing::Unproven) || self.baseline.as_ref().is_some_and(Judged::is_stale) {
            Exit::Fails
        } else {
            Exit::Conforms
        }
    }
}

/// What fails a run beside its requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// It was cut short from outside.
    Interrupted,
    /// The target was given up, for this reason.
    Lost(&'a str),
    /// The kit is at fault in a scenario, and no requirement shows it.
    Kit {
        /// The scenario's id.
        scenario: &'static str,
        /// The reason, as a sentence for people.
        why: &'a str,
    },
    /// The baseline lists what no longer fails.
    Gone {
        /// What the baseline's file is called.
        file: &'a str,
        /// What is listed.
        place: &'a CheckLocation,
    },
}

impl Trouble<'_> {
    /// All that there is.
    pub fn of(run: &RunResult) -> Vec<Trouble<'_>> {
        let mut troubles = Vec::new();
        if run.interrupted {
            troubles.push(Trouble::Interrupted);
        }
        troubles.extend(run.lost.as_deref().map(Trouble::Lost));
        troubles.extend(faults(run));
        if let Some(judged) = &run.baseline {
            let file = &judged.file;
            troubles.extend(judged.gone.iter().map(|entry| Trouble::Gone {
                file,
                place: &entry.place,
            }));
        }
        troubles
    }

    /// Whether the run did not get to its end.
    pub const fn cuts_short(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Lost(_))
    }

    /// What it is about.
    pub fn subject(&self) -> String {
        match self {
            Self::Interrupted | Self::Lost(_) => "the run".to_owned(),
            Self::Kit { scenario, .. } => format!("the kit in {scenario}"),
            Self::Gone { file, place } => format!("{place} in {file}"),
        }
    }

    /// The trouble as a sentence for people.
    pub fn text(&self) -> String {
        match self {
            Self::Interrupted => "interrupted: this report is partial".to_owned(),
            Self::Lost(why) => format!("the target has stopped answering: {why}"),
            Self::Kit { why, .. } => format!("the kit is at fault: {why}"),
            Self::Gone { file, .. } => {
                format!("listed, but fails no more: chatspec baseline prune REPORT.json --baseline {file}")
            }
        }
    }
}

fn faults(run: &RunResult) -> impl Iterator<Item = Trouble<'_>> {
    let faulty = |check: &&Check| check.verdict == Verdict::Harness;
    let shown = move |scenario: &str| {
        let checks = run.requirements.iter().filter(|r| r.verdict == Verdict::Harness);
        checks
            .flat_map(|r| &r.checks)
            .filter(faulty)
            .any(|c| c.scenario == scenario)
    };
    let at_fault = run.scenarios.iter().filter(|s| s.verdict == Verdict::Harness);
    at_fault
        .filter(move |s| !shown(s.scenario.id) && !run.is_later(s.scenario))
        .map(move |result| {
            let check = || result.checks.iter().find(faulty)?.message.as_deref();
            Trouble::Kit {
                scenario: result.scenario.id,
                why: result
                    .message
                    .as_deref()
                    .or_else(check)
                    .unwrap_or("no reason given"),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};
    use crate::saved::Saved;
    use crate::verdict::Unverified;

    #[test]
    fn a_run_and_its_report_say_the_same() {
        let run = sample::result();
        let report = json::document(&run).to_string();
        // The report leaves out what passes beside what does not.
        let of_run: Vec<Finding> = findings(&run)
            .into_iter()
            .filter(|finding| finding.outcome != FindingOutcome::Pass)
            .collect();
        let saved = Saved::parse(report.as_bytes(), "out.json").unwrap();
        assert_eq!(saved.findings().unwrap(), of_run);
        let failed = |finding: &&Finding| matches!(finding.outcome, FindingOutcome::Fail(_));
        assert_eq!(of_run.iter().filter(failed).count(), 1, "a warning is no failure");
    }

    #[test]
    fn every_kind_of_run_stands_as_its_report_says() {
        for (what, run) in sample::variants() {
            let saved = Saved::parse(json::document(&run).to_string().as_bytes(), "out.json").unwrap();
            for requirement in &run.requirements {
                let told = saved.requirement(&requirement.id).unwrap().standing();
                assert_eq!(told, Standing::of(&run, requirement), "{what}");
            }
        }
    }

    #[test]
    fn a_blocked_must_fails_unless_the_run_was_cut_short() {
        let kind = Unverified::Blocked(Box::default());
        let blocked = Check::unverified("Y-01", "y/two", kind, "blocked: joining");
        let mut run = (*sample::result()).clone();
        let mut requirement = run.requirements.remove(2);
        requirement.blocked = true;
        let fails = |run: &RunResult, requirement: &RequirementResult| {
            failure(run, requirement, &blocked).map(|failure| failure.blocked)
        };
        assert_eq!(fails(&run, &requirement), Some(true));
        let mut interrupted = run.clone();
        interrupted.interrupted = true;
        assert_eq!(fails(&interrupted, &requirement), None);
        let mut lost = run.clone();
        lost.lost = Some("it has crashed".to_owned());
        assert_eq!(fails(&lost, &requirement), None);
        // Where something else decides the requirement, it fails the run or not for that.
        requirement.blocked = false;
        requirement.verdict = Verdict::Inconclusive;
        assert_eq!(fails(&run, &requirement), None);
        requirement.verdict = Verdict::Fail;
        assert_eq!(fails(&run, &requirement), Some(true));
    }

    #[test]
    fn a_blocked_should_fails_only_where_it_counts_as_a_must() {
        let mut run = (*sample::result()).clone();
        let mut requirement = run.requirements.remove(2);
        requirement.level = Level::Should;
        requirement.verdict = Verdict::Unverified;
        requirement.blocked = true;
        requirement.checks = vec![Check::unverified(
            "Y-01",
            "y/two",
            Unverified::Blocked(Box::default()),
            "why",
        )];
        assert_eq!(Standing::of(&run, &requirement), Standing::Undecided);
        run.rules.strict = true;
        assert_eq!(Standing::of(&run, &requirement), Standing::Unproven);
        run.requirements = vec![requirement];
        assert_eq!(run.exit(), Exit::Fails);
    }
}

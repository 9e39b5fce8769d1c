//! What a run amounts to in a report, decided once for all formats.
//!
//! A report is red exactly when the exit code is not 0: a requirement whose [`Status`] fails the run, or a [`Trouble`] that
//! no requirement shows.

use crate::baseline::findings::of_check;
use crate::baseline::{Entry, Judged, Outcome, Place, Standing, file};
use crate::result::{Exit, RequirementResult, RunResult};
use crate::verdict::{Check, Level, Verdict};

/// What a requirement means for its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// It holds.
    Pass,
    /// A SHOULD that does not hold, which fails nothing without `--strict`.
    Warning,
    /// Unverified, or too close to tell, which fails nothing.
    Undecided,
    /// It fails or is blocked, as the baseline lists it for this reason.
    Known(String),
    /// It fails.
    Failure,
    /// Not verified, which fails the run: a MUST that is blocked, or any under `--require-all`.
    Unproven,
    /// The kit is at fault, so that nothing is known about it.
    Fault,
}

impl Status {
    /// What this requirement means for this run.
    pub(super) fn of(run: &RunResult, requirement: &RequirementResult, require_all: bool) -> Self {
        // What a run that was cut short did not get to is nobody's failure: the run itself tells it.
        let cut_short = run.interrupted || run.lost.is_some();
        let must = requirement.level == Level::Must;
        match requirement.verdict {
            Verdict::Pass => Self::Pass,
            Verdict::Warn => Self::Warning,
            Verdict::Harness => Self::Fault,
            Verdict::Fail => known(run, requirement).map_or(Self::Failure, Self::Known),
            Verdict::Unverified | Verdict::Inconclusive if !must || cut_short => Self::Undecided,
            Verdict::Unverified | Verdict::Inconclusive if requirement.blocked => {
                known(run, requirement).map_or(Self::Unproven, Self::Known)
            }
            Verdict::Unverified | Verdict::Inconclusive if require_all => Self::Unproven,
            Verdict::Unverified | Verdict::Inconclusive => Self::Undecided,
        }
    }

    /// Whether the run fails for it.
    pub(super) const fn fails_run(&self) -> bool {
        matches!(self, Self::Failure | Self::Unproven | Self::Fault)
    }
}

/// Why a requirement is tolerated, if all that fails about it is listed.
fn known(run: &RunResult, requirement: &RequirementResult) -> Option<String> {
    let mut reasons: Vec<String> = Vec::new();
    let standings = requirement
        .checks
        .iter()
        .filter_map(|check| standing(run, requirement, check));
    for (_, standing) in standings {
        let Standing::Known(entry) = standing else {
            return None;
        };
        let reason = terms(entry);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

/// What the baseline says to a check; nothing if there is none, or if the check does not fail the run.
fn standing<'a>(
    run: &'a RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> Option<(&'a Judged, Standing<'a>)> {
    let judged = run.baseline.as_ref()?;
    match of_check(run, requirement, check).outcome {
        Outcome::Fail(failure) => Some((judged, judged.standing(&failure))),
        Outcome::Pass | Outcome::Warning | Outcome::Undecided(_) => None,
    }
}

/// Whether a check fails as listed.
pub(super) fn is_known(run: &RunResult, requirement: &RequirementResult, check: &Check) -> bool {
    matches!(standing(run, requirement, check), Some((_, Standing::Known(_))))
}

/// What the baseline says to a failure: one word, and the rest of the sentence.
pub(super) fn listed(
    run: &RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> Option<(&'static str, String)> {
    let (judged, standing) = standing(run, requirement, check)?;
    Some(match standing {
        Standing::Known(entry) => ("known", terms(entry)),
        Standing::New => ("new", format!("not listed in {}", judged.file)),
        Standing::Changed(entry) => (
            "changed",
            format!("listed, but failed in another way: {}", terms(entry)),
        ),
        Standing::Expired(entry) => ("expired", terms(entry)),
    })
}

/// Why an entry is tolerated, and until when.
pub(super) fn terms(entry: &Entry) -> String {
    let until = entry.expires.map(file::show_day);
    let until = until.map_or_else(String::new, |day| format!(" (until {day})"));
    format!("{}{until}", entry.reason)
}

/// What came of a requirement that was added after the set that counts, as in `fail: expected an error ack; got none`.
pub(super) fn outcome(requirement: &RequirementResult) -> String {
    let word = requirement.verdict.word();
    match &requirement.reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    }
}

/// What fails a run beside its requirements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    /// It was cut short from outside.
    Interrupted,
    /// The target was given up, for this reason.
    Lost(&'a str),
    /// The kit is at fault in a scenario, and no requirement shows it.
    Kit {
        /// Which scenario.
        scenario: &'static str,
        /// What is wrong.
        why: &'a str,
    },
    /// The baseline lists what no longer fails.
    Gone {
        /// What the baseline's file is called.
        file: &'a str,
        /// What is listed.
        place: &'a Place,
    },
}

impl Trouble<'_> {
    /// All that there is.
    pub(super) fn of(run: &RunResult) -> Vec<Trouble<'_>> {
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
    pub(super) const fn cuts_short(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Lost(_))
    }

    /// What it is about.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::Interrupted | Self::Lost(_) => "the run".to_owned(),
            Self::Kit { scenario, .. } => format!("the kit in {scenario}"),
            Self::Gone { file, place } => format!("{place} in {file}"),
        }
    }

    /// What is wrong.
    pub(super) fn text(&self) -> String {
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

/// How a sentence about a run is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// All is well.
    Good,
    /// Nothing fails, but something is open or known; or the result says little about the target.
    Doubtful,
    /// It fails.
    Bad,
}

/// The run in one sentence.
pub(super) fn headline(run: &RunResult, require_all: bool) -> (Tone, String) {
    let exit = run.exit(require_all);
    if let Some(told) = by_baseline(run, exit) {
        return told;
    }
    let musts = || run.requirements.iter().filter(|r| r.level == Level::Must);
    let passes = |r: &RequirementResult| r.verdict == Verdict::Pass;
    let (tone, text) = match exit {
        Exit::Conforms if !musts().any(passes) => (Tone::Doubtful, "No MUST was verified in this run."),
        Exit::Conforms if musts().all(passes) => (Tone::Good, "Conforms, as far as this run looked."),
        Exit::Conforms => (Tone::Doubtful, "Conforms, as far as this run looked."),
        Exit::Fails if run.requirements.iter().any(|r| r.verdict == Verdict::Fail) => {
            (Tone::Bad, "Does not conform.")
        }
        Exit::Fails => (
            Tone::Bad,
            "Conformance could not be shown: a MUST is not verified.",
        ),
        Exit::Interrupted => (Tone::Doubtful, "Interrupted: this report is partial."),
        Exit::Usage | Exit::Fault => match &run.lost {
            Some(why) => {
                return (Tone::Doubtful, format!("The target has stopped answering: {why}"));
            }
            None => (
                Tone::Doubtful,
                "The kit itself is at fault: this result cannot be trusted.",
            ),
        },
    };
    (tone, text.to_owned())
}

/// The same, where it is the baseline that makes the difference.
fn by_baseline(run: &RunResult, exit: Exit) -> Option<(Tone, String)> {
    let judged = run.baseline.as_ref()?;
    let file = &judged.file;
    match exit {
        Exit::Conforms if !judged.known.is_empty() => Some((
            Tone::Doubtful,
            format!("Does not conform, but fails in nothing that {file} does not list."),
        )),
        Exit::Fails if judged.failing().next().is_none() && judged.is_stale() => {
            Some((Tone::Bad, format!("{file} lists what no longer fails.")))
        }
        _ => None,
    }
}

/// Requirements with the same reason, in the order in which the reasons come.
pub(super) fn by_reason<'a>(
    requirements: impl Iterator<Item = &'a RequirementResult>,
) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for requirement in requirements {
        let reason = requirement.reason.as_deref().unwrap_or("no reason given");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, ids)) => ids.push(&requirement.id),
            None => reasons.push((reason, vec![&requirement.id])),
        }
    }
    reasons
}

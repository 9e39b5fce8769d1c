//! What came of one sabotage: who noticed it, and who else turned red.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Sabotage;
use crate::result::{RequirementResult, RunResult};
use crate::verdict::Verdict;

/// What came of a sabotage.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Name of the sabotage.
    pub name: String,
    /// The requirement that it breaks.
    pub breaks: String,
    /// What a server like that does.
    pub why: String,
    /// Who noticed.
    pub outcome: TrialOutcome,
    /// What the requirement's own check said, where it did notice.
    pub evidence: Option<String>,
    /// Other requirements that failed and are said to.
    pub collateral: Vec<String>,
    /// Other requirements that failed, each with what it said, though nothing says that they do.
    pub unlisted: Vec<(String, String)>,
    /// How many requirements could not be looked at, since a step before them did not work.
    pub blocked: usize,
    /// How often a rule was about something.
    pub fired: usize,
    /// How long the last run took.
    pub took: Duration,
    /// How many runs there were.
    pub runs: usize,
}

/// Who noticed a sabotage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialOutcome {
    /// A check of the requirement that it breaks.
    Killed,
    /// Only checks of other requirements.
    ByAnother,
    /// Nobody.
    Survived,
    /// Nobody could: its rules were about nothing that passed.
    Idle,
    /// It could not be told: without the sabotage, the target does not keep the requirement, or does not show it.
    Unfit(String),
    /// The run did not come about.
    Broken(String),
}

impl TrialOutcome {
    /// In a word or two, for a table.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::ByAnother => "killed by others only",
            Self::Survived => "survived",
            Self::Idle => "did nothing",
            Self::Unfit(_) => "not tried",
            Self::Broken(_) => "no result",
        }
    }
}

impl Trial {
    /// From a run with the sabotage; `sound` are the requirements that pass without it.
    pub(super) fn judge(
        sabotage: &Sabotage,
        result: &RunResult,
        fired: usize,
        sound: &BTreeSet<String>,
    ) -> Self {
        let failed = |requirement: &&RequirementResult| {
            requirement.verdict == Verdict::Fail && sound.contains(&requirement.id)
        };
        let reason = |requirement: &RequirementResult| requirement.reason.clone().unwrap_or_default();
        let (own, others): (Vec<_>, Vec<_>) = result
            .requirements
            .iter()
            .filter(failed)
            .partition(|requirement| requirement.id == sabotage.breaks);
        let (listed, unlisted): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|requirement| sabotage.collateral.contains_key(&requirement.id));
        let outcome = if fired == 0 {
            TrialOutcome::Idle
        } else if !own.is_empty() {
            TrialOutcome::Killed
        } else if !(listed.is_empty() && unlisted.is_empty()) {
            TrialOutcome::ByAnother
        } else {
            TrialOutcome::Survived
        };
        Self {
            outcome,
            evidence: own.first().map(|requirement| reason(requirement)),
            collateral: listed.iter().map(|requirement| requirement.id.clone()).collect(),
            unlisted: unlisted
                .iter()
                .map(|requirement| (requirement.id.clone(), reason(requirement)))
                .collect(),
            blocked: result
                .requirements
                .iter()
                .filter(|requirement| requirement.blocked)
                .count(),
            fired,
            took: result.duration,
            ..Self::without_run(sabotage, TrialOutcome::Survived)
        }
    }

    /// One that did not come to a run.
    pub(super) fn without_run(sabotage: &Sabotage, outcome: TrialOutcome) -> Self {
        Self {
            name: sabotage.name.clone(),
            breaks: sabotage.breaks.clone(),
            why: sabotage.why.clone(),
            outcome,
            evidence: None,
            collateral: Vec::new(),
            unlisted: Vec::new(),
            blocked: 0,
            fired: 0,
            took: Duration::ZERO,
            runs: 1,
        }
    }

    /// Whether it is as it should be: the requirement's own check noticed, and nobody else but who is said to. What could
    /// not be tried is nobody's fault.
    pub fn is_well(&self) -> bool {
        match self.outcome {
            TrialOutcome::Killed => self.unlisted.is_empty(),
            TrialOutcome::Unfit(_) => true,
            _ => false,
        }
    }
}

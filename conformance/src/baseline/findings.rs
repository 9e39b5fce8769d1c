//! What a run says about each requirement in each scenario, as far as a baseline cares. [`crate::standing`] tells it of a run,
//! [`crate::saved`] of a report.

use std::fmt;

use serde::Serialize;

use crate::fingerprint::Fingerprint;

/// A requirement in a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckLocation {
    /// Id of the requirement, as in `MSG-02`.
    pub requirement: String,
    /// Id of the scenario, as in `messages/send-and-broadcast`.
    pub scenario: String,
}

impl fmt::Display for CheckLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.requirement, self.scenario)
    }
}

/// What fails a run for as long as no baseline lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The requirement, and the scenario that checks it.
    #[serde(flatten)]
    pub place: CheckLocation,
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
pub enum FindingOutcome {
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
    /// The requirement, and the scenario that checks it.
    pub place: CheckLocation,
    /// What came of the check.
    pub outcome: FindingOutcome,
}

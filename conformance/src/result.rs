//! What came of a run: by scenario, by requirement, and as an exit code.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::baseline::Judged;
use crate::calibration::Calibration;
use crate::contract::Contract;
use crate::measurement::Measurement;
use crate::plan::Plan;
use crate::scenarios::Scenario;
use crate::scene::Context;
use crate::targets::profile::Limits;
use crate::verdict::{Check, Level, Rules, Verdict};

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct ScenarioResult {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// Over its checks, and over how it ended.
    pub verdict: Verdict,
    /// How often it was run: again, where the timing was too close to tell.
    pub attempts: usize,
    /// When its last attempt began, from the beginning of the run.
    pub began: Duration,
    /// How long that took.
    pub duration: Duration,
    /// Its checks: at least one for every requirement that it declares.
    pub checks: Vec<Check>,
    /// What it noted about freedoms of the contract.
    pub notes: Vec<(String, String)>,
    /// What it measured.
    pub measurements: Vec<Measurement>,
    /// Why it ended before its end, if it did.
    pub message: Option<String>,
}

/// What came of one requirement.
#[derive(Clone, Debug)]
pub struct RequirementResult {
    /// As in `MSG-02`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The area it belongs to.
    pub area: String,
    /// What is required.
    pub statement: String,
    /// Over all checks; see [`crate::verdict`].
    pub verdict: Verdict,
    /// Why, where the verdict is no pass.
    pub reason: Option<String>,
    /// Whether it is unverified because the target did not get through a step.
    pub blocked: bool,
    /// All its checks.
    pub checks: Vec<Check>,
}

impl RequirementResult {
    /// The checks that it has its verdict from.
    pub fn decisive(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.verdict == self.verdict)
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// The protocol version.
    pub protocol: String,
    /// The requirement set that it was held to, as in `1.0`.
    pub set: String,
    /// What the target is called.
    pub target: String,
    /// Addresses of the target.
    pub urls: Vec<String>,
    /// How its users were made: rest, jwt, static or command.
    pub provisioning: &'static str,
    /// The limits by which it was judged.
    pub limits: Limits,
    /// When it began.
    pub started_at: OffsetDateTime,
    /// Wall-clock time of the run.
    pub duration: Duration,
    /// What was measured before.
    pub calibration: Option<Calibration>,
    /// Whether it was cut short from outside.
    pub interrupted: bool,
    /// Why the target was given up, if it was.
    pub lost: Option<String>,
    /// Whether it was asked for less than everything, by `--only`, `--skip` or `--quick`.
    pub partial: bool,
    /// By scenario, in the order of the contract.
    pub scenarios: Vec<ScenarioResult>,
    /// The requirements that `--quick` has left out.
    pub left_out: Vec<String>,
    /// By requirement, in the order of the contract; those of the set that are reported on.
    pub requirements: Vec<RequirementResult>,
    /// The same for those that were added to the contract after the set: they are told, and fail nothing.
    pub later: Vec<RequirementResult>,
    /// What fails it, beside a MUST that fails.
    pub rules: Rules,
    /// Which failures are known, where a baseline says so.
    pub baseline: Option<Judged>,
}

/// What happens during a run.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// It begins.
    Started {
        /// Who is under test, and what was measured there.
        context: Arc<Context>,
        /// What is going to run.
        plan: Arc<Plan>,
    },
    /// A scenario begins, perhaps once more.
    ScenarioStarted(&'static Scenario),
    /// A scenario has come to its last result.
    ScenarioFinished(Arc<ScenarioResult>),
    /// It is over.
    Finished(Arc<RunResult>),
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The target conforms, in everything that the run checked.
    Conforms = 0,
    /// A MUST failed, or a SHOULD under `--strict`, or a MUST could not be verified because a step before it failed, or
    /// for any reason under `--require-all`. With a baseline, only what it does not list counts, and what it lists wrongly.
    Fails = 1,
    /// The command line, the selection or the target file is wrong.
    Usage = 2,
    /// The target cannot be reached, has gone away, cannot be provisioned, or the kit itself is at fault.
    Fault = 3,
    /// Cut short by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The results by requirement, for those selected, in the order of the contract.
pub fn by_requirement(
    contract: &Contract,
    selected: &BTreeSet<String>,
    scenarios: &[ScenarioResult],
) -> Vec<RequirementResult> {
    let selected = contract.requirements.iter().filter(|r| selected.contains(&r.id));
    selected
        .map(|requirement| {
            let checks: Vec<Check> = scenarios
                .iter()
                .flat_map(|result| &result.checks)
                .filter(|check| check.requirement == requirement.id)
                .cloned()
                .collect();
            let blocked = checks.iter().any(|check| check.blocked().is_some());
            let verdict = match Verdict::over(checks.iter().map(|check| check.verdict)) {
                // What passed elsewhere does not make up for a story that broke off.
                Verdict::Pass if blocked => Verdict::Unverified,
                verdict => verdict,
            };
            let decisive = checks.iter().find(|check| check.verdict == verdict);
            let reason = match (verdict, decisive) {
                (Verdict::Pass, _) => None,
                // Each of them is a way to have it verified.
                (Verdict::Unverified, Some(_)) => reasons(&checks),
                (_, Some(check)) => check.message.clone(),
                (_, None) => Some("no scenario of this run looks at it".to_owned()),
            };
            RequirementResult {
                id: requirement.id.clone(),
                level: requirement.level,
                area: requirement.area.clone(),
                statement: requirement.statement.clone(),
                verdict,
                reason,
                blocked: verdict == Verdict::Unverified && blocked,
                checks,
            }
        })
        .collect()
}

/// Every reason that a check gives, each once.
fn reasons(checks: &[Check]) -> Option<String> {
    let mut reasons: Vec<&str> = Vec::new();
    for reason in checks.iter().filter_map(|check| check.message.as_deref()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

impl RunResult {
    /// How many requirements of this level have this verdict.
    pub fn count(&self, level: Level, verdict: Verdict) -> usize {
        self.requirements
            .iter()
            .filter(|r| r.level == level && r.verdict == verdict)
            .count()
    }

    /// Whether a scenario is about what was added after the set. None is about both.
    pub fn is_later(&self, scenario: &Scenario) -> bool {
        let judged = |r: &RequirementResult| scenario.requirements.contains(&r.id.as_str());
        self.later.iter().any(judged)
    }

    /// Whether the kit was found at fault, in what counts.
    pub fn at_fault(&self) -> bool {
        self.scenarios
            .iter()
            .any(|result| result.verdict == Verdict::Harness && !self.is_later(result.scenario))
            || self.requirements.iter().any(|r| r.verdict == Verdict::Harness)
    }

    /// The same run under `--require-all`.
    #[cfg(test)]
    pub(crate) fn requiring_all(&self) -> Self {
        let mut run = self.clone();
        run.rules.require_all = true;
        run
    }
}

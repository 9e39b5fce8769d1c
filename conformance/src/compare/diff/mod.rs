//! What has changed from one report (A) to another (B).
//!
//! | | |
//! |---|---|
//! | worse | its rank in [`order`](super::order) fell |
//! | new | only B looked at it |
//! | changed | no better and no worse, but another verdict or another failure |
//! | better | its rank rose; it need not pass yet |
//! | gone | B did not look at it, or not at what had kept it from passing: never better |
//!
//! B is worse with anything in the first list, with a new requirement that fails, and under `--strict` with anything that
//! is gone. A run over everything may so be compared with a quick one, and what that leaves out is told and does not count.
//!
//! - `text`, `markdown`, `json`: for people, for pull requests, for machines

mod json;
mod markdown;
mod text;

pub use json::{SCHEMA, write as json};
pub use markdown::write as markdown;
pub use text::write as text;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use thiserror::Error;

use super::common::{About, Described, LimitsDiffer, OtherProtocol, limits, protocol, requirements};
use super::order::{Rank, Unseen};
use crate::contract::Contract;
use crate::fingerprint::Fingerprint;
use crate::saved::{Saved, SavedCheck, SavedRequirement};
use crate::verdict::Verdict;

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff {
    /// The protocol version of both.
    pub protocol: String,
    /// The report before.
    pub a: About,
    /// The report after.
    pub b: About,
    /// The limits by which the targets were not judged alike.
    pub limits: Vec<LimitsDiffer>,
    /// What else to know when reading this.
    pub notes: Vec<String>,
    /// What has got worse.
    pub worse: Vec<Change>,
    /// What only B looked at.
    pub new: Vec<Change>,
    /// What fails in another way, or is open in another way.
    pub changed: Vec<Change>,
    /// What has got better.
    pub better: Vec<Change>,
    /// What B did not look at.
    pub gone: Vec<Change>,
    /// How many are as before.
    pub same: usize,
}

/// What has changed about a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The requirement.
    #[serde(flatten)]
    pub requirement: Described,
    /// What A says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Seen>,
    /// What B says of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<Seen>,
    /// Why it is gone, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Unseen>,
}

/// What a report says of a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its verdict.
    pub verdict: Verdict,
    /// Whether it fails its run.
    pub fails: bool,
    /// Why, where the verdict is no pass; of what has changed, only what the other report does not say.
    pub reasons: Vec<Reason>,
}

/// Why a requirement does not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// In which scenario, where that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// What the kit says.
    pub message: String,
    /// How it fails, where the report tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// Why two reports cannot be compared.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum DiffError {
    /// They are about different promises.
    #[error(transparent)]
    Protocol(#[from] OtherProtocol),
    /// They are about different requirements.
    #[error(
        "{a} and {b} have no requirement in common that was checked in both: compare runs with overlapping selections"
    )]
    NothingInCommon {
        /// The report before.
        a: String,
        /// The report after.
        b: String,
    },
}

impl Diff {
    /// Holds B against A.
    pub fn between(a: &Saved, b: &Saved, contract: &Contract) -> Result<Self, DiffError> {
        let both = [a, b];
        let mut diff = Self {
            protocol: protocol(&both)?,
            a: About::of(a),
            b: About::of(b),
            limits: limits(&both),
            notes: notes(a, b),
            worse: Vec::new(),
            new: Vec::new(),
            changed: Vec::new(),
            better: Vec::new(),
            gone: Vec::new(),
            same: 0,
        };
        let mut in_common = false;
        for described in requirements(&both, contract) {
            let (before, now) = (a.look(&described.id), b.look(&described.id));
            in_common |= before.is_ok() && now.is_ok();
            diff.take(described, before.ok(), now);
        }
        if in_common {
            Ok(diff)
        } else {
            let (a, b) = (a.file.clone(), b.file.clone());
            Err(DiffError::NothingInCommon { a, b })
        }
    }

    /// Whether B is worse; what is gone counts under `strict` only.
    pub fn is_worse(&self, strict: bool) -> bool {
        !self.worse.is_empty() || self.new_failing() > 0 || (strict && !self.gone.is_empty())
    }

    /// How many of the new ones fail.
    pub fn new_failing(&self) -> usize {
        let fails = |change: &&Change| change.now.as_ref().is_some_and(|now| now.fails);
        self.new.iter().filter(fails).count()
    }

    /// How many got better without passing.
    pub fn better_but_not_passing(&self) -> usize {
        self.better.iter().filter(|change| !change.passes()).count()
    }

    /// All of it in one line.
    pub fn summary(&self, strict: bool) -> String {
        let partial = !self.gone.is_empty();
        let verdict = match (self.is_worse(strict), partial) {
            (true, _) => "Worse",
            (false, false) => "Nothing is worse",
            (false, true) => "Nothing is worse in what both runs checked",
        };
        let of_them = |n: usize, one: &str, many: &str| match n {
            0 => String::new(),
            1 => format!(" (1 of them {one})"),
            n => format!(" ({n} of them {many})"),
        };
        let counts = [
            (self.worse.len(), "worse", String::new()),
            (
                self.new.len(),
                "new",
                of_them(self.new_failing(), "fails", "fail"),
            ),
            (self.changed.len(), "changed", String::new()),
            (
                self.better.len(),
                "better",
                of_them(
                    self.better_but_not_passing(),
                    "does not pass yet",
                    "do not pass yet",
                ),
            ),
            (self.gone.len(), "not looked at", String::new()),
            (self.same, "the same", String::new()),
        ];
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(n, _, _)| *n > 0)
            .map(|(n, word, rest)| format!("{n} {word}{rest}"))
            .collect();
        format!("{verdict}: {}.", counts.join(", "))
    }

    /// The ids of what is gone, by why that is so.
    pub fn gone_by_reason(&self) -> BTreeMap<&Unseen, Vec<&str>> {
        let mut reasons: BTreeMap<&Unseen, Vec<&str>> = BTreeMap::new();
        for change in &self.gone {
            if let Some(why) = &change.why {
                reasons.entry(why).or_default().push(&change.requirement.id);
            }
        }
        reasons
    }

    /// The new ones that pass, of which there is nothing more to say, and the others.
    fn new_passing_and_not(&self) -> (Vec<&Change>, Vec<&Change>) {
        self.new.iter().partition(|change| change.passes())
    }

    /// Puts a requirement where it belongs.
    fn take(
        &mut self,
        requirement: Described,
        before: Option<&SavedRequirement>,
        now: Result<&SavedRequirement, Unseen>,
    ) {
        let mut change = Change {
            requirement,
            before: before.map(Seen::of),
            now: now.as_ref().ok().map(|now| Seen::of(now)),
            why: None,
        };
        match (before, now) {
            (None, Err(_)) => {}
            (None, Ok(_)) => self.new.push(change),
            (Some(_), Err(why)) => {
                change.why = Some(why);
                self.gone.push(change);
            }
            (Some(before), Ok(now)) if now.rank() < before.rank() => self.worse.push(change),
            (Some(before), Ok(now)) if now.rank() > before.rank() => match unseen(before, now) {
                Some(why) => {
                    change.why = Some(why);
                    self.gone.push(change);
                }
                None => self.better.push(change),
            },
            (Some(_), Ok(now)) if change.leave_what_differs(now) => self.changed.push(change),
            (Some(_), Ok(_)) => self.same += 1,
        }
    }
}

/// What makes two reports less comparable than they look.
fn notes(a: &Saved, b: &Saved) -> Vec<String> {
    let mut notes = Vec::new();
    if a.kit.version != b.kit.version {
        notes.push(
            "the reports are by different versions of chatspec, which may check other things or word failures differently"
                .to_owned(),
        );
    }
    if a.set != b.set {
        notes.push(
            "the runs were held to different requirement sets: what counts in only one of them is new or not looked at"
                .to_owned(),
        );
    }
    let strictness = |before: &SavedRequirement| {
        let now = b.requirement(&before.id);
        now.is_some_and(|now| differ_by_strictness(before.verdict, now.verdict))
    };
    if a.requirements.iter().any(strictness) {
        notes.push(
            "only one of the runs was --strict: a SHOULD that fails there and warns here is the same"
                .to_owned(),
        );
    }
    notes
}

/// Whether one is what the other is under `--strict`.
fn differ_by_strictness(before: Verdict, now: Verdict) -> bool {
    matches!(
        (before, now),
        (Verdict::Warn, Verdict::Fail) | (Verdict::Fail, Verdict::Warn)
    )
}

/// Why what looks better is not, if so: B did not look again at what had kept it from passing.
fn unseen(before: &SavedRequirement, now: &SavedRequirement) -> Option<Unseen> {
    if before.rank() == Rank::Broken && matches!(now.verdict, Verdict::Unverified | Verdict::Harness) {
        return Some(Unseen::Undecided);
    }
    let mut decisive = before.checks.iter().filter(|check| check.decides());
    let elsewhere = decisive.find(|check| !looked_at(now, &check.scenario))?;
    Some(Unseen::Elsewhere(elsewhere.scenario.clone()))
}

/// Whether something can be said of a requirement in a scenario.
fn looked_at(requirement: &SavedRequirement, scenario: &str) -> bool {
    let of_scenario = |check: &&SavedCheck| check.scenario == scenario;
    let mut checks = requirement.checks.iter().filter(of_scenario);
    checks.any(|check| check.decides() || check.verdict == Verdict::Pass)
}

impl Change {
    fn passes(&self) -> bool {
        self.now.as_ref().is_some_and(|now| now.verdict == Verdict::Pass)
    }

    /// Of two of the same rank, leaves the reasons that only one of them has; whether there is any difference.
    fn leave_what_differs(&mut self, now: &SavedRequirement) -> bool {
        let (Some(was), Some(is)) = (&mut self.before, &mut self.now) else {
            return false;
        };
        if was.verdict != is.verdict && !differ_by_strictness(was.verdict, is.verdict) {
            return true;
        }
        // Where nothing is broken there is no failure that could have changed.
        if now.rank() != Rank::Broken {
            return false;
        }
        let key = |reason: &Reason| reason.key(&now.id);
        let keys = |seen: &Seen| seen.reasons.iter().map(key).collect::<BTreeSet<_>>();
        let (old, new) = (keys(was), keys(is));
        was.reasons.retain(|reason| {
            let seen_again = |scenario: &String| looked_at(now, scenario);
            !new.contains(&key(reason)) && reason.scenario.as_ref().is_none_or(seen_again)
        });
        is.reasons.retain(|reason| !old.contains(&key(reason)));
        !(was.reasons.is_empty() && is.reasons.is_empty())
    }
}

impl Seen {
    fn of(requirement: &SavedRequirement) -> Self {
        let mut reasons: Vec<Reason> = Vec::new();
        let decisive = requirement
            .checks
            .iter()
            .filter(|check| check.verdict == requirement.verdict && check.verdict != Verdict::Pass);
        for check in decisive {
            let reason = Reason::of(check);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if let (true, Some(message)) = (reasons.is_empty(), &requirement.reason) {
            reasons.push(Reason {
                scenario: None,
                message: message.clone(),
                fingerprint: None,
            });
        }
        Self {
            verdict: requirement.verdict,
            fails: requirement.fails(),
            reasons,
        }
    }
}

impl Reason {
    fn of(check: &SavedCheck) -> Self {
        Self {
            scenario: Some(check.scenario.clone()),
            message: check.message.clone(),
            fingerprint: check.fingerprint.clone(),
        }
    }

    /// What tells it from others. Reports have no fingerprint of a warning, and older ones have none at all: it is taken
    /// from what the kit says then.
    fn key(&self, requirement: &str) -> (Option<String>, Fingerprint) {
        let scenario = self.scenario.as_deref().unwrap_or_default();
        let told = self.fingerprint.clone();
        let fingerprint =
            told.unwrap_or_else(|| Fingerprint::of_message(requirement, scenario, &self.message));
        (self.scenario.clone(), fingerprint)
    }
}

#[cfg(test)]
mod tests;

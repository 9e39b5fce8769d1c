//! What the kit can say about a check, a requirement and a run.
//!
//! A **check** is one observation in one scenario. A **requirement**'s verdict is made of all its checks, in this order
//! of precedence:
//!
//! 1. any `fail` → fail
//! 2. any `harness` → harness (the kit itself is at fault, so nothing that passed can be trusted)
//! 3. any `inconclusive` → inconclusive
//! 4. any `warn` → warn
//! 5. any `unverified` because a step before it did not work → unverified: a story that breaks off proves nothing
//! 6. any `pass` → pass (a check that the target does not offer elsewhere is still listed, but does not take it away)
//! 7. else → unverified

use serde::{Deserialize, Serialize};

use crate::expect::Mismatch;
use crate::transcript::TranscriptLine;

/// How binding a requirement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Breaking it means not conforming.
    #[serde(rename = "MUST")]
    Must,
    /// Good practice: a warning, a failure under `--strict`.
    #[serde(rename = "SHOULD")]
    Should,
    /// A freedom that the contract leaves: never a verdict.
    #[serde(rename = "MAY")]
    May,
}

impl Level {
    /// The word as the contract writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}

/// The outcome of a check, of a scenario or of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Seen to hold.
    Pass,
    /// Seen to be broken.
    Fail,
    /// A SHOULD seen to be broken, while not under `--strict`.
    Warn,
    /// Could not be looked at.
    Unverified,
    /// Looked at, but the timing was too close to tell.
    Inconclusive,
    /// The kit itself is at fault.
    Harness,
}

impl Verdict {
    /// All there are, in the order in which reports count them.
    pub const ALL: [Self; 6] = [
        Self::Pass,
        Self::Fail,
        Self::Warn,
        Self::Unverified,
        Self::Inconclusive,
        Self::Harness,
    ];

    /// The word as reports write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Warn => "warn",
            Self::Unverified => "unverified",
            Self::Inconclusive => "inconclusive",
            Self::Harness => "harness",
        }
    }

    /// What stands for it in front of a line, readable without its colour.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Pass => "✓",
            Self::Fail => "✗",
            Self::Warn => "▲",
            Self::Unverified => "○",
            Self::Inconclusive => "≈",
            Self::Harness => "!",
        }
    }

    /// The verdict over several, by the precedence that the module's documentation gives; nothing at all is unverified.
    pub fn over(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts
            .into_iter()
            .min_by_key(|verdict| verdict.precedence())
            .unwrap_or(Self::Unverified)
    }

    const fn precedence(self) -> u8 {
        match self {
            Self::Fail => 0,
            Self::Harness => 1,
            Self::Inconclusive => 2,
            Self::Warn => 3,
            Self::Pass => 4,
            Self::Unverified => 5,
        }
    }
}

/// What fails a run, beside a MUST that fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// A SHOULD counts as a MUST does.
    pub strict: bool,
    /// A MUST that is not verified, whatever the reason.
    pub require_all: bool,
}

/// Why a check could not be made.
#[derive(Clone, Debug, PartialEq)]
pub enum Unverified {
    /// A step before it did not work, or the scenario took too long. A MUST left like that makes the exit code 1.
    Blocked(Box<Blocked>),
    /// The target does not offer what is needed, as in a signing key. Only listed, unless `--require-all`.
    NotOffered,
}

/// What kept a scenario from its checks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Blocked {
    /// The step that did not work, as in `room:join as bob`; nothing where it was no step.
    pub step: Option<String>,
    /// The requirement that did not hold: the one that the scenario rests on, or the one that is about the step.
    pub requirement: Option<String>,
    /// In what way the step did not work, where it says so.
    pub mismatch: Option<Mismatch>,
    /// The reason, in one line.
    pub why: String,
}

impl Blocked {
    /// For this reason, which is no step.
    pub fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ..Self::default()
        }
    }
}

/// One observation on one requirement in one scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Id of the requirement, as in `MSG-02`.
    pub requirement: String,
    /// Id of the scenario, as in `messages/send-and-broadcast`.
    pub scenario: String,
    /// What was seen.
    pub verdict: Verdict,
    /// Why, in one line, for everything but a pass.
    pub message: Option<String>,
    /// What was allowed and what was seen instead, where that is known.
    pub mismatch: Option<Mismatch>,
    /// Why it could not be made; with [`Verdict::Unverified`] only.
    pub unverified: Option<Unverified>,
    /// The frames and HTTP exchanges that led there, oldest first; empty for a pass.
    pub frames: Vec<TranscriptLine>,
}

impl Check {
    /// A check with nothing but its verdict.
    pub fn new(requirement: &str, scenario: &str, verdict: Verdict) -> Self {
        Self {
            requirement: requirement.to_owned(),
            scenario: scenario.to_owned(),
            verdict,
            message: None,
            mismatch: None,
            unverified: None,
            frames: Vec::new(),
        }
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// A check that could not be made.
    pub fn unverified(requirement: &str, scenario: &str, kind: Unverified, why: impl Into<String>) -> Self {
        let mut check = Self::new(requirement, scenario, Verdict::Unverified).because(why);
        check.unverified = Some(kind);
        check
    }

    /// What kept the scenario from it, if something did.
    pub fn blocked(&self) -> Option<&Blocked> {
        match &self.unverified {
            Some(Unverified::Blocked(blocked)) => Some(blocked),
            Some(Unverified::NotOffered) | None => None,
        }
    }

    /// The verdict on what a matcher said, for a requirement of this level.
    pub fn judge(
        requirement: &str,
        scenario: &str,
        level: Level,
        strict: bool,
        found: Result<(), Mismatch>,
    ) -> Self {
        let Err(mismatch) = found else {
            return Self::new(requirement, scenario, Verdict::Pass);
        };
        let verdict = match (&mismatch, level) {
            (Mismatch::Fault { .. }, _) => Verdict::Harness,
            (Mismatch::Inconclusive { .. }, _) => Verdict::Inconclusive,
            (Mismatch::Definite { .. }, Level::Must) => Verdict::Fail,
            (Mismatch::Definite { .. }, Level::Should | Level::May) if strict => Verdict::Fail,
            (Mismatch::Definite { .. }, Level::Should | Level::May) => Verdict::Warn,
        };
        let mut check = Self::new(requirement, scenario, verdict).because(mismatch.to_string());
        check.mismatch = Some(mismatch);
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decisive_check_decides() {
        use Verdict::{Fail, Harness, Inconclusive, Pass, Unverified, Warn};
        for (checks, expected) in [
            (vec![], Unverified),
            (vec![Pass, Pass], Pass),
            (vec![Pass, Unverified], Pass),
            (vec![Unverified, Unverified], Unverified),
            (vec![Pass, Warn], Warn),
            (vec![Warn, Inconclusive], Inconclusive),
            (vec![Inconclusive, Harness], Harness),
            (vec![Harness, Fail, Pass], Fail),
        ] {
            assert_eq!(Verdict::over(checks.clone()), expected, "{checks:?}");
        }
    }

    #[test]
    fn a_mismatch_weighs_as_much_as_the_requirement() {
        let found = || Err(Mismatch::new("one", "two"));
        let verdict = |level, strict| Check::judge("X-01", "x/y", level, strict, found()).verdict;
        assert_eq!(verdict(Level::Must, false), Verdict::Fail);
        assert_eq!(verdict(Level::Should, false), Verdict::Warn);
        assert_eq!(verdict(Level::Should, true), Verdict::Fail);
        let unsure = Check::judge(
            "X-01",
            "x/y",
            Level::Must,
            true,
            Err(Mismatch::inconclusive("close")),
        );
        assert_eq!(unsure.verdict, Verdict::Inconclusive);
    }
}

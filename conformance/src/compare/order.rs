//! The order of verdicts, and what a report did not look at.
//!
//! | rank | verdicts |
//! |---|---|
//! | proven | `pass` |
//! | open | `unverified`, `inconclusive`, `harness` |
//! | broken | `fail`, `warn`, and `unverified` where a MUST was blocked, which fails the run as well |
//!
//! A requirement whose rank falls has got worse; one whose rank rises has got better, and passes only if it is proven.
//! `warn` and `fail` are one rank, since a SHOULD that is broken is the one or the other as `--strict` has it.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::saved::{Saved, SavedCheck, SavedRequirement};
use crate::standing::Standing;
use crate::verdict::Verdict;

/// What is known about a requirement, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Seen not to hold, or its scenario did not get through.
    Broken,
    /// Not known.
    Open,
    /// Seen to hold.
    Proven,
}

impl SavedRequirement {
    /// How good its verdict is.
    pub fn rank(&self) -> Rank {
        match self.standing() {
            Standing::Pass => Rank::Proven,
            Standing::Failure | Standing::Warning | Standing::Known => Rank::Broken,
            // Under --require-all, this may be what is not offered.
            Standing::Unproven if self.is_blocked() => Rank::Broken,
            Standing::Undecided | Standing::Unproven | Standing::Fault => Rank::Open,
        }
    }

    /// Whether it fails its run; a warning does not.
    pub fn fails(&self) -> bool {
        self.rank() == Rank::Broken && self.verdict != Verdict::Warn
    }
}

impl SavedCheck {
    /// Whether it keeps its requirement from passing, whatever other scenarios say.
    pub(super) fn decides(&self) -> bool {
        match self.verdict {
            Verdict::Pass => false,
            Verdict::Unverified => self.is_blocked(),
            Verdict::Fail | Verdict::Warn | Verdict::Inconclusive | Verdict::Harness => true,
        }
    }
}

/// Why a report says nothing about a requirement, or nothing that could be compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    /// The run was stopped before it came to that.
    Interrupted,
    /// `--quick` has left it out.
    LeftOut,
    /// It was not asked for, or the kit did not know it.
    NotPart,
    /// It failed in this scenario, which did not look at it any more.
    Elsewhere(String),
    /// It is not offered or not known any more, or the kit was at fault.
    Undecided,
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("the run was interrupted before it came to that"),
            Self::LeftOut => f.write_str("left out by --quick"),
            Self::NotPart => f.write_str("not part of the run"),
            Self::Elsewhere(scenario) => {
                write!(f, "did not pass in {scenario}, which was not looked at again")
            }
            Self::Undecided => f.write_str("did not pass, and could not be looked at again"),
        }
    }
}

impl Serialize for Unseen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Saved {
    /// What the report says of a requirement, or why it says nothing.
    pub fn look(&self, id: &str) -> Result<&SavedRequirement, Unseen> {
        match self.requirement(id) {
            // A stop takes from the stories what they need, so that whatever was blocked may have been so by that.
            Some(requirement) if self.interrupted && requirement.is_blocked() => Err(Unseen::Interrupted),
            Some(requirement) => Ok(requirement),
            None if self.left_out.iter().any(|left_out| left_out == id) => Err(Unseen::LeftOut),
            None => Err(Unseen::NotPart),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::sample::{SampleCheck, report};

    fn rank(told: SampleCheck<'_>) -> Rank {
        report(&[told]).requirements[0].rank()
    }

    #[test]
    fn proof_is_better_than_nothing_and_nothing_better_than_the_opposite() {
        assert!(Rank::Proven > Rank::Open && Rank::Open > Rank::Broken);
        assert_eq!(rank(SampleCheck::must("X-01", Verdict::Pass)), Rank::Proven);
        for open in [Verdict::Unverified, Verdict::Inconclusive, Verdict::Harness] {
            assert_eq!(rank(SampleCheck::must("X-01", open)), Rank::Open);
        }
        assert_eq!(rank(SampleCheck::must("X-01", Verdict::Fail)), Rank::Broken);
        for broken in [Verdict::Warn, Verdict::Fail] {
            assert_eq!(rank(SampleCheck::should("X-02", broken)), Rank::Broken);
        }
    }

    #[test]
    fn a_blocked_must_fails_and_a_blocked_should_is_open() {
        let blocked = "blocked: joining the room";
        let told = SampleCheck::must("X-01", Verdict::Unverified).because(blocked);
        assert_eq!(rank(told), Rank::Broken);
        let told = SampleCheck::must("X-01", Verdict::Unverified).print("00c0ffee0123");
        assert_eq!(rank(told), Rank::Broken);
        let told = SampleCheck::should("X-02", Verdict::Unverified).because(blocked);
        assert_eq!(rank(told), Rank::Open);
    }

    #[test]
    fn a_warning_does_not_fail() {
        let report = report(&[
            SampleCheck::must("X-01", Verdict::Fail),
            SampleCheck::should("X-02", Verdict::Warn),
            SampleCheck::must("Y-01", Verdict::Unverified).because("blocked: it did not start"),
            SampleCheck::must("Y-02", Verdict::Unverified),
        ]);
        let fails: Vec<bool> = report.requirements.iter().map(SavedRequirement::fails).collect();
        assert_eq!(fails, [true, false, true, false]);
    }

    #[test]
    fn what_was_not_looked_at_has_its_reason() {
        let mut report = report(&[
            SampleCheck::must("X-01", Verdict::Unverified).because("blocked: the run was interrupted"),
            SampleCheck::must("X-02", Verdict::Unverified).because("no key is known"),
            SampleCheck::must("X-03", Verdict::Fail),
        ]);
        report.left_out = vec!["Y-01".to_owned()];
        assert!(report.look("X-01").is_ok(), "blocked by itself");
        report.interrupted = true;
        assert_eq!(report.look("X-01").unwrap_err(), Unseen::Interrupted);
        assert!(report.look("X-02").is_ok() && report.look("X-03").is_ok());
        assert_eq!(report.look("Y-01").unwrap_err(), Unseen::LeftOut);
        assert_eq!(report.look("Y-02").unwrap_err(), Unseen::NotPart);
    }
}

//! What led to a verdict, as text that is safe to show: what was expected, what was seen, and the frames.
//!
//! A target can send anything. What has no glyph of its own, or changes how its neighbours are shown, appears as an escape;
//! what is longer than a format wants is cut, and says so. What a format takes for markup, it escapes itself.

use std::fmt;

use super::status;
use crate::expect::Mismatch;
use crate::result::{RequirementResult, RunResult};
use crate::standing::Standing;
use crate::text::cut;
use crate::text::{one_line, visible};
use crate::verdict::Check;

/// How many checks of a requirement are shown, at most; the JSON report has all of them.
const MOST: usize = 3;

/// One check of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The scenario.
    pub(super) scenario: String,
    /// What a baseline says to it: one word, and the rest.
    pub(super) listed: Option<(&'static str, String)>,
    /// The allowed outcomes; none where the reason is told instead.
    pub(super) expected: Vec<String>,
    /// What was seen, or the reason.
    pub(super) actual: String,
    /// What led there, oldest first.
    pub(super) frames: Vec<String>,
}

impl Evidence {
    /// Of one check, each value cut after so many characters.
    fn of(run: &RunResult, requirement: &RequirementResult, check: &Check, most: usize) -> Self {
        let (expected, actual) = found(check, most);
        Self {
            scenario: check.scenario.clone(),
            listed: status::listed(run, requirement, check).map(|(word, text)| (word, one_line(&text))),
            expected,
            actual,
            frames: check.frames.iter().map(|frame| line(frame, most)).collect(),
        }
    }

    /// What was expected and what was seen, or the reason.
    pub(super) fn sentence(&self) -> String {
        describe(&self.expected, &self.actual)
    }
}

/// What a check expected, and what it saw; nothing and the reason where that is all there is.
fn found(check: &Check, most: usize) -> (Vec<String>, String) {
    let shown = |text: &str| visible(&cut(text, most));
    match &check.mismatch {
        Some(Mismatch::Definite(difference)) => {
            let expected = difference.expected.iter();
            (
                expected.map(|one| shown(&one.to_string())).collect(),
                shown(&difference.seen()),
            )
        }
        _ => (
            Vec::new(),
            shown(check.message.as_deref().unwrap_or("no reason given")),
        ),
    }
}

fn describe(expected: &[String], actual: &str) -> String {
    if expected.is_empty() {
        actual.to_owned()
    } else {
        format!("expected {}; got {actual}", expected.join(", or "))
    }
}

fn line(frame: &impl fmt::Display, most: usize) -> String {
    one_line(&cut(&frame.to_string(), most))
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "in       {}", self.scenario)?;
        if let Some((word, text)) = &self.listed {
            writeln!(f, "{word:<8} {text}")?;
        }
        if self.expected.is_empty() {
            writeln!(f, "because  {}", self.actual)?;
        } else {
            writeln!(f, "expected {}", self.expected.join("\n      or "))?;
            writeln!(f, "got      {}", self.actual)?;
        }
        self.frames.iter().try_for_each(|frame| writeln!(f, "{frame}"))
    }
}

/// The checks that a requirement has its verdict from, first those that no baseline lists.
pub(super) fn decisive<'a>(run: &RunResult, requirement: &'a RequirementResult) -> Vec<&'a Check> {
    let mut checks: Vec<&Check> = requirement.decisive().collect();
    checks.sort_by_cached_key(|check| status::is_known(run, requirement, check));
    checks
}

/// A few of them with what there is to show, and how many there are.
pub(super) fn shown(run: &RunResult, requirement: &RequirementResult, most: usize) -> (Vec<Evidence>, usize) {
    let checks = decisive(run, requirement);
    let few = checks.iter().take(MOST);
    (
        few.map(|check| Evidence::of(run, requirement, check, most))
            .collect(),
        checks.len(),
    )
}

/// All of that as text, one check below the other.
pub(super) fn text(run: &RunResult, requirement: &RequirementResult, most: usize) -> String {
    let (shown, all) = shown(run, requirement, most);
    let mut text: Vec<String> = shown.iter().map(ToString::to_string).collect();
    if all > shown.len() {
        text.push(format!(
            "and {} more, which the JSON report has\n",
            all - shown.len()
        ));
    }
    text.join("\n")
}

/// Why a requirement has its status, in one line of so many characters; empty for a pass.
pub(super) fn sentence(
    run: &RunResult,
    requirement: &RequirementResult,
    standing: Standing,
    most: usize,
) -> String {
    let reason = || {
        requirement
            .reason
            .clone()
            .unwrap_or_else(|| "no reason given".to_owned())
    };
    let seen = || {
        let first = decisive(run, requirement).into_iter().next();
        first.map_or_else(reason, |check| {
            let (expected, actual) = found(check, most);
            describe(&expected, &actual)
        })
    };
    let sentence = match standing {
        Standing::Pass => String::new(),
        Standing::Failure => seen(),
        Standing::Warning => format!("warn: {}", seen()),
        Standing::Known => format!("known: {}", status::tolerated(run, requirement)),
        Standing::Undecided | Standing::Unproven => format!("{}: {}", requirement.verdict.word(), reason()),
        Standing::Fault => format!("the kit is at fault: {}", reason()),
    };
    one_line(&cut(&sentence, most))
}

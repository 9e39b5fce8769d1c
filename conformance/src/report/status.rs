//! What a run amounts to, in words that all formats share. What verdicts mean is decided in [`crate::standing`].

use crate::baseline::{BaselineEntry, Judged, Listing, file};
use crate::result::{Exit, RequirementResult, RunResult};
use crate::standing::{self, Standing};
use crate::verdict::{Blocked, Check, Level, Verdict};

/// Why a requirement that fails is tolerated.
pub(super) fn tolerated(run: &RunResult, requirement: &RequirementResult) -> String {
    let mut reasons: Vec<String> = Vec::new();
    for check in &requirement.checks {
        if let Some((_, Listing::Known(entry))) = listing(run, requirement, check) {
            let reason = terms(entry);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
    }
    reasons.join("; ")
}

/// What the baseline says to a check; nothing if there is none, or if the check does not fail the run.
fn listing<'a>(
    run: &'a RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> Option<(&'a Judged, Listing<'a>)> {
    let judged = run.baseline.as_ref()?;
    let failure = standing::failure(run, requirement, check)?;
    Some((judged, judged.listed(&failure)))
}

/// Whether a check fails as listed.
pub(super) fn is_known(run: &RunResult, requirement: &RequirementResult, check: &Check) -> bool {
    listing(run, requirement, check).is_some_and(|(_, listing)| listing.is_known())
}

/// What the baseline says to a failure: one word, and the rest of the sentence.
pub(super) fn listed(
    run: &RunResult,
    requirement: &RequirementResult,
    check: &Check,
) -> Option<(&'static str, String)> {
    let (judged, listing) = listing(run, requirement, check)?;
    Some(match listing {
        Listing::Known(entry) => ("known", terms(entry)),
        Listing::New => ("new", format!("not listed in {}", judged.file)),
        Listing::Changed(entry) => (
            "changed",
            format!("listed, but failed in another way: {}", terms(entry)),
        ),
        Listing::Expired(entry) => ("expired", terms(entry)),
    })
}

/// Why an entry is tolerated, and until when.
pub(super) fn terms(entry: &BaselineEntry) -> String {
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

/// The level of what fails a run without having failed itself: the highest there is.
pub(super) fn unproven(run: &RunResult) -> Level {
    let unproven = |r: &&RequirementResult| Standing::of(run, r) == Standing::Unproven;
    let levels = run.requirements.iter().filter(unproven).map(|r| r.level);
    levels.min().unwrap_or(Level::Must)
}

/// The run in one sentence.
pub(super) fn headline(run: &RunResult) -> (Tone, String) {
    let exit = run.exit();
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
        Exit::Fails => {
            let level = unproven(run).word();
            let text = format!("Conformance could not be shown: a {level} is not verified.");
            return (Tone::Bad, text);
        }
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
        Exit::Fails if !judged.has_failures() && judged.is_stale() => {
            Some((Tone::Bad, format!("{file} lists what no longer fails.")))
        }
        _ => None,
    }
}

/// Requirements that are open for the same reason.
pub(super) struct Reason<'a> {
    /// The reason, in one line.
    pub(super) text: &'a str,
    /// The requirements.
    pub(super) ids: Vec<&'a str>,
    /// What kept scenarios from them, once for each scenario.
    pub(super) blocked: Vec<(&'a Check, &'a Blocked)>,
}

/// Requirements by the reason why they are open, in the order in which the reasons come.
pub(super) fn by_reason<'a>(requirements: impl Iterator<Item = &'a RequirementResult>) -> Vec<Reason<'a>> {
    let mut reasons: Vec<Reason<'a>> = Vec::new();
    for requirement in requirements {
        let text = requirement.reason.as_deref().unwrap_or("no reason given");
        let known = reasons.iter().position(|reason| reason.text == text);
        let known = known.unwrap_or_else(|| {
            reasons.push(Reason {
                text,
                ids: Vec::new(),
                blocked: Vec::new(),
            });
            reasons.len() - 1
        });
        let reason = &mut reasons[known];
        reason.ids.push(&requirement.id);
        for check in &requirement.checks {
            let told = reason
                .blocked
                .iter()
                .any(|(other, _)| other.scenario == check.scenario);
            reason
                .blocked
                .extend(check.blocked().filter(|_| !told).map(|by| (check, by)));
        }
    }
    reasons
}

//! Which failures are known, and what is wrong with the file that says so.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::text::value;
use super::{Page, Section, decisive};
use crate::baseline::findings::of_check;
use crate::baseline::{Entry, Judged, Listed, Outcome, Place, Standing, file};
use crate::report::many;
use crate::result::{RequirementResult, RunResult};
use crate::verdict::{Check, Verdict};

/// So many entries of one kind are told one by one.
const MOST: usize = 40;

/// What stands beside a failure: a word, and the rest of the sentence.
pub(super) struct Mark {
    pub(super) known: bool,
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) text: String,
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

/// The requirements that fail only as listed.
pub(super) fn known(run: &RunResult) -> BTreeSet<&str> {
    let failed = run.requirements.iter().filter(|r| r.verdict == Verdict::Fail);
    let as_listed = |requirement: &&RequirementResult| {
        decisive(requirement)
            .all(|check| matches!(standing(run, requirement, check), Some((_, Standing::Known(_)))))
    };
    failed.filter(as_listed).map(|r| r.id.as_str()).collect()
}

/// Says of a failure whether it is known.
pub(super) fn mark(run: &RunResult, requirement: &RequirementResult, check: &Check) -> Option<Mark> {
    let (judged, standing) = standing(run, requirement, check)?;
    let (class, word, text) = match standing {
        Standing::Known(entry) => ("warn", "known", told(entry)),
        Standing::New => ("fail", "new", format!("not listed in {}", judged.file)),
        Standing::Changed(entry) => (
            "fail",
            "changed",
            format!("listed, but failed in another way: {}", told(entry)),
        ),
        Standing::Expired(entry) => ("fail", "expired", told(entry)),
    };
    Some(Mark {
        known: matches!(standing, Standing::Known(_)),
        class,
        word,
        text,
    })
}

/// Why an entry is tolerated, and until when.
fn told(entry: &Entry) -> String {
    let until = entry.expires.map(file::show_day);
    let until = until.map_or_else(String::new, |day| format!(" (until {day})"));
    format!("{}{until}", entry.reason)
}

/// The whole section.
pub(super) fn section(page: &Page<'_>) -> Option<Section> {
    let judged = page.run.baseline.as_ref()?;
    let listed = |one: &Listed| told(&one.entry);
    let body = html! {
        p {
            (value(&judged.file)) " lists " (many(judged.known.len(), "failure")) " of this run; "
            strong { (judged.new.len()) " not listed" } "."
        }
        (group(page, "New", judged.new.iter().map(|one| (&one.place, one.message.clone()))))
        (group(page, "Known", judged.known.iter().map(|one| (&one.entry.place, listed(one)))))
        (group(page, "Listed, but fails no more", judged.gone.iter().map(|one| (&one.place, told(one)))))
        (group(page, "Listed, but fails in another way", judged.changed.iter().map(|one| (&one.entry.place, listed(one)))))
        (group(page, "Listed, but has expired", judged.expired.iter().map(|one| (&one.entry.place, listed(one)))))
        (group(page, "Listed, but not looked at", judged.not_looked_at.iter().map(|one| (&one.entry.place, one.why.clone()))))
    };
    Some(Section {
        id: "baseline",
        title: "Known failures",
        count: Some(judged.known.len()),
        body,
    })
}

fn group<'a>(
    page: &Page<'_>,
    title: &str,
    entries: impl ExactSizeIterator<Item = (&'a Place, String)>,
) -> Markup {
    let count = entries.len();
    html! {
        @if count > 0 {
            h3 { (title) " " span.n { (count) } }
            dl.reasons {
                @for (place, text) in entries.take(MOST) {
                    dt { (page.requirement(&place.requirement)) " in " (page.scenario(&place.scenario)) }
                    dd { (value(&text).within(300)) }
                }
            }
            @if count > MOST { p.more { "And " (count - MOST) " more." } }
        }
    }
}

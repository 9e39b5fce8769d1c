//! What could not be verified, or was too close to tell, by its reason.

use maud::{Markup, html};

use super::exchange::diagram;
use super::text::value;
use super::{Page, Section};
use crate::report::{many, status};
use crate::result::RequirementResult;
use crate::verdict::{Blocked, Check, Verdict};

/// The whole section.
pub(super) fn section(page: &Page<'_>) -> Option<Section> {
    let run = page.run;
    let open = |r: &&RequirementResult| matches!(r.verdict, Verdict::Unverified | Verdict::Inconclusive);
    let count = run.requirements.iter().filter(open).count();
    (count > 0).then(|| Section {
        id: "open",
        title: "Not verified",
        count: Some(count),
        body: html! {
            (by_reason(page, Verdict::Unverified))
            @if run.requirements.iter().any(|r| r.verdict == Verdict::Inconclusive) {
                h3 { "Too close to tell" }
                (by_reason(page, Verdict::Inconclusive))
            }
        },
    })
}

/// How many scenarios are named for one reason, at most.
const MOST: usize = 5;

/// Where a scenario did not get on, what says more about it, and the exchange that led there.
fn blocked(page: &Page<'_>, check: &Check, by: &Blocked) -> Markup {
    const BYTES: usize = 12_000;
    let label = format!("What kept {} from {}", check.scenario, check.requirement);
    html! {
        p.more {
            "in " (page.scenario(&check.scenario))
            @if let Some(requirement) = &by.requirement { "; see " (page.requirement(requirement)) }
        }
        @if let Some(diagram) = diagram(&label, &check.frames, BYTES) {
            details {
                summary { "What led there: the last " (many(check.frames.len(), "line")) " of the exchange" }
                (diagram)
            }
        }
    }
}

/// Requirements with the same reason, in the order in which the reasons come.
fn by_reason(page: &Page<'_>, verdict: Verdict) -> Markup {
    let reasons = status::by_reason(page.run.requirements.iter().filter(|r| r.verdict == verdict));
    html! {
        @if !reasons.is_empty() {
            dl.reasons {
                @for reason in reasons {
                    dt { @for id in reason.ids { (page.requirement(id)) " " } }
                    dd {
                        (value(reason.text))
                        @for (check, by) in reason.blocked.iter().take(MOST) { (blocked(page, check, by)) }
                    }
                }
            }
        }
    }
}

//! What could not be verified, or was too close to tell, by its reason.

use maud::{Markup, html};

use super::text::value;
use super::{Page, Section};
use crate::report::status;
use crate::result::RequirementResult;
use crate::verdict::Verdict;

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

/// Requirements with the same reason, in the order in which the reasons come.
fn by_reason(page: &Page<'_>, verdict: Verdict) -> Markup {
    let reasons = status::by_reason(page.run.requirements.iter().filter(|r| r.verdict == verdict));
    html! {
        @if !reasons.is_empty() {
            dl.reasons {
                @for (reason, ids) in reasons {
                    dt { @for id in ids { (page.requirement(id)) " " } }
                    dd { (value(reason)) }
                }
            }
        }
    }
}

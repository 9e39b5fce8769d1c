//! What failed and why: for each requirement what was expected, what was seen, the frames that led there, and the steps.

use maud::{Markup, PreEscaped, html};

use super::exchange::diagram;
use super::text::value;
use super::{EVIDENCE, Page, Section, prose, verdict};
use crate::expect::Mismatch;
use crate::report::{evidence, many, status};
use crate::result::RequirementResult;
use crate::verdict::{Check, Verdict};

/// How many checks of a requirement are shown in full, at most.
const CHECKS: usize = 4;
/// How many bytes of markup surround the texts that are counted.
const AROUND: usize = 400;
/// For how many requirements the exchange is unfolded when the page is opened.
const UNFOLDED: usize = 12;

/// The whole section, those that no baseline knows first.
pub(super) fn section(page: &Page<'_>) -> Option<Section> {
    let run = page.run;
    let mut failed: Vec<&RequirementResult> = [Verdict::Fail, Verdict::Harness, Verdict::Warn]
        .into_iter()
        .flat_map(|verdict| run.requirements.iter().filter(move |r| r.verdict == verdict))
        .collect();
    failed.sort_by_key(|r| page.known.contains(r.id.as_str()));
    let mut left = EVIDENCE;
    let mut cards = Vec::new();
    for (n, requirement) in failed.iter().enumerate() {
        // What one does not need of its share is for those that come after it.
        let share = left / (failed.len() - n);
        let card = card(page, requirement, share, n < UNFOLDED).into_string();
        left = left.saturating_sub(card.len());
        cards.push(card);
    }
    let faults: Vec<_> = run
        .scenarios
        .iter()
        .filter(|s| s.verdict == Verdict::Harness && s.message.is_some())
        .collect();
    (!cards.is_empty() || !faults.is_empty()).then(|| Section {
        id: "failures",
        title: "What failed",
        count: Some(cards.len()),
        body: html! {
            @for fault in faults {
                p.remark {
                    strong { "The kit is at fault" } " in " (page.scenario(fault.scenario.id)) ": "
                    (value(fault.message.as_deref().unwrap_or_default()))
                }
            }
            @for card in &cards { (PreEscaped(card)) }
        },
    })
}

/// One requirement, in about so many bytes.
fn card(page: &Page<'_>, requirement: &RequirementResult, share: usize, unfolded: bool) -> Markup {
    let RequirementResult {
        id, level, statement, ..
    } = requirement;
    let why = page.contract.requirement(id).map_or("", |r| r.why.as_str());
    // Where not all are shown, those that nobody knows yet are.
    let checks = evidence::decisive(page.run, requirement);
    let head = html! {
        h3 #{ "title-" (id) } {
            (verdict(requirement.verdict)) " " a.id href={ "#" (id) } { (id) } " "
            span.level { (level.word()) }
        }
        p.statement { (prose(statement)) }
        @if !why.is_empty() { p.why { (prose(why)) } }
    };
    let mut left = share.saturating_sub(head.0.len() + AROUND);
    let mut told: Vec<String> = Vec::new();
    let mut scenario = "";
    for (n, check) in checks.iter().take(CHECKS).enumerate() {
        let again = std::mem::replace(&mut scenario, &check.scenario) == check.scenario;
        let shown = Shown {
            requirement,
            check,
            left,
            unfolded: unfolded && n == 0,
            again,
        };
        let one = shown.check(page).into_string();
        // The first is always told: it is what the requirement failed for.
        if n > 0 && one.len() > left {
            break;
        }
        left = left.saturating_sub(one.len());
        told.push(one);
    }
    let more = checks.len() - told.len();
    html! {
        article.failure.(requirement.verdict.word()) #{ "failure-" (id) } aria-labelledby={ "title-" (id) } {
            (head)
            @for one in &told { (PreEscaped(one)) }
            @if more > 0 {
                p.more { "And " (many(more, "check")) " more; the JSON report has all." }
            }
        }
    }
}

/// A check, and how much of it is shown.
struct Shown<'a> {
    requirement: &'a RequirementResult,
    check: &'a Check,
    /// How many bytes are left.
    left: usize,
    unfolded: bool,
    /// Whether the scenario has been told just before.
    again: bool,
}

impl Shown<'_> {
    fn check(&self, page: &Page<'_>) -> Markup {
        let Self {
            requirement, check, ..
        } = self;
        let scenario = page
            .run
            .scenarios
            .iter()
            .map(|result| result.scenario)
            .find(|scenario| scenario.id == check.scenario);
        let found = html! {
            @if !self.again {
                h4 {
                    "in " (page.scenario(&check.scenario))
                    @if let Some(scenario) = scenario { span.summary { ": " (scenario.summary) } }
                }
            }
            @if let Some((word, text)) = status::listed(page.run, requirement, check) {
                p.standing.(if word == "known" { "warn" } else { "fail" }) { strong { (word) } " " (value(&text)) }
            }
            (found(check))
        };
        let left = self.left.saturating_sub(found.0.len() + AROUND);
        let exchange = self.exchange(left);
        let left = left.saturating_sub(exchange.0.len());
        let steps = scenario.map_or(&[][..], |scenario| scenario.steps);
        let steps = html! {
            @if !self.again && !steps.is_empty() {
                details {
                    summary { "Steps of this scenario" }
                    (super::scenarios::steps(steps, Some(&requirement.id)))
                }
            }
        };
        html! {
            div.check { (found) (exchange) @if steps.0.len() <= left { (steps) } }
        }
    }

    /// The diagram, or why it is not there.
    fn exchange(&self, most: usize) -> Markup {
        let lines = &self.check.frames;
        let label = format!("Exchange of {} in {}", self.requirement.id, self.check.scenario);
        html! {
            @if let Some(diagram) = diagram(&label, lines, most) {
                details open[self.unfolded] {
                    summary { "What led there: the last " (many(lines.len(), "line")) " of the exchange" }
                    (diagram)
                }
            } @else if !lines.is_empty() {
                p.more { "The exchange is left out, so that this page stays below 1 MB; the JSON report has it." }
            }
        }
    }
}

/// What was expected, and what was seen.
fn found(check: &Check) -> Markup {
    const ALLOWED: usize = 4;
    const EACH: usize = 400;
    html! {
        dl.found {
            @if let Some(Mismatch::Definite(difference)) = &check.mismatch {
                dt { "Expected" }
                @for (n, one) in difference.expected.iter().take(ALLOWED).enumerate() {
                    dd { @if n > 0 { span.or { "or " } } (value(&one.to_string()).within(EACH)) }
                }
                @if difference.expected.len() > ALLOWED { dd { "or " (difference.expected.len() - ALLOWED) " more" } }
                dt.actual { "Got" }
                dd.actual { (value(&difference.seen())) }
            } @else {
                dt { "Because" }
                dd { (value(check.message.as_deref().unwrap_or("(no reason given)"))) }
            }
        }
    }
}

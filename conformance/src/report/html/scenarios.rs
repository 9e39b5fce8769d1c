//! All scenarios, with what they do step by step.

use maud::{Markup, html};

use super::text::value;
use super::{Page, Section, scrolling, verdict};
use crate::result::ScenarioResult;

/// The whole section.
pub(super) fn section(page: &Page<'_>) -> Option<Section> {
    let scenarios = &page.run.scenarios;
    let table = html! {
        table.scenarios {
            caption.unseen { "Scenarios, with how often each was run and how long that took" }
            thead {
                tr {
                    th scope="col" { "Scenario" }
                    th scope="col" { "Verdict" }
                    th.n scope="col" { "Attempts" }
                    th.n scope="col" { "Took" }
                    th scope="col" { "Looks at" }
                }
            }
            tbody { @for scenario in scenarios { (row(page, scenario)) } }
        }
    };
    (!scenarios.is_empty()).then(|| Section {
        id: "scenarios",
        title: "Scenarios",
        count: Some(scenarios.len()),
        body: scrolling("Scenarios", &table),
    })
}

fn row(page: &Page<'_>, result: &ScenarioResult) -> Markup {
    let scenario = result.scenario;
    let described = scenario.steps;
    html! {
        tr #{ "scenario-" (scenario.id) } {
            th scope="row" {
                span.id { (scenario.id) }
                p.summary { (scenario.summary) }
                @if let Some(message) = &result.message { p.reason { (value(message).within(500)) } }
                @if !described.is_empty() {
                    details { summary { "Steps" } (steps(described, None)) }
                }
            }
            td { (verdict(result.verdict)) }
            td.n { (result.attempts) }
            td.n { (format!("{:.2} s", result.duration.as_secs_f64())) }
            td { @for id in scenario.requirements { (page.requirement(id)) " " } }
        }
    }
}

/// The steps, those marked that judge this requirement.
pub(super) fn steps(steps: &[&str], judging: Option<&str>) -> Markup {
    html! {
        ol.steps {
            @for step in steps {
                @if judging.is_some_and(|id| step.contains(id)) { li { strong { (step) } } } @else { li { (step) } }
            }
        }
    }
}

//! All requirements by area, each with an anchor of its own, and a filter for them.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::text::value;
use super::{Page, Section, VERDICTS, prose, scrolling, verdict};
use crate::result::RequirementResult;
use crate::verdict::{Level, Verdict};

/// The whole section.
pub(super) fn section(page: &Page<'_>) -> Option<Section> {
    let requirements = &page.run.requirements;
    let areas: Vec<(&str, Vec<&RequirementResult>)> = page
        .contract
        .areas
        .iter()
        .map(|area| {
            let of_area = requirements.iter().filter(|r| r.area == area.id);
            (area.title.as_str(), of_area.collect::<Vec<_>>())
        })
        .filter(|(_, of_area)| !of_area.is_empty())
        .collect();
    let tables = html! { @for (title, of_area) in &areas { (table(page, title, of_area)) } };
    (!requirements.is_empty()).then(|| Section {
        id: "requirements",
        title: "Requirements",
        count: Some(requirements.len()),
        body: html! {
            (filter(requirements, &areas))
            (scrolling("Requirements by area", &tables))
        },
    })
}

/// Shown by the script, without which it could do nothing.
fn filter(requirements: &[RequirementResult], areas: &[(&str, Vec<&RequirementResult>)]) -> Markup {
    let count = |verdict| requirements.iter().filter(|r| r.verdict == verdict).count();
    let verdicts = VERDICTS.into_iter().filter(|verdict| count(*verdict) > 0);
    html! {
        div.filter #filter role="search" aria-label="Filter the requirements" hidden {
            fieldset {
                legend { "Verdict" }
                label { input type="radio" name="verdict" value="" checked autocomplete="off"; span { "all" } }
                @for one in verdicts {
                    label {
                        input type="radio" name="verdict" value=(one.word()) autocomplete="off";
                        span { (verdict(one)) " " span.n { (count(one)) } }
                    }
                }
            }
            fieldset {
                legend { "Level" }
                label { input type="radio" name="level" value="" checked autocomplete="off"; span { "all" } }
                @for level in [Level::Must, Level::Should] {
                    label {
                        input type="radio" name="level" value=(level.word()) autocomplete="off";
                        span { (level.word()) }
                    }
                }
            }
            p {
                label for="area" { "Area" }
                select #area autocomplete="off" {
                    option value="" selected { "all" }
                    @for (title, of_area) in areas {
                        @if let Some(first) = of_area.first() { option value=(first.area) { (title) } }
                    }
                }
            }
            p {
                label for="words" { "Text" }
                input #words type="search" autocomplete="off" spellcheck="false";
            }
            p.shown { output #shown aria-live="polite" for="words area" { (requirements.len()) " requirements" } }
        }
    }
}

fn table(page: &Page<'_>, title: &str, of_area: &[&RequirementResult]) -> Markup {
    html! {
        table.requirements {
            caption { h3 { (title) } }
            thead {
                tr {
                    th scope="col" { "Id" }
                    th scope="col" { "Level" }
                    th scope="col" { "Verdict" }
                    th scope="col" { "Requirement" }
                    th scope="col" { "Reason and scenarios" }
                }
            }
            tbody { @for requirement in of_area { (row(page, requirement)) } }
        }
    }
}

fn row(page: &Page<'_>, requirement: &RequirementResult) -> Markup {
    let RequirementResult {
        id,
        level,
        area,
        statement,
        ..
    } = requirement;
    let broken = matches!(
        requirement.verdict,
        Verdict::Fail | Verdict::Warn | Verdict::Harness
    );
    let scenarios: BTreeSet<&str> = requirement.checks.iter().map(|c| c.scenario.as_str()).collect();
    html! {
        tr #(id) data-verdict=(requirement.verdict.word()) data-level=(level.word()) data-area=(area) {
            th scope="row" { a.id href={ "#" (id) } { (id) } }
            td { (level.word()) }
            td { (verdict(requirement.verdict)) @if page.known.contains(id.as_str()) { " " span.known { "known" } } }
            td { (prose(statement)) }
            td {
                @if let Some(reason) = &requirement.reason { p { (value(reason).within(500)) } }
                p.where {
                    @if broken { a href={ "#failure-" (id) } { "evidence" } " " }
                    @for scenario in scenarios { (page.scenario(scenario)) " " }
                }
            }
        }
    }
}

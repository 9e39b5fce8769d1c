//! What fails nothing: how the target uses the contract's freedoms, what was measured, what was left out, and what was added
//! to the contract after the set that counts.

use maud::html;

use super::text::value;
use super::{Page, Section, prose, scrolling, verdict};
use crate::measurement::{Measurement, Unit};

/// How many notes, and how many measurements, are shown at most.
const MOST: usize = 100;

/// How the target uses the freedoms that the contract leaves.
pub(super) fn freedoms(page: &Page<'_>) -> Option<Section> {
    let mut by_requirement: Vec<(&str, Vec<&str>)> = Vec::new();
    let notes = page.run.scenarios.iter().flat_map(|scenario| &scenario.notes);
    for (requirement, text) in notes.take(MOST) {
        match by_requirement.iter_mut().find(|(id, _)| id == requirement) {
            Some((_, texts)) => texts.push(text),
            None => by_requirement.push((requirement, vec![text])),
        }
    }
    let statement = |id| page.contract.requirement(id).map_or("", |r| r.statement.as_str());
    let table = html! {
        table.notes {
            caption.unseen { "How the target uses what the contract leaves open" }
            thead {
                tr {
                    th scope="col" { "Id" }
                    th scope="col" { "What the contract leaves open" }
                    th scope="col" { "What the target does" }
                }
            }
            tbody {
                @for (id, texts) in &by_requirement {
                    // What has a verdict has its anchor there.
                    tr id=[(!page.has_anchor(id)).then_some(id)] {
                        th scope="row" { a.id href={ "#" (id) } { (id) } }
                        td { (prose(statement(id))) }
                        td { ul { @for text in texts { li { (value(text).within(400)) } } } }
                    }
                }
            }
        }
    };
    (!by_requirement.is_empty()).then(|| Section {
        id: "freedoms",
        title: "Freedoms taken",
        count: None,
        body: html! {
            p { "None of this is judged." }
            (scrolling("Freedoms taken", &table))
        },
    })
}

/// What was measured on the way.
pub(super) fn figures(page: &Page<'_>) -> Option<Section> {
    let figures: Vec<_> = page
        .run
        .scenarios
        .iter()
        .flat_map(|result| {
            result
                .measurements
                .iter()
                .map(|figure| (result.scenario.id, figure))
        })
        .take(MOST)
        .collect();
    let table = html! {
        table.figures {
            caption.unseen { "What was measured" }
            thead {
                tr {
                    th scope="col" { "Id" }
                    th scope="col" { "What" }
                    th.n scope="col" { "Value" }
                    th scope="col" { "Scenario" }
                }
            }
            tbody {
                @for (scenario, figure) in &figures {
                    tr {
                        td { (page.requirement(&figure.requirement)) }
                        th scope="row" { (value(&figure.what).within(300)) }
                        td.n { (amount(figure)) }
                        td { (page.scenario(scenario)) }
                    }
                }
            }
        }
    };
    (!figures.is_empty()).then(|| Section {
        id: "figures",
        title: "Measured",
        count: None,
        body: scrolling("Measured", &table),
    })
}

fn amount(figure: &Measurement) -> String {
    match figure.unit {
        Unit::Ms => format!("{} ms", figure.value),
        Unit::Count => figure.value.to_string(),
    }
}

/// What `--quick` has left out.
pub(super) fn left_out(page: &Page<'_>) -> Option<Section> {
    let ids = &page.run.left_out;
    (!ids.is_empty()).then(|| Section {
        id: "left-out",
        title: "Left out",
        count: Some(ids.len()),
        body: html! {
            p { "By --quick, since they take waiting." }
            ul.left-out {
                @for id in ids {
                    li #(id) {
                        span.id { (id) } " "
                        @if let Some(requirement) = page.contract.requirement(id) { (prose(&requirement.statement)) }
                    }
                }
            }
        },
    })
}

/// What was added to the contract after the set that counts.
pub(super) fn later(page: &Page<'_>) -> Option<Section> {
    let later = &page.run.later;
    let table = html! {
        table.notes {
            caption.unseen { "What was added to the contract after the set that counts" }
            thead {
                tr {
                    th scope="col" { "Id" }
                    th scope="col" { "Level" }
                    th scope="col" { "Verdict" }
                    th scope="col" { "Requirement" }
                    th scope="col" { "Reason" }
                }
            }
            tbody {
                @for requirement in later {
                    tr #(requirement.id) {
                        th scope="row" { a.id href={ "#" (requirement.id) } { (requirement.id) } }
                        td { (requirement.level.word()) }
                        td { (verdict(requirement.verdict)) }
                        td { (prose(&requirement.statement)) }
                        td { @if let Some(reason) = &requirement.reason { (value(reason).within(500)) } }
                    }
                }
            }
        }
    };
    (!later.is_empty()).then(|| Section {
        id: "later",
        title: "Added later",
        count: Some(later.len()),
        body: html! {
            p { "Added to the contract after the requirement set " (value(&page.run.set)) ": none of this fails the run." }
            (scrolling("Added later", &table))
        },
    })
}

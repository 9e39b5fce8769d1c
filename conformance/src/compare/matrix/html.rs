//! For a web page: one file without scripts that asks nothing of the network, in the light or the dark, and on paper.

use maud::{DOCTYPE, Markup, html};

use super::{Area, Cell, Column, Matrix, Row};
use crate::compare::common::UNSEEN;
use crate::report::html::{head, prose};
use crate::text::one_line;
use crate::verdict::Verdict;

const STYLE: &str = concat!(
    include_str!("../../report/palette.css"),
    include_str!("style.css")
);

/// The page.
pub fn write(matrix: &Matrix) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head::head("chatspec matrix", STYLE, None))
            body {
                main {
                    h1 { "chatspec matrix" }
                    p { "Requirements of the protocol, version " (one_line(&matrix.protocol)) ", and what each implementation makes of them." }
                    (reports(matrix))
                    (signs())
                    div.filter {
                        input #only-open type="checkbox";
                        " "
                        label for="only-open" { "Hide what passes everywhere" }
                    }
                    (table(matrix))
                }
            }
        }
    };
    page.into_string()
}

/// What each column is, and what makes them less comparable than they look.
fn reports(matrix: &Matrix) -> Markup {
    html! {
        ul.reports {
            @for Column { name, about } in &matrix.columns {
                li { strong { (one_line(name)) } " " span.details { (about.details()) } }
            }
            @for limit in &matrix.limits {
                li.limits { "Judged by other limits: " (limit.describe(", ")) }
            }
        }
    }
}

fn signs() -> Markup {
    html! {
        p.signs {
            @for verdict in Verdict::ALL.map(Some).into_iter().chain([None]) {
                span class=(class(verdict)) { (mark(verdict)) }
                " "
            }
        }
    }
}

fn table(matrix: &Matrix) -> Markup {
    html! {
        section.scroll aria-labelledby="caption" tabindex="0" {
            table {
                caption #caption { "Verdicts by requirement and implementation; one that is no pass opens to its reason" }
                thead {
                    tr {
                        th scope="col" { "Requirement" }
                        th scope="col" { "What is required" }
                        @for column in &matrix.columns {
                            th scope="col" { (one_line(&column.name)) }
                        }
                    }
                }
                @for area in &matrix.areas { (body(area, matrix.columns.len())) }
                (counts(matrix))
            }
        }
    }
}

fn body(area: &Area, columns: usize) -> Markup {
    html! {
        tbody class=[area.requirements.iter().all(passes).then_some("passes")] {
            tr.area {
                th scope="rowgroup" colspan=(columns + 2) { span { (area.title) } }
            }
            @for row in &area.requirements {
                tr class=[passes(row).then_some("passes")] {
                    th scope="row" { (one_line(&row.id)) " " small { (row.level.word()) } }
                    td.statement { (prose(&row.statement)) }
                    @for one in &row.cells { (cell(one)) }
                }
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    html! {
        td class=(class(cell.verdict)) {
            @if let Some(reason) = &cell.reason {
                details {
                    summary { (mark(cell.verdict)) }
                    p { (one_line(reason)) }
                }
            } @else {
                (mark(cell.verdict))
            }
        }
    }
}

/// The sums, as the last rows of the table.
fn counts(matrix: &Matrix) -> Markup {
    html! {
        tfoot {
            tr.area {
                th scope="rowgroup" colspan=(matrix.columns.len() + 2) { span { "Counts" } }
            }
            @for count in &matrix.counts {
                tr {
                    th scope="row" colspan="2" { small { (count.level.word()) } " " (Cell::word(count.verdict)) }
                    @for n in &count.counts { td { (n) } }
                }
            }
        }
    }
}

/// The sign, which screen readers pass over, and the word.
fn mark(verdict: Option<Verdict>) -> Markup {
    html! {
        span.sign aria-hidden="true" { (verdict.map_or(UNSEEN, Verdict::sign)) }
        " "
        (Cell::word(verdict))
    }
}

const fn class(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "ok",
        Some(Verdict::Fail) => "bad",
        Some(Verdict::Warn) => "warn",
        Some(Verdict::Unverified | Verdict::Inconclusive | Verdict::Harness) => "unknown",
        None => "unseen",
    }
}

fn passes(row: &Row) -> bool {
    row.cells.iter().all(|cell| cell.verdict == Some(Verdict::Pass))
}

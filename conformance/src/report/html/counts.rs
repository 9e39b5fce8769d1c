//! How many requirements of each level have which verdict: a table, and a bar that shows the same.

use maud::{Markup, html};

use super::{Page, VERDICTS, scrolling, verdict};
use crate::result::RunResult;
use crate::verdict::{Level, Verdict};

/// The whole section.
pub(super) fn section(page: &Page<'_>) -> Markup {
    let run = page.run;
    let levels: Vec<Level> = [Level::Must, Level::Should]
        .into_iter()
        .filter(|level| all(run, *level) > 0)
        .collect();
    let shown: Vec<Verdict> = std::iter::once(Verdict::Pass)
        .chain(VERDICTS.into_iter().filter(|verdict| *verdict != Verdict::Pass))
        .filter(|verdict| {
            matches!(verdict, Verdict::Pass | Verdict::Fail)
                || levels.iter().any(|level| run.count(*level, *verdict) > 0)
        })
        .collect();
    let table = html! {
        table.counts {
            caption.unseen { "Requirements by level and verdict" }
            thead {
                tr {
                    th scope="col" { "Level" }
                    @for one in &shown { th.n scope="col" { (verdict(*one)) } }
                    th.n scope="col" { "all" }
                    td.wide {}
                }
            }
            tbody {
                @for level in &levels {
                    tr {
                        th scope="row" { (level.word()) }
                        @for one in &shown {
                            @let n = run.count(*level, *one);
                            td.n.none[n == 0] { (n) }
                        }
                        td.n { (all(run, *level)) }
                        td.wide { (bar(run, *level)) }
                    }
                }
            }
        }
    };
    html! {
        section aria-labelledby="levels" {
            h2 #levels { "Result by level" }
            @if levels.is_empty() { p { "The run looked at no requirement." } } @else {
                (scrolling("Result by level", &table))
            }
        }
    }
}

fn all(run: &RunResult, level: Level) -> usize {
    run.requirements.iter().filter(|r| r.level == level).count()
}

/// One unit of width for each requirement. The table beside it says the same in numbers.
fn bar(run: &RunResult, level: Level) -> Markup {
    let mut at = 0;
    let parts: Vec<(Verdict, usize, usize)> = VERDICTS
        .into_iter()
        .rev()
        .map(|verdict| (verdict, run.count(level, verdict)))
        .filter(|(_, n)| *n > 0)
        .map(|(verdict, n)| {
            let begin = at;
            at += n;
            (verdict, begin, n)
        })
        .collect();
    html! {
        svg.bar viewBox={ "0 0 " (at) " 1" } preserveAspectRatio="none" aria-hidden="true" {
            @for (verdict, begin, n) in parts {
                rect.(verdict.word()) x=(begin) y="0" width=(n) height="1" {}
            }
        }
    }
}

//! The report for a badge: JSON as shields.io takes it from an endpoint.
//!
//! | colour | when |
//! |---|---|
//! | `brightgreen` | every MUST of the contract passes |
//! | `yellowgreen` | every MUST that was looked at passes, which is a part of them |
//! | `yellow` | a MUST is not verified, or too close to tell |
//! | `orange` | nothing fails but what a baseline lists |
//! | `red` | the run fails |
//! | `lightgrey` | it says nothing: interrupted, the target gone, the kit at fault |

use serde_json::{Value, json};

use crate::baseline::Judged;
use crate::result::{Exit, RunResult};
use crate::verdict::{Level, Verdict};

/// The whole report as text.
pub fn text(run: &RunResult) -> String {
    format!("{}\n", document(run))
}

/// The whole report.
pub(super) fn document(run: &RunResult) -> Value {
    let exit = run.exit();
    let mut document = json!({
        "schemaVersion": 1,
        "label": "chatspec",
        "message": message(run),
        "color": color(run, exit),
    });
    if exit != Exit::Conforms {
        // Whoever shows the badge cannot give it another colour then.
        document["isError"] = true.into();
    }
    document
}

fn color(run: &RunResult, exit: Exit) -> &'static str {
    let (passed, all) = musts(run);
    match exit {
        Exit::Fails => "red",
        Exit::Usage | Exit::Fault | Exit::Interrupted => "lightgrey",
        Exit::Conforms if known(run) > 0 => "orange",
        Exit::Conforms if passed < all || all == 0 => "yellow",
        Exit::Conforms if run.partial => "yellowgreen",
        Exit::Conforms => "brightgreen",
    }
}

/// As in `80/84 MUST, 4 known failures, partial run`.
fn message(run: &RunResult) -> String {
    let (passed, all) = musts(run);
    let counted = [
        (run.count(Level::Should, Verdict::Fail), "SHOULD failed"),
        (
            known(run),
            if known(run) == 1 {
                "known failure"
            } else {
                "known failures"
            },
        ),
    ];
    let stale = run.baseline.as_ref().is_some_and(Judged::is_stale);
    let true_of_it = [
        (stale, "stale baseline"),
        (run.at_fault(), "kit at fault"),
        (run.lost.is_some(), "target gone"),
        (run.interrupted, "interrupted"),
        (run.partial, "partial run"),
    ];
    let mut parts = vec![format!("{passed}/{all} MUST")];
    parts.extend(
        counted
            .into_iter()
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| format!("{n} {what}")),
    );
    parts.extend(
        true_of_it
            .into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, what)| what.to_owned()),
    );
    parts.join(", ")
}

/// How many pass, and how many there are.
fn musts(run: &RunResult) -> (usize, usize) {
    let all = run.requirements.iter().filter(|r| r.level == Level::Must).count();
    (run.count(Level::Must, Verdict::Pass), all)
}

fn known(run: &RunResult) -> usize {
    run.baseline.as_ref().map_or(0, |judged| judged.known.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_badges_of_all_kinds_of_runs() {
        let badges: Vec<String> = sample::variants()
            .iter()
            .map(|(what, run)| format!("{what}: {}", document(run)))
            .collect();
        insta::assert_snapshot!(badges.join("\n"));
    }

    #[test]
    fn it_is_bright_green_only_if_every_must_passes() {
        for (what, run) in sample::variants() {
            for run in [run.requiring_all(), run] {
                let bright = document(&run)["color"] == "brightgreen";
                let passes = |r: &crate::result::RequirementResult| {
                    r.level != Level::Must || r.verdict == Verdict::Pass
                };
                let all_is_well = !run.requirements.is_empty()
                    && run.requirements.iter().all(passes)
                    && !run.partial
                    && run.exit() == Exit::Conforms;
                assert_eq!(bright, all_is_well, "{what}");
            }
        }
    }
}

//! How long each scenario took, and which of them the run has waited for.

use std::io::{self, Write};
use std::time::Duration;

use super::{BOLD, DIM};
use crate::result::{RunResult, ScenarioResult};

/// How many of the longest scenarios are shown.
const MOST: usize = 12;

pub(super) fn write(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let mut longest: Vec<_> = result.scenarios.iter().collect();
    longest.sort_by_key(|scenario| std::cmp::Reverse(scenario.duration));
    writeln!(out, "\n{BOLD}Longest scenarios{BOLD:#} {DIM}took, began{DIM:#}")?;
    for scenario in longest.into_iter().take(MOST) {
        let (took, began) = (seconds(scenario.duration), seconds(scenario.began));
        writeln!(out, "  {took} {DIM}{began}{DIM:#}  {}", scenario.scenario.id)?;
    }
    let path = critical_path(&result.scenarios);
    writeln!(
        out,
        "\n{BOLD}Critical path{BOLD:#} {DIM}each waited for the one before{DIM:#}"
    )?;
    for scenario in &path {
        writeln!(out, "  {}  {}", seconds(scenario.duration), scenario.scenario.id)?;
    }
    let sum = path.iter().map(|scenario| scenario.duration).sum();
    writeln!(
        out,
        "  {}  of {}",
        seconds(sum),
        seconds(result.duration).trim_start()
    )
}

fn seconds(time: Duration) -> String {
    format!("{:>7.3} s", time.as_secs_f64())
}

/// From the scenario that ended last back to the first: each began when the one before it had ended.
fn critical_path(scenarios: &[ScenarioResult]) -> Vec<&ScenarioResult> {
    let end = |scenario: &&ScenarioResult| scenario.began + scenario.duration;
    let mut path: Vec<&ScenarioResult> = scenarios.iter().max_by_key(end).into_iter().collect();
    while let Some(before) = path
        .last()
        .and_then(|next| {
            scenarios
                .iter()
                .filter(|one| end(one) <= next.began)
                .max_by_key(end)
        })
        .filter(|before| !before.duration.is_zero())
    {
        path.push(before);
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_path_leads_through_those_that_were_waited_for() {
        let place = |began: u64, took: u64| ScenarioResult {
            began: Duration::from_millis(began),
            duration: Duration::from_millis(took),
            ..sample::scenarios().remove(0)
        };
        // Two at once, of which the second takes longer; then two alone.
        let scenarios = [place(0, 40), place(1, 100), place(102, 5), place(108, 7)];
        let began: Vec<_> = critical_path(&scenarios)
            .iter()
            .map(|one| one.began.as_millis())
            .collect();
        assert_eq!(began, [1, 102, 108]);
        assert!(critical_path(&[]).is_empty());
    }

    #[test]
    fn the_timings_of_a_run() {
        let mut out = Vec::new();
        write(&mut out, &sample::result()).unwrap();
        let text = anstream::adapter::strip_bytes(&out).into_vec();
        insta::assert_snapshot!(String::from_utf8(text).unwrap());
    }
}

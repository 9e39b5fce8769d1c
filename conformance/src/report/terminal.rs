//! The report for people: one line per area as it completes, then what failed and why, then the sum.
//!
//! Colours are always written; the stream that it goes to leaves them out where they do not belong.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anstyle::Style;
use indicatif::{ProgressBar, ProgressStyle};

use super::palette::{BOLD, CYAN, DIM, GREEN, RED, YELLOW, style};
use super::{Report, many};
use crate::plan::Plan;
use crate::result::RunEvent;
use crate::result::{RequirementResult, RunResult, ScenarioResult, by_requirement};
use crate::scene::Context;
use crate::verdict::Verdict;
use summary::Shown;

mod baseline;
mod summary;
mod timings;
pub mod wrap;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What fails, and how it ends.
    Quiet,
    /// An area's sum as well, what could not be told and why, and what was noted and measured.
    #[default]
    Normal,
    /// Every requirement, every failed check, and evidence that is not cut.
    Verbose,
}

/// Writes as the run goes on.
pub struct Terminal<W> {
    out: W,
    bar: ProgressBar,
    timings: bool,
    detail: Detail,
    run: Option<(Arc<Context>, Arc<Plan>)>,
    finished: BTreeMap<&'static str, Arc<ScenarioResult>>,
    running: Vec<&'static str>,
    areas_told: Vec<String>,
}

impl<W: Write + Send> Terminal<W> {
    /// A report that goes there. `live` adds a progress line to standard error.
    pub fn new(out: W, live: bool) -> Self {
        let bar = if live {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) =
            ProgressStyle::with_template("  {spinner:.cyan} {pos}/{len} scenarios  {wide_msg:.dim}")
        {
            bar.set_style(style);
        }
        Self {
            out,
            bar,
            timings: false,
            detail: Detail::default(),
            run: None,
            finished: BTreeMap::new(),
            running: Vec::new(),
            areas_told: Vec::new(),
        }
    }

    /// Adds how long each scenario took, and which of them the run has waited for.
    #[must_use]
    pub const fn with_timings(mut self, timings: bool) -> Self {
        self.timings = timings;
        self
    }

    /// Tells more, or less.
    #[must_use]
    pub const fn with_detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    fn started(&mut self, context: &Arc<Context>, plan: &Arc<Plan>) -> io::Result<()> {
        self.bar.set_length(plan.scenarios.len() as u64);
        self.bar.enable_steady_tick(Duration::from_millis(120));
        self.run = Some((context.clone(), plan.clone()));
        if self.detail == Detail::Quiet {
            return Ok(());
        }
        let profile = &context.target.profile;
        let urls: Vec<String> = context.target.urls().iter().map(ToString::to_string).collect();
        writeln!(
            self.out,
            "\n{BOLD}chatspec{BOLD:#} {DIM}protocol {}, requirement set {}{DIM:#}  {} {DIM}{}{DIM:#}",
            context.contract.protocol,
            context.contract.set.name(),
            profile.name,
            urls.join(" ")
        )?;
        let measured = context.timing().measured().map_or_else(String::new, |seen| {
            format!(
                ", round trip {} ms, broadcast {} ms",
                seen.rtt_median_ms, seen.broadcast_ms
            )
        });
        writeln!(
            self.out,
            "{DIM}{} on {}{measured}{DIM:#}\n",
            many(plan.scenarios.len(), "scenario"),
            many(plan.requirements.len(), "requirement")
        )?;
        let limits = profile.limits.own();
        if !limits.is_empty() {
            writeln!(
                self.out,
                "{YELLOW}Judged by the target's own limits:{YELLOW:#} {}\n",
                limits.join(", ")
            )?;
        }
        Ok(())
    }

    fn tell_areas(&mut self) -> io::Result<()> {
        let Some((context, plan)) = self.run.clone().filter(|_| self.detail > Detail::Quiet) else {
            return Ok(());
        };
        for area in &context.contract.areas {
            let of_area = |id: &str| {
                context
                    .contract
                    .requirement(id)
                    .is_some_and(|r| r.area == area.id)
            };
            let complete = plan
                .scenarios
                .iter()
                .filter(|s| s.requirements.iter().any(|id| of_area(id)))
                .all(|s| self.finished.contains_key(s.id));
            if !complete || self.areas_told.contains(&area.id) {
                continue;
            }
            self.areas_told.push(area.id.clone());
            let selected = plan
                .requirements
                .iter()
                .filter(|id| of_area(id) && context.contract.set.has(id))
                .cloned()
                .collect();
            let results: Vec<ScenarioResult> =
                self.finished.values().map(|result| (**result).clone()).collect();
            let requirements = by_requirement(&context.contract, &selected, &results);
            if !requirements.is_empty() {
                self.line(&area_line(&area.id, &requirements))?;
            }
            if self.detail == Detail::Verbose {
                for requirement in &requirements {
                    self.line(&requirement_line(requirement))?;
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        let out = &mut self.out;
        self.bar.suspend(|| writeln!(out, "{line}"))
    }

    fn summary(&mut self, result: &RunResult) -> io::Result<()> {
        self.bar.finish_and_clear();
        let shown = Shown {
            timings: self.timings,
            detail: self.detail,
        };
        summary::write(&mut self.out, result, shown)
    }
}

impl<W: Write + Send> Report for Terminal<W> {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Started { context, plan } => self.started(context, plan),
            RunEvent::ScenarioStarted(scenario) => {
                self.running.push(scenario.id);
                self.bar.set_message(self.running.join(" "));
                Ok(())
            }
            RunEvent::ScenarioFinished(result) => {
                self.running.retain(|id| *id != result.scenario.id);
                self.bar.set_message(self.running.join(" "));
                self.bar.inc(1);
                self.finished.insert(result.scenario.id, result.clone());
                self.tell_areas()
            }
            RunEvent::Finished(result) => self.summary(result),
        }
    }
}

const fn marked(verdict: Verdict) -> (Style, &'static str) {
    (style(verdict), verdict.sign())
}

fn requirement_line(requirement: &RequirementResult) -> String {
    let (style, mark) = marked(requirement.verdict);
    let RequirementResult {
        id, level, statement, ..
    } = requirement;
    format!(
        "      {style}{mark}{style:#} {id:<9} {DIM}{:<6}{DIM:#} {statement}",
        level.word()
    )
}

fn area_line(area: &str, requirements: &[RequirementResult]) -> String {
    let count = |verdict| requirements.iter().filter(|r| r.verdict == verdict).count();
    let (style, mark) = match Verdict::over(requirements.iter().map(|r| r.verdict)) {
        Verdict::Pass if count(Verdict::Unverified) > 0 => marked(Verdict::Unverified),
        verdict => marked(verdict),
    };
    let parts: Vec<String> = [
        (Verdict::Pass, GREEN),
        (Verdict::Fail, RED),
        (Verdict::Warn, YELLOW),
        (Verdict::Unverified, DIM),
        (Verdict::Inconclusive, DIM),
        (Verdict::Harness, YELLOW),
    ]
    .into_iter()
    .filter(|(verdict, _)| count(*verdict) > 0)
    .map(|(verdict, style)| format!("{style}{} {}{style:#}", count(verdict), verdict.word()))
    .collect();
    format!("  {style}{mark}{style:#} {area:<14} {}", parts.join(" · "))
}

/// A line that a person can take in.
fn brief(line: &str) -> String {
    const MOST: usize = 220;
    match line.char_indices().nth(MOST) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use crate::report::sample;
    use crate::scene::RunOptions;
    use crate::targets::Target;
    use crate::targets::profile::Profile;

    #[test]
    fn the_report_of_a_run() {
        insta::assert_snapshot!(report(Detail::Normal));
    }

    #[test]
    fn it_may_be_longer() {
        insta::assert_snapshot!(report(Detail::Verbose));
    }

    #[test]
    fn it_may_be_shorter() {
        insta::assert_snapshot!(report(Detail::Quiet));
    }

    fn report(detail: Detail) -> String {
        let result = sample::result();
        let profile = Profile {
            name: "sample".to_owned(),
            urls: vec!["http://127.0.0.1:4000".to_owned()],
            ..Profile::default()
        };
        let context = Context::new(
            Target::new(profile).unwrap(),
            Contract::for_test(),
            RunOptions::default(),
        );
        context.calibrate(result.calibration);
        let plan = Plan {
            left_out: Vec::new(),
            partial: true,
            scenarios: vec![&sample::ONE, &sample::TWO],
            requirements: result.requirements.iter().map(|r| r.id.clone()).collect(),
        };
        let mut out = Vec::new();
        let stream = anstream::StripStream::new(&mut out);
        let mut report = Terminal::new(stream, false).with_detail(detail);
        let mut events = vec![RunEvent::Started {
            context: Arc::new(context),
            plan: Arc::new(plan),
        }];
        events.extend(
            sample::scenarios()
                .into_iter()
                .map(|s| RunEvent::ScenarioFinished(Arc::new(s))),
        );
        events.push(RunEvent::Finished(result));
        for event in &events {
            report.event(event).unwrap();
        }
        drop(report);
        String::from_utf8(out).unwrap()
    }
}

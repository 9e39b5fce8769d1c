//! The report for people: one line per area as it completes, then what failed and why, then the sum.
//!
//! Colours are always written; the stream that it goes to leaves them out where they do not belong.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use super::Report;
use crate::expect::Mismatch;
use crate::plan::Plan;
use crate::result::{Exit, RequirementResult, RunResult, ScenarioResult, by_requirement};
use crate::runner::RunEvent;
use crate::scene::Context;
use crate::verdict::{Check, Level, Verdict};

mod baseline;
mod timings;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// Writes as the run goes on.
pub struct Terminal<W> {
    out: W,
    bar: ProgressBar,
    require_all: bool,
    timings: bool,
    run: Option<(Arc<Context>, Arc<Plan>)>,
    finished: BTreeMap<&'static str, Arc<ScenarioResult>>,
    running: Vec<&'static str>,
    areas_told: Vec<String>,
}

impl<W: Write + Send> Terminal<W> {
    /// A report that goes there. `live` adds a progress line to standard error.
    pub fn new(out: W, live: bool, require_all: bool) -> Self {
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
            require_all,
            timings: false,
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

    fn started(&mut self, context: &Arc<Context>, plan: &Arc<Plan>) -> io::Result<()> {
        let profile = &context.target.profile;
        let urls: Vec<String> = context.target.urls().iter().map(ToString::to_string).collect();
        writeln!(
            self.out,
            "\n{BOLD}chatspec{BOLD:#} {DIM}protocol {}{DIM:#}  {} {DIM}{}{DIM:#}",
            context.contract.protocol,
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
        self.bar.set_length(plan.scenarios.len() as u64);
        self.bar.enable_steady_tick(Duration::from_millis(120));
        self.run = Some((context.clone(), plan.clone()));
        Ok(())
    }

    fn tell_areas(&mut self) -> io::Result<()> {
        let Some((context, plan)) = self.run.clone() else {
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
                .filter(|id| of_area(id))
                .cloned()
                .collect();
            let results: Vec<ScenarioResult> =
                self.finished.values().map(|result| (**result).clone()).collect();
            let requirements = by_requirement(&context.contract, &selected, &results);
            if !requirements.is_empty() {
                self.line(&area_line(&area.id, &requirements))?;
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
        let out = &mut self.out;
        for verdict in [Verdict::Fail, Verdict::Warn, Verdict::Harness] {
            for requirement in result.requirements.iter().filter(|r| r.verdict == verdict) {
                broken(out, result, requirement, verdict)?;
            }
        }
        let faults = result
            .scenarios
            .iter()
            .filter(|s| s.verdict == Verdict::Harness && s.message.is_some());
        for scenario in faults {
            writeln!(
                out,
                "\n{YELLOW}the kit is at fault{YELLOW:#} in {}: {}",
                scenario.scenario.id,
                scenario.message.as_deref().unwrap_or_default()
            )?;
        }
        undecided(out, result)?;
        baseline::write(out, result)?;
        let notes: Vec<_> = result
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.notes)
            .collect();
        if !notes.is_empty() {
            writeln!(out, "\n{BOLD}Freedoms taken{BOLD:#}")?;
            for (requirement, text) in notes {
                writeln!(out, "  {CYAN}{requirement:<9}{CYAN:#} {text}")?;
            }
        }
        measured(out, result)?;
        left_out(out, result)?;
        if self.timings {
            timings::write(out, result)?;
        }
        counts(out, result)?;
        baseline::counts(out, result)?;
        ending(out, result, self.require_all)?;
        out.flush()
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

fn area_line(area: &str, requirements: &[RequirementResult]) -> String {
    let count = |verdict| requirements.iter().filter(|r| r.verdict == verdict).count();
    let verdict = Verdict::over(requirements.iter().map(|r| r.verdict));
    let (style, mark) = match verdict {
        Verdict::Pass if count(Verdict::Unverified) > 0 => (YELLOW, "·"),
        Verdict::Pass => (GREEN, "✓"),
        Verdict::Fail => (RED, "✗"),
        Verdict::Harness => (YELLOW, "!"),
        Verdict::Warn => (YELLOW, "▲"),
        Verdict::Unverified | Verdict::Inconclusive => (YELLOW, "·"),
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

fn broken(
    out: &mut impl Write,
    result: &RunResult,
    requirement: &RequirementResult,
    verdict: Verdict,
) -> io::Result<()> {
    const MOST: usize = 3;
    let (style, word) = match verdict {
        Verdict::Fail => (RED, "FAIL"),
        Verdict::Warn => (YELLOW, "WARN"),
        _ => (YELLOW, "KIT "),
    };
    writeln!(
        out,
        "\n{style}{word}{style:#} {BOLD}{}{BOLD:#} {DIM}{}{DIM:#}  {}",
        requirement.id,
        requirement.level.word(),
        requirement.statement
    )?;
    let mut decisive: Vec<&Check> = requirement
        .checks
        .iter()
        .filter(|check| check.verdict == verdict)
        .collect();
    // Where not all are shown, those that nobody knows yet are.
    decisive.sort_by_key(|check| baseline::is_known(result, requirement, check));
    for check in decisive.iter().take(MOST) {
        writeln!(out, "     {DIM}in{DIM:#}       {}", check.scenario)?;
        baseline::mark(out, result, requirement, check)?;
        match &check.mismatch {
            Some(Mismatch::Definite { expected, actual }) => {
                writeln!(
                    out,
                    "     {DIM}expected{DIM:#} {}",
                    expected.join("\n              or ")
                )?;
                writeln!(out, "     {DIM}got{DIM:#}      {actual}")?;
            }
            _ => writeln!(
                out,
                "     {DIM}because{DIM:#}  {}",
                check.message.as_deref().unwrap_or("(no reason given)")
            )?,
        }
        for frame in &check.frames {
            writeln!(out, "       {DIM}{}{DIM:#}", brief(frame))?;
        }
    }
    if decisive.len() > MOST {
        writeln!(
            out,
            "     {DIM}and {} more{DIM:#}",
            many(decisive.len() - MOST, "check")
        )?;
    }
    Ok(())
}

/// What was not decided, one line per reason.
fn undecided(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    for (verdict, title) in [
        (Verdict::Unverified, "Not verified"),
        (Verdict::Inconclusive, "Too close to tell"),
    ] {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for requirement in result.requirements.iter().filter(|r| r.verdict == verdict) {
            let reason = requirement.reason.as_deref().unwrap_or("no reason given");
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, ids)) => ids.push(&requirement.id),
                None => reasons.push((reason, vec![&requirement.id])),
            }
        }
        if !reasons.is_empty() {
            writeln!(out, "\n{BOLD}{title}{BOLD:#}")?;
        }
        for (reason, ids) in reasons {
            for line in ids.chunks(10) {
                writeln!(out, "  {YELLOW}{}{YELLOW:#}", line.join(" "))?;
            }
            writeln!(out, "    {reason}")?;
        }
    }
    Ok(())
}

fn measured(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    let mut figures = result
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.figures)
        .peekable();
    if figures.peek().is_some() {
        writeln!(out, "\n{BOLD}Measured{BOLD:#}")?;
    }
    for figure in figures {
        writeln!(out, "  {CYAN}{:<9}{CYAN:#} {figure}", figure.requirement)?;
    }
    Ok(())
}

fn left_out(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    if !result.left_out.is_empty() {
        writeln!(
            out,
            "\n{BOLD}Left out by --quick{BOLD:#}, since they take waiting"
        )?;
    }
    for line in result.left_out.chunks(10) {
        writeln!(out, "  {YELLOW}{}{YELLOW:#}", line.join(" "))?;
    }
    Ok(())
}

fn counts(out: &mut impl Write, result: &RunResult) -> io::Result<()> {
    writeln!(out)?;
    for level in [Level::Must, Level::Should] {
        let all = result.requirements.iter().filter(|r| r.level == level).count();
        if all == 0 {
            continue;
        }
        let parts: Vec<String> = [
            (Verdict::Fail, RED),
            (Verdict::Warn, YELLOW),
            (Verdict::Unverified, YELLOW),
            (Verdict::Inconclusive, YELLOW),
            (Verdict::Harness, YELLOW),
        ]
        .into_iter()
        .map(|(verdict, style)| (result.count(level, verdict), verdict, style))
        .filter(|(n, _, _)| *n > 0)
        .map(|(n, verdict, style)| format!("   {style}{n} {}{style:#}", verdict.word()))
        .collect();
        let passed = result.count(level, Verdict::Pass);
        writeln!(
            out,
            "  {BOLD}{:<6}{BOLD:#} {GREEN}{passed} of {all} pass{GREEN:#}{}",
            level.word(),
            parts.concat()
        )?;
    }
    Ok(())
}

fn ending(out: &mut impl Write, result: &RunResult, require_all: bool) -> io::Result<()> {
    let took = format!("{:.1} s", result.duration.as_secs_f64());
    let exit = result.exit(require_all);
    if let Some((style, text)) = baseline::ending(result, exit) {
        return writeln!(out, "\n  {style}{text}{style:#} {DIM}{took}{DIM:#}\n");
    }
    let (style, text) = match exit {
        Exit::Conforms if result.count(Level::Must, Verdict::Pass) == 0 => {
            (YELLOW, "No MUST was verified in this run.".to_owned())
        }
        Exit::Conforms => (GREEN, "Conforms, as far as this run looked.".to_owned()),
        Exit::Fails if result.requirements.iter().any(|r| r.verdict == Verdict::Fail) => {
            (RED, "Does not conform.".to_owned())
        }
        Exit::Fails => (
            RED,
            "Conformance could not be shown: a MUST is not verified.".to_owned(),
        ),
        Exit::Interrupted => (YELLOW, "Interrupted: this report is partial.".to_owned()),
        Exit::Usage | Exit::Fault => (
            YELLOW,
            result.lost.as_ref().map_or_else(
                || "The kit itself is at fault: this result cannot be trusted.".to_owned(),
                |why| format!("The target has stopped answering: {why}"),
            ),
        ),
    };
    writeln!(out, "\n  {style}{text}{style:#} {DIM}{took}{DIM:#}\n")
}

/// A line that a person can take in.
fn brief(line: &str) -> String {
    const MOST: usize = 220;
    match line.char_indices().nth(MOST) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use crate::report::sample;
    use crate::target::Target;
    use crate::target::profile::Profile;

    #[test]
    fn the_report_of_a_run() {
        let result = sample::result();
        let profile = Profile {
            name: "sample".to_owned(),
            urls: vec!["http://127.0.0.1:4000".to_owned()],
            ..Profile::default()
        };
        let context = Context::new(Target::new(profile).unwrap(), Contract::for_test(), 1.0, false);
        context.calibrate(result.calibration);
        let plan = Plan {
            left_out: Vec::new(),
            scenarios: vec![&sample::ONE, &sample::TWO],
            requirements: result.requirements.iter().map(|r| r.id.clone()).collect(),
        };
        let mut out = Vec::new();
        let mut report = Terminal::new(anstream::StripStream::new(&mut out), false, false);
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
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }
}

//! The report for the summary of a CI job: Markdown as GitHub and GitLab show it.
//!
//! The verdict, the counts, what fails with its evidence folded away, then warnings, what is not verified, notes and
//! measurements. What a target sent stands in `<code>` and `<pre>`, where nothing of it is markup. It stays below a limit that
//! GitHub sets: the longest values are cut first, as short as it takes, and the report says so.

use std::fmt::{Display, Write as _};

use super::evidence;
use super::status::{self, Tone};
use super::{began, many};
use crate::result::{RequirementResult, RunResult};
use crate::standing::{Standing, Trouble};
use crate::text::cut;
use crate::verdict::{Level, Verdict};

pub(crate) mod quote;

/// Longest report, in bytes; GitHub takes 1 MiB from a step.
const LIMIT: usize = 1_000_000;

/// What a value is cut to where there is room, in characters.
const MOST: usize = 10_000;

/// What is not worth showing any more.
const LEAST: usize = 50;

/// What a text in a list or a table is cut to.
const SHORT: usize = 200;

/// How many notes, and how many measurements, are shown at most.
const LINES: usize = 100;

/// The whole report, within the limit.
pub fn document(run: &RunResult) -> String {
    let mut page = Page::new(run, MOST);
    let mut text = page.write();
    while text.len() > LIMIT && page.most > 0 {
        page.most = if page.most > LEAST { page.most / 2 } else { 0 };
        text = page.write();
    }
    text
}

/// A report that is being written.
struct Page<'a> {
    run: &'a RunResult,
    judged: Vec<(&'a RequirementResult, Standing)>,
    /// What a value of the evidence is cut to; at 0 there is none.
    most: usize,
    text: String,
}

impl<'a> Page<'a> {
    fn new(run: &'a RunResult, most: usize) -> Self {
        let status = |r| Standing::of(run, r);
        Self {
            run,
            judged: run.requirements.iter().map(|r| (r, status(r))).collect(),
            most,
            text: String::new(),
        }
    }

    fn write(&mut self) -> String {
        self.text.clear();
        self.head();
        self.counts();
        self.table("Fails", |status| *status == Standing::Failure);
        self.reasons("Not verified, which fails the run", Standing::Unproven);
        self.table("The kit is at fault", |status| *status == Standing::Fault);
        self.table("Known to fail", |status| matches!(status, Standing::Known));
        self.table("Warnings", |status| *status == Standing::Warning);
        self.reasons("Not verified", Standing::Undecided);
        self.notes();
        self.figures();
        self.left_out();
        self.later();
        std::mem::take(&mut self.text)
    }

    fn line(&mut self, line: impl Display) {
        // Writing to a string cannot fail.
        writeln!(self.text, "{line}").ok();
    }

    fn title(&mut self, title: &str) {
        self.line(format_args!("\n### {title}\n"));
    }

    fn head(&mut self) {
        let run = self.run;
        let (tone, headline) = status::headline(run);
        let mark = match tone {
            Tone::Good => "✅",
            Tone::Doubtful => "⚠️",
            Tone::Bad => "❌",
        };
        self.line(format_args!("## {mark} chatspec: {}\n", inline(&headline)));
        let urls: Vec<String> = run.urls.iter().map(|url| code(url)).collect();
        let began = began(run);
        self.line(format_args!(
            "{} at {}, protocol {}, requirement set {}, chatspec {}, {began}, {:.1} s\n",
            code(&run.target),
            urls.join(" "),
            run.protocol,
            run.set,
            env!("CARGO_PKG_VERSION"),
            run.duration.as_secs_f64()
        ));
        for trouble in Trouble::of(run) {
            let (subject, text) = (inline(&trouble.subject()), code(&trouble.text()));
            self.line(format_args!("- **{subject}**: {text}"));
        }
        if run.partial {
            self.line("- This run looked at a part of the contract only.");
        }
        let limits = run.limits.own();
        if !limits.is_empty() {
            self.line(format_args!(
                "- Judged by the target's own limits: {}",
                code(&limits.join(", "))
            ));
        }
        match self.most {
            0 => self.line("- What was expected and seen is left out: with it, this would be too long."),
            MOST => {}
            most => self.line(format_args!(
                "- Values of more than {most} characters are cut: with them, this would be too long."
            )),
        }
    }

    fn counts(&mut self) {
        self.line(format_args!(
            "\n| | all | {} |",
            Verdict::ALL.map(Verdict::word).join(" | ")
        ));
        self.line("|---|---:|---:|---:|---:|---:|---:|---:|");
        for level in [Level::Must, Level::Should] {
            let all = self.run.requirements.iter().filter(|r| r.level == level).count();
            let counts = Verdict::ALL.map(|verdict| self.run.count(level, verdict).to_string());
            self.line(format_args!(
                "| {} | {all} | {} |",
                level.word(),
                counts.join(" | ")
            ));
        }
        if let Some(judged) = &self.run.baseline {
            let (known, new) = (many(judged.known.len(), "known failure"), judged.new.len());
            self.line(format_args!("\n{known} by {}, {new} new.", code(&judged.file)));
        }
    }

    /// What has such a status: a line for each, and below it what led there.
    fn table(&mut self, title: &str, wanted: impl Fn(&Standing) -> bool) {
        let run = self.run;
        let rows: Vec<_> = self
            .judged
            .iter()
            .filter(|(_, status)| wanted(status))
            .copied()
            .collect();
        if rows.is_empty() {
            return;
        }
        self.title(title);
        self.line("| requirement | level | asks for | because |\n|---|---|---|---|");
        for (requirement, status) in &rows {
            let why = code(&evidence::sentence(run, requirement, *status, SHORT));
            let (id, level) = (&requirement.id, requirement.level.word());
            self.line(format_args!(
                "| {id} | {level} | {} | {why} |",
                quote::statement(&requirement.statement)
            ));
        }
        for (requirement, _) in &rows {
            self.details(requirement);
        }
    }

    fn details(&mut self, requirement: &RequirementResult) {
        // What has become too long is written anew with less.
        if self.most == 0 || self.text.len() > LIMIT {
            return;
        }
        let text = evidence::text(self.run, requirement, self.most);
        self.line(format_args!(
            "\n<details><summary>{}: what was expected and seen</summary>\n",
            requirement.id
        ));
        self.line(format_args!("{}\n\n</details>", quote::block(&text)));
    }

    /// What has this status, by the reason for it.
    fn reasons(&mut self, title: &str, wanted: Standing) {
        let with = self.judged.iter().filter(|(_, status)| *status == wanted);
        let reasons = status::by_reason(with.map(|(requirement, _)| *requirement));
        if reasons.is_empty() {
            return;
        }
        self.title(title);
        for reason in reasons {
            self.line(format_args!("- {}: {}", reason.ids.join(" "), code(reason.text)));
        }
    }

    fn notes(&mut self) {
        let notes = self.run.scenarios.iter().flat_map(|scenario| &scenario.notes);
        let lines: Vec<String> = notes
            .map(|(id, text)| format!("- {id}: {}", code(text)))
            .collect();
        self.list("Freedoms taken", &lines);
    }

    fn figures(&mut self) {
        let figures = self
            .run
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.measurements);
        let lines: Vec<String> = figures
            .map(|figure| format!("- {}: {}", figure.requirement, code(&figure.to_string())))
            .collect();
        self.list("Measured", &lines);
    }

    fn list(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.title(title);
        for line in lines.iter().take(LINES) {
            self.line(line);
        }
        if lines.len() > LINES {
            self.line(format_args!(
                "- and {} more, which the JSON report has",
                lines.len() - LINES
            ));
        }
    }

    fn later(&mut self) {
        let line = |r: &RequirementResult| {
            let (id, level) = (&r.id, r.level.word());
            format!("- {id} {level}: {}", code(&status::outcome(r)))
        };
        let lines: Vec<String> = self.run.later.iter().map(line).collect();
        let title = format!("Added after {}, which fails nothing", self.run.set);
        self.list(&title, &lines);
    }

    fn left_out(&mut self) {
        if !self.run.left_out.is_empty() {
            self.title("Left out by --quick, since they take waiting");
            self.line(self.run.left_out.join(" "));
        }
    }
}

/// Text from elsewhere, short.
fn code(text: &str) -> String {
    quote::code(&cut(text, SHORT))
}

/// The same where it is no code.
fn inline(text: &str) -> String {
    quote::text(&cut(text, SHORT))
}

#[cfg(test)]
mod tests;

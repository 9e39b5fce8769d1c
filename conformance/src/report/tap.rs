//! The report for test harnesses: TAP version 14, one test point per requirement.
//!
//! | in the run | in the file |
//! |---|---|
//! | fails | `not ok`, with a block that has what was expected, what was seen and the frames |
//! | a MUST that was not verified, which fails the run; the kit is at fault | `not ok`, with a block that has the reason |
//! | fails as a baseline lists it | `not ok … # TODO known:` and the reason |
//! | a SHOULD that does not hold, without `--strict` | `not ok … # TODO warn:` and what was seen: it does not hold, and fails nothing |
//! | not verified, or too close to tell | `ok … # SKIP` and the reason |
//! | added after the set that counts | `ok … # SKIP added after 1.0:` and what was seen |
//!
//! What fails the run beside its requirements is a further `not ok`; a run that did not get to its end closes with
//! `Bail out!`.

use super::evidence;
use super::status;
use crate::result::{RequirementResult, RunResult};
use crate::standing::{Standing, Trouble};
use crate::text::cut;
use crate::text::one_line;

/// What a value in a block is cut to.
const MOST: usize = 10_000;

/// What a reason is cut to, which has to stand in the line of its test point.
const REASON: usize = 400;

/// The whole report.
pub fn document(run: &RunResult) -> String {
    let (cut_short, troubles): (Vec<_>, Vec<_>) = Trouble::of(run).into_iter().partition(Trouble::cuts_short);
    let points = run.requirements.iter().map(|r| of_requirement(run, r));
    let later = run.later.iter().map(|r| of_later(run, r));
    let points: Vec<Point> = points
        .chain(later)
        .chain(troubles.iter().map(of_trouble))
        .collect();
    let mut text = String::new();
    push(&mut text, "TAP version 14");
    push(&mut text, &plan(points.len()));
    for line in comments(run) {
        push(&mut text, &format!("# {}", one_line(&line)));
    }
    for (n, point) in points.iter().enumerate() {
        point.write(&mut text, n + 1);
    }
    for trouble in cut_short {
        push(
            &mut text,
            &format!("Bail out! {}", escape(&cut(&trouble.text(), REASON))),
        );
    }
    text
}

fn plan(points: usize) -> String {
    match points {
        0 => "1..0 # SKIP there was nothing to judge".to_owned(),
        n => format!("1..{n}"),
    }
}

/// What one has to know to read the results.
fn comments(run: &RunResult) -> Vec<String> {
    let mut lines = vec![
        format!("target {} at {}", run.target, run.urls.join(" ")),
        format!(
            "protocol {}, requirement set {}, chatspec {}",
            run.protocol,
            run.set,
            env!("CARGO_PKG_VERSION")
        ),
    ];
    let limits = run.limits.own();
    if !limits.is_empty() {
        lines.push(format!(
            "judged by the target's own limits: {}",
            limits.join(", ")
        ));
    }
    if run.partial {
        lines.push("this run looked at a part of the contract only".to_owned());
    }
    lines
}

/// A test point.
struct Point {
    ok: bool,
    description: String,
    /// The word and the reason.
    directive: Option<(&'static str, String)>,
    block: Vec<Entry>,
}

/// A key of a block, with a text or several.
type Entry = (&'static str, Entries);

enum Entries {
    One(String),
    Many(Vec<String>),
}

impl Point {
    fn write(&self, text: &mut String, n: usize) {
        let not = if self.ok { "" } else { "not " };
        let directive = self.directive.as_ref();
        let directive =
            directive.map_or_else(String::new, |(word, why)| format!(" # {word} {}", escape(why)));
        let description = escape(&self.description);
        push(text, &format!("{not}ok {n} - {description}{directive}"));
        if self.block.is_empty() {
            return;
        }
        push(text, "  ---");
        for (key, entries) in &self.block {
            match entries {
                Entries::One(value) => push(text, &format!("  {key}: {}", quote(value))),
                Entries::Many(values) => {
                    push(text, &format!("  {key}:"));
                    for value in values {
                        push(text, &format!("    - {}", quote(value)));
                    }
                }
            }
        }
        push(text, "  ...");
    }
}

/// What was added after the set that counts is neither passed nor failed.
fn of_later(run: &RunResult, requirement: &RequirementResult) -> Point {
    let why = format!("added after {}: {}", run.set, status::outcome(requirement));
    Point {
        ok: true,
        description: format!("{} {}", requirement.id, requirement.statement),
        directive: Some(("SKIP", cut(&why, REASON))),
        block: Vec::new(),
    }
}

fn of_requirement(run: &RunResult, requirement: &RequirementResult) -> Point {
    let status = Standing::of(run, requirement);
    let why = || evidence::sentence(run, requirement, status, REASON);
    let (ok, directive) = match status {
        Standing::Pass => (true, None),
        Standing::Undecided => (true, Some(("SKIP", why()))),
        Standing::Warning | Standing::Known => (false, Some(("TODO", why()))),
        Standing::Failure | Standing::Unproven | Standing::Fault => (false, None),
    };
    let block = if ok {
        Vec::new()
    } else {
        let severity = if status.fails_run() { "fail" } else { "todo" };
        block(run, requirement, severity, &why())
    };
    Point {
        ok,
        description: format!("{} {}", requirement.id, requirement.statement),
        directive,
        block,
    }
}

fn block(run: &RunResult, requirement: &RequirementResult, severity: &str, why: &str) -> Vec<Entry> {
    let one = |key, value: &str| (key, Entries::One(value.to_owned()));
    let mut block = vec![
        one("message", why),
        one("severity", severity),
        one("requirement", &requirement.id),
        one("level", requirement.level.word()),
        one("verdict", requirement.verdict.word()),
    ];
    let (checks, all) = evidence::shown(run, requirement, MOST);
    let mut checks = checks.into_iter();
    if let Some(first) = checks.next() {
        block.push(one("scenario", &first.scenario));
        if let Some((word, text)) = &first.listed {
            block.push(one("baseline", &format!("{word}: {text}")));
        }
        if !first.expected.is_empty() {
            block.push(("expected", Entries::Many(first.expected)));
            block.push(one("actual", &first.actual));
        }
        if !first.frames.is_empty() {
            block.push(("frames", Entries::Many(first.frames)));
        }
    }
    let others: Vec<String> = checks
        .map(|check| format!("in {}: {}", check.scenario, check.sentence()))
        .collect();
    let untold = all.saturating_sub(1 + others.len());
    if !others.is_empty() {
        block.push(("others", Entries::Many(others)));
    }
    if untold > 0 {
        block.push(one(
            "untold",
            &format!("{untold} more checks, which the JSON report has"),
        ));
    }
    block
}

fn of_trouble(trouble: &Trouble<'_>) -> Point {
    let message = one_line(&cut(&trouble.text(), MOST));
    Point {
        ok: false,
        description: trouble.subject(),
        directive: None,
        block: vec![
            ("message", Entries::One(message)),
            ("severity", Entries::One("fail".to_owned())),
        ],
    }
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// A JSON string is one of YAML too, and stays in its line: nothing that a target sent can end the block.
fn quote(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// For a description or a reason: in one line, and with nothing in it that begins a directive.
fn escape(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests;

//! For pull requests and the summaries of CI jobs.

use super::{Change, Diff, Seen};
use crate::compare::common::{About, code};
use crate::report::markdown::quote::{self, statement};
use crate::verdict::Verdict;

/// All of it; the sum comes first.
pub fn write(diff: &Diff, strict: bool) -> String {
    let mut lines = vec![
        "## chatspec diff".to_owned(),
        String::new(),
        format!("**{}**", diff.summary(strict)),
        String::new(),
        about("A", &diff.a),
        about("B", &diff.b),
    ];
    let limits = diff.limits.iter();
    lines.extend(limits.map(|limit| format!("- judged by other limits: {}", code(&limit.describe(" → ")))));
    lines.extend(diff.notes.iter().map(|note| format!("- {}", quote::text(note))));
    let (passing, others) = diff.new_passing_and_not();
    table(&mut lines, "Worse", diff.worse.iter());
    table(&mut lines, "New", others.into_iter());
    table(&mut lines, "Changed", diff.changed.iter());
    table(&mut lines, "Better", diff.better.iter());
    if !passing.is_empty() {
        lines.push("\n### New and passing\n".to_owned());
        lines.push(ids(passing.iter().map(|change| change.requirement.id.as_str())));
    }
    if !diff.gone.is_empty() {
        lines.push("\n### Not looked at in B\n".to_owned());
    }
    for (why, of_why) in diff.gone_by_reason() {
        lines.push(format!(
            "- {}: {}",
            code(&why.to_string()),
            ids(of_why.into_iter())
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn ids<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    ids.map(code).collect::<Vec<_>>().join(" ")
}

fn about(name: &str, about: &About) -> String {
    format!("- {name}: {} {}", code(&about.target), code(&about.details()))
}

fn table<'a>(lines: &mut Vec<String>, title: &str, changes: impl Iterator<Item = &'a Change>) {
    let rows: Vec<String> = changes.map(row).collect();
    if !rows.is_empty() {
        lines.push(format!("\n### {title}\n"));
        lines.push("| requirement | A | B | |\n|---|---|---|---|".to_owned());
        lines.extend(rows);
    }
}

fn row(change: &Change) -> String {
    let verdict = |seen: &Option<Seen>| {
        let told = |seen: &Seen| format!("{} {}", seen.verdict.sign(), seen.verdict.word());
        seen.as_ref().map(told).unwrap_or_default()
    };
    let mut about = statement(&change.requirement.statement);
    let now = change.now.iter().filter(|now| now.verdict != Verdict::Pass);
    let messages = now.flat_map(|now| &now.reasons).map(|reason| &reason.message);
    let told = messages.filter(|message| !message.is_empty());
    about.extend(told.map(|message| format!("<br>{}", code(message))));
    format!(
        "| {} {} | {} | {} | {about} |",
        code(&change.requirement.id),
        change.requirement.level.word(),
        verdict(&change.before),
        verdict(&change.now),
    )
}

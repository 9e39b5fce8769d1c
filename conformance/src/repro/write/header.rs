//! What stands above a story: what it shows, how it is run, and what the contract says.

use crate::contract::Contract;
use crate::scenarios::walkthrough;

use super::super::limits;
use super::super::story::Story;
use super::code::wrapped;
use super::{Api, Dialect};

const WIDTH: usize = 100;

/// The comment at the top.
pub(super) fn header(story: &Story, contract: &Contract, api: &Api, dialect: &dyn Dialect) -> String {
    let id = story.scenario.id;
    let mut lines = Vec::new();
    match story
        .asked
        .as_deref()
        .and_then(|asked| contract.requirement(asked))
    {
        Some(asked) => {
            let rule = format!("{} ({}): {}", asked.id, asked.level.word(), asked.statement);
            lines.extend(wrapped(&rule, WIDTH));
        }
        None => lines.extend(wrapped(&format!("{id}: {}", story.scenario.summary), WIDTH)),
    }
    lines.push(String::new());
    lines.extend(wrapped(
        &format!(
            "It plays {id} of chatspec, the conformance kit, and stops where the server answers, or tells, anything \
             else than the contract says:"
        ),
        WIDTH,
    ));
    let steps = walkthrough::steps(story.scenario);
    let last = steps
        .iter()
        .rposition(|step| story.judged().iter().any(|id| is_judged(step, id)));
    for (n, step) in steps
        .iter()
        .take(last.map_or(steps.len(), |last| last + 1))
        .enumerate()
    {
        let step = wrapped(step, WIDTH - 6);
        lines.push(format!("  {:>2}. {}", n + 1, step[0]));
        lines.extend(step[1..].iter().map(|line| format!("      {line}")));
    }
    lines.push(String::new());
    if let Some(name) = &api.name {
        lines.extend(wrapped(&format!("Its REST requests are those of {name}."), WIDTH));
    }
    for id in story.judged() {
        if let Some(left_out) = limits::left_out(id) {
            lines.extend(wrapped(
                &format!("It does not look at this part of {id}: {left_out}."),
                WIDTH,
            ));
        }
    }
    let stem = story
        .asked
        .as_deref()
        .unwrap_or(id)
        .to_lowercase()
        .replace('/', "-");
    let (file, install, run) = dialect.usage(&stem);
    lines.push(format!("Install:  {install}"));
    lines.push(format!(
        "Run:      {run} {file} http://127.0.0.1:3000      (or with CHAT_URL set)"
    ));
    lines.push(
        "Ends with 0 where all is as the contract says, 1 at the first difference, 2 where the server"
            .to_owned(),
    );
    lines.push(
        "cannot be reached or nobody can register. CHAT_WAIT=600 waits 600 s for an answer, instead of 5."
            .to_owned(),
    );
    let comment = dialect.comment();
    let lines = lines
        .iter()
        .map(|line| format!("{comment}{line}").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a step of a walkthrough ends with this requirement in its brackets.
fn is_judged(step: &str, id: &str) -> bool {
    let ids = step.strip_suffix(']').and_then(|step| step.rsplit_once('['));
    ids.is_some_and(|(_, ids)| ids.split(", ").any(|listed| listed == id))
}

/// Every requirement that something in the story is judged by, as an object.
pub(super) fn rules(story: &Story, contract: &Contract, dialect: &dyn Dialect) -> String {
    let step = " ".repeat(dialect.step());
    let rules = story
        .judged()
        .into_iter()
        .filter_map(|id| contract.requirement(id));
    let lines = rules.map(|rule| {
        let text = format!("{}: {}", rule.level.word(), rule.statement);
        format!("{step}{}: {},\n", dialect.quote(&rule.id), dialect.quote(&text))
    });
    format!("{{\n{}}}", lines.collect::<String>())
}

/// What is said at the end, where nothing was different.
pub(super) fn ending(story: &Story) -> String {
    let left_out: Vec<&str> = story.judged().into_iter().filter_map(limits::left_out).collect();
    if left_out.is_empty() {
        "\nas the contract says".to_owned()
    } else {
        format!("\nas the contract says; not looked at: {}", left_out.join("; "))
    }
}

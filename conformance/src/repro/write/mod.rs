//! Steps as a script: a header, the steps as data, and below them an interpreter that plays them.
//!
//! - [`write()`]: all of it
//! - [`api`]: how the target is spoken to
//! - `data`: the steps for that target, and what is said of them
//! - `header`: what stands above them; `literal`: values in JavaScript and Python
//! - `interpreter.mjs`, `interpreter.py`: the same in every script of a language

pub mod api;
mod data;
mod header;
mod literal;

use std::collections::{BTreeMap, BTreeSet};

use clap::ValueEnum;

use super::steps::Steps;
use super::{NotReproducible, limits};
use crate::contract::Contract;
pub use api::Api;
use header::{comment, wrapped};
use literal::literal;

/// Width of comments.
const WIDTH: usize = 100;

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// JavaScript for Node, with socket.io-client.
    Js,
    /// Python, with python-socketio and aiohttp.
    Python,
}

/// How values are to be read that are no plain JSON.
const LEGEND: &str = "What happens, one step after the other. {{alice.id}}, {{chat}} or {{message 1}} is a value that the \
                      server gives: what has it first, gives it. {{new ...}} is a text that no other run has, the same \
                      wherever it stands. {{an id}}, {{a time}} and {{some words}} may be any. What comes back may have \
                      more fields than are written here. A step with \"checks\" is judged by these requirements.";

/// The script that plays these steps.
pub fn write(
    steps: &Steps,
    contract: &Contract,
    api: &Api,
    language: Language,
) -> Result<String, NotReproducible> {
    let steps = &data::for_target(api, steps)?;
    let (declare, end, interpreter) = match language {
        Language::Js => ("const ", ";", include_str!("interpreter.mjs")),
        Language::Python => ("", "", include_str!("interpreter.py")),
    };
    let checked = steps.checked();
    let left_out: Vec<&str> = checked.iter().filter_map(|id| limits::left_out(id)).collect();
    let rules = checked.iter().filter_map(|id| contract.requirement(id));
    let rules = rules.map(|rule| (&rule.id, format!("{}: {}", rule.level.word(), rule.statement)));
    let rules: BTreeMap<_, _> = rules.collect();
    Ok([
        header::header(steps, contract, api, language),
        format!(
            "\n{declare}TARGET = {}{end}\n{declare}CONTRACT = {}{end}\n{declare}LEFT_OUT = {}{end}\n\n",
            literal(&data::Target::of(api, steps)?, language, 0, 16),
            literal(&rules, language, 0, 18),
            literal(&left_out, language, 0, 18),
        ),
        comment(&wrapped(LEGEND, WIDTH), 0, language),
        format!(
            "{declare}STEPS = [\n{}]{end}\n\n",
            list(steps, contract, language)
        ),
        interpreter.to_owned(),
    ]
    .concat())
}

/// All steps, with comments.
fn list(steps: &Steps, contract: &Contract, language: Language) -> String {
    let mut text = String::new();
    let mut explained: BTreeSet<&str> = BTreeSet::new();
    let mut before = None;
    for step in &steps.list {
        let rules = step.checks.iter().filter(|id| explained.insert(id));
        let rules = rules.filter_map(|id| contract.requirement(id));
        let rules = rules.map(|rule| format!("{} ({}): {}", rule.id, rule.level.word(), rule.statement));
        let about = data::about(before, step).map(str::to_owned);
        if before.is_some_and(|before| about.is_some() || data::begins(before, step)) {
            text.push('\n');
        }
        for line in about.into_iter().chain(rules) {
            text += &comment(&wrapped(&line, WIDTH), 2, language);
        }
        text.extend(["  ", &literal(step, language, 2, 0), ",\n"]);
        before = Some(step);
    }
    text
}

#[cfg(test)]
mod tests;

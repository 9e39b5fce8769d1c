//! What stands above the steps: what the script shows, and how it is run.

use crate::contract::Contract;

use super::super::limits;
use super::super::steps::Steps;
use super::{Api, Language, WIDTH};

/// The comment at the top.
pub(super) fn header(steps: &Steps, contract: &Contract, api: &Api, language: Language) -> String {
    let id = steps.scenario.id;
    let asked = steps.asked.as_deref();
    let about = match asked.and_then(|asked| contract.requirement(asked)) {
        Some(asked) => format!("{} ({}): {}", asked.id, asked.level.word(), asked.statement),
        None => format!("{id}: {}", steps.scenario.summary),
    };
    let plays = format!(
        "It plays {id} of chatspec, the conformance kit, and stops where the server answers, or tells, anything else \
         than the contract says:"
    );
    let mut lines = wrapped(&about, WIDTH);
    lines.push(String::new());
    lines.extend(wrapped(&plays, WIDTH));
    let described = steps.scenario.steps;
    let last = described
        .iter()
        .rposition(|step| steps.checked().iter().any(|id| is_judged(step, id)));
    let shown = last.map_or(described.len(), |last| last + 1);
    for (n, step) in described.iter().take(shown).enumerate() {
        let step = wrapped(step, WIDTH - 6);
        lines.push(format!("  {:>2}. {}", n + 1, step[0]));
        lines.extend(step[1..].iter().map(|line| format!("      {line}")));
    }
    lines.push(String::new());
    if let Some(name) = &api.name {
        lines.extend(wrapped(&format!("Its REST requests are those of {name}."), WIDTH));
    }
    for id in steps.checked() {
        let left_out =
            limits::left_out(id).map(|what| format!("It does not look at this part of {id}: {what}."));
        lines.extend(left_out.iter().flat_map(|text| wrapped(text, WIDTH)));
    }
    let stem = asked.unwrap_or(id).to_lowercase().replace('/', "-");
    let (install, run) = match language {
        Language::Js => (
            "npm install socket.io-client@4                  (Node 20 or later)",
            format!("node {stem}.mjs"),
        ),
        Language::Python => (
            "pip install 'python-socketio[asyncio_client]'   (Python 3.10 or later)",
            format!("python {}.py", stem.replace('-', "_")),
        ),
    };
    lines.extend([
        format!("Install:  {install}"),
        format!("Run:      {run} http://127.0.0.1:3000      (or with CHAT_URL set)"),
        "Ends with 0 where all is as the contract says, 1 at the first difference, 2 where the server"
            .to_owned(),
        "cannot be reached or nobody can register. CHAT_WAIT=600 waits 600 s for an answer, instead of 5."
            .to_owned(),
    ]);
    comment(&lines, 0, language)
}

/// Whether a step of a scenario ends with this requirement in its brackets.
fn is_judged(step: &str, id: &str) -> bool {
    let ids = step.strip_suffix(']').and_then(|step| step.rsplit_once('['));
    ids.is_some_and(|(_, ids)| ids.split(", ").any(|listed| listed == id))
}

/// A comment of these lines.
pub(super) fn comment(lines: &[String], indent: usize, language: Language) -> String {
    let mark = match language {
        Language::Js => "//",
        Language::Python => "#",
    };
    let lines = lines.iter().map(|line| format!("{:indent$}{mark} {line}", ""));
    lines.map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A text in lines that are not too long.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
    textwrap::wrap(text, options)
        .into_iter()
        .map(Into::into)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_wrapped_between_words() {
        assert_eq!(wrapped("one two-three", 7), ["one", "two-three"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}

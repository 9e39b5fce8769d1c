use serde_json::Value;

use super::*;
use crate::report::sample;

fn written(run: &RunResult) -> String {
    let kit = concat!("chatspec ", env!("CARGO_PKG_VERSION"));
    document(run).replace(kit, "chatspec (version)")
}

#[test]
fn the_report_of_a_run() {
    insta::assert_snapshot!(written(&sample::result()));
}

#[test]
fn the_report_of_a_run_that_was_cut_short() {
    insta::assert_snapshot!(written(&sample::variant("lost after a failure")));
}

#[test]
fn a_known_failure_is_to_be_done() {
    let text = written(&sample::variant("a failure is known"));
    assert!(
        text.contains("not ok 1 - X-01 What X-01 asks for. # TODO known: see issue 7\n"),
        "{text}"
    );
    let text = written(&sample::variant("a failure is gone"));
    assert!(text.contains("1..4\n"), "{text}");
    assert!(
        text.contains("not ok 4 - X-01 in x/one in known.toml\n"),
        "{text}"
    );
}

#[test]
fn a_run_in_which_there_is_nothing_to_judge_has_an_empty_plan() {
    let text = written(&sample::variant("nothing was run"));
    assert!(text.contains("\n1..0 # SKIP "), "{text}");
}

/// What a test point says: whether it is ok, its description, its directive and its block.
type Read = (bool, String, String, Value);

/// Reads a document by the grammar of TAP 14, as strictly as it can be read. Also gives what follows `Bail out!`.
fn read(text: &str) -> (Vec<Read>, Vec<String>) {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("TAP version 14"));
    let plan: usize = lines
        .next()
        .unwrap()
        .strip_prefix("1..")
        .unwrap()
        .parse()
        .unwrap();
    let (mut points, mut bailed): (Vec<Read>, Vec<String>) = (Vec::new(), Vec::new());
    while let Some(line) = lines.next() {
        if line == "  ---" {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "  ...").collect();
            points.last_mut().unwrap().3 = serde_yaml_ng::from_str(&block.join("\n")).unwrap();
        } else if let Some(why) = line.strip_prefix("Bail out! ") {
            bailed.push(why.to_owned());
        } else if !line.starts_with("# ") {
            assert!(bailed.is_empty(), "{line}");
            let (ok, rest) = line
                .strip_prefix("not ")
                .map_or((true, line), |rest| (false, rest));
            let rest = rest.strip_prefix(&format!("ok {} - ", points.len() + 1)).unwrap();
            let (description, directive) = split(rest);
            points.push((ok, description, directive, Value::Null));
        }
    }
    assert_eq!(points.len(), plan);
    (points, bailed)
}

/// Splits at the first ` #` that is not escaped, and takes the escapes away.
fn split(text: &str) -> (String, String) {
    let mut parts = [String::new(), String::new()];
    let (mut part, mut chars) = (0, text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => parts[part].push(chars.next().filter(|c| matches!(c, '\\' | '#')).unwrap()),
            '#' => {
                assert_eq!(part, 0, "a second directive in {text}");
                part = 1;
            }
            c => parts[part].push(c),
        }
    }
    parts.map(|part| part.trim().to_owned()).into()
}

#[test]
fn whatever_a_target_sends_the_document_keeps_to_the_grammar() {
    let (points, bailed) = read(&document(&sample::nasty()));
    let [failed, warned, blocked, later] = points.as_slice() else {
        panic!("{points:#?}");
    };
    assert_eq!(
        (failed.0, warned.0, blocked.0, later.0),
        (false, false, true, true)
    );
    assert_eq!(
        (failed.1.as_str(), failed.2.as_str()),
        (r"X-01 What \ # SKIP | it | asks for.", "")
    );
    assert!(warned.2.starts_with("TODO warn: expected "), "{}", warned.2);
    assert_eq!(blocked.2, r"SKIP unverified: blocked: got \# {");
    assert!(later.2.starts_with("SKIP added after 1.0: fail: "), "{}", later.2);
    assert_eq!(bailed.len(), 2, "interrupted and lost");

    let block = &failed.3;
    assert_eq!(
        (&block["requirement"], &block["level"]),
        (&"X-01".into(), &"MUST".into())
    );
    assert_eq!(block["expected"][1], "something else");
    let actual = block["actual"].as_str().unwrap();
    for part in [
        "bob: \\u{0}",
        "\n  ...\n---\nok 7 - injected # SKIP it\nBail out! injected\n",
    ] {
        assert!(actual.contains(part), "{part:?} in {actual:?}");
    }
    assert_eq!(block["frames"].as_array().unwrap().len(), 2);
    assert_eq!(block["others"].as_array().unwrap().len(), 2);
    assert_eq!(block["untold"], "2 more checks, which the JSON report has");
}

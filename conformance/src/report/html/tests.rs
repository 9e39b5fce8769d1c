//! What the page says about runs of all kinds, and that nothing that a target sends breaks it.

use std::sync::Arc;
use std::time::Duration;

use super::head::hash;
use super::*;
use crate::baseline::{Baseline, BaselineEntry, Failure};
use crate::expect::{Mismatch, MismatchKind};
use crate::measurement::Measurement;
use crate::report::sample;
use crate::result::by_requirement;
use crate::transcript::{Direction, TranscriptLine};
use crate::verdict::{Check, Level, Unverified};

/// What a target may send to break a page.
const NASTY: &str = concat!(
    "</code></pre></details></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick=\"x ' & &amp;",
    "\0\u{1}\t\r\n\u{1b}[31m\u{7f}\u{9b}\u{202e}txt.exe\u{2066}\u{200f}\u{feff}\u{2028}مرحبا 👩\u{200d}🚀"
);

/// What a whole run writes.
fn written(run: &RunResult) -> String {
    let mut out = Vec::new();
    let mut report = Html::new(&mut out);
    for event in [
        sample::started(Contract::for_test()),
        RunEvent::Finished(Arc::new(run.clone())),
    ] {
        report.event(&event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn page(run: &RunResult, contract: &Contract) -> String {
    Page::new(run, contract).document().into_string()
}

/// What stands in the page, one element a line, without what is the same in all.
fn body(page: &str) -> String {
    let page = page.replace(STYLE, "").replace(SCRIPT, "");
    let (_, body) = page.split_once("<body>").unwrap();
    let kit = format!("chatspec {}", env!("CARGO_PKG_VERSION"));
    body.replace(&kit, "chatspec (version)").replace("><", ">\n<")
}

fn headline_of(run: &RunResult) -> String {
    cover::headline(&Page::new(run, &Contract::for_test())).text
}

fn nasty() -> RunResult {
    let mut run = (*sample::result()).clone();
    let wrong = Mismatch::of(MismatchKind::Value, [NASTY, "another"], NASTY);
    let mut failed = Check::judge("X-01", "x/one", Level::Must, false, Err(wrong));
    let line = |direction, text: &str| TranscriptLine {
        at: Duration::from_millis(1),
        client: NASTY.to_owned(),
        direction,
        text: text.to_owned(),
    };
    failed.frames = vec![
        line(Direction::In, NASTY),
        line(Direction::Note, &NASTY.repeat(5)),
        line(Direction::Out, &format!("42[\"{NASTY}\"]")),
    ];
    run.scenarios[0].checks = vec![failed];
    run.scenarios[0].message = Some(NASTY.to_owned());
    run.scenarios[0].notes = vec![("X-03".to_owned(), NASTY.to_owned())];
    run.scenarios[0].measurements = vec![Measurement::time("X-01", NASTY, Duration::ZERO)];
    run.scenarios[1].checks = vec![Check::unverified(
        "Y-01",
        "y/two",
        Unverified::Blocked(Box::default()),
        NASTY,
    )];
    let selected = ["X-01", "X-02", "Y-01"].map(str::to_owned).into();
    run.requirements = by_requirement(&Contract::for_test(), &selected, &run.scenarios);
    NASTY.clone_into(&mut run.target);
    run.urls = vec![NASTY.to_owned()];
    run.lost = Some(NASTY.to_owned());
    run
}

fn listed(run: &RunResult) -> Vec<BaselineEntry> {
    let judged = Baseline::default().apply(run).baseline.clone().unwrap();
    let entry = |failure: Failure| BaselineEntry {
        place: failure.place,
        fingerprint: failure.fingerprint,
        reason: "see issue 7".to_owned(),
        expires: None,
    };
    judged.new.into_iter().map(entry).collect()
}

#[test]
fn the_report_of_a_run() {
    insta::assert_snapshot!(body(&written(&sample::result())));
}

#[test]
fn nothing_that_a_target_sends_becomes_markup() {
    let page = written(&nasty());
    for bad in [
        "<img",
        "<script>alert",
        "onclick=\"",
        "\u{202e}",
        "\u{2066}",
        "\0",
        "\u{1b}",
        "\u{9b}",
    ] {
        assert!(!page.contains(bad), "{bad:?}");
    }
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(
        page.matches("</details>").count(),
        page.matches("<details").count()
    );
    insta::assert_snapshot!(body(&page));
}

#[test]
fn a_big_run_stays_below_the_bound_and_keeps_what_each_requirement_failed_for() {
    let contract = Contract::embedded().unwrap();
    for text in ["x", "\"<&\0", "\u{e0001}x", "😀"] {
        let run = sample::all_fail(&contract, &text.repeat(1_000));
        let page = page(&run, &contract);
        assert!(page.len() < MOST, "{}", page.len());
        assert!(page.contains("stays below 1 MB"));
        assert_eq!(page.matches("id=\"failure-").count(), run.requirements.len());
        let gots = page.matches("<dt class=\"actual\">Got</dt>").count();
        assert!(gots >= 110, "{gots}");
    }
}

#[test]
fn where_little_failed_nothing_is_left_out() {
    let text =
        r#"42["message:new",{"message":{"_id":"01a213b1d2010001acd82f8b","body":"within the limit 2df6f0a1"#;
    let contract = Contract::embedded().unwrap();
    let mut run = sample::all_fail(&contract, &text.repeat(4));
    run.requirements.truncate(4);
    let page = page(&run, &contract);
    assert!(!page.contains("stays below 1 MB"));
    assert_eq!(page.matches("<table class=\"exchange\">").count(), 4 * 4);
}

#[test]
fn only_what_stands_in_the_page_is_let_in() {
    let page = written(&sample::result());
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'",
        hash(STYLE),
        hash(SCRIPT)
    );
    assert!(page.contains(&policy));
    assert!(!SCRIPT.contains("</"), "it would end the element");
    assert!(!STYLE.contains("</") && !STYLE.contains("url("));
    assert!(!page.contains(" style=\""), "the policy would not let it in");
}

#[test]
fn the_headline_says_how_the_run_ended() {
    let run = (*sample::result()).clone();
    assert_eq!(headline_of(&run), "does not conform");
    let mut interrupted = run.clone();
    interrupted.interrupted = true;
    assert_eq!(headline_of(&interrupted), "incomplete: the run was interrupted");
    let page = written(&interrupted);
    assert!(page.contains("Until then, 1 requirement failed"));

    let mut passed = run.clone();
    passed.partial = false;
    for requirement in &mut passed.requirements {
        requirement.verdict = Verdict::Pass;
    }
    assert_eq!(headline_of(&passed), "conforms, as far as this run looked");
    let mut part = passed.clone();
    part.partial = true;
    assert_eq!(headline_of(&part), "conforms in the part that was looked at");
    assert!(written(&part).contains("all 3 requirements, but not in all scenarios"));
    part.requirements.pop();
    assert!(written(&part).contains("2 of 3 requirements"));
    part.requirements.clear();
    assert_eq!(headline_of(&part), "no MUST was verified in this run");

    let mut lost = passed.clone();
    lost.lost = Some("it has crashed".to_owned());
    assert_eq!(headline_of(&lost), "incomplete: the target has stopped answering");
    assert!(written(&lost).contains("given up: <bdi>it has crashed</bdi>"));

    let mut blocked = passed.clone();
    blocked.requirements[0].verdict = Verdict::Unverified;
    assert_eq!(headline_of(&blocked), "conforms, as far as this run looked");
    blocked.requirements[0].blocked = true;
    blocked.requirements[0].checks[0].unverified = Some(Unverified::Blocked(Box::default()));
    assert_eq!(
        headline_of(&blocked),
        "conformance could not be shown: a MUST is not verified"
    );
    let mut fault = passed;
    fault.scenarios[0].verdict = Verdict::Harness;
    assert_eq!(
        headline_of(&fault),
        "cannot be judged: the kit itself is at fault"
    );
}

#[test]
fn known_failures_and_new_ones_are_told_apart() {
    let run = sample::result();
    let file = "known.toml".to_owned();
    let new = Baseline {
        file: file.clone(),
        entries: Vec::new(),
    }
    .apply(&run);
    assert_eq!(headline_of(&new), "does not conform");
    let page = written(&new);
    assert!(page.contains("<strong>new</strong> <bdi>not listed in known.toml</bdi>"));
    assert!(!page.contains("class=\"known\""));

    let entries = listed(&run);
    let known = Baseline { file, entries }.apply(&run);
    assert_eq!(
        headline_of(&known),
        "does not conform, but fails in nothing that known.toml does not list"
    );
    let page = written(&known);
    assert!(page.contains("<strong>known</strong> <bdi>see issue 7</bdi>"));
    assert!(page.contains("<span class=\"known\">known</span>"));
}

#[test]
fn every_link_within_the_page_leads_somewhere_and_no_name_is_there_twice() {
    let contract = Contract::embedded().unwrap();
    for page in [
        written(&sample::result()),
        page(&sample::all_fail(&contract, "x"), &contract),
    ] {
        let after = |mark: &str| -> Vec<String> {
            let parts = page.split(mark).skip(1);
            parts
                .filter_map(|part| Some(part.split_once('"')?.0.to_owned()))
                .collect()
        };
        let mut ids = after(" id=\"");
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), count);
        for link in after("href=\"#") {
            assert!(ids.binary_search(&link).is_ok(), "{link}");
        }
    }
}

#[test]
fn a_statement_has_code_between_backticks() {
    assert_eq!(
        prose("An ack has `ok: true` & no `error`.").into_string(),
        "An ack has <code>ok: true</code> &amp; no <code>error</code>."
    );
    for requirement in &Contract::embedded().unwrap().requirements {
        let ticks = requirement.statement.matches('`').count();
        assert_eq!(ticks % 2, 0, "{}", requirement.id);
    }
}

//! What all formats have in common.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, json};

use super::*;
use crate::baseline::Baseline;
use crate::contract::Contract;
use crate::result::{Exit, RequirementResult};
use crate::standing::Standing;
use crate::verdict::{Check, Verdict};

/// Makes a report that goes there.
type New = fn(Box<dyn io::Write + Send>) -> Box<dyn Report>;

#[test]
fn every_format_is_red_exactly_when_the_exit_code_is_not_0() {
    for (what, run) in sample::variants() {
        for run in [run.requiring_all(), run] {
            let red = run.exit() != Exit::Conforms;
            let junit = junit::document(&run).unwrap();
            let in_junit = junit.contains("<failure") || junit.contains("<error");
            let tap = tap::document(&run);
            let fails = |line: &str| {
                line.starts_with("Bail out!") || (line.starts_with("not ok") && !line.contains(" # TODO "))
            };
            let in_github = github::document(&run).contains("::error");
            let badge = badge::document(&run);
            let in_badge = ["red", "lightgrey"].contains(&badge["color"].as_str().unwrap());
            let markdown = markdown::document(&run);
            let sections = ["### Fails", "which fails the run", "### The kit", "- **"];
            let in_markdown = sections.iter().any(|section| markdown.contains(section));
            assert_eq!(in_junit, red, "{what}\n{junit}");
            assert_eq!(tap.lines().any(fails), red, "{what}\n{tap}");
            assert_eq!(in_github, red, "{what}");
            assert_eq!(in_badge, red, "{what}: {badge}");
            assert_eq!(in_markdown, red, "{what}\n{markdown}");
        }
    }
}

#[test]
fn none_shows_a_pass_where_a_must_is_not_verified() {
    let run = sample::variant("a MUST is not offered");
    assert!(
        junit::document(&run)
            .unwrap()
            .contains("<skipped message=\"unverified: why\"")
    );
    assert!(tap::document(&run).contains("# SKIP unverified: why"));
    assert!(github::document(&run).contains("::notice title=1 requirement not verified::Y-01: why"));
    assert!(markdown::document(&run).starts_with("## ⚠️"));
    assert_eq!(badge::document(&run)["color"], "yellow");
}

#[test]
fn what_was_added_after_the_set_is_told_everywhere_and_is_nowhere_red() {
    let run = sample::variant("what was added later fails");
    assert_eq!(run.requiring_all().exit(), Exit::Conforms);
    let mut html = Vec::new();
    let mut report = html::Html::new(&mut html);
    report.event(&sample::started(Contract::for_test())).unwrap();
    report.event(&RunEvent::Finished(Arc::new(run.clone()))).unwrap();
    let mut terminal = Vec::new();
    let mut report = terminal::Terminal::new(anstream::StripStream::new(&mut terminal), false);
    report.event(&RunEvent::Finished(Arc::new(run.clone()))).unwrap();
    let texts = [
        (
            "terminal",
            String::from_utf8(terminal).unwrap(),
            "Added after 1.0, which fails nothing",
        ),
        ("html", String::from_utf8(html).unwrap(), "Added later"),
        ("json", json::text(&run).unwrap(), "\"later\": [\n    {"),
        (
            "junit",
            junit::document(&run.requiring_all()).unwrap(),
            "<skipped message=\"added after 1.0: fail: ",
        ),
        (
            "tap",
            tap::document(&run.requiring_all()),
            "# SKIP added after 1.0: fail: ",
        ),
        (
            "markdown",
            markdown::document(&run.requiring_all()),
            "### Added after 1.0, which fails nothing",
        ),
        (
            "github",
            github::document(&run.requiring_all()),
            "Added after 1.0, which fails nothing: Y-03 fail",
        ),
    ];
    for (format, text, told) in texts {
        assert!(text.contains("Y-03") && text.contains(told), "{format}: {text}");
    }
    // A badge has room for what counts only.
    assert_eq!(badge::document(&run.requiring_all())["message"], "2/2 MUST");
}

/// Measures, as scripts/bench-reports.sh shows it: every tenth requirement fails, with as much evidence as a run gathers.
#[test]
#[ignore = "scripts/bench-reports.sh runs it"]
fn how_long_the_formats_take() {
    let run = many_failures();
    println!("{} requirements", run.requirements.len());
    let started = sample::started(Contract::embedded().unwrap());
    let formats: [(&str, New); 8] = [
        ("terminal", |out| Box::new(terminal::Terminal::new(out, false))),
        ("json", |out| Box::new(AtEnd::new(out, json::text))),
        ("html", |out| Box::new(html::Html::new(out))),
        ("junit", |out| Box::new(AtEnd::new(out, junit::document))),
        ("tap", |out| {
            Box::new(AtEnd::new(out, |run| Ok(tap::document(run))))
        }),
        ("markdown", |out| {
            Box::new(AtEnd::new(out, |run| Ok(markdown::document(run))))
        }),
        ("github", |out| {
            Box::new(AtEnd::new(out, |run| Ok(github::document(run))))
        }),
        ("badge", |out| {
            Box::new(AtEnd::new(out, |run| Ok(badge::text(run))))
        }),
    ];
    let round = || {
        // Nothing is known from the round before.
        let run = RunResult { ..run.clone() };
        let began = Instant::now();
        let finished = RunEvent::Finished(Baseline::default().apply(&run));
        let mut times = vec![("baseline", began.elapsed())];
        for (name, report) in formats {
            let mut report = report(Box::new(io::sink()));
            report.event(&started).unwrap();
            let began = Instant::now();
            report.event(&finished).unwrap();
            times.push((name, began.elapsed()));
        }
        times.push(("together", times.iter().map(|(_, time)| *time).sum()));
        times
    };
    let quickest = (0..5)
        .map(|_| round())
        .min_by_key(|times| times.last().map(|(_, together)| *together));
    for (name, time) in quickest.unwrap() {
        println!("{name:<9} {:>6.1} ms", time.as_secs_f64() * 1e3);
    }
}

/// No two checks say the same.
fn many_failures() -> RunResult {
    let event = r#"42["message:new",{"message":{"_id":"01a213b1d2010001acd82f8b","chatId":"01a213b1d2010001acd82f8c","body":"within the limit 2df6f0a1"}}] "#;
    let mut run = sample::all_fail(&Contract::embedded().unwrap(), &event.repeat(3));
    for (n, requirement) in run.requirements.iter_mut().enumerate() {
        if n % 10 == 0 {
            for (n, check) in requirement.checks.iter_mut().enumerate() {
                let message = check.message.take().unwrap_or_default();
                check.message = Some(format!("{message} and {n}"));
            }
        } else {
            requirement.verdict = Verdict::Pass;
            requirement.reason = None;
            requirement.checks.truncate(1);
            for check in &mut requirement.checks {
                *check = Check::new(&requirement.id, &check.scenario, Verdict::Pass);
            }
        }
    }
    run
}

/// Writes them with what is meant by them, to be read by what others have written.
#[test]
#[ignore = "scripts/reports.sh runs it, and reads what it writes"]
fn samples_for_other_parsers() {
    let folder = PathBuf::from(std::env::var_os("CHATSPEC_SAMPLES").unwrap());
    let mut runs = sample::variants();
    runs.push(("one of everything", (*sample::result()).clone()));
    runs.push(("nasty", (*sample::nasty()).clone()));
    let mut expected = Map::new();
    for (name, run) in runs {
        let requirement = |r: &RequirementResult| {
            let known = matches!(Standing::of(&run, r), Standing::Known);
            json!({"id": r.id, "statement": r.statement, "verdict": r.verdict, "known": known})
        };
        let meant = json!({
            "requirements": run.requirements.iter().map(requirement).collect::<Vec<_>>(),
            "later": run.later.iter().map(requirement).collect::<Vec<_>>(),
            "fails": run.exit() != Exit::Conforms,
            "cut_short": run.interrupted || run.lost.is_some(),
        });
        expected.insert(name.to_owned(), meant);
        fs::write(folder.join(format!("{name}.tap")), tap::document(&run)).unwrap();
        fs::write(folder.join(format!("{name}.xml")), junit::document(&run).unwrap()).unwrap();
    }
    fs::write(folder.join("expected.json"), json!(expected).to_string()).unwrap();
}

//! All formats of reports at once, of runs that pass, that fail, and that fail as they are known to.

use std::collections::BTreeMap;
use std::fs;

use quick_junit::TestCaseStatus;
use serde_json::Value;

use crate::baseline::{TOO_LOW, Target};
use crate::chatspec;

const FORMATS: [&str; 8] = [
    "terminal", "json", "html", "junit", "tap", "markdown", "github", "badge",
];

/// The arguments that ask for every format, each in a file of its name in this folder.
fn all(folder: &std::path::Path) -> Vec<String> {
    let file = |format: &str| format!("{format}={}", folder.join(format).display());
    FORMATS
        .iter()
        .flat_map(|format| ["--report".to_owned(), file(format)])
        .collect()
}

/// What these files hold.
fn read(folder: &std::path::Path) -> BTreeMap<&'static str, String> {
    let read = |format: &'static str| (format, fs::read_to_string(folder.join(format)).unwrap());
    FORMATS.into_iter().map(read).collect()
}

#[test]
fn all_formats_are_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let asked = all(folder.path());
    let mut args = vec!["run", "--only", "rooms/*"];
    args.extend(asked.iter().map(String::as_str));
    let done = chatspec(&args);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert!(
        done.stdout.contains("Conforms"),
        "the screen has it too: {}",
        done.stdout
    );
    let reports = read(folder.path());

    let json: Value = serde_json::from_str(&reports["json"]).unwrap();
    let ids: Vec<&str> = json["requirements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|requirement| requirement["id"].as_str().unwrap())
        .collect();
    assert!(ids.contains(&"ROOM-01") && ids.len() > 5, "{ids:?}");

    let junit = quick_junit::Report::deserialize_from_str(&reports["junit"]).unwrap();
    assert_eq!((junit.tests, junit.failures, junit.errors), (ids.len(), 0, 0));
    let cases: Vec<_> = junit
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .collect();
    assert!(
        cases
            .iter()
            .all(|case| matches!(case.status, TestCaseStatus::Success { .. }))
    );
    assert!(
        ids.iter()
            .zip(&cases)
            .all(|(id, case)| case.name.starts_with(&format!("{id} ")))
    );
    let suite = &junit.test_suites[0];
    let property = |name: &str| suite.properties.iter().find(|property| property.name == *name);
    for name in ["target", "urls", "protocol", "kit", "limits"] {
        assert!(
            property(name).is_some_and(|property| !property.value.is_empty()),
            "{name}"
        );
    }

    let tap = &reports["tap"];
    assert!(
        tap.starts_with(&format!("TAP version 14\n1..{}\n", ids.len())),
        "{tap}"
    );
    for (n, id) in ids.iter().enumerate() {
        assert!(tap.contains(&format!("\nok {} - {id} ", n + 1)), "{id} in {tap}");
    }

    let markdown = &reports["markdown"];
    assert!(markdown.starts_with("## ✅ chatspec: Conforms"), "{markdown}");
    assert!(markdown.contains("a part of the contract only"), "{markdown}");

    let github: Vec<&str> = reports["github"].lines().collect();
    assert!(
        matches!(github.as_slice(), [sum] if sum.starts_with("::notice title=chatspec::Conforms")),
        "{github:?}"
    );

    let badge: Value = serde_json::from_str(&reports["badge"]).unwrap();
    let musts = &json["summary"]["must"]["pass"];
    assert_eq!(badge["message"], format!("{musts}/{musts} MUST, partial run"));
    assert_eq!(badge["color"], "yellowgreen");
}

#[test]
fn failures_are_red_in_every_format_until_they_are_known() {
    let target = Target::start();
    let folder = tempfile::tempdir().unwrap();
    let asked = all(folder.path());
    // The target has a JSON report of its own already, in another file.
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();

    assert_eq!(target.run(TOO_LOW, &asked).code, Some(1));
    let reports = read(folder.path());
    let red = [
        ("html", "does not conform"),
        ("junit", "<failure message=\"expected "),
        ("tap", "\nnot ok 1 - MSG-12 "),
        ("markdown", "## ❌ chatspec: Does not conform"),
        ("github", "::error title=MUST MSG-12 fails::"),
        ("badge", "\"color\":\"red\""),
    ];
    for (format, told) in red {
        assert!(reports[format].contains(told), "{told} in {}", reports[format]);
    }
    assert!(reports["junit"].contains("message:send"), "the frames");
    assert!(
        reports["tap"].contains("  expected:\n    - \""),
        "{}",
        reports["tap"]
    );
    assert!(!reports["tap"].contains("# TODO"), "{}", reports["tap"]);

    target.baseline("accept", &["--reason", "see issue #7"]);
    let known = target.file("known.toml");
    let listed = [&["--baseline", known.as_str()], asked.as_slice()].concat();
    assert_eq!(target.run(TOO_LOW, &listed).code, Some(0));
    let reports = read(folder.path());
    let known = [
        ("html", "see issue #7"),
        (
            "junit",
            "<skipped message=\"known: see issue #7\" type=\"known\">",
        ),
        ("tap", " # TODO known: see issue \\#7\n"),
        ("markdown", "### Known to fail"),
        ("github", "::notice title=MUST MSG-12 is known to fail::"),
        ("badge", "2 known failures"),
    ];
    for (format, told) in known {
        assert!(reports[format].contains(told), "{told} in {}", reports[format]);
    }
    assert!(!reports["junit"].contains("<failure") && !reports["junit"].contains("<error"));
    assert!(!reports["github"].contains("::error"), "{}", reports["github"]);
}

#[test]
fn what_machines_read_is_all_that_is_on_standard_output() {
    let done = chatspec(&["--only", "ROOM-01", "--report", "terminal", "--report", "github"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stdout.lines().all(|line| line.starts_with("::notice ")),
        "{}",
        done.stdout
    );
    assert!(done.stderr.contains("Conforms"), "{}", done.stderr);
}

#[test]
fn two_reports_in_one_place_are_a_usage_error() {
    chatspec(&["--report", "json", "--report", "tap"]).fails(
        2,
        "--report tap: --report json already goes to standard output; give this one a file, as in tap=PATH",
    );
    chatspec(&["--report", "terminal", "--report", "terminal"]).fails(2, "terminal=PATH");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let (one, other) = (
        format!("json={}", path.display()),
        format!("junit={}/./out", folder.path().display()),
    );
    chatspec(&["--report", &one, "--report", &other]).fails(2, "already writes to that file");
}

//! Reports of the real program against each other: made against the reference server, then changed as JSON.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use chatspec::contract::Contract;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Done, chatspec, command, done};

/// A folder with reports in it.
struct Reports {
    folder: TempDir,
}

impl Reports {
    /// With `rooms.json`, of a run over the scenarios of rooms, in which all pass.
    fn of_rooms() -> Self {
        let reports = Self::none();
        reports.run("rooms.json", &["--only", "rooms/*"]);
        reports
    }

    fn none() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn run(&self, name: &str, args: &[&str]) {
        let report = format!("json={}", self.file(name));
        let done = chatspec(&[args, &["--report", &report]].concat());
        assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    fn write(&self, name: &str, report: &Value) {
        fs::write(self.path(name), report.to_string()).unwrap();
    }

    /// The report of rooms, changed like that, under this name.
    fn changed(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut report = self.read("rooms.json");
        change(&mut report);
        self.write(name, &report);
    }

    fn diff(&self, a: &str, b: &str, args: &[&str]) -> Done {
        chatspec(&[&["diff", &self.file(a), &self.file(b)], args].concat())
    }
}

impl Done {
    /// It ended with this code and said all of this, and nothing that a terminal would obey.
    #[track_caller]
    fn tells(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for part in parts {
            assert!(self.stdout.contains(part), "{part:?} in {}", self.stdout);
        }
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!self.stdout.contains(obeyed), "{:?}", self.stdout);
        assert!(!self.stderr.contains(obeyed), "{:?}", self.stderr);
    }
}

/// Lets a requirement of a report fail in the first scenario that looked at it.
fn fail(report: &mut Value, id: &str, reason: &str) {
    let requirement = requirement(report, id);
    let scenario = requirement["checks"][0]["scenario"].clone();
    requirement["verdict"] = "fail".into();
    requirement["standing"] = "failure".into();
    requirement["reason"] = reason.into();
    requirement["checks"] = json!([{
        "scenario": scenario, "verdict": "fail", "message": reason, "fingerprint": "00c0ffee0123",
    }]);
}

fn requirement<'a>(report: &'a mut Value, id: &str) -> &'a mut Value {
    let requirements = report["requirements"].as_array_mut().unwrap();
    requirements.iter_mut().find(|r| r["id"] == id).unwrap()
}

#[test]
fn a_verdict_that_falls_is_worse_and_one_that_rises_is_better() {
    let reports = Reports::of_rooms();
    reports
        .diff("rooms.json", "rooms.json", &["--strict"])
        .tells(0, &["Nothing is worse: ", " the same.\n"]);
    reports.changed("broken.json", |report| {
        fail(report, "ROOM-01", "expected ok; got none");
    });
    let lines = [
        "\nWorse 1\n",
        "ROOM-01   MUST    pass → fail  A member joins",
        "rooms/",
        ": expected ok; got none",
        "\nWorse: 1 worse, ",
    ];
    reports.diff("rooms.json", "broken.json", &[]).tells(1, &lines);
    let lines = ["\nBetter 1\n", "fail → pass", "\nNothing is worse: 1 better, "];
    reports.diff("broken.json", "rooms.json", &[]).tells(0, &lines);

    reports.changed("other.json", |report| {
        fail(report, "ROOM-01", "expected ok; got an error");
        requirement(report, "ROOM-01")["checks"][0]["fingerprint"] = "00c0ffee4567".into();
    });
    let lines = ["\nChanged 1\n", "was ", "got none", "is ", "got an error"];
    reports.diff("broken.json", "other.json", &[]).tells(0, &lines);
}

#[test]
fn what_the_later_run_did_not_look_at_is_gone() {
    let reports = Reports::of_rooms();
    reports.run("one.json", &["--only", "ROOM-01"]);
    let lines = [
        "\nNot looked at in B ",
        "not part of the run",
        "ROOM-02",
        "in what both runs checked",
    ];
    reports.diff("rooms.json", "one.json", &[]).tells(0, &lines);
    reports
        .diff("rooms.json", "one.json", &["--strict"])
        .tells(1, &["\nWorse: "]);
    let lines = ["\nNew ", "passing, and not looked at in A", "ROOM-02"];
    reports
        .diff("one.json", "rooms.json", &["--strict"])
        .tells(0, &lines);

    // A failure that was not looked at again is not mended; one that was not known before counts.
    reports.changed("broken.json", |report| fail(report, "ROOM-02", "it got in"));
    let done = reports.diff("broken.json", "one.json", &[]);
    done.tells(0, &[]);
    assert!(!done.stdout.contains("Better"), "{}", done.stdout);
    reports
        .diff("one.json", "broken.json", &[])
        .tells(1, &["New", "(1 of them fails)"]);

    reports.changed("interrupted.json", |report| {
        report["interrupted"] = true.into();
        let id = requirement(report, "ROOM-02");
        let why = "blocked: the run was interrupted";
        id["verdict"] = "unverified".into();
        id["standing"] = "undecided".into();
        let check = json!({"scenario": "rooms/refused", "verdict": "unverified", "unverified": "blocked", "message": why});
        id["checks"] = json!([check]);
    });
    let lines = [", interrupted\n", "the run was interrupted before"];
    reports
        .diff("rooms.json", "interrupted.json", &[])
        .tells(0, &lines);

    reports.run("elsewhere.json", &["--only", "TRANS-04"]);
    let done = reports.diff("rooms.json", "elsewhere.json", &[]);
    done.fails(2, "have no requirement in common that was checked in both");
}

#[test]
fn a_diff_is_written_for_machines_and_for_pull_requests() {
    let reports = Reports::of_rooms();
    reports.changed("broken.json", |report| {
        fail(report, "ROOM-01", "got a | b");
        report["target"]["limits"]["rate_max"] = 5.into();
    });
    let done = reports.diff("rooms.json", "broken.json", &["--format", "json"]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    let schemas = Contract::embedded().unwrap().schemas;
    schemas.matches("diff", &document).unwrap();
    assert_eq!(document["worse"][0]["id"], "ROOM-01");
    assert_eq!(
        document["worse"][0]["now"]["reasons"][0]["fingerprint"],
        "00c0ffee0123"
    );
    assert_eq!(
        document["limits"],
        json!([{"limit": "rate_max", "values": [10, 5]}])
    );
    let lines = [
        "**Worse: 1 worse, ",
        "| <code>ROOM-01</code> MUST | ✓ pass | ✗ fail |",
        "<br><code>got a &#124; b</code> |",
    ];
    reports
        .diff("rooms.json", "broken.json", &["--format", "markdown"])
        .tells(1, &lines);
    reports
        .diff("rooms.json", "broken.json", &[])
        .tells(1, &["judged by other limits: rate_max 10 → 5"]);
}

#[test]
fn three_reports_make_a_matrix() {
    let reports = Reports::of_rooms();
    reports.run("one.json", &["--only", "ROOM-01"]);
    reports.changed("broken.json", |report| {
        report["target"]["name"] = "chat in Go".into();
        fail(report, "ROOM-01", "got <b>none</b>");
    });
    let files = ["rooms.json", "broken.json", "one.json"].map(|name| reports.file(name));
    let files = files.each_ref().map(String::as_str);
    let matrix = |args: &[&str]| chatspec(&[&["matrix"][..], &files, args].concat());
    let done = matrix(&[]);
    done.tells(0, &["reference server (rooms.json)", "chat in Go", "\nRooms\n"]);
    let signs = |id: &str| -> Vec<char> {
        let line = done
            .stdout
            .lines()
            .find(|line| line.trim_start().starts_with(id))
            .unwrap();
        line.chars()
            .filter(|c| "✓✗▲?~!-".contains(*c))
            .skip(1)
            .take(3)
            .collect()
    };
    assert_eq!(signs("ROOM-01"), ['✓', '✗', '✓']);
    assert_eq!(signs("ROOM-02"), ['✓', '✓', '-'], "not looked at is not passed");

    let page = format!("html={}", reports.file("matrix.html"));
    let text = format!("text={}", reports.file("matrix.txt"));
    let done = matrix(&["--report", "json", "--report", &page, "--report", &text]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let document: Value = serde_json::from_str(&done.stdout).unwrap();
    let schemas = Contract::embedded().unwrap().schemas;
    schemas.matches("matrix", &document).unwrap();
    let page = fs::read_to_string(reports.path("matrix.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    assert!(page.contains("got &lt;b&gt;none&lt;/b&gt;") && !page.contains("<b>none"));
    let text = fs::read_to_string(reports.path("matrix.txt")).unwrap();
    assert!(text.contains("✗ ROOM-01\n      got <b>none</b>"), "{text}");
    matrix(&["--report", "markdown"]).tells(
        0,
        &[
            "### Rooms",
            "✗ fail<br><code>got &#60;b&#62;none&#60;/b&#62;</code>",
            "- not looked at",
        ],
    );
}

#[test]
fn what_is_wrong_with_the_output_of_a_matrix_is_a_usage_error() {
    let reports = Reports::none();
    reports.write("a.json", &tiny());
    let file = reports.file("a.json");
    let matrix = |args: &[&str]| chatspec(&[&["matrix", &file], args].concat());
    matrix(&["--report", "yaml"]).fails_with_usage("--report");
    matrix(&["--report", "html="]).fails_with_usage("path is missing");
    matrix(&["--report", "html", "--report", "text"]).fails(2, "only one can go to standard output");
    matrix(&["--report", "html=/no/such/folder/m.html"]).fails(2, "/no/such/folder/m.html");
    chatspec(&["matrix"]).fails_with_usage("FILE.json");
}

/// The smallest report that there can be.
fn tiny() -> Value {
    json!({
        "schema": "chatspec-report/1",
        "protocol": "1.0",
        "target": {"name": "tiny"},
        "requirements": [{"id": "ROOM-01", "level": "MUST", "verdict": "pass", "checks": []}],
    })
}

#[test]
fn what_is_wrong_with_a_report_is_a_usage_error_that_names_the_file() {
    let reports = Reports::none();
    reports.write("a.json", &tiny());
    reports.write("2.0.json", &json!({"schema": "chatspec-report/1", "protocol": "2.0", "target": {"name": "x"}, "requirements": []}));
    reports.write("later.json", &json!({"schema": "chatspec-report/2"}));
    fs::create_dir(reports.path("folder.json")).unwrap();
    for (name, text) in [
        ("empty.json", ""),
        ("text.json", "chatspec protocol 1.0\n"),
        ("other.json", "{\"schema\": \"x\u{9b}2J\"}"),
        ("cut.json", "{\"schema\": \"chatspec-report/1\",\n  \"protocol\":"),
        (
            "type.json",
            "{\"schema\": \"chatspec-report/1\",\n  \"protocol\": 7}",
        ),
    ] {
        fs::write(reports.path(name), text).unwrap();
    }
    for (name, told) in [
        ("missing.json", "missing.json: No such file"),
        ("folder.json", "folder.json: Is a directory"),
        ("empty.json", "empty.json is empty"),
        (
            "text.json",
            "text.json is no JSON report of chatspec: expected value at line 1 column 1",
        ),
        ("other.json", "its schema is \"x\\u{9b}2J\""),
        ("cut.json", "line 2 column 13"),
        ("type.json", "line 2 column 15"),
        (
            "later.json",
            "has the schema chatspec-report/2, and this chatspec reads chatspec-report/1",
        ),
        ("2.0.json", "different protocol versions"),
    ] {
        reports.diff("a.json", name, &[]).fails(2, told);
    }
    let told = "missing.json: No such file";
    reports.diff("missing.json", "a.json", &[]).fails(2, told);
    chatspec(&["matrix", &reports.file("a.json"), &reports.file("missing.json")]).fails(2, told);
}

#[test]
fn a_report_may_come_from_standard_input_once() {
    let reports = Reports::none();
    reports.write("a.json", &tiny());
    let file = reports.file("a.json");
    for args in [["diff", &file, "-"], ["diff", "-", &file], ["matrix", &file, "-"]] {
        let mut child = command(&args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(tiny().to_string().as_bytes()).unwrap();
        drop(stdin);
        done(child.wait_with_output().unwrap()).tells(0, &["on standard input"]);
        chatspec(&args).fails(2, "report on standard input is empty");
    }
    chatspec(&["diff", "-", "-"]).fails(2, "only once");
}

#[test]
fn what_is_long_or_hostile_is_shown_and_not_obeyed() {
    let reports = Reports::none();
    let mut hostile = tiny();
    hostile["target"]["name"] = "\u{1b}]0;owned\u{7} <script>alert(1)</script>".into();
    fail_with_long_reason(&mut hostile);
    reports.write("a.json", &tiny());
    reports.write("b.json", &hostile);
    let (a, b) = (reports.file("a.json"), reports.file("b.json"));
    for format in ["text", "json", "markdown"] {
        let done = reports.diff("a.json", "b.json", &["--format", format]);
        done.tells(1, &["ROOM-01"]);
        let cut = done.stdout.len() < 5_000;
        assert_eq!(cut, format != "json", "only machines read all of it");
    }
    for format in ["text", "json", "markdown", "html"] {
        let done = chatspec(&["matrix", &a, &b, "--report", format]);
        done.tells(0, &["ROOM-01"]);
        let is_markup = ["markdown", "html"].contains(&format);
        assert_eq!(done.stdout.contains("<script>"), !is_markup);
    }
    // With colours there are sequences of the kit's own, and no others.
    let coloured = chatspec(&["diff", &a, &b, "--color", "always"]).stdout;
    assert!(coloured.contains("\u{1b}["), "{coloured:?}");
    assert!(
        !coloured.contains("\u{1b}]") && !coloured.contains("\u{1b}[2J"),
        "{coloured:?}"
    );
}

/// A megabyte of it.
fn fail_with_long_reason(report: &mut Value) {
    let reason = format!("\u{1b}[2J{}", "é\u{9b}`".repeat(200_000));
    let requirement = &mut report["requirements"][0];
    requirement["verdict"] = "fail".into();
    requirement["reason"] = reason.as_str().into();
    requirement["checks"] =
        json!([{"scenario": "rooms/join-and-leave", "verdict": "fail", "message": reason}]);
}

#[test]
fn the_help_has_examples_and_exit_codes() {
    chatspec(&["diff", "--help"]).tells(
        0,
        &[
            "Examples:",
            "Exit codes:",
            "--strict",
            "from the best",
            "never better",
        ],
    );
    chatspec(&["matrix", "--help"]).tells(0, &["Examples:", "Exit codes:", "html=matrix.html"]);
    chatspec(&["--help"]).tells(0, &["diff", "matrix"]);
}

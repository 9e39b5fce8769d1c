//! Known failures: a target whose file promises another limit than it keeps, so that it fails until the file is right.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use chatspec::targets::reference::{self, Running};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Done, chatspec, command, done};

/// What the reference takes as a message body at most, less, and more.
const TRUE_LIMIT: usize = 100_000;
pub(crate) const TOO_LOW: usize = 50_000;
const TOO_HIGH: usize = 150_000;

/// A reference server, and a folder for all files about it.
pub(crate) struct Target {
    folder: TempDir,
    url: String,
    _running: Running,
}

impl Target {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (profile, running) = runtime.block_on(reference::start(None)).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: profile.urls[0].clone(),
            _running: running,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn report(&self) -> Value {
        serde_json::from_str(&self.read("report.json")).unwrap()
    }

    /// A run on the length of bodies, with this limit promised; leaves `report.json`.
    pub(crate) fn run(&self, limit: usize, args: &[&str]) -> Done {
        let target = format!("urls = [{:?}]\n[limits]\nbody_max_bytes = {limit}\n", self.url);
        self.run_on(
            &target,
            &[&["--only", "MSG-12", "--skip", "robustness"], args].concat(),
        )
    }

    fn run_on(&self, target: &str, args: &[&str]) -> Done {
        self.write("target.toml", target);
        let (target, report) = (
            self.file("target.toml"),
            format!("json={}", self.file("report.json")),
        );
        chatspec(&[&["--target", &target, "--report", &report], args].concat())
    }

    /// `baseline accept` or `prune` with the last report.
    pub(crate) fn baseline(&self, what: &str, args: &[&str]) -> Done {
        let (report, known) = (self.file("report.json"), self.file("known.toml"));
        chatspec(&[&["baseline", what, &report, "--baseline", &known], args].concat())
    }
}

impl Done {
    /// It ended with this code, and said all of this on standard output.
    #[track_caller]
    fn says(&self, code: i32, told: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for part in told {
            assert!(self.stdout.contains(part), "{part:?} in {}", self.stdout);
        }
    }
}

fn count(report: &Value, list: &str) -> usize {
    report["baseline"][list].as_array().unwrap().len()
}

#[test]
fn known_failures_are_shown_and_only_new_ones_fail() {
    let target = Target::start();
    let known = target.file("known.toml");
    target
        .run(TOO_LOW, &[])
        .says(1, &["FAIL MSG-12", "Does not conform."]);
    assert_eq!(target.report().get("baseline"), None);
    target
        .baseline("accept", &[])
        .says(0, &["added     MSG-12 in messages/", "2 added", "TODO"]);

    // Another run, in which everything is given more time, has the same fingerprints.
    let listed = ["--baseline", &known, "--timeout-scale", "2"];
    let told = [
        "FAIL MSG-12",
        "known    TODO: why is this tolerated?",
        "2 known failures by ",
        ", 0 new",
        "fails in nothing that",
    ];
    target.run(TOO_LOW, &listed).says(0, &told);
    let report = target.report();
    assert_eq!((count(&report, "known"), count(&report, "new")), (2, 0));
    assert_eq!(report["requirements"][0]["verdict"], "fail", "it is no pass");
    target
        .baseline("accept", &[])
        .says(0, &["0 added", "2 known before"]);

    // What is not in the file fails as before.
    target.write("known.toml", "# nothing yet\n");
    target
        .run(TOO_LOW, &listed)
        .says(1, &["new      not listed in", "0 known failures", "2 new"]);
    assert_eq!(count(&target.report(), "new"), 2);
}

#[test]
fn entries_that_have_become_wrong_fail_until_they_are_mended() {
    let target = Target::start();
    let known = target.file("known.toml");
    let listed = ["--baseline", known.as_str()];
    target.run(TOO_LOW, &[]);
    target
        .baseline("accept", &["--reason", "see issue 7"])
        .says(0, &["2 added"]);

    // Another failure of the same requirement; of two that there were, since the story ends at it.
    target
        .run(TOO_HIGH, &listed)
        .says(1, &["changed  listed, but failed in another way: see issue 7"]);
    assert_eq!(count(&target.report(), "changed"), 1);
    target
        .baseline("accept", &[])
        .says(0, &["refreshed MSG-12", "0 added, 1 refreshed"]);

    // It has been mended.
    let gone = [
        "gone",
        "baseline prune REPORT.json",
        "2 gone",
        "lists what no longer fails",
    ];
    target.run(TRUE_LIMIT, &listed).says(1, &gone);
    assert_eq!(count(&target.report(), "gone"), 2);
    let before = target.read("known.toml");
    target
        .baseline("prune", &[])
        .says(0, &["removed   MSG-12 in messages/", "2 removed, 0 left"]);
    assert_eq!(
        target.read("known.toml").trim_end(),
        before.split("\n[[known]]").next().unwrap().trim_end()
    );
    target
        .run(TRUE_LIMIT, &listed)
        .says(0, &["Conforms", "0 known failures"]);

    // It was tolerated for a while.
    target.run(TOO_HIGH, &[]);
    target
        .baseline("accept", &["--reason", "soon", "--expires", "2999-12-31"])
        .says(0, &["1 added"]);
    target
        .run(TOO_HIGH, &listed)
        .says(0, &["known    soon (until 2999-12-31)"]);
    target.write("known.toml", &target.read("known.toml").replace("2999", "2020"));
    target
        .run(TOO_HIGH, &listed)
        .says(1, &["expired  soon (until 2020-12-31)", "1 expired"]);
    target
        .baseline("accept", &[])
        .says(0, &["extend it with --expires"]);
    target
        .baseline("accept", &["--expires", "2999-12-31"])
        .says(0, &["extended"]);
    target.run(TOO_HIGH, &listed).says(0, &[]);

    // What does not run says nothing, and is not removed.
    let elsewhere = ["--only", "ROOM-01", "--baseline", known.as_str()];
    let right = format!("urls = [{:?}]\n", target.url);
    target
        .run_on(&right, &elsewhere)
        .says(0, &["not looked at", "it was not part of this run"]);
    assert_eq!(count(&target.report(), "not_looked_at"), 1);
    target
        .baseline("prune", &[])
        .says(0, &["0 removed, 1 left, 1 of them not looked at"]);
}

#[test]
fn the_same_failures_have_the_same_fingerprints_in_every_run() {
    let target = Target::start();
    // With another key than the target's, every token that is minted is refused, and many stories break off.
    let wrong = format!(
        "urls = [{:?}]\n[auth]\njwt_secret = 'another key'\n[limits]\nbody_max_bytes = {TOO_LOW}\n",
        target.url
    );
    let fingerprints = |args: &[&str]| {
        let done = target.run_on(&wrong, &[&["--only", "auth", "--only", "MSG-12"], args].concat());
        assert_eq!(done.code, Some(1), "{}\n{}", done.stdout, done.stderr);
        let report = target.report();
        let requirements = report["requirements"].as_array().unwrap();
        let checks = requirements
            .iter()
            .flat_map(|requirement| requirement["checks"].as_array().unwrap());
        let told = |check: &Value| {
            Some((
                check["fingerprint"].as_str()?.to_owned(),
                check["message"].clone(),
            ))
        };
        checks.filter_map(told).collect::<BTreeMap<_, _>>()
    };
    let one = fingerprints(&[]);
    let other = fingerprints(&["--jobs", "2", "--timeout-scale", "1.5"]);
    assert!(one.len() >= 5, "{one:#?}");
    assert!(one.keys().eq(other.keys()), "{one:#?}\n{other:#?}");
}

#[test]
fn a_fault_of_the_kit_is_not_hidden() {
    let target = Target::start();
    target.run(TOO_LOW, &[]);
    target.baseline("accept", &[]);
    let broken = format!(
        "urls = [{:?}]\n[limits]\nbody_max_bytes = {TOO_LOW}\n[hooks]\nstore_down = 'exit 5'\nstore_up = 'true'\n",
        target.url
    );
    let known = target.file("known.toml");
    let args = [
        "--only",
        "MSG-12",
        "--only",
        "ACK-04",
        "--skip",
        "robustness",
        "--baseline",
        &known,
    ];
    target
        .run_on(&broken, &args)
        .says(3, &["2 known failures by ", "0 new"]);
}

#[test]
fn a_report_may_come_from_standard_input() {
    let target = Target::start();
    target.run(TOO_LOW, &[]);
    let mut accept = command(&[
        "baseline",
        "accept",
        "-",
        "--baseline",
        &target.file("known.toml"),
    ])
    .stdin(Stdio::piped())
    .spawn()
    .unwrap();
    let mut stdin = accept.stdin.take().unwrap();
    stdin.write_all(target.read("report.json").as_bytes()).unwrap();
    drop(stdin);
    done(accept.wait_with_output().unwrap()).says(0, &["2 added"]);
}

#[test]
fn what_is_wrong_with_a_baseline_is_a_usage_error_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (known, report) = (file("known.toml"), file("report.json"));
    chatspec(&["--baseline", &known]).fails(2, "write it with: chatspec baseline accept REPORT.json");
    chatspec(&["baseline", "prune", &report, "--baseline", &known]).fails(2, "no such file");
    chatspec(&["baseline", "accept", &report, "--baseline", &known]).fails(2, "report.json");
    assert!(!folder.path().join("known.toml").exists());

    let entry = "[[known]]\nid = 'MSG-02'\nscenario = 'messages/send-and-broadcast'\n\
                 fingerprint = '0123456789ab'\nreason = 'see issue 7'\n";
    fs::write(&known, entry.replace("MSG-02", "MSG-99")).unwrap();
    chatspec(&["--baseline", &known])
        .fails(2, "line 2: no requirement has the id MSG-99; did you mean MSG-0");
    fs::write(&known, entry).unwrap();
    for (text, told) in [
        ("no JSON", "is no JSON report of chatspec"),
        (
            "{\"schema\":\"x\",\"requirements\":[]}",
            "is no JSON report of chatspec",
        ),
    ] {
        fs::write(&report, text).unwrap();
        for what in ["accept", "prune"] {
            chatspec(&["baseline", what, &report, "--baseline", &known]).fails(2, told);
        }
    }
    for wrong in [
        ["--expires", "tomorrow"],
        ["--expires", "2020-01-01"],
        ["--reason", " "],
    ] {
        let args = ["baseline", "accept", &report, "--baseline", &known];
        chatspec(&[&args[..], &wrong].concat()).fails_with_usage(wrong[0]);
    }
    assert_eq!(fs::read_to_string(&known).unwrap(), entry);
}

#[test]
fn the_help_has_examples() {
    for what in ["accept", "prune"] {
        let done = chatspec(&["baseline", what, "--help"]);
        done.says(
            0,
            &["Examples:", "report.json --baseline known.toml", "REPORT.json"],
        );
    }
    chatspec(&["baseline", "--help"]).says(0, &["accept", "prune"]);
    chatspec(&["--help"]).says(0, &["--baseline <FILE>", "baseline accept"]);
}

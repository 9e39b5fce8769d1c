//! The GitHub Action as its runner would run it: the steps of `action.yml`, one after the other, with the shell, the files and
//! the variables that GitHub gives them. Steps that are actions of others are noted instead of run.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod runner;

use std::fs;
use std::path::Path;
use std::process::Command;

use chatspec::targets::reference;
use regex::Regex;
use serde_json::Value;

use runner::{Job, Runner, top};

const CHATSPEC: &str = env!("CARGO_BIN_EXE_chatspec");

/// A reference server; it ends with what is given beside its address.
async fn reference() -> (String, reference::Running) {
    let (profile, running) = reference::start(None).await.unwrap();
    (profile.urls[0].clone(), running)
}

/// Runs the steps while the server answers.
async fn play(runner: Runner) -> (Runner, Job) {
    let steps = move || {
        let mut runner = runner;
        let job = runner.run();
        (runner, job)
    };
    tokio::task::spawn_blocking(steps).await.unwrap()
}

/// A command that starts a server, as the input `launch` wants it: it stands in front of a reference server.
fn launch(url: &str, more: &str) -> String {
    format!("'{CHATSPEC}' proxy --url {url} {more} | sed -u 's/^/listening on /'")
}

#[tokio::test]
async fn a_server_that_conforms_makes_a_green_job_with_reports_and_a_summary() {
    let (url, _running) = reference().await;
    let runner = Runner::with_kit()
        .input("url", &url)
        .input("args", "--only 'rooms/*' --skip rooms/removed");
    let (runner, job) = play(runner).await;
    assert!(job.good, "{}", job.log);
    assert_eq!(
        (job.outputs["verdict"].as_str(), job.outputs["exit-code"].as_str()),
        ("conforms", "0")
    );
    assert!(
        job.summary.starts_with("## ✅ chatspec: Conforms"),
        "{}",
        job.summary
    );
    assert!(
        job.log.contains("::notice title=chatspec::Conforms"),
        "{}",
        job.log
    );
    let report: Value = serde_json::from_str(&runner.report("chatspec.json")).unwrap();
    assert_eq!(
        (&report["set"], &report["summary"]["must"]["fail"]),
        (&"1.0".into(), &0.into())
    );
    let scenarios: Vec<&str> = report["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scenario| scenario["id"].as_str().unwrap())
        .collect();
    assert!(
        scenarios.contains(&"rooms/repeats") && !scenarios.contains(&"rooms/removed"),
        "{scenarios:?}"
    );
    assert!(
        runner.report("chatspec.xml").contains("<testsuites")
            && runner.report("chatspec.html").contains("<html")
    );
    let upload = job.uploaded().unwrap();
    assert_eq!(upload["name"], "chatspec");
    assert_eq!(upload["path"], job.outputs["reports"]);
    assert!(Path::new(&upload["path"]).join("chatspec.json").exists());
}

#[tokio::test]
async fn a_server_that_fails_makes_a_red_job_after_its_reports_are_uploaded() {
    let (url, _running) = reference().await;
    let runner = Runner::with_kit()
        .input("launch", &launch(&url, "--sabotage typing-echoed"))
        .input("args", "--only typing");
    let (runner, job) = play(runner).await;
    assert!(!job.good, "{}", job.log);
    assert_eq!(
        (job.outputs["verdict"].as_str(), job.outputs["exit-code"].as_str()),
        ("fails", "1")
    );
    assert!(
        job.summary.starts_with("## ❌ chatspec: Does not conform."),
        "{}",
        job.summary
    );
    assert!(job.log.contains("::error title=MUST TYPE-"), "{}", job.log);
    assert!(runner.report("chatspec.json").contains("\"verdict\": \"fail\""));
    assert!(job.uploaded().is_some());
}

#[tokio::test]
async fn a_known_failure_leaves_the_job_green() {
    let (url, _running) = reference().await;
    let failing = || {
        Runner::with_kit()
            .input("launch", &launch(&url, "--sabotage typing-echoed"))
            .input("args", "--only typing")
    };
    let (first, _) = play(failing()).await;
    let second = failing().input("baseline", "known.toml").input("artifact", "");
    let accepted = Command::new(CHATSPEC)
        .args(["baseline", "accept", "--reason", "see issue 7", "--baseline"])
        .arg(second.at("workspace/known.toml"))
        .arg(first.at("temp/chatspec/reports/chatspec.json"))
        .output()
        .unwrap();
    assert!(accepted.status.success(), "{accepted:?}");
    let (_, job) = play(second).await;
    assert!(job.good, "{}", job.log);
    assert_eq!(job.outputs["verdict"], "conforms");
    assert!(job.uploaded().is_none());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_fault_with_an_annotation_and_a_summary() {
    let (_, job) = play(Runner::with_kit().input("url", "http://127.0.0.1:1")).await;
    assert!(!job.good);
    assert_eq!(
        (job.outputs["verdict"].as_str(), job.outputs["exit-code"].as_str()),
        ("fault", "3")
    );
    assert!(
        job.log.contains("::error title=chatspec::chatspec: ") && job.log.contains("cannot connect"),
        "{}",
        job.log
    );
    assert!(
        job.summary.starts_with("## ❌ chatspec could not run"),
        "{}",
        job.summary
    );
}

#[tokio::test]
async fn inputs_that_make_no_sense_are_told() {
    let url = || Runner::with_kit().input("url", "http://127.0.0.1:1");
    for (runner, told) in [
        (
            Runner::with_kit(),
            "give one of the inputs url, target and launch",
        ),
        (
            url().input("launch", "node server.mjs"),
            "give one of the inputs url, target and launch",
        ),
        (
            url().input("strict", "yes"),
            "the input strict is true or false, not yes",
        ),
        (url().input("args", "--only 'MSG"), "a quote that does not end"),
        (
            Runner::new().input("chatspec", "/no/such/chatspec"),
            "there is no program /no/such/chatspec",
        ),
    ] {
        let (_, job) = play(runner).await;
        assert!(
            !job.good && job.log.contains("::error title=chatspec::"),
            "{}",
            job.log
        );
        assert!(job.log.contains(told), "{told} in {}", job.log);
    }
    // What the kit itself refuses is told in its own words.
    for (runner, told) in [
        (url().input("set", "0.9"), "there is no requirement set 0.9"),
        (url().input("args", "--no-such-option"), "--no-such-option"),
        (url().input("baseline", "none.toml"), "none.toml"),
    ] {
        let (_, job) = play(runner).await;
        assert_eq!(job.outputs["verdict"], "usage", "{}", job.log);
        assert!(
            !job.good && job.summary.contains(told),
            "{told} in {}",
            job.summary
        );
    }
}

/// A `cargo` that notes how it was called, and installs the program that the tests have built.
const CARGO: &str = r#"
    echo "$*" >>"$HOME/cargo.log"
    while [ "$1" != --root ]; do shift; done
    mkdir -p "$2/bin"
    ln -sf "$PROGRAM" "$2/bin/chatspec""#;

/// The kit that is built for the input `services`: with which features, and under which name in the cache.
async fn built(services: &str) -> (String, String) {
    let (url, _running) = reference().await;
    let mut runner = Runner::new()
        .input("url", &url)
        .input("args", "--only TRANS-04")
        .input("services", services);
    runner.program("cargo", &CARGO.replace("$PROGRAM", CHATSPEC));
    runner.program(
        "rustup",
        r#"case $1 in run) shift 2; exec "$@" ;; toolchain) [ "$2" = install ] ;; esac"#,
    );
    let (runner, job) = play(runner).await;
    assert!(job.good, "{}", job.log);
    let called = fs::read_to_string(runner.at("temp/cargo.log")).unwrap();
    let root = runner.at("temp/chatspec-kit");
    let install = format!(
        "install --locked --root {} --path conformance --features ",
        root.display()
    );
    let features = called
        .strip_prefix(&install)
        .unwrap_or_else(|| panic!("{called}"));
    let (cache, with) = &job.used[0];
    assert!(cache.starts_with("actions/cache@"), "{cache}");
    assert_eq!(with["path"], root.display().to_string());
    (features.trim_end().to_owned(), with["key"].clone())
}

#[tokio::test]
async fn without_a_program_the_kit_of_this_checkout_is_built_and_kept() {
    let (features, key) = built("false").await;
    assert_eq!(features, "");
    let plain = Regex::new("^chatspec-[A-Za-z0-9]+-X64-[0-9a-f]{64}$").unwrap();
    assert!(plain.is_match(&key), "{key}");
    let (features, with_services) = built("true").await;
    assert_eq!(features, "services");
    assert_eq!(with_services, key.replacen("chatspec-", "chatspec-services-", 1));
}

#[tokio::test]
async fn the_job_for_gitlab_builds_the_kit_and_leaves_its_reports() {
    let text = fs::read_to_string(top().join("docs/examples/gitlab-ci.yml")).unwrap();
    let file: Value = serde_yaml_ng::from_str(&text).unwrap();
    let job = &file["chatspec"];
    let (url, _running) = reference().await;
    let mut runner = Runner::new();
    runner.program("cargo", &CARGO.replace("$PROGRAM", CHATSPEC));
    runner.program("git", r#"[ "$1" != clone ] || mkdir -p "$4/conformance""#);
    let folder = runner.at("workspace");
    fs::write(folder.join("chatspec.toml"), format!("urls = [\"{url}\"]\n")).unwrap();
    let lines = ["before_script", "script"]
        .map(|part| job[part].as_array().unwrap().clone())
        .concat();
    let script: Vec<&str> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    // The whole contract takes its time; what is left out here makes no difference to the job.
    let script = script.join("\n").replace("--target", "--only TRANS-04 --target");
    let mut command = Command::new("bash");
    command
        .args(["-e", "-o", "pipefail", "-c", &script])
        .current_dir(&folder);
    command.env("PATH", &runner.path).env("HOME", runner.at("temp"));
    for (name, value) in job["variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    let done = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let called = fs::read_to_string(runner.at("temp/cargo.log")).unwrap();
    assert_eq!(
        called,
        "install --quiet --locked --root .chatspec --path .chatspec/source/conformance\n"
    );
    let artifacts = &job["artifacts"];
    let listed = artifacts["paths"]
        .as_array()
        .unwrap()
        .iter()
        .chain([&artifacts["reports"]["junit"]]);
    for name in listed {
        assert!(folder.join(name.as_str().unwrap()).exists(), "{name}");
    }
}

//! `--transcript`: everything that goes over the wire, as it happens.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chatspec::contract::Contract;
use serde_json::Value;

use crate::{chatspec, command};

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let whole = text.rsplit_once('\n').unwrap().0;
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_frame_and_every_exchange_is_a_line_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ndjson");
    let run = chatspec(&[
        "--only",
        "rooms/join-and-leave",
        "--only",
        "AUTH-10",
        "--transcript",
        path.to_str().unwrap(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let lines = lines(&path);
    let schemas = Contract::embedded().unwrap().schemas;
    for line in &lines {
        schemas.matches("transcript", line).unwrap();
    }
    let said: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| {
            line["decoded"]["packet"]
                .as_str()
                .or(line["decoded"]["http"].as_str())
        })
        .collect();
    for kind in [
        "request",
        "response",
        "open",
        "connect",
        "connect_error",
        "event",
        "ack",
    ] {
        assert!(said.contains(kind), "{kind} of {said:?}");
    }
    let scenarios: BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line["scenario"].as_str())
        .collect();
    assert!(scenarios.contains("rooms/join-and-leave") && scenarios.contains("kit/calibration"));
    // Passwords begin with pw-, and JWTs with what every JSON object begins with.
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("***") && !text.contains("pw-") && !text.contains("eyJ"));
}

#[test]
fn what_was_seen_is_there_when_the_kit_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ndjson");
    let mut run = command(&["--transcript", path.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_mins(1);
    while fs::metadata(&path).map_or(0, |file| file.len()) < 200_000 {
        assert!(Instant::now() < patience, "nothing is written");
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(lines(&path).len() > 100);
}

#[test]
fn a_file_that_cannot_be_written_is_a_usage_error() {
    let run = chatspec(&["--transcript", "/nowhere/run.ndjson"]);
    run.fails(2, "--transcript /nowhere/run.ndjson");
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_is_told() {
    let run = chatspec(&["--only", "rooms/join-and-leave", "--transcript", "/dev/full"]);
    run.fails(3, "the transcript is incomplete, because it could not be written");
}

//! Targets whose store can be taken away: the reference on MongoDB, and any with hooks.

use std::time::Duration;

use chatspec::targets::reference;
use serde_json::Value;

use crate::{chatspec, command, done};

/// The result of one scenario in a JSON report.
fn verdict_of(report: &std::path::Path, scenario: &str) -> String {
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let scenarios = report["scenarios"].as_array().unwrap();
    let found = scenarios.iter().find(|result| result["id"] == scenario);
    found.unwrap()["verdict"].as_str().unwrap().to_owned()
}

#[test]
fn the_reference_runs_on_mongodb_which_is_taken_away_for_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let report = format!("json={}", path.display());
    let args = [
        "--with-mongodb",
        "--only",
        "ACK-04",
        "--only",
        "rooms",
        "--report",
        &report,
    ];
    let done = chatspec(&args);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("on MongoDB ("), "{}", done.stdout);
    assert_eq!(verdict_of(&path, "acks/store-away"), "pass");
    chatspec(&["--with-mongodb", "--target", "x.toml"]).fails_with_usage("--with-mongodb");
}

#[test]
fn having_no_mongodb_tells_three_ways_to_mend_it() {
    let mut command = command(&["--with-mongodb"]);
    command.env_remove("MONGODB_URI").env_remove("CHATSPEC_MONGO");
    // Nobody listens at port 1, and there is no bash on this path.
    command
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .env("PATH", "/nowhere");
    let done = done(command.output().unwrap());
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert!(
        done.stderr.starts_with("chatspec: no MongoDB is available"),
        "{}",
        done.stderr
    );
    for way in ["- set MONGODB_URI", "- start Docker", "- let scripts/mongo.sh"] {
        assert!(done.stderr.contains(way), "{way} in {}", done.stderr);
    }
}

#[test]
fn hooks_take_the_store_of_any_target_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (down, up) = (file("down"), file("up"));
    // The server whose store the hooks switch: each leaves a word, and waits until it is taken.
    let hook = |word: &std::path::Path| {
        let word = word.display();
        format!("touch '{word}'; while [ -e '{word}' ]; do sleep 0.02; done")
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (profile, running) = runtime.block_on(reference::start(None)).unwrap();
    let switch = running.store_switch();
    let (take_down, bring_up) = (down.clone(), up.clone());
    runtime.spawn(async move {
        loop {
            if take_down.exists() {
                switch.take_down().await.unwrap();
                std::fs::remove_file(&take_down).unwrap();
            }
            if bring_up.exists() {
                switch.bring_up().await.unwrap();
                std::fs::remove_file(&bring_up).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let (target, report) = (file("target.toml"), file("out.json"));
    let run = |hooks: &str| {
        let urls = &profile.urls;
        std::fs::write(&target, format!("urls = {urls:?}\n{hooks}")).unwrap();
        let to = format!("json={}", report.display());
        let args = [
            "--target",
            target.to_str().unwrap(),
            "--only",
            "ACK-04",
            "--report",
            &to,
        ];
        let done = chatspec(&args);
        (done, verdict_of(&report, "acks/store-away"))
    };
    let (done, verdict) = run("");
    assert_eq!((done.code, verdict.as_str()), (Some(0), "unverified"));
    assert!(done.stdout.contains("hooks.store_down"), "{}", done.stdout);
    let (down, up) = (hook(&down), hook(&up));
    let (done, verdict) = run(&format!("[hooks]\nstore_down = {down:?}\nstore_up = {up:?}\n"));
    assert_eq!(
        (done.code, verdict.as_str()),
        (Some(0), "pass"),
        "{}",
        done.stdout
    );
    // A hook that does not work is nobody's failure but its own.
    let (done, verdict) =
        run("[hooks]\nstore_down = 'echo no such service >&2; exit 5'\nstore_up = 'true'\n");
    assert_eq!(
        (done.code, verdict.as_str()),
        (Some(3), "harness"),
        "{}",
        done.stdout
    );
    assert!(done.stdout.contains("no such service"), "{}", done.stdout);
}

//! What acks and broadcasts look like: those of the reference server stand in `tests/snapshots`, as the same text that
//! `chatspec snapshot` writes.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use chatspec::contract::Contract;
use chatspec::preflight::{self, TargetChoice};
use chatspec::scene::RunOptions;
use chatspec::shapes::folder::Documents;
use chatspec::shapes::gather::gather;
use chatspec::shapes::subjects;
use chatspec::targets::profile::capabilities::{Capabilities, Capability};
use chatspec::targets::profile::{Faults, Profile};
use chatspec::targets::reference;

async fn gathered(subject: TargetChoice) -> Documents {
    let contract = Contract::embedded().unwrap();
    let context = preflight::prepare(subject, contract, RunOptions::default())
        .await
        .unwrap();
    gather(&context, 2, |_| {}).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_server_looks_as_it_did() {
    for (name, document) in gathered(TargetChoice::Reference).await {
        insta::assert_snapshot!(name, document.to_text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_cannot_be_made_to_show_is_listed_with_the_reason() {
    let (reference, _running) = reference::start(None).await.unwrap();
    let profile = Profile {
        faults: Faults::default(),
        capabilities: Capabilities::without([
            Capability::DirectChats,
            Capability::Rename,
            Capability::AddMember,
            Capability::PostMessage,
        ]),
        ..reference
    };
    let gathered = gathered(profile.into()).await;
    let not_seen = |subject: &subjects::Subject| &gathered[subject.name].not_seen;
    for (subject, case, why) in [
        (&subjects::SEND, "INTERNAL", "give faults.internal_body"),
        (&subjects::MESSAGE, "posted by REST", "not offered: post_message"),
        (&subjects::CHAT, "DM created", "not offered: direct_chats"),
        (&subjects::CHAT, "renamed", "not offered: rename"),
        (&subjects::CHAT, "member added", "not offered: add_member"),
        (&subjects::CHAT, "member removed", "nobody could be added"),
        (&subjects::PING, "VALIDATION_ERROR", "answered with ok"),
    ] {
        let told = not_seen(subject).get(case).unwrap();
        assert!(told.contains(why), "{case}: {told}");
    }
    assert_eq!(not_seen(&subjects::CHAT).len(), 4);
    assert!(gathered[subjects::CHAT.name].seen.contains_key("group created"));
    for subject in subjects::ALL {
        let document = &gathered[subject.name];
        for case in subject.cases {
            let seen = document.seen.contains_key(*case);
            let reason = document.not_seen.get(*case);
            assert!(
                seen != reason.is_some_and(|why| !why.is_empty()),
                "{} {case}: {reason:?}",
                subject.what
            );
        }
    }
}

struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// The command, with a folder at the end.
fn snapshot(args: &[&str], folder: &Path) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_chatspec"))
        .arg("snapshot")
        .args(args)
        .arg(folder)
        .env_remove("CHATSPEC_JWT_SECRET")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Done {
    #[track_caller]
    fn ends(&self, code: i32, told: &str) {
        let all = format!("{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.code, Some(code), "{all}");
        assert!(all.contains(told), "{told} in {all}");
    }
}

/// Changes a file as a person would.
fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn what_was_written_holds_until_something_changes_and_can_be_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("shapes of mine");
    let once = ["--runs", "1", "--out"];
    let done = snapshot(&once, &folder);
    done.ends(0, "11 written, 0 unchanged, 0 removed");
    assert!(
        done.stdout.contains("only message:send can be made to fail"),
        "{}",
        done.stdout
    );
    assert!(done.stderr.contains("run 1 of 1"), "{}", done.stderr);

    // However it is laid out, it says the same.
    let laid_out = fs::read_to_string(folder.join("connect-error.json")).unwrap();
    fs::write(folder.join("connect-error.json"), laid_out.replace('\n', "\r\n")).unwrap();
    snapshot(&["--runs", "1", "--check"], &folder).ends(0, "nothing has changed");

    edit(
        &folder,
        "ack-message-send.json",
        "\"serverId\": \"<objectid>\"",
        "\"id\": \"<objectid>\"",
    );
    edit(&folder, "ack-receipt-read.json", "\"+data\"", "\"+data?\"");
    edit(&folder, "ack-presence-ping.json", "<timestamp>", "<number>");
    edit(&folder, "ack-room-leave.json", "only message:send", "nothing");
    fs::remove_file(folder.join("event-typing-update.json")).unwrap();
    fs::copy(
        folder.join("ack-room-join.json"),
        folder.join("ack-room-knock.json"),
    )
    .unwrap();
    let done = snapshot(&["--runs", "1", "--color", "always", "--check"], &folder);
    for told in [
        "ok: key gone: data.id",
        "ok: key added: data.serverId",
        "ok: always there now: data",
        "ok: kind changed: data.serverTime was <number>, is <timestamp>",
        "INTERNAL: still not seen, for another reason: only message:send can be made to fail",
        "this is not gathered any more",
        "there is no such file",
        "6 files differ",
        "snapshot --runs 1 --out '",
        "shapes of mine'",
        "\u{1b}[31m-        \"id\": \"<objectid>\"",
        "\u{1b}[32m+        \"serverId\": \"<objectid>\"",
    ] {
        done.ends(1, told);
    }
    assert!(!done.stdout.contains("ack-room-join.json"), "{}", done.stdout);

    snapshot(&once, &folder).ends(0, "6 written, 5 unchanged, 1 removed");
    let done = snapshot(&["--check"], &folder);
    done.ends(0, "nothing has changed");
    assert!(!done.stdout.contains('\u{1b}'), "colour in a pipe");
}

#[test]
fn a_folder_that_is_of_no_use_is_told_before_anything_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path();
    snapshot(&["--check"], &there.join("nowhere")).ends(2, "is not there");
    snapshot(&["--check"], there).ends(2, "holds no snapshots");
    let mine = there.join("ack-room-join.json");
    fs::write(&mine, "{\"mine\": true}").unwrap();
    snapshot(&["--out"], there).ends(2, "is no snapshot, but has the name of one");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "{\"mine\": true}");
    assert_eq!(fs::read_dir(there).unwrap().count(), 1);
    snapshot(&[], there).ends(2, "unexpected argument");
    snapshot(&["--out", "a", "--check"], there).ends(2, "cannot be used with");
}

#[test]
fn a_target_that_does_not_listen_is_told() {
    let folder = tempfile::tempdir().unwrap();
    snapshot(&["--url", "http://127.0.0.1:1", "--out"], folder.path()).ends(3, "cannot connect");
}

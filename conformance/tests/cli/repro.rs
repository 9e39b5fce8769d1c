//! `repro`: scripts, and why there is none.

use super::*;

#[test]
fn a_requirement_is_written_in_either_language() {
    let js = chatspec(&["repro", "room-01", "--lang", "js"]);
    assert_eq!(js.code, Some(0), "{}", js.stderr);
    assert!(js.stdout.starts_with("// ROOM-01 (MUST): "), "{}", js.stdout);
    assert!(js.stdout.contains("import { io } from \"socket.io-client\";"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room_01.py");
    let done = chatspec(&[
        "repro",
        "ROOM-01",
        "--lang",
        "python",
        "--out",
        file.to_str().unwrap(),
    ]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), ""),
        "{}",
        done.stderr
    );
    let python = std::fs::read_to_string(file).unwrap();
    assert!(python.starts_with("# ROOM-01 (MUST): ") && python.contains("import socketio"));
    for script in [js.stdout, python] {
        // What was true of the recording alone is not in it.
        assert!(
            !script.contains("chatspec.example") && !script.contains("eyJ"),
            "{script}"
        );
        assert!(script.contains("{{new first}}") && script.contains("{\"register\": \"alice\"}"));
    }
}

#[test]
fn a_target_file_gives_the_requests() {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/peers/node/target.toml");
    let done = chatspec(&["repro", "rooms/bad-ids", "--lang", "js", "--target", target]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stdout.contains("\"request\": \"POST /api/rooms\""),
        "{}",
        done.stdout
    );
    assert!(done.stdout.starts_with("// rooms/bad-ids: "));
}

#[test]
fn what_cannot_be_told_is_refused_with_the_reason() {
    for (args, told) in [
        (
            vec!["ROB-05"],
            "robustness/oversize-frame cannot be written as a script: it sends frames",
        ),
        (
            vec!["ACK-05"],
            "ACK-05 cannot be written as a script: the official clients drop",
        ),
        (vec!["TRANS-02"], "long-polling"),
        (vec!["MSG-18"], "no scenario judges it"),
        (vec!["MSG-55"], "did you mean"),
        (
            vec!["MSG-05", "--scenario", "rooms/repeats"],
            "does not judge MSG-05; messages/repeats does",
        ),
        (
            vec!["rooms/repeats", "--scenario", "rooms/repeats"],
            "is no requirement",
        ),
        (
            vec!["MSG-10", "--scenario", "robustness/corpus-message-send"],
            "corpus",
        ),
        (vec!["MSG-05", "--target", "no-such.toml"], "no-such.toml"),
        (
            vec!["ROOM-05", "--out", "/no/such/folder/x.mjs"],
            "--out /no/such/folder/x.mjs",
        ),
    ] {
        let mut all = vec!["repro", "--lang", "js"];
        all.extend(args);
        chatspec(&all).fails(2, told);
    }
    let python = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fixtures/peers/python/target.toml"
    );
    chatspec(&["repro", "ROOM-05", "--lang", "js", "--target", python]).fails(2, "provision.kind = \"jwt\"");
}

#[test]
fn explain_names_the_command_where_there_is_a_script() {
    assert!(
        chatspec(&["explain", "MSG-05"])
            .stdout
            .contains("chatspec repro MSG-05 --lang js")
    );
    assert!(
        chatspec(&["explain", "rooms/repeats"])
            .stdout
            .contains("chatspec repro rooms/repeats")
    );
    for id in ["ROB-05", "ACK-05", "MSG-18", "presence/vanished"] {
        assert!(
            !chatspec(&["explain", id]).stdout.contains("chatspec repro"),
            "{id}"
        );
    }
}

//! How it starts, what it says when it cannot, how it stops.

use std::net::{TcpListener, TcpStream};
use std::process::Output;
use std::time::{Duration, Instant};

use crate::process::{Server, command};

/// It does not start: exit code, and one line that says what to do.
#[track_caller]
fn refuses(args: &[&str], code: i32, told: &str) {
    let Output { status, stderr, .. } = command(args).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{stderr}");
    assert!(stderr.contains(told), "{stderr:?} does not say {told:?}");
    if code == 1 {
        let last = stderr.lines().last().unwrap();
        assert!(last.starts_with("chatspec-server: "), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
fn it_says_where_it_listens_and_answers_there() {
    let server = Server::start(&["--in-memory"]);
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/v1/chats").starts_with("HTTP/1.1 401"));
    let metrics = server.get("/metrics");
    assert!(metrics.contains("# TYPE chat_connections gauge"), "{metrics}");
}

#[test]
fn it_stops_when_told_to_whoever_is_connected() {
    for signal in ["-TERM", "-INT"] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().to_str().unwrap();
        let mut server = Server::start(&["--data", data]);
        // One that has not asked for anything, and one that reads nothing.
        let _idle = server.connect();
        let _deaf = server.websocket();
        server.signal(signal);
        assert_eq!(server.ended(), Some(0), "{signal}");
        assert!(TcpStream::connect(&server.address).is_err());
        // The folder is free again.
        let _next = Server::start(&["--data", data]);
    }
}

#[test]
fn help_has_examples() {
    let output = command(&["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for part in ["Examples:", "--listen", "--data", "--jwt-secret", "--cors-origin"] {
        assert!(help.contains(part), "{part} in {help}");
    }
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    refuses(&["--no-such-flag"], 2, "--no-such-flag");
    refuses(&["--rate-max", "none"], 2, "--rate-max");
}

#[test]
fn a_port_in_use_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refuses(
        &["--in-memory", "--listen", &address],
        1,
        "choose another address with --listen",
    );
}

#[test]
fn a_data_folder_that_cannot_be_used_is_told() {
    let start = |data| ["--listen", "127.0.0.1:0", "--data", data];
    // Nothing can be made below a device, not even by root.
    refuses(&start("/dev/null/folder"), 1, "/dev/null/folder");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let _first = Server::start(&["--data", data]);
    refuses(&start(data), 1, "in use by another server");
}

#[test]
fn a_database_that_cannot_be_had_is_told_within_five_seconds() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = format!("mongodb://{}/chat", mute.local_addr().unwrap());
    let start = |uri| ["--listen", "127.0.0.1:0", "--mongodb-uri", uri];
    for uri in ["mongodb://127.0.0.1:1/chat", &mute] {
        let began = Instant::now();
        refuses(&start(uri), 1, "is it running, and is --mongodb-uri right?");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
    refuses(&start("nonsense"), 1, "mongodb://host:27017/database");
    refuses(&["--store", "mongodb"], 2, "--mongodb-uri");
    refuses(&["--in-memory", "--mongodb-uri", &mute], 2, "--in-memory");
}

#[test]
fn bad_settings_are_told() {
    let with = |flag, value| ["--in-memory", "--listen", "127.0.0.1:0", flag, value];
    refuses(&with("--jwt-secret", "short"), 1, "32");
    refuses(&with("--jwt-key-file", "/no/such/key.pem"), 1, "/no/such/key.pem");
    refuses(&with("--cors-origin", "*"), 1, "--cors-origin");
    refuses(&with("--log", "chatspec=[loud"), 1, "--log");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no key").unwrap();
    let path = file.path().to_str().unwrap();
    refuses(&with("--jwt-key-file", path), 1, path);
}

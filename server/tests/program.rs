//! The program as operators meet it: how it starts, what it says when it cannot, how it stops.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const WITHIN: Duration = Duration::from_secs(10);

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatspec-server"));
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CHATSPEC_")) {
        command.env_remove(name);
    }
    command
}

/// A server that is killed when a test ends early.
struct Server {
    child: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    /// Starts on a free port and waits for the line that says where.
    fn start(args: &[&str]) -> Self {
        let mut child = command(args)
            .args(["--listen", "127.0.0.1:0"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line
            .trim()
            .strip_prefix("chatspec-server listening on http://")
            .unwrap_or_else(|| panic!("{line:?} does not say where"))
            .to_owned();
        Self { child, address }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end; gives the exit code.
    fn ended(&mut self) -> Option<i32> {
        let began = Instant::now();
        while began.elapsed() < WITHIN {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("still running after {WITHIN:?}");
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}", self.address);
        write!(stream, "{head}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A WebSocket that is open and from which nothing is read any more.
    fn websocket(&self) -> TcpStream {
        let mut stream = self.connect();
        write!(
            stream,
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: {}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 101");
        stream
    }
}

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

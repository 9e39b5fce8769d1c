//! The command line as people and CI meet it: exit codes, one-line errors, and nothing left running.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chatspec::contract::Contract;
use serde_json::Value;

mod baseline;
mod compare;
mod html;
mod reports;
mod repro;
mod shell;
mod store;
mod transcript;

/// Longest time that any of these may take; a hang fails rather than blocks.
const PATIENCE: Duration = Duration::from_mins(1);

struct Done {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatspec"));
    command
        .args(args)
        .env_remove("CHATSPEC_JWT_SECRET")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn chatspec(args: &[&str]) -> Done {
    done(command(args).output().unwrap())
}

fn done(output: Output) -> Done {
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Done {
    /// It ended with this code and said so much in a single line.
    #[track_caller]
    fn fails(&self, code: i32, told: &str) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(
            matches!(lines.as_slice(), [line] if line.starts_with("chatspec: ") && line.contains(told)),
            "{:?} does not say {told:?}",
            self.stderr
        );
    }
}

impl Done {
    /// It was called in a way that makes no sense, and says which flag it was.
    #[track_caller]
    fn fails_with_usage(&self, flag: &str) {
        assert_eq!(self.code, Some(2), "{}", self.stderr);
        assert!(self.stderr.contains(flag), "{}", self.stderr);
    }
}

/// A port on which every connection is handled like that.
fn port(handle: impl Fn(std::net::TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().for_each(handle));
    address
}

/// Waits until the other side has said something.
fn read_line(stream: &std::net::TcpStream) {
    BufReader::new(stream).read_line(&mut String::new()).ok();
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    let done = chatspec(&["--no-such-flag"]);
    assert_eq!(done.code, Some(2));
    assert!(done.stderr.contains("--no-such-flag"), "{}", done.stderr);
}

#[test]
fn help_has_examples_and_exit_codes() {
    let done = chatspec(&["--help"]);
    assert_eq!(done.code, Some(0));
    for part in ["Examples:", "Exit codes:", "--url", "--report", "--jwt-secret"] {
        assert!(done.stdout.contains(part), "{part} in {}", done.stdout);
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_a_usage_error() {
    chatspec(&["--only", "MSG-99"]).fails(2, "did you mean MSG-0");
    chatspec(&["--skip", "["]).fails(2, "--skip [");
    chatspec(&["--only", "rooms", "--skip", "rooms"]).fails(2, "nothing is left");
}

#[test]
fn an_unknown_report_or_a_path_that_cannot_be_written_is_a_usage_error() {
    let formats = "unknown format; use one of terminal, json, html, junit, tap, markdown, github, badge";
    chatspec(&["--report", "yaml"]).fails(2, formats);
    chatspec(&["--report", "json=/no/such/folder/out.json"]).fails(2, "/no/such/folder/out.json");
}

#[test]
fn an_url_that_is_none_is_a_usage_error() {
    chatspec(&["--url", "nonsense"]).fails(2, "nonsense");
    chatspec(&["--url", "ftp://127.0.0.1:21"]).fails(2, "neither http nor https");
}

#[test]
fn a_target_that_does_not_listen_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    chatspec(&["--url", &format!("http://{address}")]).fails(3, "cannot connect");
}

#[test]
fn a_run_that_does_not_come_about_leaves_the_last_report_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    std::fs::write(&path, "the last report").unwrap();
    let report = format!("json={}", path.display());
    let done = chatspec(&["--url", "http://127.0.0.1:1", "--report", &report]);
    assert_eq!(done.code, Some(3), "{}", done.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the last report");
    let done = chatspec(&["--only", "TRANS-04", "--report", &report]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).unwrap();
}

#[test]
fn a_port_that_speaks_no_http_is_told() {
    let address = port(|mut stream| {
        stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").ok();
        read_line(&stream);
    });
    chatspec(&["--url", &format!("http://{address}")]).fails(3, "does not speak HTTP");
}

#[test]
fn a_web_page_is_told() {
    let address = port(|mut stream| {
        read_line(&stream);
        let page = "<!doctype html><title>Welcome</title>";
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close";
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{page}", page.len()).ok();
    });
    chatspec(&["--url", &format!("http://{address}")]).fails(3, "speaks HTTP but not Socket.IO");
}

#[test]
fn a_target_that_accepts_and_never_answers_is_told() {
    let address = port(|stream| {
        thread::spawn(move || {
            let _kept = stream;
            thread::sleep(PATIENCE);
        });
    });
    let began = Instant::now();
    chatspec(&["--url", &format!("http://{address}"), "--timeout-scale", "0.2"])
        .fails(3, "does not answer within");
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn a_broken_target_file_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("target.toml");
    let file = path.to_str().unwrap();
    chatspec(&["--target", file]).fails(2, "target.toml");
    std::fs::write(
        &path,
        "urls = [\"http://127.0.0.1:1\"]\n[limits]\nrate_maximum = 3\n",
    )
    .unwrap();
    let done = chatspec(&["--target", file]);
    assert_eq!(done.code, Some(2));
    assert!(
        done.stderr.starts_with("chatspec: target file"),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("line 3") && done.stderr.contains("rate_maximum"),
        "{}",
        done.stderr
    );
}

#[test]
fn an_unknown_id_is_a_usage_error() {
    chatspec(&["explain", "MSG-99"]).fails(2, "did you mean MSG-0");
}

#[test]
fn ids_are_explained() {
    let done = chatspec(&["explain", "msg-05"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for part in [
        "MSG-05",
        "MUST",
        "For example",
        "43",
        "Looked at by",
        "messages/",
        "1. ",
    ] {
        assert!(done.stdout.contains(part), "{part} in {}", done.stdout);
    }
    let done = chatspec(&["explain", "messages/repeats"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for part in ["Step by step", "1. ", "[MSG-05]", "Looks at"] {
        assert!(done.stdout.contains(part), "{part} in {}", done.stdout);
    }
}

#[test]
fn the_catalogue_is_listed_by_area_with_level_and_scenario() {
    let done = chatspec(&["list"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let line = done.stdout.lines().find(|line| line.contains("ROOM-06")).unwrap();
    assert!(line.contains("MUST") && line.contains("rooms/"), "{line}");
    assert!(!done.stdout.contains('\u{1b}'), "colour in a pipe");
}

#[test]
fn a_quick_run_says_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let report = format!("json={}", path.display());
    let done = chatspec(&[
        "--quick",
        "--timings",
        "--only",
        "rate-limit",
        "--report",
        &report,
    ]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    for part in ["Left out by --quick", "RATE-05", "Critical path", "Measured"] {
        assert!(done.stdout.contains(part), "{part} in {}", done.stdout);
    }
    let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(report["left_out"][0], "RATE-05");
    chatspec(&["--quick", "--only", "RATE-05"]).fails(2, "--quick leaves out");
}

#[test]
fn lists_are_json_where_that_is_asked_for() {
    let list = |args: &[&str]| -> Vec<Value> {
        let done = chatspec(args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let requirements = list(&["list", "--format", "json"]);
    let listed: Vec<_> = requirements.iter().map(|listed| &listed["id"]).collect();
    let contract = Contract::embedded().unwrap();
    assert_eq!(
        listed,
        contract
            .requirements
            .iter()
            .map(|known| &known.id)
            .collect::<Vec<_>>()
    );
    let scenarios = list(&["list", "--scenarios", "--format", "json"]);
    assert!(scenarios.iter().all(|scenario| scenario["summary"].is_string()));
}

#[test]
fn a_run_prints_a_verdict_and_writes_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let report = format!("json={}", path.display());
    let done = chatspec(&["run", "--only", "ROOM-01", "--report", &report]);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("Conforms"), "{}", done.stdout);
    assert!(!done.stdout.contains('\u{1b}'), "colour in a pipe");
    let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(report["schema"], "chatspec-report/1");
    assert_eq!(report["summary"]["must"]["pass"], 1);
}

#[test]
fn a_run_is_held_to_the_set_1_0_unless_another_is_asked_for() {
    for (args, set) in [
        (&[][..], "1.0"),
        (&["--set", "1.0"], "1.0"),
        (&["--set", "latest"], "latest"),
    ] {
        let done = chatspec(&[&["--only", "TRANS-04", "--report", "json"], args].concat());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        assert!(
            done.stderr.contains(&format!("requirement set {set}")),
            "{}",
            done.stderr
        );
        let report: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(
            (&report["set"], &report["later"]),
            (&set.into(), &Value::Array(Vec::new()))
        );
    }
    chatspec(&["--set", "0.9"]).fails(
        2,
        "--set: there is no requirement set 0.9; use one of 1.0, latest",
    );
}

#[test]
fn the_version_names_kit_protocol_and_requirement_set() {
    let kit = concat!("chatspec ", env!("CARGO_PKG_VERSION"));
    assert_eq!(chatspec(&["-V"]).stdout, format!("{kit}\n"));
    assert_eq!(
        chatspec(&["--version"]).stdout,
        format!("{kit}\nprotocol 1.0\nrequirement set 1.0\n")
    );
}

#[test]
fn json_without_a_path_is_all_that_is_on_standard_output() {
    let done = chatspec(&["--only", "ROOM-01", "--report", "json"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["requirements"][0]["id"], "ROOM-01");
    assert!(done.stderr.contains("Conforms"), "{}", done.stderr);
}

#[cfg(unix)]
#[test]
fn ctrl_c_still_writes_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let report = format!("json={}", path.display());
    let others = ["junit", "tap", "markdown", "github", "badge"];
    let others = others.map(|format| (format, folder.path().join(format)));
    let mut interruptible = command(&["--only", "rate-limit", "--report", &report]);
    for (format, path) in &others {
        interruptible
            .arg("--report")
            .arg(format!("{format}={}", path.display()));
    }
    // A scenario of ten seconds at least: there is time to interrupt it.
    let mut child = interruptible.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("scenarios on") {
        let mut more = [0; 256];
        let n = stdout.read(&mut more).unwrap();
        assert!(n > 0, "it ended before it began");
        seen.extend_from_slice(&more[..n]);
    }
    let began = Instant::now();
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let done = done(child.wait_with_output().unwrap());
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let report: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(report["interrupted"], true);
    let told = [
        "<error message=\"interrupted: this report is partial\"",
        "\nBail out! interrupted",
        "## ⚠️ chatspec: Interrupted",
        "::error title=the run::interrupted",
        ", interrupted, partial run\"",
    ];
    for ((_, path), told) in others.iter().zip(told) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(told), "{told} in {text}");
    }
}

#[test]
fn only_one_module_of_the_kit_knows_the_server() {
    // The kit judges the server: sharing types with it would hide what both get wrong.
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut folders = vec![std::path::PathBuf::from(sources)];
    let mut naming = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read_to_string(&path)
                .unwrap()
                .contains("chatspec_server")
            {
                naming.push(path.strip_prefix(sources).unwrap().to_owned());
            }
        }
    }
    assert_eq!(naming, [std::path::Path::new("targets/reference.rs")]);
}

//! The command line as people and CI meet it: exit codes, one-line errors, and nothing left running.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chatspec::target::reference;
use serde_json::Value;

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
    chatspec(&["--report", "yaml"]).fails(2, "no such format");
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
    chatspec(&["--url", &format!("http://{address}")]).fails(3, "speaks HTTP but no Socket.IO");
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
    for part in ["MSG-05", "MUST", "Looked at by", "messages/"] {
        assert!(done.stdout.contains(part), "{part} in {}", done.stdout);
    }
}

#[test]
fn lists_are_json_where_that_is_asked_for() {
    let list = |args: &[&str]| -> Vec<Value> {
        let done = chatspec(args);
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let requirements = list(&["list", "--requirements", "--format", "json"]);
    assert_eq!(requirements.len(), 115);
    let scenarios = list(&["list", "--format", "json"]);
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
        done.stderr.starts_with("chatspec: no MongoDB can be had"),
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
    // A scenario of ten seconds at least: there is time to interrupt it.
    let mut child = command(&["--only", "rate-limit", "--report", &report])
        .spawn()
        .unwrap();
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
    assert_eq!(naming, [std::path::Path::new("target/reference.rs")]);
}

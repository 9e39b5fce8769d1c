//! A target that the kit starts: when it is ready, what it says, and how it ends with everything that it has started.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regex::Regex;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::profile::launch::Launch;

/// Stands for the free port.
const PORT: &str = "{{port}}";

/// Runs the command in a process group of its own, and ends the whole group when standard input is closed, as it is when
/// the kit ends, however that comes about.
const KEEPER: &str = r#"
exec 3<&0 </dev/null
(
    trap '' TERM INT HUP
    read -r _ <&3
    kill -TERM 0
    sleep "$2"
    kill -KILL 0
) >/dev/null 2>&1 &
exec 3<&-
exec sh -c "$1"
"#;

/// Why a target does not run.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// The system does not let it be started.
    #[error("launch.command {command:?} cannot be run: {source}")]
    System {
        /// What was to be run.
        command: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It ended.
    #[error("launch.command {command:?} ended with {status} before it was ready{}", quoted(.said))]
    Ended {
        /// What was run.
        command: String,
        /// How it ended.
        status: String,
        /// The last lines that it wrote.
        said: String,
    },
    /// It goes on and is not ready.
    #[error("launch.command {command:?} was not ready within {seconds} s: {waited_for}{}", quoted(.said))]
    NotReady {
        /// What was run.
        command: String,
        /// How long was waited, in s.
        seconds: f64,
        /// What was waited for.
        waited_for: String,
        /// The last lines that it wrote.
        said: String,
    },
}

fn quoted(said: &str) -> String {
    if said.is_empty() {
        "; it wrote nothing".to_owned()
    } else {
        format!("; it wrote:\n{said}")
    }
}

/// The last lines that a process wrote. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Tail {
    const LINES: usize = 20;

    /// One more line; the oldest goes.
    pub(super) fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == Self::LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines.
    pub fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines
            .iter()
            .map(|line| format!("  {line}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Keeps what is read, until the end.
    pub(super) fn follow(&self, from: impl AsyncRead + Send + Unpin + 'static) {
        self.follow_with(from, |_| ());
    }

    fn follow_with(
        &self,
        from: impl AsyncRead + Send + Unpin + 'static,
        look: impl Fn(&str) + Send + 'static,
    ) {
        let tail = self.clone();
        tokio::spawn(async move {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            // What is no UTF-8 is no reason to stop: a full pipe would stop the target.
            while from.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                look(&text);
                tail.push(text);
                line.clear();
            }
        });
    }
}

/// A target that runs until this is dropped.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    said: Tail,
    stop_within: Duration,
}

/// Where a target is that has been started.
#[derive(Debug)]
pub struct Whereabouts {
    /// Its URLs.
    pub urls: Vec<String>,
    /// What it runs as.
    pub launched: Launched,
}

/// Starts a target and waits until it is ready. `env` comes on top of what the profile sets.
pub async fn launch(
    launch: &Launch,
    folder: &Path,
    urls: &[String],
    env: &[(String, String)],
) -> Result<Whereabouts, LaunchError> {
    let system = |source| LaunchError::System {
        command: launch.command.clone(),
        source,
    };
    let port = free_port().map_err(system)?;
    let filled = |text: &str| text.replace(PORT, &port);
    let began = Instant::now();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", KEEPER, "sh", &filled(&launch.command)])
        .arg(
            Duration::from_millis(launch.stop_within_ms)
                .as_secs_f64()
                .to_string(),
        )
        .envs(launch.env.iter().map(|(name, value)| (name, filled(value))))
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    shell.process_group(0);
    let cwd = launch
        .cwd
        .as_ref()
        .map_or_else(|| folder.to_owned(), |cwd| folder.join(cwd));
    if !cwd.as_os_str().is_empty() {
        shell.current_dir(cwd);
    }
    let mut child = shell.spawn().map_err(system)?;

    let (seen, ready_line) = watch::channel(None::<String>);
    let seen = Arc::new(seen);
    let said = Tail::default();
    // The profile has been checked: what is no regular expression does not get here.
    let pattern = launch
        .ready_line
        .as_deref()
        .and_then(|line| Regex::new(line).ok());
    let look = |pattern: Option<Regex>, seen: Arc<watch::Sender<Option<String>>>| {
        move |line: &str| {
            if let Some(found) = pattern.as_ref().and_then(|pattern| pattern.captures(line)) {
                seen.send_replace(Some(found.get(1).map_or("", |url| url.as_str()).to_owned()));
            }
        }
    };
    if let Some(out) = child.stdout.take() {
        said.follow_with(out, look(pattern.clone(), seen.clone()));
    }
    if let Some(errors) = child.stderr.take() {
        said.follow_with(errors, look(pattern, seen));
    }
    let mut launched = Launched {
        child,
        said,
        stop_within: Duration::from_millis(launch.stop_within_ms),
    };
    let told = launched.ready(launch, ready_line, &filled, began).await?;
    let urls = match told {
        Some(url) if urls.is_empty() => vec![url],
        _ => urls.iter().map(|url| filled(url)).collect(),
    };
    Ok(Whereabouts { urls, launched })
}

fn free_port() -> std::io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string())
}

impl Launched {
    /// Waits until it is ready; gives the URL that it told, if it did.
    async fn ready(
        &mut self,
        launch: &Launch,
        line: watch::Receiver<Option<String>>,
        filled: &impl Fn(&str) -> String,
        began: Instant,
    ) -> Result<Option<String>, LaunchError> {
        const PACE: Duration = Duration::from_millis(50);
        let within = Duration::from_millis(launch.ready_within_ms);
        let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
        loop {
            let told = line.borrow().clone();
            let lacks_line = launch.ready_line.is_some() && told.is_none();
            let url = launch.ready_url.as_deref().map(filled);
            let lacks_url = match &url {
                Some(url) if !lacks_line => !answers(&http, url).await,
                _ => false,
            };
            if !lacks_line && !lacks_url {
                return Ok(told.filter(|url| !url.is_empty()));
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                // What it wrote last may still be on its way.
                tokio::time::sleep(PACE).await;
                return Err(LaunchError::Ended {
                    command: launch.command.clone(),
                    status: status.to_string(),
                    said: self.said.text(),
                });
            }
            if began.elapsed() > within {
                let waited_for = match (&launch.ready_line, &url) {
                    (Some(line), _) if lacks_line => format!("no line matched {line:?} (launch.ready_line)"),
                    (_, url) => format!(
                        "{} did not answer with a success (launch.ready_url)",
                        url.as_deref().unwrap_or_default()
                    ),
                };
                return Err(LaunchError::NotReady {
                    command: launch.command.clone(),
                    seconds: within.as_secs_f64(),
                    waited_for,
                    said: self.said.text(),
                });
            }
            tokio::time::sleep(PACE).await;
        }
    }

    /// How it ended, and what it wrote last, if it has ended.
    pub fn obituary(&mut self) -> Option<String> {
        let status: ExitStatus = self.child.try_wait().ok().flatten()?;
        Some(format!("it ended with {status}{}", quoted(&self.said.text())))
    }
}

impl Drop for Launched {
    /// Asks it to stop, and waits until it has. What it leaves behind is killed a moment later.
    fn drop(&mut self) {
        const PACE: Duration = Duration::from_millis(10);
        drop(self.child.stdin.take());
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None))
            && began.elapsed() < self.stop_within + Duration::from_secs(1)
        {
            std::thread::sleep(PACE);
        }
    }
}

async fn answers(http: &reqwest::Client, url: &str) -> bool {
    let asked = http.get(url).timeout(Duration::from_secs(2)).send().await;
    asked.is_ok_and(|answer| answer.status().is_success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::profile::Profile;

    fn profile(text: &str) -> Launch {
        Profile::parse(&format!(
            "urls = ['http://127.0.0.1:{{{{port}}}}']\n[launch]\n{text}"
        ))
        .unwrap()
        .launch
        .unwrap()
    }

    async fn started(text: &str, urls: &[String]) -> Result<Whereabouts, LaunchError> {
        launch(&profile(text), Path::new(""), urls, &[]).await
    }

    fn runs(pid: &str) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
        status.is_ok_and(|status| !status.contains(") Z "))
    }

    #[tokio::test]
    async fn the_line_that_it_prints_tells_the_url() {
        let text = "command = 'echo starting; echo \"listening on http://127.0.0.1:$PORT\"; exec sleep 60'\n\
                    ready_line = 'listening on (http://\\S+)'\nenv = { PORT = '{{port}}' }";
        let target = started(text, &[]).await.unwrap();
        assert!(target.urls[0].starts_with("http://127.0.0.1:") && !target.urls[0].contains('$'));
    }

    #[tokio::test]
    async fn one_that_ends_or_is_never_ready_is_told_with_what_it_wrote() {
        let told = started(
            "command = 'echo no database >&2; exit 3'\nready_line = 'ready'",
            &[],
        )
        .await;
        let told = told.unwrap_err().to_string();
        assert!(told.contains("no database") && told.contains('3'), "{told}");
        let text = "command = 'echo hello; exec sleep 60'\nready_line = 'ready'\nready_within_ms = 300";
        let told = started(text, &[]).await.unwrap_err().to_string();
        assert!(
            told.contains("hello") && told.contains("ready_line") && told.contains("0.3 s"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn it_ends_with_everything_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids");
        let text = format!(
            "command = \"sh -c 'trap true TERM; echo $$ >> {0}; while :; do sleep 1; done' & sleep 60 & echo $! $$ >> {0}; echo ready; wait\"\n\
             ready_line = 'ready'\nstop_within_ms = 500",
            file.display()
        );
        let target = started(&text, &["http://127.0.0.1:1".to_owned()]).await.unwrap();
        let asked = Instant::now();
        let pids = loop {
            let pids = std::fs::read_to_string(&file).unwrap_or_default();
            if pids.split_whitespace().count() == 3 {
                break pids;
            }
            assert!(asked.elapsed() < Duration::from_secs(10), "{pids}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert!(pids.split_whitespace().all(runs));
        drop(target);
        let began = Instant::now();
        while pids.split_whitespace().any(runs) {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "something is left of {pids}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

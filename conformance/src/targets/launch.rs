//! A target that the kit starts: when it is ready, what it says, and how it ends with everything that it has started.

use std::net::TcpListener;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use regex::Regex;
use thiserror::Error;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::profile::launch::Launch;
use super::tail::Tail;

/// Stands for the free port.
pub(super) const PORT: &str = "{{port}}";

/// Runs the command in a process group of its own, and ends the whole group when standard input is closed, as it is when
/// the kit ends, however that comes about.
const KEEPER: &str = r#"
exec 3<&0 </dev/null
(
    trap '' TERM INT HUP
    read -r _ <&3
    kill -TERM 0
    sleep "$2" || sleep 5
    kill -KILL 0
) >/dev/null 2>&1 &
exec 3<&-
exec sh -c "$1"
"#;

/// Why a target does not run.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// The system does not let it be started.
    #[error("launch.command \"{command}\" cannot be run: {source}")]
    System {
        /// What was to be run.
        command: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Its folder is not there.
    #[error("launch.cwd: there is no folder {0}")]
    NoFolder(String),
    /// Somebody else is there.
    #[error(
        "{url} answers before launch.command has been run: another server would be tested. Stop that one, or let the \
         kit choose a free port with {PORT}"
    )]
    Occupied {
        /// What answers.
        url: String,
    },
    /// It ended.
    #[error("launch.command \"{command}\" ended with {status} before it was ready{}", quoted(.said))]
    Ended {
        /// What was run.
        command: String,
        /// How it ended.
        status: String,
        /// The last lines that it wrote.
        said: String,
    },
    /// It goes on and is not ready.
    #[error("launch.command \"{command}\" was not ready within {seconds} s: {waited_for}{}", quoted(.said))]
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

/// A target that runs until this is dropped.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    said: Tail,
    stop_within: Duration,
}

/// A target that has been started, and where it is.
#[derive(Debug)]
pub struct StartedTarget {
    /// Its URLs.
    pub urls: Vec<String>,
    /// The free port that it was given.
    pub port: String,
    /// What it runs as.
    pub launched: Launched,
}

/// Starts a target and waits until it is ready. `env` comes on top of what the profile sets.
pub async fn launch(
    launch: &Launch,
    folder: &Path,
    urls: &[String],
    env: &[(String, String)],
) -> Result<StartedTarget, LaunchError> {
    let port = free_port().map_err(|source| LaunchError::System {
        command: launch.command.clone(),
        source,
    })?;
    let filled = |text: &str| text.replace(PORT, &port);
    let ready_url = launch.ready_url.as_deref().map(filled);
    let http = reqwest::Client::builder().no_proxy().build().unwrap_or_default();
    if let Some(url) = ready_url.clone()
        && answers(&http, &url).await
    {
        return Err(LaunchError::Occupied { url });
    }
    let mut child = spawn(launch, folder, filled, env)?;
    let (seen, line) = watch::channel(None::<String>);
    let seen = Arc::new(seen);
    let secrets = launch.env.0.values().cloned();
    let said = Tail::hiding(secrets.chain(env.iter().map(|(_, value)| value.clone())));
    if let Some(out) = child.stdout.take() {
        said.follow(out, look_for(launch.ready_line.as_deref(), seen.clone()));
    }
    if let Some(errors) = child.stderr.take() {
        said.follow(errors, look_for(launch.ready_line.as_deref(), seen));
    }
    let mut launched = Launched {
        child,
        said,
        stop_within: Duration::from_millis(launch.stop_within_ms),
    };
    let printed = launched.ready(launch, line, ready_url, &http).await?;
    let urls = match printed {
        Some(url) if urls.is_empty() => vec![url],
        _ => urls.iter().map(|url| filled(url)).collect(),
    };
    Ok(StartedTarget { urls, port, launched })
}

fn spawn(
    launch: &Launch,
    folder: &Path,
    filled: impl Fn(&str) -> String,
    env: &[(String, String)],
) -> Result<Child, LaunchError> {
    let stop_within = Duration::from_millis(launch.stop_within_ms).as_secs_f64();
    let mut shell = Command::new("sh");
    shell
        .args([
            "-c",
            KEEPER,
            "sh",
            &filled(&launch.command),
            &stop_within.to_string(),
        ])
        .envs(launch.env.0.iter().map(|(name, value)| (name, filled(value))))
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    shell.process_group(0);
    let cwd = launch.cwd.as_deref().unwrap_or(Path::new(""));
    let cwd = folder.join(cwd);
    if !cwd.as_os_str().is_empty() {
        if !cwd.is_dir() {
            return Err(LaunchError::NoFolder(cwd.display().to_string()));
        }
        shell.current_dir(cwd);
    }
    shell.spawn().map_err(|source| LaunchError::System {
        command: launch.command.clone(),
        source,
    })
}

/// Sends the first line that matches: its first group, if it has one.
fn look_for(line: Option<&str>, seen: Arc<watch::Sender<Option<String>>>) -> impl Fn(&str) + Send + 'static {
    // The profile has been checked: what is no regular expression does not get here.
    let pattern = line.and_then(|line| Regex::new(line).ok());
    move |line: &str| {
        if let Some(found) = pattern.as_ref().and_then(|pattern| pattern.captures(line)) {
            let printed = found.get(1).map_or("", |url| url.as_str()).to_owned();
            seen.send_if_modified(|seen| {
                let first = seen.is_none();
                if first {
                    *seen = Some(printed);
                }
                first
            });
        }
    }
}

fn free_port() -> std::io::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string())
}

impl Launched {
    /// Waits until it is ready; gives the URL that it printed, if it did.
    async fn ready(
        &mut self,
        launch: &Launch,
        line: watch::Receiver<Option<String>>,
        url: Option<String>,
        http: &reqwest::Client,
    ) -> Result<Option<String>, LaunchError> {
        const PACE: Duration = Duration::from_millis(50);
        let within = Duration::from_millis(launch.ready_within_ms);
        let began = Instant::now();
        loop {
            let printed = line.borrow().clone();
            let lacks_line = launch.ready_line.is_some() && printed.is_none();
            let lacks_url = match &url {
                Some(url) if !lacks_line => !answers(http, url).await,
                _ => false,
            };
            if let Ok(Some(status)) = self.child.try_wait() {
                // What it wrote last may still be on its way.
                tokio::time::sleep(PACE).await;
                return Err(LaunchError::Ended {
                    command: launch.command.clone(),
                    status: status.to_string(),
                    said: self.said.text(),
                });
            }
            if !lacks_line && !lacks_url {
                return Ok(printed.filter(|url| !url.is_empty()));
            }
            if began.elapsed() > within {
                let waited_for = match (&launch.ready_line, &url) {
                    (Some(line), _) if lacks_line => {
                        format!("no line matched \"{line}\" (launch.ready_line)")
                    }
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

    /// The process group that it runs as, which has the number of its first process.
    pub fn process_group(&self) -> Option<u32> {
        self.child.id()
    }

    /// How it ended, and what it wrote last, if it has ended.
    pub fn exit_report(&mut self) -> Option<String> {
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
    use crate::targets::profile::Profile;

    fn profile(text: &str) -> Launch {
        Profile::parse(&format!(
            "urls = ['http://127.0.0.1:{{{{port}}}}']\n[launch]\n{text}"
        ))
        .unwrap()
        .launch
        .unwrap()
    }

    async fn started(text: &str, urls: &[String]) -> Result<StartedTarget, LaunchError> {
        launch(&profile(text), Path::new(""), urls, &[]).await
    }

    fn runs(pid: &str) -> bool {
        let alive = std::process::Command::new("kill")
            .args(["-0", pid])
            .stderr(Stdio::null())
            .status();
        alive.unwrap().success()
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
        let error = started(
            "command = 'echo no data\"\"base >&2; exit 3'\nready_line = 'ready'",
            &[],
        )
        .await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no database") && error.contains('3'), "{error}");
        let text = "command = 'echo hel\"\"lo; exec sleep 60'\nready_line = 'ready'\nready_within_ms = 300";
        let error = started(text, &[]).await.unwrap_err().to_string();
        assert!(
            error.contains("hello") && error.contains("ready_line") && error.contains("0.3 s"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn another_server_at_its_address_is_not_taken_for_it() {
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/healthz", other.local_addr().unwrap());
        let healthy = axum::Router::new().fallback(async || "ok");
        tokio::spawn(async move { axum::serve(other, healthy).await });
        let error = started(&format!("command = 'sleep 60'\nready_url = '{url}'"), &[]).await;
        assert!(matches!(error, Err(LaunchError::Occupied { .. })), "{error:?}");
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

//! A program of the target's owner that makes users, chats and all else: one JSON object per line over its standard input,
//! and one per line back over its standard output, in any order.
//!
//! ```json
//! {"id": 1, "do": "register", "with": {"name": "alice", "email": "…", "password": "…"}}
//! {"id": 1, "ok": {"userId": "…", "accessToken": "…", "sessionToken": "…"}}
//! {"id": 2, "do": "rename", "with": {"chat": "…", "title": "…"}, "as": {"userId": "…", "accessToken": "…"}}
//! {"id": 2, "error": "why not"}
//! ```
//!
//! What can be asked for, with what, and what the answer must hold is that of the REST templates, under the contract's
//! names: see `profile/contract.toml`. Lists are lists of objects. What it writes to standard error is shown when it fails.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};

use super::Account;
use super::template::TemplateValues;
use crate::targets::profile::operation::Operation;
use crate::targets::tail::Tail;
use crate::text::show;
use crate::transcript::redact::redact_long_strings;

/// How long an answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// Passes standard input on to the command until its end, as which the end of the kit counts too; then gives it a moment
/// and ends the whole process group.
const KEEPER: &str = r#"
# Only the command keeps standard output open, so that its end is seen.
exec 3<&0 4>&1 </dev/null >&2
(
    exec 4>&-
    trap '' TERM INT HUP
    cat <&3
    exec >&-
    sleep 2
    kill -TERM 0
    sleep 1
    kill -KILL 0
) | (
    exec 3<&- >&4 4>&-
    exec sh -c "$1"
) &
exec 3<&- 4>&-
wait
"#;

/// A running program.
#[derive(Debug)]
pub struct Program {
    command: String,
    requests: mpsc::UnboundedSender<String>,
    next: AtomicU64,
    waiting: Waiting,
    said: Tail,
    _child: Child,
}

/// Who waits for the answer to which request; none once the program has ended.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Map<String, Value>>>>>>;

/// The program does not start.
#[derive(Debug, Error)]
#[error("provision.command: \"{command}\" cannot be run: {why}")]
pub struct ProgramError {
    command: String,
    why: String,
}

impl Program {
    /// Starts it in this folder, with the target's URL in `CHATSPEC_TARGET_URL`.
    pub fn start(command: &str, folder: &Path, url: Option<&String>) -> Result<Self, ProgramError> {
        let failed = |why: String| ProgramError {
            command: command.to_owned(),
            why,
        };
        let mut shell = Command::new("sh");
        shell
            .args(["-c", KEEPER, "sh", command])
            .envs(url.map(|url| ("CHATSPEC_TARGET_URL", url)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        shell.process_group(0);
        if !folder.as_os_str().is_empty() {
            shell.current_dir(folder);
        }
        let mut child = shell.spawn().map_err(|error| failed(error.to_string()))?;
        let (Some(mut input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed("it has no standard input or output".to_owned()));
        };
        let (requests, mut to_write) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(line) = to_write.recv().await {
                if input.write_all(line.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let said = Tail::default();
        let (answered, log) = (waiting.clone(), said.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let Some((id, answer)) = answer(&line) else {
                    log.push(format!(
                        "no answer, on standard output: {}",
                        redact_long_strings(&line)
                    ));
                    continue;
                };
                let mut waiting = answered.lock();
                if let Some(waiting) = waiting.as_mut().and_then(|waiting| waiting.remove(&id)) {
                    waiting.send(answer).ok();
                }
            }
            // Whoever waits does so in vain, and whoever comes later need not.
            *answered.lock() = None;
        });
        said.follow(errors, |_| ());
        Ok(Self {
            command: command.to_owned(),
            requests,
            next: AtomicU64::new(1),
            waiting,
            said,
            _child: child,
        })
    }

    /// Asks for something; gives the answer, or why there is none.
    pub async fn ask(
        &self,
        operation: Operation,
        account: Option<&Account>,
        fill: &TemplateValues,
    ) -> Result<Value, String> {
        let failed = |why: &str| {
            let said = self.said.text();
            let said = if said.is_empty() {
                said
            } else {
                format!("; it wrote:\n{said}")
            };
            format!("{operation} by \"{}\": {why}{said}", self.command)
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut request = json!({"id": id, "do": operation.name(), "with": fill.as_map()});
        if let Some(account) = account {
            request["as"] = json!({"userId": account.id, "accessToken": account.access_token});
            if let Some(token) = &account.session_token {
                request["as"]["sessionToken"] = token.as_str().into();
            }
        }
        let (sender, answered) = oneshot::channel();
        match &mut *self.waiting.lock() {
            Some(waiting) => waiting.insert(id, sender),
            None => return Err(failed("it has ended")),
        };
        // Where nobody reads, the answer does not come either.
        self.requests.send(format!("{request}\n")).ok();
        let answer = tokio::time::timeout(ANSWERS_WITHIN, answered)
            .await
            .map_err(|_| failed(&format!("no answer within {} s", ANSWERS_WITHIN.as_secs())))?
            .map_err(|_| failed("it has ended"))?;
        if let Some(why) = answer.get("error").filter(|why| !why.is_null()) {
            return Err(failed(why.as_str().unwrap_or(&show(why))));
        }
        let Some(found) = answer.get("ok") else {
            return Err(failed("neither ok nor error in its answer"));
        };
        let items = found
            .as_array()
            .map_or_else(|| vec![found], |items| items.iter().collect());
        for name in operation.needs() {
            if let Some(item) = items
                .iter()
                .find(|item| item.get(name).is_none_or(Value::is_null))
            {
                return Err(failed(&format!("no {name} in {}", show(item))));
            }
        }
        Ok(found.clone())
    }
}

fn answer(line: &str) -> Option<(u64, Map<String, Value>)> {
    let answer: Map<String, Value> = serde_json::from_str(line).ok()?;
    Some((answer.get("id")?.as_u64()?, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(script: &str) -> Program {
        Program::start(script, Path::new(""), None).unwrap()
    }

    #[tokio::test]
    async fn answers_may_come_in_any_order() {
        let program = program(
            "read -r a; read -r b; echo '{\"id\":2,\"ok\":{\"_id\":\"second\"}}'; \
             echo '{\"id\":1,\"ok\":{\"_id\":\"first\"}}'; cat",
        );
        let fill = TemplateValues::default();
        let (first, second) = futures_util::join!(
            program.ask(Operation::CreateChat, None, &fill),
            program.ask(Operation::CreateChat, None, &fill)
        );
        assert_eq!(
            (first.unwrap()["_id"].as_str(), second.unwrap()["_id"].as_str()),
            (Some("first"), Some("second"))
        );
    }

    #[tokio::test]
    async fn failures_are_told_with_what_the_program_wrote() {
        let fill = TemplateValues::default();
        // What is looked for is not in the command, which is told as well.
        for (script, told) in [
            (
                "read -r a; echo '{\"id\":1,\"error\":\"no '\"data\"'base\"}'; cat",
                "no database",
            ),
            (
                "read -r a; echo 'Trace''back' >&2; sleep 0.1; exit 1",
                "Traceback",
            ),
            ("read -r a; echo '{\"id\":1,\"ok\":{}}'; cat", "no _id"),
            ("read -r a; echo '{\"id\":1}'; cat", "neither ok nor error"),
        ] {
            let program = program(script);
            let error = program.ask(Operation::CreateChat, None, &fill).await.unwrap_err();
            assert!(error.contains(told), "{script}: {error}");
        }
    }

    #[tokio::test]
    async fn one_that_has_ended_is_told_at_once_every_time() {
        let program = program("exit 1");
        let began = std::time::Instant::now();
        for _ in 0..2 {
            let error = program
                .ask(Operation::Logout, None, &TemplateValues::default())
                .await
                .unwrap_err();
            assert!(error.contains("has ended"), "{error}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(began.elapsed() < ANSWERS_WITHIN / 2);
    }
}

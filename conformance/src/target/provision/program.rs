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
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

use super::Account;
use super::template::Fill;
use crate::expect::{Found, Mismatch, shorten, show};
use crate::target::launch::Tail;
use crate::target::profile::rest::Operation;
use crate::transcript::redact;

/// How long an answer may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// A running program. It ends when its standard input does, or is killed.
#[derive(Debug)]
pub struct Program {
    command: String,
    input: tokio::sync::Mutex<ChildStdin>,
    next: AtomicU64,
    waiting: Waiting,
    said: Tail,
    _child: Child,
}

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Map<String, Value>>>>>;

/// The program does not start.
#[derive(Debug, Error)]
#[error("provision.command: {command:?} cannot be run: {why}")]
pub struct ProgramError {
    command: String,
    why: String,
}

impl Program {
    /// Starts it in this folder.
    pub fn start(command: &str, folder: &Path) -> Result<Self, ProgramError> {
        let failed = |why: String| ProgramError {
            command: command.to_owned(),
            why,
        };
        let mut shell = Command::new("sh");
        shell
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if !folder.as_os_str().is_empty() {
            shell.current_dir(folder);
        }
        let mut child = shell.spawn().map_err(|error| failed(error.to_string()))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed("it has no standard input or output".to_owned()));
        };
        let (waiting, said) = (Waiting::default(), Tail::default());
        let (answered, told) = (waiting.clone(), said.clone());
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                match answer(&line) {
                    Some((id, answer)) => {
                        let waiting = answered
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .remove(&id);
                        if let Some(waiting) = waiting {
                            waiting.send(answer).ok();
                        }
                    }
                    None => told.push(format!("no answer, on standard output: {line}")),
                }
            }
            // Whoever waits does so in vain.
            answered.lock().unwrap_or_else(PoisonError::into_inner).clear();
        });
        said.follow(errors);
        Ok(Self {
            command: command.to_owned(),
            input: tokio::sync::Mutex::new(input),
            next: AtomicU64::new(1),
            waiting,
            said,
            _child: child,
        })
    }

    /// Asks for something; gives the answer.
    pub async fn ask(&self, operation: Operation, account: Option<&Account>, fill: &Fill) -> Found<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut request = json!({"id": id, "do": operation.name(), "with": fill.as_map()});
        if let Some(account) = account {
            request["as"] = json!({"userId": account.id, "accessToken": account.access_token});
            if let Some(token) = &account.session_token {
                request["as"]["sessionToken"] = token.as_str().into();
            }
        }
        let (sender, answered) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, sender);
        let line = format!("{request}\n");
        let written = self.input.lock().await.write_all(line.as_bytes()).await;
        let answer = match written {
            Ok(()) => tokio::time::timeout(ANSWERS_WITHIN, answered).await,
            Err(_) => Ok(answered.await),
        };
        let failed = |why: &str| {
            let said = redact(&self.said.text());
            let said = if said.is_empty() {
                said
            } else {
                format!("; it said: {}", shorten(&said))
            };
            Mismatch::new(
                format!("{operation} to be done by {:?}", self.command),
                format!("{why}{said}"),
            )
        };
        let answer = answer
            .map_err(|_| failed(&format!("no answer within {} s", ANSWERS_WITHIN.as_secs())))?
            .map_err(|_| failed("it has ended"))?;
        if let Some(why) = answer.get("error") {
            return Err(failed(why.as_str().unwrap_or(&show(why))));
        }
        let found = answer.get("ok").cloned().unwrap_or_default();
        let items = found
            .as_array()
            .map_or_else(|| vec![&found], |items| items.iter().collect());
        for name in operation.needs() {
            if items.iter().any(|item| item.get(name).is_none_or(Value::is_null)) {
                return Err(failed(&format!("no {name} in {}", show(&found))));
            }
        }
        Ok(found)
    }
}

fn answer(line: &str) -> Option<(u64, Map<String, Value>)> {
    let answer: Map<String, Value> = serde_json::from_str(line).ok()?;
    Some((answer.get("id")?.as_u64()?, answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that answers everything with the same object, or as `jq`-less shell can.
    fn program(script: &str) -> Program {
        Program::start(script, Path::new("")).unwrap()
    }

    #[tokio::test]
    async fn answers_may_come_in_any_order() {
        let program = program(
            "read -r a; read -r b; echo '{\"id\":2,\"ok\":{\"_id\":\"second\"}}'; echo '{\"id\":1,\"ok\":{\"_id\":\"first\"}}'; cat",
        );
        let fill = Fill::default();
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
    async fn failures_are_told_with_what_the_program_said() {
        let fill = Fill::default();
        for (script, told) in [
            (
                "read -r a; echo '{\"id\":1,\"error\":\"no database\"}'; cat",
                "no database",
            ),
            ("read -r a; echo 'Traceback: boom' >&2; exit 1", "has ended"),
            ("read -r a; echo '{\"id\":1,\"ok\":{}}'; cat", "no _id"),
        ] {
            let program = program(script);
            let error = program.ask(Operation::CreateChat, None, &fill).await.unwrap_err();
            assert!(error.to_string().contains(told), "{script}: {error}");
        }
    }
}

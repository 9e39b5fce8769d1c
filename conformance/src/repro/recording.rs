//! From the entries of a recording to steps.
//!
//! - [`read`]: all of it
//! - `sent`: what goes out; `requests`: what goes to the REST API; `annotations`: what the kit has meant
//! - `answers`: which entry answers which
//! - `checks`: which step checks which requirement

mod annotations;
mod answers;
mod checks;
mod requests;
mod sent;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::event::Mark;
use crate::scenarios::Scenario;
use crate::transcript::Direction;
use crate::transcript::annotation::Annotation;
use crate::transcript::record::Entry;

use super::names::Names;
use super::steps::{Action, Step, Steps};
use super::{NotReproducible, frames};
use answers::Answers;

/// A pause that is shorter is none that the scenario has meant.
const PAUSE_US: u64 = 300_000;

/// The steps of a scenario that these entries recorded, up to the last check of `asked`.
pub fn read(
    scenario: &'static Scenario,
    asked: Option<&str>,
    entries: &[Entry],
) -> Result<Steps, NotReproducible> {
    let mut reader = Reader::new(entries);
    for (at, entry) in entries.iter().enumerate() {
        if !is_heartbeat(entry) {
            reader.take(at, entry)?;
        }
    }
    if let Some(client) = reader.opening.keys().next() {
        return frames(format!(
            "{client} opens a connection and does not ask to be let in"
        ));
    }
    let steps = Steps {
        scenario,
        asked: asked.map(str::to_owned),
        list: checks::checked(reader.items, asked),
    };
    let checked = steps.checked();
    // A script that looks at nothing would find everything well.
    if asked.map_or(checked.is_empty(), |id| !checked.contains(&id)) {
        return Err(NotReproducible::Unjudged(asked.unwrap_or(scenario.id).to_owned()));
    }
    Ok(steps)
}

fn is_heartbeat(entry: &Entry) -> bool {
    entry.annotation.is_none() && matches!(entry.text.as_str(), "2" | "3")
}

/// One thing in a recording.
#[derive(Debug)]
enum Item {
    /// Something is done, or looked at.
    Step(Step),
    /// What came before is judged by this requirement.
    Judged(String),
}

/// A user of the recording.
struct User<'a> {
    /// What the recording calls the user; others may have the same name.
    recorded: &'a str,
    /// A name that no other user has.
    name: String,
    /// Whether the user is there for fences only.
    helps: bool,
}

/// A connection of the recording.
struct Client {
    name: String,
    accepted: bool,
    /// Whether a user has opened it who is there for fences only.
    helps: bool,
}

#[derive(Default)]
struct Reader<'a> {
    answers: Answers<'a>,
    names: Names,
    users: Vec<User<'a>>,
    /// By name, those who have no id yet.
    registering: HashMap<&'a str, VecDeque<usize>>,
    clients: Vec<Client>,
    /// By name, WebSockets that have not asked to be let in, and where they were opened.
    opening: HashMap<&'a str, &'a str>,
    chats: usize,
    /// The names of chats that are there for fences.
    fences: HashSet<String>,
    /// The name of the last of each mark of a client.
    marks: BTreeMap<(String, Mark), String>,
    /// How many marks each client has.
    marked: HashMap<String, usize>,
    items: Vec<Item>,
    /// When the last thing happened that the scenario may have waited for.
    busy: Option<u64>,
}

impl<'a> Reader<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let mut names = Names::default();
        for sent in entries.iter().filter(|entry| entry.direction == Direction::Out) {
            if let Some(decoded) = &sent.decoded {
                names.learn(&decoded["args"]);
                names.learn(&decoded["body"]);
            }
        }
        Self {
            answers: Answers::of(entries),
            names,
            ..Self::default()
        }
    }

    fn take(&mut self, at: usize, entry: &'a Entry) -> Result<(), NotReproducible> {
        match (&entry.annotation, entry.direction) {
            (Some(annotation), _) => {
                // What was waited for is waited for again; only what was not is a pause.
                if !matches!(annotation, Annotation::Heard { .. }) {
                    self.pause(entry.us);
                }
                self.annotation(entry, annotation)?;
            }
            (None, Direction::Out) => {
                self.pause(entry.us);
                self.sent(at, entry)?;
            }
            (None, Direction::Note) => self.note(entry)?,
            // An event may come in the middle of a pause; whether it was waited for, a annotation tells.
            (None, Direction::In) if is_event(entry) => return Ok(()),
            (None, Direction::In) => {}
        }
        self.busy = Some(entry.us);
        Ok(())
    }

    fn pause(&mut self, now: u64) {
        let waited = self.busy.map_or(0, |busy| now.saturating_sub(busy));
        if waited >= PAUSE_US {
            // A little more than in the recording: what has to be over by then certainly is.
            let tenths = u32::try_from(waited.div_ceil(100_000) + 1).unwrap_or(u32::MAX);
            let seconds = f64::from(tenths) / 10.0;
            self.push(Action::Pause { seconds }, false);
        }
    }

    fn note(&mut self, entry: &'a Entry) -> Result<(), NotReproducible> {
        if let Some(url) = entry.text.strip_prefix("opens ") {
            self.opening.insert(&entry.client, url);
        } else if entry.text.starts_with("falls silent") || entry.text.starts_with("drops the transport") {
            return frames(format!("{} {}", entry.client, entry.text));
        }
        Ok(())
    }

    /// Whether a payload, a message or a chat, is there for a fence.
    fn is_fence(&self, payload: &Value) -> bool {
        let body = payload.pointer("/message/body").unwrap_or(&payload["body"]);
        let chat = payload.pointer("/chat/_id").and_then(Value::as_str);
        body.as_str().is_some_and(|body| self.names.is_fence(body))
            || chat
                .and_then(|id| self.names.name(id))
                .is_some_and(|chat| self.fences.contains(chat))
    }

    fn push(&mut self, action: Action, fence: bool) {
        self.items.push(Item::Step(Step {
            action,
            checks: Vec::new(),
            fence,
        }));
    }

    /// The connection of this name.
    fn client(&self, name: &str) -> Result<&Client, NotReproducible> {
        match self.clients.iter().find(|client| client.name == name) {
            Some(client) => Ok(client),
            None => frames(format!("{name} does something before it is connected")),
        }
    }
}

fn is_event(entry: &Entry) -> bool {
    entry
        .decoded
        .as_ref()
        .is_some_and(|decoded| decoded["packet"] == "event")
}

#[cfg(test)]
mod tests;

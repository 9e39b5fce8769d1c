//! From the entries of a recording to a story.
//!
//! - [`tell`]: all of it
//! - `sent`: what goes out; `requests`: what goes to the REST API; `remarks`: what the kit has meant
//! - `answers`: which entry answers which
//! - `judging`: which comparison is judged by which requirement

mod answers;
mod judging;
mod remarks;
mod requests;
mod sent;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::event::Mark;
use crate::scenarios::Scenario;
use crate::transcript::Direction;
use crate::transcript::annotation::Annotation;
use crate::transcript::record::Entry;

use super::Untold;
use super::story::{Client, Part, Step, Story, User};
use super::term::{Names, Var};
use answers::Answers;

/// A pause that is shorter is none that the scenario has meant.
const PAUSE_US: u64 = 300_000;

/// The story of a scenario that these entries recorded, up to the last thing that `asked` is judged by.
pub fn tell(scenario: &'static Scenario, asked: Option<&str>, entries: &[Entry]) -> Result<Story, Untold> {
    let mut teller = Teller::new(entries);
    for (at, entry) in entries.iter().enumerate() {
        if is_heartbeat(entry) {
            continue;
        }
        teller.take(at, entry)?;
    }
    if let Some(client) = teller.opening.keys().next() {
        return Err(Untold::Frames(format!(
            "{client} opens a connection and does not ask to be let in"
        )));
    }
    let story = Story {
        scenario,
        asked: asked.map(str::to_owned),
        users: teller.users,
        clients: teller.clients,
        steps: judging::judged(teller.told, asked),
    };
    let judged = story.judged();
    // A script that looks at nothing would find everything well.
    if asked.map_or(judged.is_empty(), |id| !judged.contains(&id)) {
        return Err(Untold::Unjudged(asked.unwrap_or(scenario.id).to_owned()));
    }
    Ok(story)
}

fn is_heartbeat(entry: &Entry) -> bool {
    entry.annotation.is_none() && matches!(entry.text.as_str(), "2" | "3")
}

/// One thing that a recording tells, in its order.
#[derive(Debug)]
enum Told {
    /// It belongs to a fence: what was judged before it is still being judged behind it.
    Fence(Step),
    /// It belongs to the scenario itself.
    Step(Step),
    /// What came before is judged by this.
    Judged(String),
}

impl Told {
    const fn step(step: Step, of_a_fence: bool) -> Self {
        if of_a_fence {
            Self::Fence(step)
        } else {
            Self::Step(step)
        }
    }
}

struct Teller<'a> {
    answers: Answers<'a>,
    names: Names,
    users: Vec<User>,
    /// By name, those who have no id yet.
    registering: HashMap<&'a str, VecDeque<usize>>,
    clients: Vec<Client>,
    /// By name, WebSockets that have not asked to be let in, and where they were opened.
    opening: HashMap<&'a str, &'a str>,
    /// Clients that were let in.
    connected: HashSet<usize>,
    chats: usize,
    /// Chats that are there for fences.
    fences: HashSet<Var>,
    /// The number of each mark of a client, and how many there are.
    marks: BTreeMap<(usize, Mark), usize>,
    since: usize,
    told: Vec<Told>,
    /// When the last thing happened that the scenario may have waited for.
    busy: Option<u64>,
}

impl<'a> Teller<'a> {
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
            users: Vec::new(),
            registering: HashMap::new(),
            clients: Vec::new(),
            opening: HashMap::new(),
            connected: HashSet::new(),
            chats: 0,
            fences: HashSet::new(),
            marks: BTreeMap::new(),
            since: 0,
            told: Vec::new(),
            busy: None,
        }
    }

    fn take(&mut self, at: usize, entry: &'a Entry) -> Result<(), Untold> {
        match (&entry.annotation, entry.direction) {
            (Some(remark), _) => {
                // What was waited for is waited for again; only what was not is a pause.
                if !matches!(remark, Annotation::Heard { .. }) {
                    self.pause(entry.us);
                }
                self.remark(entry, remark)?;
            }
            (None, Direction::Out) => {
                self.pause(entry.us);
                self.sent(at, entry)?;
            }
            (None, Direction::Note) => self.note(entry)?,
            // An event may come in the middle of a pause; whether it was waited for, a remark tells.
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
            let ms = waited.div_ceil(100_000) * 100 + 100;
            self.told.push(Told::Fence(Step::Pause { ms }));
        }
    }

    fn note(&mut self, entry: &'a Entry) -> Result<(), Untold> {
        if let Some(url) = entry.text.strip_prefix("opens ") {
            self.opening.insert(&entry.client, url);
        } else if entry.text.starts_with("falls silent") || entry.text.starts_with("drops the transport") {
            return Err(Untold::Frames(format!("{} {}", entry.client, entry.text)));
        }
        Ok(())
    }

    /// Whether a payload, a message or a chat, is there for a fence.
    fn is_fence(&self, payload: &Value) -> bool {
        let body = payload.pointer("/message/body").unwrap_or(&payload["body"]);
        let chat = payload.pointer("/chat/_id").and_then(Value::as_str);
        body.as_str().is_some_and(|body| self.names.text(body).is_fence())
            || chat
                .and_then(|id| self.names.var(id))
                .is_some_and(|chat| self.fences.contains(&chat))
    }

    /// Adds what a client does.
    fn push(&mut self, step: Step, client: usize) {
        let user = self.clients[client].user;
        let fence = user.is_some_and(|user| self.users[user].part != Part::Player);
        self.told.push(Told::step(step, fence));
    }

    fn client(&self, name: &str) -> Result<usize, Untold> {
        let found = self.clients.iter().position(|client| client.name == name);
        found.ok_or_else(|| Untold::Frames(format!("{name} does something before it is connected")))
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

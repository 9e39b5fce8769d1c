//! Which entry answers which, and which requests were started before the first of them was answered.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use serde_json::Value;

use crate::transcript::Direction;
use crate::transcript::record::Entry;

/// The answers in a recording.
#[derive(Default)]
pub(super) struct Answers<'a> {
    entries: &'a [Entry],
    places: HashMap<usize, usize>,
    /// Requests that were sent while the one before had no answer yet.
    joined: HashSet<usize>,
    /// Requests at once that were answered in more than one way.
    mixed: HashSet<usize>,
}

/// What an answer names that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Http,
    Connect,
    /// By its number; by the event where a library keeps the number to itself, and has one request outstanding.
    Ack(String),
}

impl<'a> Answers<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Self {
        let mut waiting: HashMap<(&str, Kind), VecDeque<usize>> = HashMap::new();
        let mut places = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let Some(kind) = entry
                .decoded
                .as_ref()
                .and_then(|decoded| kind(entry.direction, decoded))
            else {
                continue;
            };
            let queue = waiting.entry((entry.client.as_str(), kind)).or_default();
            match entry.direction {
                Direction::Out => queue.push_back(at),
                Direction::In => places.extend(queue.pop_front().map(|asked| (asked, at))),
                Direction::Note => {}
            }
        }
        let mut answers = Self {
            entries,
            places,
            joined: HashSet::new(),
            mixed: HashSet::new(),
        };
        for group in answers.groups() {
            answers.joined.extend(&group[1..]);
            let outcomes: BTreeSet<String> = group.iter().filter_map(|at| answers.outcome(*at)).collect();
            if outcomes.len() > 1 {
                answers.mixed.extend(group);
            }
        }
        answers
    }

    /// Requests that belong together. Only the raw client has several outstanding.
    fn groups(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut open = false;
        for (at, entry) in self.entries.iter().enumerate() {
            let numbered = entry.decoded.as_ref().is_some_and(|decoded| {
                entry.direction == Direction::Out
                    && decoded["packet"] == "event"
                    && decoded["ack"].is_number()
            });
            if numbered && let Some(answer) = self.places.get(&at) {
                let before = groups.last().and_then(|group| group.last());
                let outstanding = before
                    .and_then(|before| self.places.get(before))
                    .is_some_and(|place| at < *place);
                match groups.last_mut() {
                    Some(group) if open && outstanding => group.push(at),
                    _ => groups.push(vec![at]),
                }
                open = *answer > at;
            } else if !super::is_heartbeat(entry) && entry.direction != Direction::In {
                open = false;
            }
        }
        groups
    }

    /// What answers the entry at this place, if anything does.
    pub(super) fn to(&self, at: usize) -> Option<&'a Value> {
        self.entries[*self.places.get(&at)?].decoded.as_ref()
    }

    /// Whether a request was sent before the one before it was answered.
    pub(super) fn is_joined(&self, at: usize) -> bool {
        self.joined.contains(&at)
    }

    /// How a request was answered that is one of several at once, where others of them were answered in another way.
    pub(super) fn of_many(&self, at: usize) -> Option<String> {
        self.outcome(at).filter(|_| self.mixed.contains(&at))
    }

    /// `ok`, or the code of the error.
    fn outcome(&self, at: usize) -> Option<String> {
        let ack = &self.to(at)?["args"][0];
        Some(match ack["error"].as_str() {
            Some(code) => code.to_owned(),
            None => "ok".to_owned(),
        })
    }
}

fn kind(direction: Direction, decoded: &Value) -> Option<Kind> {
    if decoded.get("http").is_some() {
        return Some(Kind::Http);
    }
    match (direction, decoded["packet"].as_str()?) {
        (_, "connect") | (Direction::In, "connect_error") => Some(Kind::Connect),
        (Direction::Out, "event") => match &decoded["ack"] {
            Value::Number(id) => Some(Kind::Ack(id.to_string())),
            Value::Bool(true) => Some(Kind::Ack(decoded["event"].to_string())),
            _ => None,
        },
        (Direction::In, "ack") => match &decoded["ack"] {
            Value::Number(id) => Some(Kind::Ack(id.to_string())),
            _ => Some(Kind::Ack(decoded["of"].to_string())),
        },
        _ => None,
    }
}

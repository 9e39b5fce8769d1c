//! From the entries of a recording to a story.
//!
//! - [`tell`]: all of it
//! - [`answers`]: which entry answers which
//! - [`judging`]: which comparison is judged by which requirement

mod answers;
mod judging;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use serde_json::Value;
use url::Url;

use crate::client::inbox::Mark;
use crate::scenarios::Scenario;
use crate::target::profile::operation::Operation;
use crate::transcript::Direction;
use crate::transcript::record::Entry;
use crate::transcript::remark::Remark;

use super::story::{Ack, Ask, Client, Part, Step, Story, Take, User};
use super::term::{Names, Piece, Term, Var};
use super::{Untold, limits, rest, wanted};
use answers::Answers;

/// A pause that is shorter is none that the scenario has meant.
const PAUSE_US: u64 = 300_000;
/// A frame that is longer is beyond what servers take.
const LONGEST: usize = 700_000;

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
    match asked.or_else(|| scenario.requirements.first().copied()) {
        Some(id) if judged.is_empty() || asked.is_some_and(|id| !judged.contains(&id)) => {
            Err(Untold::Unjudged(id.to_owned()))
        }
        _ => Ok(story),
    }
}

fn is_heartbeat(entry: &Entry) -> bool {
    entry.remark.is_none() && matches!(entry.text.as_str(), "2" | "3")
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
            let decoded = sent.decoded.iter();
            decoded.for_each(|decoded| {
                ["args", "body"]
                    .iter()
                    .for_each(|part| names.learn(&decoded[*part]))
            });
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
        match (&entry.remark, entry.direction) {
            (Some(remark), _) => {
                // What was waited for is waited for again; only what was not is a pause.
                if !matches!(remark, Remark::Heard { .. }) {
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

    fn remark(&mut self, entry: &'a Entry, remark: &Remark) -> Result<(), Untold> {
        match remark {
            Remark::Registered {
                id,
                access_token,
                session_token,
            } => {
                let waiting = self.registering.get_mut(entry.client.as_str());
                let user = waiting.and_then(VecDeque::pop_front);
                let user = user.ok_or_else(|| Untold::users(&entry.client))?;
                self.names.bind(id, Var::User(user));
                self.names.bind(&access_token.0, Var::Token(user));
                if let Some(token) = session_token {
                    self.names.bind(&token.0, Var::Session(user));
                }
            }
            Remark::Judged(id) if limits::of_requirement(id).is_some() => {}
            Remark::Judged(id) => self.told.push(Told::Judged(id.clone())),
            Remark::Marked(mark) => {
                let client = self.client(&entry.client)?;
                // The same place again is a mark of its own: where a script is, more may have come by then.
                let since = self.since;
                self.since += 1;
                self.marks.insert((client, *mark), since);
                self.told.push(Told::Fence(Step::Mark { client, since }));
            }
            Remark::Heard { event, data, after } => {
                let client = self.client(&entry.client)?;
                let fence = self.is_fence(data);
                let (wanted, binds) = if fence {
                    (wanted::sentinel(&self.names, data), Vec::new())
                } else {
                    wanted::event(&mut self.names, event, data)
                };
                let step = Step::Hear {
                    client,
                    event: event.clone(),
                    wanted,
                    since: self.since(client, *after),
                    binds,
                    judge: Vec::new(),
                };
                self.told.push(if fence {
                    Told::Fence(step)
                } else {
                    Told::Step(step)
                });
            }
            Remark::Looked { event, data } => self.looked(&entry.client, event, data)?,
            Remark::Counted {
                n,
                event,
                conditions,
                after,
            } => {
                let client = self.client(&entry.client)?;
                let Some(conditions) = conditions else {
                    return Err(Untold::Frames(format!(
                        "{event} is counted by more than its fields"
                    )));
                };
                self.told.push(Told::Step(Step::Count {
                    n: *n,
                    client,
                    event: event.clone(),
                    wanted: wanted::at_pointers(&self.names, conditions),
                    since: self.since(client, *after),
                    judge: Vec::new(),
                }));
            }
        }
        Ok(())
    }

    /// Of several senders, the contract orders the messages of each.
    fn looked(&mut self, client: &str, event: &str, data: &[Value]) -> Result<(), Untold> {
        let client = self.client(client)?;
        let mut by_sender: Vec<(&Value, Vec<Term>)> = Vec::new();
        for data in data.iter().filter(|_| event == "message:new") {
            let sender = &data["message"]["senderId"];
            let id = [("/message/_id".to_owned(), data["message"]["_id"].clone())];
            let wanted = wanted::at_pointers(&self.names, &id);
            match by_sender.iter_mut().find(|(known, _)| *known == sender) {
                Some((_, list)) => list.push(wanted),
                None => by_sender.push((sender, vec![wanted])),
            }
        }
        for (_, wanted) in by_sender.into_iter().filter(|(_, list)| list.len() > 1) {
            self.told.push(Told::Step(Step::Order {
                client,
                event: event.to_owned(),
                wanted,
                judge: Vec::new(),
            }));
        }
        Ok(())
    }

    fn since(&self, client: usize, after: Option<Mark>) -> Option<usize> {
        self.marks.get(&(client, after?)).copied()
    }

    fn sent(&mut self, at: usize, entry: &'a Entry) -> Result<(), Untold> {
        let Some(decoded) = &entry.decoded else {
            return Err(Untold::Frames(format!("{} sends {}", entry.client, entry.text)));
        };
        if decoded["http"] == "request" {
            return self.request(at, entry, decoded);
        }
        let namespace = decoded["namespace"].as_str().unwrap_or("/");
        if namespace != "/" || entry.text.len() > LONGEST || entry.text.starts_with("45") {
            let shown: String = entry.text.chars().take(60).collect();
            return Err(Untold::Frames(format!("{} sends {shown}", entry.client)));
        }
        match decoded["packet"].as_str() {
            Some("connect") => self.connect(at, entry, decoded),
            Some("disconnect") => {
                let client = self.client(&entry.client)?;
                self.push(Step::Close(client), client);
                Ok(())
            }
            Some("event") if decoded["event"].is_string() => self.event(at, entry, decoded),
            _ => Err(Untold::Frames(format!("{} sends {}", entry.client, entry.text))),
        }
    }

    fn connect(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), Untold> {
        // The everyday client says where it connects, the raw one has said so before.
        let address = match self.opening.remove(entry.client.as_str()) {
            Some(address) => Some(address),
            None => decoded["url"].as_str(),
        };
        let address = address.and_then(|address| Url::parse(address).ok());
        let query = address.iter().flat_map(Url::query_pairs);
        let query = query.filter(|(name, _)| !matches!(name.as_ref(), "EIO" | "transport"));
        let query: Vec<(String, String)> = query.map(|(name, value)| (name.into(), value.into())).collect();
        let auth = Some(&decoded["data"]).filter(|auth| !auth.is_null());
        let given = auth.and_then(|auth| auth["token"].as_str());
        let tokens = given
            .into_iter()
            .chain(query.iter().map(|(_, value)| value.as_str()));
        let tokens: Vec<(&str, Option<Var>)> = tokens.map(|token| (token, self.names.var(token))).collect();
        if tokens
            .iter()
            .any(|(token, var)| var.is_none() && token.starts_with("ey"))
        {
            return Err(Untold::Minted);
        }
        let accepted = match self.answers.to(at).map(|answer| &answer["packet"]) {
            Some(packet) if packet == "connect" => true,
            Some(packet) if packet == "connect_error" => false,
            _ => return Err(Untold::Frames(format!("{} is not answered", entry.client))),
        };
        let user = tokens.first().and_then(|(_, var)| match var {
            Some(Var::Token(user) | Var::Session(user)) => Some(*user),
            _ => None,
        });
        let client = self.clients.len();
        self.clients.push(Client {
            name: entry.client.clone(),
            user,
        });
        if accepted {
            self.connected.insert(client);
        }
        let query = query
            .into_iter()
            .map(|(name, value)| (name, self.names.text(&value)));
        let step = Step::Connect {
            client,
            query: query.collect(),
            auth: auth.map(|auth| self.names.term(auth)),
            accepted,
            judge: Vec::new(),
        };
        self.push(step, client);
        Ok(())
    }

    fn event(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), Untold> {
        let client = self.client(&entry.client)?;
        if !self.connected.contains(&client) {
            return Err(Untold::Frames(format!(
                "{} sends though it was refused",
                entry.client
            )));
        }
        let event = decoded["event"].as_str().unwrap_or_default().to_owned();
        let args = decoded["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        let terms: Vec<Term> = args.iter().map(|arg| self.names.term(arg)).collect();
        let Some(answer) = self.answers.to(at) else {
            let step = Step::Tell {
                client,
                event,
                args: terms,
                asks: !decoded["ack"].is_null(),
            };
            self.push(step, client);
            return Ok(());
        };
        let reply = &answer["args"][0];
        if reply["error"] == "INTERNAL" {
            return Err(Untold::Frames("the server fails on purpose".to_owned()));
        }
        let (ack, binds) = match self.answers.of_many(at) {
            Some(outcome) => (Ack::Counted(outcome), Vec::new()),
            None => wanted::ack(&mut self.names, &event, args, reply),
        };
        let ask = Ask {
            client,
            event,
            args: terms,
            ack,
            binds,
        };
        match self.told.last_mut() {
            Some(Told::Step(Step::Ask { asks, .. })) if self.answers.is_joined(at) => asks.push(ask),
            _ => {
                let step = Step::Ask {
                    asks: vec![ask],
                    judge: Vec::new(),
                };
                self.push(step, client);
            }
        }
        Ok(())
    }

    fn request(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), Untold> {
        let (method, path) = (&decoded["method"], &decoded["path"]);
        let (method, path) = (
            method.as_str().unwrap_or_default(),
            path.as_str().unwrap_or_default(),
        );
        let Some((operation, values)) = rest::recognise(method, path, &decoded["body"]) else {
            return Err(Untold::Frames(format!("{} sends {method} {path}", entry.client)));
        };
        if operation == Operation::Register {
            return self.register(entry);
        }
        let named = self
            .users
            .iter()
            .rposition(|user| user.name == called(&entry.client));
        let user = named.ok_or_else(|| Untold::users(&entry.client))?;
        let mut fill: BTreeMap<String, Term> = values
            .iter()
            .map(|(name, value)| (name.clone(), self.names.term(value)))
            .collect();
        if let Some(Value::String(limit)) = values.get("limit") {
            let number = limit.parse::<u32>().map(|limit| Term::Number(limit.into()));
            fill.insert("limit".to_owned(), number.unwrap_or_else(|_| Term::plain(limit)));
        }
        if operation == Operation::CreateChat {
            let mut everyone = vec![Term::var(Var::User(user))];
            if let Some(Term::List(members)) = fill.get("members") {
                everyone.extend(members.iter().cloned());
            }
            fill.insert("creator".to_owned(), Term::var(Var::User(user)));
            fill.insert("everyone".to_owned(), Term::List(everyone));
        }
        let answer = self.answers.to(at).map_or(&Value::Null, |answer| &answer["body"]);
        let take = self.taken(operation, user, answer);
        let fence = self.is_fence(&decoded["body"]) || self.users[user].part != Part::Player;
        let step = Step::Rest {
            user,
            operation,
            fill,
            take,
            judge: Vec::new(),
        };
        self.told.push(if fence {
            Told::Fence(step)
        } else {
            Told::Step(step)
        });
        Ok(())
    }

    fn register(&mut self, entry: &'a Entry) -> Result<(), Untold> {
        let (name, part) = match entry.client.as_str() {
            "witness" => ("witness", Part::Witness),
            "fence-admin" => ("helper", Part::Helper),
            "fence-spare" => ("spare", Part::Helper),
            name => (name, Part::Player),
        };
        let user = self.users.len();
        self.users.push(User {
            name: name.to_owned(),
            part,
        });
        self.registering.entry(&entry.client).or_default().push_back(user);
        self.told.push(Told::Fence(Step::Register(user)));
        Ok(())
    }

    /// What is taken from the answer to a request.
    fn taken(&mut self, operation: Operation, user: usize, answer: &Value) -> Take {
        let rows = |name: &str| answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
        match (operation, answer["_id"].as_str()) {
            (Operation::CreateChat, Some(id)) if self.names.var(id).is_none() => {
                let chat = Var::Chat(self.chats);
                self.chats += 1;
                self.names.bind(id, chat);
                if self.users[user].part != Part::Player {
                    self.fences.insert(chat);
                }
                Take::Id(chat)
            }
            (Operation::PostMessage, Some(id)) => Take::Id(self.names.bind_message(id)),
            (Operation::ListMessages, _) => {
                let messages = rows("messages").iter();
                Take::Messages(messages.map(|row| wanted::listed(&self.names, row)).collect())
            }
            (Operation::ListChats, _) => {
                let counts = rows("chats").iter().filter_map(|row| {
                    let chat = self.names.var(row["_id"].as_str()?)?;
                    Some((chat, row["unreadCount"].as_u64()?))
                });
                Take::Unread(counts.filter(|(chat, _)| !self.fences.contains(chat)).collect())
            }
            _ => Take::Nothing,
        }
    }

    /// Whether a payload, a message or a chat, is there for a fence.
    fn is_fence(&self, payload: &Value) -> bool {
        let body = payload.pointer("/message/body").unwrap_or(&payload["body"]);
        let of_a_fence = |term: &Term| {
            matches!(term, Term::Text(pieces)
                if matches!(pieces.as_slice(), [Piece::Fresh { label, .. }] if label == "fence"))
        };
        let chat = payload.pointer("/chat/_id").and_then(Value::as_str);
        body.as_str()
            .is_some_and(|body| of_a_fence(&self.names.text(body)))
            || chat
                .and_then(|id| self.names.var(id))
                .is_some_and(|chat| self.fences.contains(&chat))
    }

    /// Adds what a client does.
    fn push(&mut self, step: Step, client: usize) {
        let user = self.clients[client].user;
        let fence = user.is_some_and(|user| self.users[user].part != Part::Player);
        self.told.push(if fence {
            Told::Fence(step)
        } else {
            Told::Step(step)
        });
    }

    fn client(&self, name: &str) -> Result<usize, Untold> {
        let found = self.clients.iter().position(|client| client.name == name);
        found.ok_or_else(|| Untold::Frames(format!("{name} does something before it is connected")))
    }
}

/// The name of a user in the story.
fn called(client: &str) -> &str {
    match client {
        "fence-admin" => "helper",
        "fence-spare" => "spare",
        name => name,
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

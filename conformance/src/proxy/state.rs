//! What the proxy knows: who is behind a connection, which chats there are, which ack belongs to which request.
//!
//! A connection is shown to rules, as `/conn`, `/by` or `/other`, as an object:
//!
//! | | |
//! |---|---|
//! | `id` | a number of its own |
//! | `state` | `opened`, `accepted` or `refused` |
//! | `token` | what it asks to be let in with: `kind` (`none`, `jwt`, `session` or `odd`), `place` (`payload`, `query` or `none`), its `text`, `known` and `user` where the kit has told whose it is, `header` and `claims` of a JWT, `query` where there is another in the query string |
//! | `user` | the user's id |
//! | `nth`, `sockets` | which of the user's accepted connections it is, from 1 on; how many are open |
//! | `rooms`, `joins`, `refused_rooms` | the chats whose rooms it is in; how often it has joined each; where it was refused |
//! | `outstanding` | how many requests have not been acknowledged |
//! | `member`, `former`, `contacts` | the chats that the user is in, and was in; who shares one |
//! | `away_since`, `back_since` | when the user's last connection went, and when the next one came |
//!
//! All of it is learnt from what the server answers, and not from what a rule has made of that.

mod learn;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::memory::{Memory, now};
use super::rule::{Observation, Rule};
use crate::targets::tokens::Tokens;

/// What is known, and what is to be done with what passes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rules: Vec<Rule>,
    pub(super) observed: Vec<Observation>,
    pub(super) memory: Memory,
    /// How often a rule was about something.
    pub(super) fired: usize,
    tokens: Tokens,
    pub(super) peers: BTreeMap<u64, Peer>,
    chats: HashMap<String, Chat>,
    people: HashMap<String, Person>,
    /// The latest request that may lead to an event, by what that event will say.
    causes: HashMap<[String; 4], (u64, Value)>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Peer {
    /// What waits for the next one that a rule is about, by the number of the rule.
    pub(super) held: HashMap<usize, bytes::Bytes>,
    state: &'static str,
    query_token: Option<String>,
    token: Value,
    user: Option<String>,
    nth: usize,
    rooms: BTreeSet<String>,
    joins: BTreeMap<String, usize>,
    refused_rooms: BTreeSet<String>,
    pending: HashMap<u64, (String, Value)>,
}

#[derive(Debug, Default)]
struct Chat {
    members: BTreeSet<String>,
    updated_at: String,
}

#[derive(Debug, Default)]
struct Person {
    accepted: usize,
    member: BTreeSet<String>,
    former: BTreeSet<String>,
    away_since: Option<String>,
    back_since: Option<String>,
}

impl State {
    pub(super) fn new(rules: Vec<Rule>, observed: Vec<Observation>, tokens: Tokens) -> Self {
        Self {
            rules,
            observed,
            tokens,
            ..Self::default()
        }
    }

    /// A connection of this number has been opened, with this token in its query string.
    pub(super) fn open(&mut self, id: u64, query_token: Option<String>) {
        let peer = Peer {
            held: HashMap::new(),
            state: "opened",
            query_token,
            token: Value::Null,
            user: None,
            nth: 0,
            rooms: BTreeSet::new(),
            joins: BTreeMap::new(),
            refused_rooms: BTreeSet::new(),
            pending: HashMap::new(),
        };
        self.peers.insert(id, peer);
    }

    /// A connection is gone.
    pub(super) fn close(&mut self, id: u64) {
        if let Some(peer) = self.peers.remove(&id) {
            self.left(peer.user.as_deref().filter(|_| peer.state == "accepted"));
        }
    }

    fn left(&mut self, user: Option<&str>) {
        if let Some(user) = user
            && self.sockets(user) == 0
        {
            self.person(user).away_since = Some(now());
        }
    }

    fn sockets(&self, user: &str) -> usize {
        let of_user = |peer: &&Peer| peer.state == "accepted" && peer.user.as_deref() == Some(user);
        self.peers.values().filter(of_user).count()
    }

    fn person(&mut self, user: &str) -> &mut Person {
        self.people.entry(user.to_owned()).or_default()
    }

    /// The event that an ack of this connection belongs to, and its payload.
    pub(super) fn acknowledged(&self, id: u64, ack: u64) -> Option<&(String, Value)> {
        self.peers.get(&id)?.pending.get(&ack)
    }

    /// The connection and the payload of the request that has led to this event, where that is known.
    pub(super) fn cause(&self, event: &str, data: &Value) -> Option<&(u64, Value)> {
        let text = |at: &str| data.pointer(at).and_then(Value::as_str).unwrap_or_default();
        let key = match event {
            "message:new" => cause(
                "message:send",
                text("/message/senderId"),
                text("/message/chatId"),
                text("/message/clientId"),
            ),
            "typing:update" => cause(
                &format!("typing:{}", text("/state")),
                text("/userId"),
                text("/chatId"),
                "",
            ),
            "receipt:update" => cause(
                "receipt:read",
                text("/userId"),
                text("/chatId"),
                text("/messageId"),
            ),
            _ => return None,
        };
        self.causes.get(&key)
    }

    /// A connection as rules see it.
    pub(super) fn conn(&self, id: u64) -> Value {
        let Some(peer) = self.peers.get(&id) else {
            return json!({"id": id});
        };
        let mut conn = self.user_as_shown(peer.user.as_deref());
        let shown = json!({
            "id": id, "state": peer.state, "token": peer.token, "nth": peer.nth, "rooms": peer.rooms,
            "joins": peer.joins, "refused_rooms": peer.refused_rooms, "outstanding": peer.pending.len(),
        });
        if let Value::Object(shown) = shown {
            conn.extend(shown);
        }
        conn.into()
    }

    /// Who asks over HTTP, by the token in one of these headers.
    pub(super) fn asker(&self, headers: &hyper::HeaderMap) -> Value {
        let user = headers.values().find_map(|value| {
            let token = value.to_str().ok()?.rsplit(' ').next()?;
            self.tokens.user_of(token)
        });
        self.user_as_shown(user.as_deref()).into()
    }

    fn user_as_shown(&self, user: Option<&str>) -> Map<String, Value> {
        let mut shown = Map::new();
        let Some(user) = user else { return shown };
        shown.insert("user".to_owned(), user.into());
        shown.insert("sockets".to_owned(), self.sockets(user).into());
        if let Some(person) = self.people.get(user) {
            let contacts: BTreeSet<&String> = person
                .member
                .iter()
                .filter_map(|chat| self.chats.get(chat))
                .flat_map(|chat| &chat.members)
                .filter(|member| *member != user)
                .collect();
            shown.insert("contacts".to_owned(), json!(contacts));
            shown.insert("member".to_owned(), json!(person.member));
            shown.insert("former".to_owned(), json!(person.former));
            shown.insert("away_since".to_owned(), json!(person.away_since));
            shown.insert("back_since".to_owned(), json!(person.back_since));
        }
        shown
    }

    /// The connections other than this one for which all these hold.
    pub(super) fn others(&self, but: Option<u64>, when: &[super::when::When], view: &Value) -> Vec<u64> {
        let mut view = view.clone();
        let mut chosen = Vec::new();
        for id in self.peers.keys().filter(|id| but != Some(**id)) {
            view["other"] = self.conn(*id);
            if super::when::When::all(when, &mut view, &self.memory) {
                chosen.push(*id);
            }
        }
        chosen
    }
}

fn cause(event: &str, user: &str, chat: &str, of: &str) -> [String; 4] {
    [event, user, chat, of].map(str::to_owned)
}

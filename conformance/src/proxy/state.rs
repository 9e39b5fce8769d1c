//! What the proxy knows: who is behind a connection, which chats there are, which ack belongs to which request.
//!
//! A connection is shown to rules, as `/conn`, `/by` or `/other`, as an object:
//!
//! | | |
//! |---|---|
//! | `id` | a number of its own |
//! | `state` | `opened`, `accepted` or `refused` |
//! | `token` | what it asks to be let in with: `kind` (`none`, `jwt`, `session` or `odd`), `place` (`payload` or `query`), `known` and `user` where the kit has told whose it is, `header` and `claims` of a JWT, `query` where there is another in the query string |
//! | `user` | the user's id |
//! | `nth`, `sockets` | the how-manieth accepted connection of this user it is; how many are open |
//! | `rooms`, `joins`, `refused_rooms` | the chats whose rooms it is in; how often it has joined each; where it was refused |
//! | `outstanding` | how many requests have not been acknowledged |
//! | `member`, `former`, `contacts` | the chats that the user is in, and was in; who shares one |
//! | `away_since`, `back_since` | when the user's last connection went, and when the next one came |
//!
//! All of it is learnt from what the server answers, and not from what a rule has made of that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::memory::Memory;
use super::rule::{Observation, Rule};
use super::wire::Link;
use crate::target::jwt::{claims_of, header_of};
use crate::target::profile::operation::Operation;
use crate::target::tokens::Tokens;

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
    opened: u64,
    chats: HashMap<String, Chat>,
    people: HashMap<String, Person>,
    /// The latest request that may lead to an event, by what that event will say.
    causes: HashMap<[String; 4], (u64, Value)>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) link: Arc<Link>,
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

    /// A connection has been opened, with this token in its query string.
    pub(super) fn open(&mut self, link: Arc<Link>, query_token: Option<String>) -> u64 {
        self.opened += 1;
        let peer = Peer {
            link,
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
        self.peers.insert(self.opened, peer);
        self.opened
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

    /// Takes in what a frame in the namespace `/` says, by its view.
    pub(super) fn learn(&mut self, id: u64, view: &Value) {
        let (event, data) = (view["event"].as_str().unwrap_or_default(), &view["data"]);
        match view["packet"].as_str().unwrap_or_default() {
            "connect" => self.asked(id, data),
            "accepted" => self.accepted(id),
            "refused" => self.mark(id, "refused"),
            "disconnect" => {
                let user = self.peers.get(&id).and_then(|peer| peer.user.clone());
                self.mark(id, "opened");
                self.left(user.as_deref());
            }
            "request" => self.requested(id, event, view["id"].as_u64(), data),
            "ack" => self.answered(id, view),
            "event" if event == "chat:update" => self.learn_chat(&data["chat"], false),
            _ => {}
        }
    }

    fn mark(&mut self, id: u64, state: &'static str) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.state = state;
        }
    }

    fn asked(&mut self, id: u64, payload: &Value) {
        let tokens = self.tokens.clone();
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let given = payload.get("token");
        let (place, token) = match (given, &peer.query_token) {
            (Some(token), _) => ("payload", token.clone()),
            (None, Some(token)) => ("query", token.as_str().into()),
            (None, None) => ("none", Value::Null),
        };
        let mut shown = token_as_shown(&token, place, given.is_some(), &tokens);
        shown["query"] = json!(peer.query_token);
        peer.user = shown["user"].as_str().map(str::to_owned);
        peer.token = shown;
    }

    fn accepted(&mut self, id: u64) {
        self.mark(id, "accepted");
        let Some(user) = self.peers.get(&id).and_then(|peer| peer.user.clone()) else {
            return;
        };
        let first = self.sockets(&user) == 1;
        let person = self.person(&user);
        person.accepted += 1;
        if first {
            person.back_since = Some(now());
        }
        let nth = person.accepted;
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.nth = nth;
        }
    }

    fn requested(&mut self, id: u64, event: &str, ack: Option<u64>, data: &Value) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        if let Some(ack) = ack {
            peer.pending.insert(ack, (event.to_owned(), data.clone()));
        }
        let text = |name: &str| data[name].as_str().unwrap_or_default();
        let of = match event {
            "message:send" => text("clientId"),
            "receipt:read" => text("messageId"),
            "typing:start" | "typing:stop" => "",
            _ => return,
        };
        let user = peer.user.as_deref().unwrap_or_default();
        self.causes
            .insert(cause(event, user, text("chatId"), of), (id, data.clone()));
    }

    fn answered(&mut self, id: u64, view: &Value) {
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let ack = view["id"].as_u64().unwrap_or_default();
        let Some((event, data)) = peer.pending.remove(&ack) else {
            return;
        };
        let ok = view["data"]["ok"] == true;
        let Some(chat) = data["chatId"].as_str().map(str::to_owned) else {
            return;
        };
        match event.as_str() {
            "room:join" if ok => {
                *peer.joins.entry(chat.clone()).or_default() += 1;
                peer.rooms.insert(chat);
            }
            "room:join" => drop(peer.refused_rooms.insert(chat)),
            "room:leave" if ok => {
                peer.joins.remove(&chat);
                peer.rooms.remove(&chat);
            }
            _ => {}
        }
    }

    /// Takes in what an HTTP answer says, by its view.
    pub(super) fn learn_answer(&mut self, operation: Operation, view: &Value) {
        if !view["status"]
            .as_u64()
            .is_some_and(|status| (200..300).contains(&status))
        {
            return;
        }
        match operation {
            Operation::CreateChat | Operation::GetChat | Operation::AddMember | Operation::Rename => {
                self.learn_chat(&view["data"], true);
            }
            Operation::RemoveMember => {
                let part = |name: &str| view["request"]["path"][name].as_str();
                if let (Some(chat), Some(user)) = (part("chat"), part("user")) {
                    self.removed(chat, user);
                }
            }
            _ => {}
        }
    }

    /// Takes in who is in a chat. What an answer says is true now; an event may come late.
    fn learn_chat(&mut self, chat: &Value, now: bool) {
        let (Some(id), Some(members)) = (chat["_id"].as_str(), chat["memberIds"].as_array()) else {
            return;
        };
        let updated_at = chat["updatedAt"].as_str().unwrap_or_default();
        let known = self.chats.entry(id.to_owned()).or_default();
        if !now && updated_at <= known.updated_at.as_str() {
            return;
        }
        updated_at.clone_into(&mut known.updated_at);
        let members: BTreeSet<String> = members
            .iter()
            .filter_map(|member| member.as_str().map(str::to_owned))
            .collect();
        let gone: Vec<String> = known.members.difference(&members).cloned().collect();
        for user in gone {
            self.removed(id, &user);
        }
        for user in &members {
            let person = self.person(user);
            person.member.insert(id.to_owned());
            person.former.remove(id);
        }
        self.chats.entry(id.to_owned()).or_default().members = members;
    }

    fn removed(&mut self, chat: &str, user: &str) {
        if let Some(known) = self.chats.get_mut(chat) {
            known.members.remove(user);
        }
        let person = self.person(user);
        if person.member.remove(chat) {
            person.former.insert(chat.to_owned());
        }
    }

    /// The connections other than this one for which all these hold.
    pub(super) fn others(
        &self,
        but: Option<u64>,
        when: &[super::when::When],
        view: &Value,
    ) -> Vec<(u64, Arc<Link>)> {
        let mut view = view.clone();
        let mut chosen = Vec::new();
        for (id, peer) in self.peers.iter().filter(|(id, _)| but != Some(**id)) {
            view["other"] = self.conn(*id);
            if super::when::When::all(when, &mut view, &self.memory) {
                chosen.push((*id, peer.link.clone()));
            }
        }
        chosen
    }
}

fn cause(event: &str, user: &str, chat: &str, of: &str) -> [String; 4] {
    [event, user, chat, of].map(str::to_owned)
}

fn token_as_shown(token: &Value, place: &str, given: bool, tokens: &Tokens) -> Value {
    let text = token.as_str();
    let kind = match text {
        None if given => "odd",
        None => "none",
        Some(text) if text.split('.').count() == 3 => "jwt",
        Some(_) => "session",
    };
    let known = text.and_then(|text| tokens.user_of(text));
    let claims = text.filter(|_| kind == "jwt").and_then(claims_of);
    let sub = claims.as_ref().and_then(|claims| claims["sub"].as_str());
    json!({
        "kind": kind, "place": place, "known": known.is_some(), "text": text,
        "user": known.as_deref().or(sub), "claims": claims, "header": text.filter(|_| kind == "jwt").and_then(header_of),
    })
}

/// The time now, to the millisecond, as servers write it.
pub(super) fn now() -> String {
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    );
    time::OffsetDateTime::now_utc().format(format).unwrap_or_default()
}

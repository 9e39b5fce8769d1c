//! What frames and answers teach: who is let in, what is asked and acknowledged, who is in which chat.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{State, cause};
use crate::proxy::memory::now;
use crate::targets::jwt::{claims_of, header_of};
use crate::targets::profile::operation::Operation;
use crate::targets::tokens::Tokens;

impl State {
    /// Takes in what a frame in the namespace `/` says, by its view.
    pub(in crate::proxy) fn learn(&mut self, id: u64, view: &Value) {
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
    pub(in crate::proxy) fn learn_answer(&mut self, operation: Operation, view: &Value) {
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

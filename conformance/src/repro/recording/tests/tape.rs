//! Recordings that are written by hand.

use serde_json::{Value, json};

use crate::private::Private;
use crate::repro::steps::{Action, Step, Steps};
use crate::repro::{NotReproducible, read};
use crate::scenarios;
use crate::transcript::Direction;
use crate::transcript::annotation::Annotation;
use crate::transcript::record::Entry;

pub(super) const ALICE: &str = "01a21399fdff0001780eff49";
pub(super) const CHAT: &str = "01a2139a032b0000780eff49";
pub(super) const MESSAGE: &str = "01a2139a04550000780eff49";
pub(super) const OTHER: &str = "01a2139a04550000780eff50";

/// One entry after the other, a millisecond apart.
#[derive(Default)]
pub(super) struct Tape {
    pub(super) us: u64,
    pub(super) entries: Vec<Entry>,
}

impl Tape {
    /// Alice has registered, made a chat and connected.
    pub(super) fn begun() -> Self {
        let mut tape = Self::default();
        tape.register("alice", ALICE, "aaa");
        tape.rest(
            "POST",
            "/v1/chats",
            json!({"type": "group", "memberIds": []}),
            json!({"_id": CHAT}),
        );
        tape.connect("alice", json!({"token": "aaa"}), "connect");
        tape
    }

    pub(super) fn register(&mut self, name: &str, id: &str, token: &str) {
        let register =
            json!({"http": "request", "method": "POST", "path": "/v1/auth/register", "body": {"name": name}});
        self.out(name, register);
        self.answer(name, json!({"http": "response", "status": 201, "body": {}}));
        let registered = Annotation::Registered {
            id: id.to_owned(),
            access_token: Private(token.to_owned()),
            session_token: None,
        };
        self.annotation(name, registered);
    }

    pub(super) fn push(
        &mut self,
        client: &str,
        direction: Direction,
        decoded: Option<Value>,
        annotation: Option<Annotation>,
    ) {
        self.us += 1_000;
        self.entries.push(Entry {
            us: self.us,
            scenario: "a/b",
            scene: 0,
            client: client.to_owned(),
            direction,
            text: decoded.as_ref().map(Value::to_string).unwrap_or_default(),
            bytes: None,
            decoded,
            annotation,
        });
    }

    pub(super) fn out(&mut self, client: &str, decoded: Value) {
        self.push(client, Direction::Out, Some(decoded), None);
    }

    pub(super) fn answer(&mut self, client: &str, decoded: Value) {
        self.push(client, Direction::In, Some(decoded), None);
    }

    pub(super) fn annotation(&mut self, client: &str, annotation: Annotation) {
        self.push(client, Direction::Note, None, Some(annotation));
    }

    pub(super) fn judged(&mut self, id: &str) {
        self.annotation("a/b", Annotation::Judged(id.to_owned()));
    }

    pub(super) fn rest(&mut self, method: &str, path: &str, body: Value, answer: Value) {
        self.out(
            "alice",
            json!({"http": "request", "method": method, "path": path, "body": body}),
        );
        self.answer(
            "alice",
            json!({"http": "response", "status": 200, "body": answer}),
        );
    }

    pub(super) fn connect(&mut self, client: &str, auth: Value, answer: &str) {
        self.out(
            client,
            json!({"packet": "connect", "url": "http://x/", "data": auth}),
        );
        self.answer(client, json!({"packet": answer}));
    }

    /// A request with a number, as the raw client sends it.
    pub(super) fn start(&mut self, id: u64, event: &str, payload: Value) {
        self.out(
            "alice",
            json!({"packet": "event", "ack": id, "event": event, "args": [payload]}),
        );
    }

    pub(super) fn ack(&mut self, id: u64, ack: Value) {
        self.answer("alice", json!({"packet": "ack", "ack": id, "args": [ack]}));
    }

    pub(super) fn send(&mut self, id: u64, body: &str, message: &str) {
        self.start(
            id,
            "message:send",
            json!({"chatId": CHAT, "clientId": "c", "body": body}),
        );
        self.ack(
            id,
            json!({"ok": true, "data": {"clientId": "c", "serverId": message}}),
        );
    }

    pub(super) fn read(&self, asked: Option<&str>) -> Result<Steps, NotReproducible> {
        read(scenarios::all().next().unwrap(), asked, &self.entries)
    }

    pub(super) fn steps(&self) -> Vec<Step> {
        self.read(None).unwrap().list
    }

    pub(super) fn actions(&self) -> Vec<Action> {
        self.steps().into_iter().map(|step| step.action).collect()
    }
}

pub(super) fn message_new(id: &str, body: &str) -> Value {
    json!({"message": {"_id": id, "chatId": CHAT, "senderId": ALICE, "body": body, "createdAt": "now", "deleted": false}})
}

pub(super) fn heard(data: Value) -> Annotation {
    Annotation::Heard {
        event: "message:new".to_owned(),
        data,
        after: None,
    }
}

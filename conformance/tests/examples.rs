//! The examples of the catalogue: every line is of a form that `requirements.toml` tells, every frame can be read, and
//! what a server sends in them fits the schemas.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::collections::HashMap;
use std::sync::LazyLock;

use chatspec::contract::Contract;
use regex::Regex;
use serde_json::Value;

/// A line: who, which way, and what, without the remark.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    let who = "(?:alice|bob|carol|guest)(?:#2)?";
    Regex::new(&format!(
        r"^(?P<who>{who}) +(?P<way>[→←∅]) (?P<what>.+?)(?:  # .+)?$"
    ))
    .unwrap()
});
/// A packet of Socket.IO: type, namespace, id, payload.
static PACKET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^4(?P<type>[0-4])(?:(?P<namespace>/[^,]+),)?(?P<id>\d+)?(?P<payload>[\[{].*)?$").unwrap()
});
/// A packet of Engine.IO that carries none, and a request or an answer of HTTP.
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:0(?P<open>\{.*\})|2|3|2probe|3probe|5|(?:GET|POST|PUT|PATCH|DELETE) /\S*(?: (?P<body>\{.*\}))?|\d{3}(?: (?P<answer>\{.*\}))?)$")
        .unwrap()
});

/// What one example has come to so far: the event of each request, by who asked and under which id.
struct Reader<'a> {
    contract: &'a Contract,
    requests: HashMap<(String, String), (String, Vec<Value>)>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let bracketed = |text: &str| text.starts_with('(') && text.contains(')');
        if bracketed(line) {
            return Ok(());
        }
        let parts = LINE.captures(line).ok_or("it is of no known form")?;
        let (who, way, what) = (&parts["who"], &parts["way"], &parts["what"]);
        if bracketed(what) || way == "∅" {
            return Ok(());
        }
        let Some(packet) = PACKET.captures(what) else {
            return other(what);
        };
        let part = |name| packet.name(name).map(|part| part.as_str().to_owned());
        let payload = part("payload").map(|payload| parse(&payload)).transpose()?;
        let id = part("id").unwrap_or_default();
        match (way, &packet["type"]) {
            ("→", "2") => self.sent(who, id, payload),
            ("←", "2") => self.event(payload),
            ("←", "3") => self.ack(who, id, payload),
            ("←", "4") => self.fits("connect-error", &payload.unwrap_or_default()),
            ("→", "0" | "1") | ("←", "0") => Ok(()),
            (way, kind) => Err(format!("{way} carries no packet of type {kind}")),
        }
    }

    fn fits(&self, schema: &str, value: &Value) -> Result<(), String> {
        self.contract
            .schemas
            .matches(schema, value)
            .map_err(|mismatch| format!("{schema}: {mismatch}"))
    }

    fn sent(&mut self, who: &str, id: String, payload: Option<Value>) -> Result<(), String> {
        let (name, arguments) = event(payload)?;
        if !id.is_empty()
            && self
                .requests
                .insert((who.to_owned(), id), (name, arguments))
                .is_some()
        {
            return Err("its id was used before".to_owned());
        }
        Ok(())
    }

    fn event(&self, payload: Option<Value>) -> Result<(), String> {
        let (name, arguments) = event(payload)?;
        let [data] = arguments.as_slice() else {
            return Err("an event of the server carries one payload".to_owned());
        };
        self.fits(&format!("events/server/{}", name.replace(':', "-")), data)
    }

    fn ack(&self, who: &str, id: String, payload: Option<Value>) -> Result<(), String> {
        let asked = self.requests.get(&(who.to_owned(), id));
        let (name, arguments) = asked.ok_or("nobody asked for this ack")?;
        let Some(Value::Array(reply)) = payload else {
            return Err("an ack carries a list".to_owned());
        };
        let [reply] = reply.as_slice() else {
            return Err("an ack carries one reply".to_owned());
        };
        if reply["ok"] == false {
            return self.fits("acks/error", reply);
        }
        // What was done must have been asked for as the contract has it.
        if let Some(payload) = arguments.first() {
            self.fits(&format!("events/client/{}", name.replace(':', "-")), payload)?;
        }
        self.fits(&format!("acks/{}", name.replace(':', "-")), reply)
    }
}

/// What is no packet of Socket.IO.
fn other(what: &str) -> Result<(), String> {
    let parts = OTHER
        .captures(what)
        .ok_or("it is no frame and no exchange of HTTP")?;
    let mut bodies = ["open", "body", "answer"]
        .into_iter()
        .filter_map(|name| parts.name(name));
    bodies.try_for_each(|body| parse(body.as_str()).map(drop))
}

fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}

/// The name of an event and its arguments.
fn event(payload: Option<Value>) -> Result<(String, Vec<Value>), String> {
    let Some(Value::Array(mut list)) = payload else {
        return Err("an event carries a list".to_owned());
    };
    let arguments = list.split_off(1.min(list.len()));
    match list.as_slice() {
        [Value::String(name)] => Ok((name.clone(), arguments)),
        _ => Err("an event begins with its name".to_owned()),
    }
}

fn read(contract: &Contract, example: &str) -> Result<(), String> {
    let mut reader = Reader {
        contract,
        requests: HashMap::new(),
    };
    for line in example.lines() {
        reader.line(line).map_err(|why| format!("{line}\n{why}"))?;
    }
    Ok(())
}

#[test]
fn every_requirement_has_an_example_that_keeps_the_contract() {
    let contract = Contract::embedded().unwrap();
    for requirement in &contract.requirements {
        let lines = requirement.example.lines().count();
        assert!((1..10).contains(&lines), "{} has {lines} lines", requirement.id);
        if let Err(why) = read(&contract, &requirement.example) {
            panic!("{}: {why}", requirement.id);
        }
    }
}

#[test]
fn an_example_that_breaks_the_contract_is_seen() {
    let contract = Contract::embedded().unwrap();
    for bad in [
        "mallory → 2",
        "alice > 42[\"x\"]",
        "alice → 421[\"room:join\",{\"chatId\":}]",
        "alice ← 431[{\"ok\":true}]",
        "alice → 421[\"room:join\",{\"chatId\":\"short\"}]\nalice ← 431[{\"ok\":true}]",
        "alice → 421[\"room:join\",{}]\nalice ← 431[{\"ok\":false,\"error\":\"NO\",\"message\":\"no\"}]",
        "bob ← 42[\"message:new\",{}]",
        "alice ← 44{}",
        "alice → FETCH /v1/chats",
    ] {
        assert!(read(&contract, bad).is_err(), "{bad}");
    }
}

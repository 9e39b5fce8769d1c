//! What matters of what comes back: the fields that the contract requires, ids by their names, times as any time.

use serde_json::{Map, Value, json};

use super::names::{ANY_ORDER, ID, Names, TIME, WORDS, placeholder};
use super::steps::Ack;

/// What every message must have.
const MESSAGE: &[&str] = &["_id", "chatId", "senderId", "body", "createdAt", "deleted"];
/// What every chat must have.
const CHAT: &[&str] = &[
    "_id",
    "type",
    "title",
    "createdBy",
    "memberIds",
    "createdAt",
    "updatedAt",
];

/// What every payload of this event must have, and where; nothing for an event that the protocol does not know.
fn fields_of(event: &str) -> Option<(Option<&'static str>, &'static [&'static str])> {
    Some(match event {
        "message:new" => (Some("message"), MESSAGE),
        "chat:update" => (Some("chat"), CHAT),
        "typing:update" => (None, &["chatId", "userId", "state"]),
        "receipt:update" => (None, &["chatId", "messageId", "userId", "readAt"]),
        "presence:update" => (None, &["userId", "status"]),
        _ => return None,
    })
}

/// What an event like this one has to be like. A message that is not known yet is known from it.
pub fn event(names: &mut Names, event: &str, data: &Value) -> Value {
    match fields_of(event) {
        None => json!({}),
        Some((None, fields)) => object(names, fields, data),
        Some((Some(inside), fields)) => json!({inside: object(names, fields, &data[inside])}),
    }
}

/// What the event of a fence has to be like: enough to know it.
pub fn sentinel(names: &Names, data: &Value) -> Value {
    let mut wanted = Map::new();
    if let Some(message) = data.get("message") {
        wanted.insert(
            "message".to_owned(),
            json!({"body": names.value(&message["body"])}),
        );
    }
    if let Some(chat) = data.get("chat") {
        let members = any_order(names, &chat["memberIds"]);
        let chat = json!({"_id": names.value(&chat["_id"]), "memberIds": members});
        wanted.insert("chat".to_owned(), chat);
    }
    Value::Object(wanted)
}

/// What the ack of a request has to be like. `args` are the request's.
pub fn ack(names: &mut Names, event: &str, args: &[Value], ack: &Value) -> Ack {
    // ACK-08: without a payload, a ping may succeed or be refused.
    if event == "presence:ping" && !args.first().is_some_and(Value::is_object) {
        return Ack::Either;
    }
    if ack["ok"] != true {
        return Ack::Error(ack["error"].as_str().unwrap_or_default().to_owned());
    }
    let required: &[&str] = match event {
        "message:send" => &["clientId", "serverId"],
        "presence:ping" => &["serverTime"],
        _ => return Ack::Ok(None),
    };
    Ack::Ok(Some(object(names, required, &ack["data"])))
}

/// What a message of a listing has to be like.
pub fn listed(names: &Names, message: &Value) -> Value {
    match message["_id"].as_str().and_then(|id| names.name(id)) {
        // Which of several at once it is, is open.
        None => json!({"_id": ID, "body": WORDS}),
        Some(id) => json!({
            "_id": placeholder(id),
            "body": names.value(&message["body"]),
            "senderId": names.value(&message["senderId"]),
        }),
    }
}

/// JSON that has these values at these JSON pointers, and nothing else.
pub fn at_pointers(values: impl IntoIterator<Item = (String, Value)>) -> Value {
    let mut whole = json!({});
    for (pointer, value) in values {
        let mut place = &mut whole;
        for key in pointer.split('/').skip(1) {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[key];
        }
        *place = value;
    }
    whole
}

fn object(names: &mut Names, fields: &[&str], value: &Value) -> Value {
    let fields = fields
        .iter()
        .map(|name| ((*name).to_owned(), field(names, name, &value[*name])));
    Value::Object(fields.collect())
}

fn field(names: &mut Names, name: &str, value: &Value) -> Value {
    match (name, value) {
        ("createdAt" | "updatedAt" | "readAt" | "serverTime", _) => TIME.into(),
        ("memberIds", ids) => any_order(names, ids),
        ("_id" | "serverId" | "messageId", Value::String(id)) if names.name(id).is_none() => {
            placeholder(&names.bind_message(id)).into()
        }
        _ => names.value(value),
    }
}

fn any_order(names: &Names, list: &Value) -> Value {
    match list {
        Value::Array(_) => json!({ANY_ORDER: names.value(list)}),
        other => names.value(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "01a2139a032b0000780eff49";

    #[test]
    fn every_field_that_the_contract_requires_is_looked_at_and_no_other() {
        let required = |file: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/schemas/");
            let schema = std::fs::read_to_string(format!("{folder}{file}.json")).unwrap();
            let schema: Value = serde_json::from_str(&schema).unwrap();
            serde_json::from_value::<Vec<String>>(schema["required"].clone()).unwrap()
        };
        for (name, file) in [
            ("message:new", "dto/message"),
            ("chat:update", "dto/chat"),
            ("typing:update", "events/server/typing-update"),
            ("receipt:update", "events/server/receipt-update"),
            ("presence:update", "events/server/presence-update"),
        ] {
            let (inside, fields) = fields_of(name).unwrap();
            assert_eq!(fields, required(file), "{name}");
            if let Some(inside) = inside {
                assert_eq!(
                    required(&format!("events/server/{}", name.replace(':', "-"))),
                    [inside]
                );
            }
        }
    }

    #[test]
    fn a_message_is_known_from_its_ack_on() {
        let mut names = Names::default();
        let reply = json!({"ok": true, "data": {"clientId": "c", "serverId": ONE}});
        let wanted = Ack::Ok(Some(json!({"clientId": "c", "serverId": "{{message 1}}"})));
        assert_eq!(ack(&mut names, "message:send", &[json!({})], &reply), wanted);
        // The second time it is the same.
        assert_eq!(ack(&mut names, "message:send", &[json!({})], &reply), wanted);
        assert_eq!(names.name(ONE), Some("message 1"));
    }

    #[test]
    fn refusals_are_told_by_their_code() {
        let mut names = Names::default();
        let reply = json!({"ok": false, "error": "FORBIDDEN", "message": "you are no member"});
        let refused = ack(&mut names, "room:join", &[json!({})], &reply);
        assert_eq!(refused, Ack::Error("FORBIDDEN".to_owned()));
        let open = ack(&mut names, "presence:ping", &[], &json!({"ok": true}));
        assert_eq!(open, Ack::Either);
    }

    #[test]
    fn times_are_any_time_and_members_are_in_any_order() {
        let mut names = Names::default();
        names.bind(ONE, "chat");
        let chat = json!({"chat": {"_id": ONE, "memberIds": ["b", "a"], "createdAt": "2026", "more": 1}});
        let wanted = event(&mut names, "chat:update", &chat);
        assert_eq!(wanted["chat"]["_id"], "{{chat}}");
        assert_eq!(wanted["chat"]["createdAt"], TIME);
        assert_eq!(wanted["chat"]["memberIds"], json!({ANY_ORDER: ["b", "a"]}));
        assert_eq!(wanted["chat"].get("more"), None);
        assert_eq!(
            sentinel(&names, &chat)["chat"]["memberIds"],
            json!({ANY_ORDER: ["b", "a"]})
        );
    }

    #[test]
    fn pointers_become_objects() {
        let values = [("/chat/_id", json!("x")), ("/chat/title", json!(null))];
        let values = values.map(|(place, value)| (place.to_owned(), value));
        let chat = json!({"chat": {"_id": "x", "title": null}});
        assert_eq!(at_pointers(values), chat);
        assert_eq!(at_pointers([(String::new(), json!([1]))]), json!([1]));
    }
}

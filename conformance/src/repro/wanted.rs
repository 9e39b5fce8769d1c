//! What matters of what comes back: the fields that the contract requires, ids by their names, times as any time.

use serde_json::Value;

use super::story::{Ack, Bind};
use super::term::{Names, Term};

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
pub fn event(names: &mut Names, event: &str, data: &Value) -> (Term, Vec<Bind>) {
    let Some((inside, fields)) = fields_of(event) else {
        return (Term::Object(Vec::new()), Vec::new());
    };
    let mut binds = Vec::new();
    match inside {
        None => (object(names, fields, data, "", &mut binds), binds),
        Some(inside) => {
            let object = object(names, fields, &data[inside], &format!("/{inside}"), &mut binds);
            (Term::Object(vec![(inside.to_owned(), object)]), binds)
        }
    }
}

/// What the event of a fence has to be like: enough to know it.
pub fn sentinel(names: &Names, data: &Value) -> Term {
    let fields: &[(&str, &[&str])] = &[("message", &["body"]), ("chat", &["_id", "memberIds"])];
    let there = fields.iter().filter(|(inside, _)| data.get(inside).is_some());
    let objects = there.map(|(inside, fields)| {
        let fields = fields.iter().map(|name| {
            let value = names.term(&data[*inside][*name]);
            let value = match value {
                Term::List(ids) => Term::Unordered(ids),
                other => other,
            };
            ((*name).to_owned(), value)
        });
        ((*inside).to_owned(), Term::Object(fields.collect()))
    });
    Term::Object(objects.collect())
}

/// What the ack of a request has to be like. `args` are the request's.
pub fn ack(names: &mut Names, event: &str, args: &[Value], ack: &Value) -> (Ack, Vec<Bind>) {
    // ACK-08: without a payload, a ping may succeed or be refused.
    if event == "presence:ping" && !args.first().is_some_and(Value::is_object) {
        return (Ack::Open, Vec::new());
    }
    let mut fields = vec![("ok".to_owned(), Term::Bool(ack["ok"] == true))];
    let mut binds = Vec::new();
    if ack["ok"] == true {
        fields.push(("error".to_owned(), Term::Absent));
        let required: &[&str] = match event {
            "message:send" => &["clientId", "serverId"],
            "presence:ping" => &["serverTime"],
            _ => &[],
        };
        if !required.is_empty() {
            let data = object(names, required, &ack["data"], "/data", &mut binds);
            fields.push(("data".to_owned(), data));
        }
    } else {
        fields.push(("error".to_owned(), names.term(&ack["error"])));
        fields.push(("message".to_owned(), Term::Words));
        fields.push(("data".to_owned(), Term::Absent));
    }
    (Ack::Like(Term::Object(fields)), binds)
}

/// What a message of a listing has to be like.
pub fn listed(names: &Names, message: &Value) -> Term {
    let id = message["_id"].as_str().and_then(|id| names.var(id));
    let fields = match id {
        // Which of several at once it is, is open.
        None => vec![("_id", Term::Id), ("body", Term::Words)],
        Some(id) => vec![
            ("_id", Term::var(id)),
            ("body", names.term(&message["body"])),
            ("senderId", names.term(&message["senderId"])),
        ],
    };
    Term::Object(
        fields
            .into_iter()
            .map(|(name, term)| (name.to_owned(), term))
            .collect(),
    )
}

/// What a payload has to be like that has these values at these JSON pointers.
pub fn at_pointers(names: &Names, values: &[(String, Value)]) -> Term {
    let mut whole = Term::Object(Vec::new());
    for (pointer, value) in values {
        put(
            &mut whole,
            &pointer.split('/').skip(1).collect::<Vec<_>>(),
            names.term(value),
        );
    }
    whole
}

fn put(whole: &mut Term, path: &[&str], value: Term) {
    let (Term::Object(fields), [first, rest @ ..]) = (whole, path) else {
        return;
    };
    if rest.is_empty() {
        fields.push(((*first).to_owned(), value));
        return;
    }
    let place = fields
        .iter()
        .position(|(name, _)| name == first)
        .unwrap_or_else(|| {
            fields.push(((*first).to_owned(), Term::Object(Vec::new())));
            fields.len() - 1
        });
    put(&mut fields[place].1, rest, value);
}

fn object(names: &mut Names, fields: &[&str], value: &Value, at: &str, binds: &mut Vec<Bind>) -> Term {
    let fields = fields.iter().map(|name| {
        let pointer = format!("{at}/{name}");
        (
            (*name).to_owned(),
            field(names, name, &value[*name], pointer, binds),
        )
    });
    Term::Object(fields.collect())
}

fn field(names: &mut Names, name: &str, value: &Value, pointer: String, binds: &mut Vec<Bind>) -> Term {
    match (name, value) {
        ("createdAt" | "updatedAt" | "readAt" | "serverTime", _) => Term::Time,
        ("memberIds", Value::Array(ids)) => Term::Unordered(ids.iter().map(|id| names.term(id)).collect()),
        ("_id" | "serverId" | "messageId", Value::String(id)) if names.var(id).is_none() => {
            let var = names.bind_message(id);
            binds.push(Bind { var, pointer });
            Term::Id
        }
        _ => names.term(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::term::Var;
    use super::*;

    const ID: &str = "01a2139a032b0000780eff49";

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
        let reply = json!({"ok": true, "data": {"clientId": "c", "serverId": ID}});
        let (wanted, binds) = ack(&mut names, "message:send", &[json!({})], &reply);
        let data = Term::Object(vec![
            ("clientId".to_owned(), Term::plain("c")),
            ("serverId".to_owned(), Term::Id),
        ]);
        let like = Term::Object(vec![
            ("ok".to_owned(), Term::Bool(true)),
            ("error".to_owned(), Term::Absent),
            ("data".to_owned(), data),
        ]);
        assert_eq!(wanted, Ack::Like(like));
        assert_eq!(
            (binds[0].var, binds[0].pointer.as_str()),
            (Var::Message(0), "/data/serverId")
        );
        // The second time it is the same, and nothing new is learned.
        let (again, binds) = ack(&mut names, "message:send", &[json!({})], &reply);
        assert!(binds.is_empty());
        assert_ne!(again, wanted);
    }

    #[test]
    fn refusals_are_told_by_their_code_and_whether_they_say_anything() {
        let mut names = Names::default();
        let reply = json!({"ok": false, "error": "FORBIDDEN", "message": "you are no member"});
        let (Ack::Like(Term::Object(fields)), _) = ack(&mut names, "room:join", &[json!({})], &reply) else {
            panic!("an object")
        };
        assert_eq!(fields[1], ("error".to_owned(), Term::plain("FORBIDDEN")));
        assert_eq!(fields[2], ("message".to_owned(), Term::Words));
        assert_eq!(fields[3], ("data".to_owned(), Term::Absent));
        assert_eq!(
            ack(&mut names, "presence:ping", &[], &json!({"ok": true})).0,
            Ack::Open
        );
    }

    #[test]
    fn pointers_become_objects() {
        let values = [
            ("/chat/_id".to_owned(), json!("x")),
            ("/chat/title".to_owned(), json!(null)),
        ];
        let chat = Term::Object(vec![
            ("_id".to_owned(), Term::plain("x")),
            ("title".to_owned(), Term::Null),
        ]);
        assert_eq!(
            at_pointers(&Names::default(), &values),
            Term::Object(vec![("chat".to_owned(), chat)])
        );
    }
}

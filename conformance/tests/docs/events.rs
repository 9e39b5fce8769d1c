//! The socket side: tables of what clients send, what servers send, and what that is made of.

use serde_json::Value;

use crate::notation::{cell, schema, shape, table};
use crate::{keys, yaml};

/// What clients and servers send of one kind, as asyncapi.yaml has it.
struct Operation {
    event: String,
    summary: String,
    payload: Value,
    ack: Option<Value>,
}

/// All that servers receive, or send.
fn operations(action: &str) -> Vec<Operation> {
    let asyncapi = yaml("fixtures/asyncapi.yaml");
    let message = |reference: &Value| {
        let key = reference["$ref"]
            .as_str()
            .and_then(|path| path.rsplit('/').next());
        asyncapi["components"]["messages"][key.unwrap()].clone()
    };
    let payload = |message: &Value| {
        let path = message["payload"]["schema"]["$ref"].as_str().unwrap();
        schema(path.trim_start_matches("schemas/").trim_end_matches(".json"))
    };
    let names = keys("fixtures/asyncapi.yaml", "operations");
    let all = names.iter().map(|name| &asyncapi["operations"][name]);
    let wanted = all.filter(|operation| operation["action"] == action);
    let read = |operation: &Value| {
        let sent = message(&operation["messages"][0]);
        Operation {
            event: sent["name"].as_str().unwrap().to_owned(),
            summary: operation["summary"].as_str().unwrap().to_owned(),
            payload: payload(&sent),
            ack: operation
                .get("reply")
                .map(|reply| payload(&message(&reply["messages"][0]))),
        }
    };
    wanted.map(read).collect()
}

/// What clients send.
pub(crate) fn requests() -> String {
    let rows = operations("receive").into_iter().map(|operation| {
        let ack = match &operation.ack {
            Some(ack) => cell(&shape(ack)),
            None => "none".to_owned(),
        };
        vec![
            cell(&operation.event),
            operation.summary,
            cell(&shape(&operation.payload)),
            ack,
        ]
    });
    table(&["event", "what it is for", "payload", "ack of success"], rows)
}

/// What servers send.
pub(crate) fn broadcasts() -> String {
    let rows = operations("send").into_iter().map(|operation| {
        vec![
            cell(&operation.event),
            operation.summary,
            cell(&shape(&operation.payload)),
        ]
    });
    table(&["event", "what has happened", "payload"], rows)
}

/// The definitions that all schemas share.
pub(crate) fn types() -> String {
    let common = schema("common");
    let rows = common["$defs"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, definition)| {
            let form = match (definition["pattern"].as_str(), definition["enum"].as_array()) {
                (Some(pattern), _) => cell(pattern),
                (_, Some(_)) => cell(&shape(definition)),
                _ => format!(
                    "{} to {} characters",
                    definition["minLength"], definition["maxLength"]
                ),
            };
            vec![
                cell(name),
                definition["description"].as_str().unwrap().to_owned(),
                form,
            ]
        });
    table(&["type", "what it is", "form"], rows)
}

/// The objects that events and REST have in common.
pub(crate) fn objects() -> String {
    let rows = [
        "message",
        "chat",
        "chat-summary",
        "last-message",
        "membership",
        "user",
        "auth-session",
    ]
    .map(|name| {
        let schema = schema(&format!("dto/{name}"));
        let text = |key: &str| schema[key].as_str().unwrap().to_owned();
        vec![text("title"), text("description"), cell(&shape(&schema))]
    });
    table(&["object", "what it is", "fields"], rows)
}

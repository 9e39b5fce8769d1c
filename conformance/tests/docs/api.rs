//! The REST side: a table of its routes, and one of the error codes, which both sides share.

use std::collections::{BTreeMap, BTreeSet};

use chatspec::contract::Contract;
use serde_json::Value;

use crate::notation::{cell, schema, shape, table};
use crate::{keys, yaml};

const METHODS: [&str; 5] = ["post", "get", "put", "patch", "delete"];

/// Every operation, as (method, path, operation), in the order of the document.
fn operations(openapi: &Value) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for path in keys("fixtures/openapi.yaml", "paths") {
        for method in METHODS {
            if let Some(operation) = openapi["paths"][&path].get(method) {
                found.push((method.to_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    found
}

/// The schema that a body refers to.
fn body(content: &Value) -> Option<Value> {
    let reference = content["application/json"]["schema"]["$ref"].as_str()?;
    let name = reference.strip_prefix("schemas/")?.strip_suffix(".json")?;
    Some(schema(name))
}

/// A response, or a parameter, that may stand elsewhere.
fn resolved<'a>(openapi: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => openapi.pointer(pointer).unwrap(),
        None => value,
    }
}

/// The routes that clients use.
pub(crate) fn routes() -> String {
    let openapi = yaml("fixtures/openapi.yaml");
    let rows = operations(&openapi).into_iter().map(|(method, path, operation)| {
        let query = operation["parameters"].as_array().into_iter().flatten();
        let query: Vec<String> = query
            .map(|parameter| resolved(&openapi, parameter))
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| cell(parameter["name"].as_str().unwrap()))
            .collect();
        let takes = match body(&operation["requestBody"]["content"]) {
            Some(schema) => cell(&shape(&schema)),
            None => query.join(", "),
        };
        let gives = operation["responses"].as_object().unwrap().iter();
        let gives = gives
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(status, response)| {
                let title =
                    body(&resolved(&openapi, response)["content"]).map(|schema| schema["title"].clone());
                let title = title.as_ref().and_then(Value::as_str).unwrap_or_default();
                format!("{status} {title}").trim().to_owned()
            });
        vec![
            cell(&format!("{method} {path}")),
            operation["summary"].as_str().unwrap().to_owned(),
            takes,
            gives.collect::<Vec<_>>().join(", "),
        ]
    });
    table(&["request", "what it does", "body, or query", "success"], rows)
}

/// The error codes: what they are in HTTP, and which requirements name them.
pub(crate) fn errors() -> String {
    let openapi = yaml("fixtures/openapi.yaml");
    let mut statuses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut meanings: BTreeMap<String, String> = BTreeMap::new();
    for (_, _, operation) in operations(&openapi) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let text = resolved(&openapi, response)["description"].as_str().unwrap();
            if let Some((code, meaning)) = text.split_once(", ") {
                statuses
                    .entry(code.to_owned())
                    .or_default()
                    .insert(status.clone());
                meanings.insert(code.to_owned(), meaning.to_owned());
            }
        }
    }
    let contract = Contract::embedded().unwrap();
    let common = schema("common");
    let codes = common["$defs"]["ErrorCode"]["enum"].as_array().unwrap();
    let rows = codes.iter().map(|code| code.as_str().unwrap()).map(|code| {
        let naming = contract
            .requirements
            .iter()
            .filter(|r| r.statement.contains(code));
        let link = |id: &str| format!("[{id}](protocol.md#{})", id.to_lowercase());
        let status = statuses
            .get(code)
            .map(|all| all.iter().cloned().collect::<Vec<_>>().join(", "));
        vec![
            cell(code),
            status.unwrap_or_default(),
            meanings.get(code).cloned().unwrap_or_default(),
            naming.map(|r| link(&r.id)).collect::<Vec<_>>().join(" "),
        ]
    });
    table(
        &["code", "HTTP", "meaning in REST", "requirements that name it"],
        rows,
    )
}

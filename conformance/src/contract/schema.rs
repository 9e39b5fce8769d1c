//! JSON Schemas by name; every reference between them is resolved from what is embedded.

use std::collections::BTreeMap;

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use super::place::SchemaLocation;
use crate::expect::{Found, Mismatch, MismatchKind, Words};

const BASE: &str = "https://chatspec.dev/schemas/1.0/";

/// The compiled schemas, by name: `dto/message`, `events/server/message-new`, `acks/room-join`.
#[derive(Debug, Default)]
pub struct Schemas {
    validators: BTreeMap<String, Validator>,
    /// As they were written, by `$id`.
    pub(super) documents: BTreeMap<String, Value>,
}

struct Embedded(BTreeMap<String, Value>);

impl Retrieve for Embedded {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let uri = uri.as_str().trim_end_matches('#');
        self.0
            .get(uri)
            .cloned()
            .ok_or_else(|| format!("{uri} is not part of the contract").into())
    }
}

impl Schemas {
    pub(super) fn compile(files: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut by_id = BTreeMap::new();
        let mut names = Vec::new();
        for (path, text) in files {
            let Some(name) = path
                .strip_prefix("schemas/")
                .and_then(|path| path.strip_suffix(".json"))
            else {
                continue;
            };
            let schema: Value = serde_json::from_str(text).map_err(|error| format!("{path}: {error}"))?;
            let id = format!("{BASE}{name}.json");
            if schema["$id"] != id.as_str() {
                return Err(format!("{path}: $id must be {id}"));
            }
            names.push((name.to_owned(), schema.clone()));
            by_id.insert(id, schema);
        }
        let mut validators = BTreeMap::new();
        for (name, schema) in names {
            let validator = jsonschema::options()
                .should_validate_formats(true)
                .with_retriever(Embedded(by_id.clone()))
                .build(&schema)
                .map_err(|error| format!("schemas/{name}.json: {error}"))?;
            validators.insert(name, validator);
        }
        Ok(Self {
            validators,
            documents: by_id,
        })
    }

    /// Whether the value fits the schema of this name; the first few violations are told.
    pub fn matches(&self, name: &str, value: &Value) -> Found {
        let validator = self
            .validators
            .get(name)
            .ok_or_else(|| Mismatch::fault(format!("the contract has no schema {name}")))?;
        let wrong: Vec<String> = validator
            .iter_errors(value)
            .take(3)
            .map(|error| match error.instance_path().to_string().as_str() {
                "" => error.to_string(),
                path => format!("{path}: {error}"),
            })
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let actual = Words::from(value).fixed(format!(" ({})", wrong.join("; ")));
        Err(Mismatch::of(
            MismatchKind::Schema,
            [format!("what the schema {name} says")],
            actual,
        ))
    }

    /// What the schema of this name says about a value as a whole; nothing where there is no such schema.
    pub fn place(&self, name: &str) -> SchemaLocation<'_> {
        SchemaLocation::top(&self.documents, &format!("{BASE}{name}.json"))
    }

    /// The names of all schemas.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.validators.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schemas() -> Result<Schemas, String> {
        let file = |name: &str, schema: Value| {
            let mut schema = schema;
            schema["$id"] = format!("{BASE}{name}.json").into();
            (format!("schemas/{name}.json"), schema.to_string())
        };
        Schemas::compile(&BTreeMap::from([
            file(
                "common",
                json!({"$defs": {"id": {"type": "string", "pattern": "^[0-9a-f]{24}$"}}}),
            ),
            file(
                "dto/thing",
                json!({"type": "object", "required": ["_id"], "properties": {
                    "_id": {"$ref": "../common.json#/$defs/id"},
                    "at": {"type": "string", "format": "date-time"},
                }}),
            ),
        ]))
    }

    #[test]
    fn references_between_schemas_are_resolved_and_formats_checked() {
        let schemas = schemas().unwrap();
        let id = "0".repeat(24);
        assert!(schemas.matches("dto/thing", &json!({"_id": id})).is_ok());
        let told = schemas
            .matches("dto/thing", &json!({"_id": "x"}))
            .unwrap_err()
            .to_string();
        assert!(told.contains("/_id"), "{told}");
        assert!(
            schemas
                .matches("dto/thing", &json!({"_id": id, "at": "yesterday"}))
                .is_err()
        );
    }

    #[test]
    fn a_schema_that_does_not_exist_is_a_fault_of_the_kit() {
        let found = schemas().unwrap().matches("dto/nothing", &json!({}));
        assert!(matches!(found, Err(Mismatch::Fault { .. })));
    }
}

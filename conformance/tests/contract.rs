//! The contract as data: it is valid, complete, and one part of it does not contradict another.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chatspec::contract::Contract;
use chatspec::contract::corpus::{Entry, Fill};
use chatspec::targets::profile::Profile;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

fn json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The schemas by name; [`Contract::embedded`] has compiled each of them already, references included.
fn schemas() -> BTreeMap<String, Value> {
    let contract = Contract::embedded().unwrap();
    let names = contract.schemas.names().map(|name| {
        let path = fixtures().join("schemas").join(format!("{name}.json"));
        (name.to_owned(), json(&path))
    });
    names.collect()
}

/// Definitions alone, which describe no value of their own.
fn is_library(name: &str) -> bool {
    name == "common"
}

#[test]
fn every_schema_is_valid_and_has_a_description() {
    for (name, schema) in schemas() {
        assert_eq!(
            schema["$schema"], "https://json-schema.org/draft/2020-12/schema",
            "{name}"
        );
        if let Err(error) = jsonschema::meta::validate(&schema) {
            panic!("{name}: {error}");
        }
        for key in ["title", "description"] {
            assert!(schema[key].is_string(), "{name} has no {key}");
        }
    }
}

#[test]
fn good_examples_fit() {
    let contract = Contract::embedded().unwrap();
    for (name, schema) in schemas().into_iter().filter(|(name, _)| !is_library(name)) {
        let examples = schema["examples"].as_array().cloned().unwrap_or_default();
        assert!(!examples.is_empty(), "{name} has no example");
        for example in examples {
            if let Err(mismatch) = contract.schemas.matches(&name, &example) {
                panic!("{name}: {mismatch}");
            }
        }
    }
}

#[test]
fn bad_examples_do_not_fit() {
    let contract = Contract::embedded().unwrap();
    let bad: BTreeMap<String, Vec<Value>> =
        serde_json::from_value(json(&fixtures().join("examples/bad.json"))).unwrap();
    let expected: BTreeSet<String> = schemas().into_keys().filter(|name| !is_library(name)).collect();
    let covered: BTreeSet<String> = bad.keys().cloned().collect();
    assert_eq!(covered, expected);
    for (name, examples) in bad {
        assert!(!examples.is_empty(), "{name}");
        for example in examples {
            assert!(
                contract.schemas.matches(&name, &example["value"]).is_err(),
                "{name} takes a value with {}",
                example["why"]
            );
        }
    }
}

/// Every `$ref` below, as (file, pointer): a reference is relative to the file that it stands in.
fn references(value: &Value, file: &Path, found: &mut Vec<(PathBuf, String)>) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
                let target = if path.is_empty() {
                    file.to_owned()
                } else {
                    file.parent().unwrap().join(path)
                };
                found.push((target, pointer.to_owned()));
            }
            fields.values().for_each(|field| references(field, file, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, file, found)),
        _ => {}
    }
}

#[test]
fn references_of_asyncapi_and_openapi_resolve() {
    for name in ["asyncapi.yaml", "openapi.yaml"] {
        let file = fixtures().join(name);
        let document = yaml(&file);
        let mut found = Vec::new();
        references(&document, &file, &mut found);
        assert!(found.len() > 20, "{name}: {} references", found.len());
        for (path, pointer) in found {
            let target = if path == file {
                document.clone()
            } else {
                json(&path)
            };
            assert!(
                target.pointer(&pointer).is_some(),
                "{name}: {}#{pointer} does not exist",
                path.display()
            );
        }
    }
}

#[test]
fn asyncapi_has_every_event_schema() {
    let file = fixtures().join("asyncapi.yaml");
    let mut found = Vec::new();
    references(&yaml(&file), &file, &mut found);
    let referred: BTreeSet<PathBuf> = found.into_iter().map(|(path, _)| path).collect();
    for name in schemas().into_keys() {
        if name.starts_with("events/") || (name.starts_with("acks/") && name != "acks/error") {
            let path = fixtures().join("schemas").join(format!("{name}.json"));
            assert!(referred.contains(&path), "{name} is not in asyncapi.yaml");
        }
    }
}

#[test]
fn openapi_has_the_routes_of_the_contract() {
    let document = yaml(&fixtures().join("openapi.yaml"));
    let mut routes = String::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                let answers: Vec<&str> = operation["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .map(String::as_str)
                    .collect();
                writeln!(routes, "{method} {path}: {}", answers.join(" ")).unwrap();
            }
        }
    }
    insta::assert_snapshot!(routes);
}

#[test]
fn every_requirement_is_said_with_its_reason_and_stands_in_its_area() {
    let contract = Contract::embedded().unwrap();
    let mut number = BTreeMap::new();
    for requirement in &contract.requirements {
        let id = &requirement.id;
        assert!(requirement.statement.len() > 10, "{id} says nothing");
        assert!(!requirement.why.is_empty(), "{id} has no reason");
        let area = contract.area(&requirement.area).unwrap();
        let next = number.entry(&area.id).or_insert(0);
        *next += 1;
        assert_eq!(*id, format!("{}-{next:02}", area.prefix), "the next of its area");
    }
}

/// The file name of an event, as in `message-send`.
fn file_name(event: &str) -> String {
    event.replace(':', "-")
}

const CLIENT_EVENTS: [&str; 7] = [
    "room:join",
    "room:leave",
    "message:send",
    "receipt:read",
    "typing:start",
    "typing:stop",
    "presence:ping",
];

#[test]
fn the_corpus_has_every_client_event_and_knows_the_outcomes() {
    let contract = Contract::embedded().unwrap();
    let events: BTreeSet<&str> = contract.corpus.events.keys().map(String::as_str).collect();
    assert_eq!(events, BTreeSet::from(CLIENT_EVENTS));
    let codes = json(&fixtures().join("schemas/common.json"))["$defs"]["ErrorCode"]["enum"].clone();
    for (event, entries) in &contract.corpus.events {
        let mut names = BTreeSet::new();
        for entry in entries {
            assert!(names.insert(&entry.name), "{event} {} is there twice", entry.name);
            assert!(
                contract.requirement(&entry.requirement).is_some(),
                "{event} {}: {}",
                entry.name,
                entry.requirement
            );
            assert!(!entry.expect.is_empty(), "{event} {}", entry.name);
            for outcome in &entry.expect {
                let known = ["ok", "ignored", "any"].contains(&outcome.as_str())
                    || codes.as_array().unwrap().iter().any(|code| code == outcome);
                assert!(known, "{event} {}: {outcome}", entry.name);
            }
        }
    }
}

#[test]
fn the_corpus_has_every_way_to_get_a_field_wrong() {
    let contract = Contract::embedded().unwrap();
    for event in CLIENT_EVENTS {
        let schema = json(&fixtures().join(format!("schemas/events/client/{}.json", file_name(event))));
        let payloads: Vec<&Entry> = contract.corpus.of(event).iter().collect();
        let objects: Vec<_> = payloads
            .iter()
            .filter_map(|entry| entry.payload.as_object())
            .collect();
        let has = |what: &str, found: bool| assert!(found, "{event}: no payload {what}");
        has("that is missing", payloads.iter().any(|entry| entry.missing));
        for (what, test) in [
            ("null", Value::is_null as fn(&Value) -> bool),
            ("string", Value::is_string),
            ("number", Value::is_number),
            ("boolean", Value::is_boolean),
            ("array", Value::is_array),
        ] {
            has(
                what,
                payloads
                    .iter()
                    .any(|entry| !entry.missing && test(&entry.payload)),
            );
        }
        has("empty object", objects.iter().any(|object| object.is_empty()));
        let text = serde_json::to_string(&payloads.iter().map(|entry| &entry.payload).collect::<Vec<_>>());
        let text = text.unwrap();
        has(
            "nested 10,000 deep",
            text.contains(r#""depth":10000"#) && text.contains("nested-object"),
        );
        has("with a string of 1 MB", text.contains(r#""bytes":1000000"#));
        has("with a prototype key", text.contains("__proto__"));
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for field in required.iter().filter_map(Value::as_str) {
            let values = || objects.iter().filter_map(|object| object.get(field));
            has(
                &format!("without {field}"),
                objects.iter().any(|object| !object.contains_key(field)),
            );
            has(&format!("{field} = null"), values().any(Value::is_null));
            has(
                &format!("{field} of a wrong type"),
                values().any(Value::is_number) && values().any(Value::is_array),
            );
            has(
                &format!("{field} empty"),
                values().any(|value| value.as_str() == Some("")),
            );
            has(
                &format!("{field} as an operator"),
                values().any(|value| {
                    value
                        .as_object()
                        .is_some_and(|object| object.keys().any(|key| key.starts_with('$')))
                }),
            );
        }
    }
}

/// What a schema cannot say: lengths in bytes.
fn beyond_the_schema(entry: &Entry) -> bool {
    entry.name.contains("bytes")
}

#[test]
fn the_corpus_and_the_schemas_agree() {
    let contract = Contract::embedded().unwrap();
    let fill = Fill {
        chat_id: "a".repeat(24),
        message_id: "b".repeat(24),
        user_id: "c".repeat(24),
    };
    for event in CLIENT_EVENTS {
        let schema = format!("events/client/{}", file_name(event));
        for entry in contract.corpus.of(event) {
            let args = entry.args(&fill);
            // Where there is none, or one that no JSON library reads, there is nothing to compare.
            let Some(Ok(payload)) = args.texts.first().map(|text| serde_json::from_str::<Value>(text)) else {
                continue;
            };
            let fits = contract.schemas.matches(&schema, &payload).is_ok();
            let expects = |outcome: &str| entry.expect.iter().any(|expected| expected == outcome);
            let only_refused = expects("VALIDATION_ERROR") && entry.expect.len() == 1;
            assert!(
                !(only_refused && fits) || beyond_the_schema(entry),
                "{event} {}: is to be refused, but fits its schema",
                entry.name
            );
            let only_taken = expects("ok") && entry.expect.len() == 1;
            assert!(
                !only_taken || fits,
                "{event} {}: is to be taken, but does not fit its schema",
                entry.name
            );
        }
    }
}

/// Set 1.0 is what a claim of conformance to 1.0 means, so it never changes: a requirement that is new goes into a set of its
/// own, and one that was wrong stays in it until there is another protocol version.
#[test]
fn the_set_1_0_is_frozen() {
    let contract = Contract::embedded().unwrap().held_to("1.0").unwrap();
    let mut digest = Sha256::new();
    for (id, level) in contract.set.levels() {
        let requirement = contract.requirement(id).unwrap_or_else(|| panic!("{id} is gone"));
        assert_eq!(requirement.level, level, "{id}");
        digest.update(format!("{id} {}\n", level.word()));
    }
    assert_eq!(
        format!("{:x}", digest.finalize()),
        "5d62ecd121c3e11578d8104a7ee461ade222581873b42afd3ce9d397bf17dab0"
    );
}

/// Otherwise what was added later could break off a story that a claim of 1.0 rests on.
#[test]
fn no_scenario_judges_both_what_is_in_a_set_and_what_was_added_later() {
    let contract = Contract::embedded().unwrap().held_to("1.0").unwrap();
    for scenario in chatspec::scenarios::all() {
        let (claimed, later): (Vec<_>, Vec<_>) = scenario
            .requirements
            .iter()
            .copied()
            .partition(|id| contract.set.has(id));
        assert!(
            claimed.is_empty() || later.is_empty(),
            "{} judges {claimed:?} of 1.0 and {later:?}: give what is new a scenario of its own",
            scenario.id
        );
    }
}

/// Every target file that we give away, and what `init` writes with everything in it, as (what it is, text).
fn target_files() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(fixtures().join("targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter(|path| !path.ends_with("users.toml"))
        .collect();
    files.extend(["node", "python"].map(|peer| fixtures().join("peers").join(peer).join("target.toml")));
    files
        .into_iter()
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The file with what is commented out in it, as far as that is TOML and not prose.
fn uncommented(text: &str) -> String {
    let line = |line: &str| {
        let rest = line.strip_prefix('#').unwrap_or(line);
        if rest.starts_with(' ') {
            line.to_owned()
        } else {
            rest.to_owned()
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn target_files_are_read_and_fit_their_schema() {
    let contract = Contract::embedded().unwrap();
    for (file, text) in target_files() {
        Profile::parse(&text).unwrap_or_else(|why| panic!("{file}: {why}"));
        let value: Value = toml::from_str(&text).unwrap();
        if let Err(mismatch) = contract.schemas.matches("target", &value) {
            panic!("{file}: {mismatch}");
        }
    }
}

/// `init` writes a file with everything in it, most of it commented out.
#[test]
fn the_schema_knows_every_key_of_a_target_file() {
    let written = std::process::Command::new(env!("CARGO_BIN_EXE_chatspec"))
        .args(["init", "--launch", "node server.mjs", "-"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let everything = uncommented(&String::from_utf8(written.stdout).unwrap());
    Profile::parse(&everything).unwrap_or_else(|why| panic!("{why}"));
    let value: Value = toml::from_str(&everything).unwrap();
    if let Err(mismatch) = Contract::embedded().unwrap().schemas.matches("target", &value) {
        panic!("{mismatch}");
    }
}

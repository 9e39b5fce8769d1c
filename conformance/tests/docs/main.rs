//! The documents say what `fixtures/` and the programs in `docs/clients/` say: what lies between `<!-- generated: … -->` and
//! `<!-- end -->`, or between `<!-- number: … -->` and `<!-- end -->`, is made from them. Their links lead somewhere, and their
//! commands work.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes what has changed.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod api;
mod blocks;
mod code;
mod events;
mod notation;
mod requirements;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chatspec::contract::Contract;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use serde_json::Value;
use similar::TextDiff;

/// Those that have generated parts.
const GENERATED: [&str; 3] = ["README.md", "docs/realtime.md", "docs/protocol.md"];

/// Those whose commands are carried out here. `scripts/handbook.sh` carries out those of the others.
const WITH_COMMANDS: [&str; 2] = ["docs/realtime.md", "docs/protocol.md"];

/// A file of the repository, by its path from the top.
fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_yaml_ng::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The keys of a mapping in a YAML file, in the order in which they stand there.
fn keys(path: &str, mapping: &str) -> Vec<String> {
    let document: serde_yaml_ng::Value = serde_yaml_ng::from_str(&read(path)).unwrap();
    let keys = document[mapping].as_mapping().unwrap().keys();
    keys.map(|key| key.as_str().unwrap().to_owned()).collect()
}

/// What belongs into the block of this name.
fn content(name: &str) -> String {
    match name.split_once(' ') {
        None => match name {
            "requests" => events::requests(),
            "broadcasts" => events::broadcasts(),
            "types" => events::types(),
            "objects" => events::objects(),
            "rest" => api::routes(),
            "errors" => api::errors(),
            "requirements" => requirements::all(),
            _ => panic!("nothing makes a block {name:?}"),
        },
        Some(("number", name)) => requirements::number(name).to_string(),
        Some((file, part)) => code::part(file, part),
    }
}

#[test]
fn documents_are_as_they_are_generated() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let mut behind = String::new();
    for path in GENERATED {
        let text = read(path);
        let fresh = blocks::renewed(&text, content).unwrap_or_else(|why| panic!("{path}: {why}"));
        if update {
            fs::write(place(path), &fresh).unwrap();
        } else if fresh != text {
            let diff = TextDiff::from_lines(&text, &fresh);
            behind += &diff
                .unified_diff()
                .context_radius(0)
                .header(path, "generated")
                .to_string();
        }
    }
    assert!(
        behind.is_empty(),
        "behind fixtures/ and docs/clients/:\n{behind}UPDATE_DOCS=1 cargo test --test docs writes it"
    );
}

/// The lines of a document's blocks that are indented by four: those are commands, and nothing else is.
fn commands(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut indented = false;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => indented = !kind.is_fenced(),
            Event::End(TagEnd::CodeBlock) => indented = false,
            Event::Text(text) if indented => found.extend(text.lines().map(str::to_owned)),
            _ => {}
        }
    }
    found.retain(|line| !line.trim().is_empty());
    found
}

/// The others are run by scripts/guide.sh, which refuses what it does not know.
#[test]
fn commands_of_the_kit_work() {
    for path in WITH_COMMANDS {
        let text = read(path);
        let all = commands(&text);
        let own: Vec<_> = all
            .iter()
            .filter_map(|line| line.strip_prefix("chatspec "))
            .collect();
        assert!(!own.is_empty(), "{path} has no command of the kit");
        if path != "docs/realtime.md" {
            assert_eq!(own.len(), all.len(), "scripts/guide.sh does not read {path}");
        }
        let folder = tempfile::tempdir().unwrap();
        for command in own {
            let line = command.split('#').next().unwrap_or_default();
            let done = Command::new(env!("CARGO_BIN_EXE_chatspec"))
                .args(shlex::split(line).unwrap())
                .current_dir(folder.path())
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{path}: chatspec {command}: {told}");
        }
    }
}

/// The anchors of a document: those of its headings, and those that it sets itself.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = text
        .split("<a id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next().map(str::to_owned))
        .collect();
    let mut heading: Option<String> = None;
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => found.extend(heading.take().as_deref().map(slug)),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    *heading += &text;
                }
            }
            _ => {}
        }
    }
    found
}

/// As GitHub makes it of a heading.
fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// Every document at the top and in docs/, by its path from the top.
fn documents() -> Vec<String> {
    let in_folder = |folder: &str| {
        let files = fs::read_dir(place(folder)).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let documents = names.filter(|name| name.rsplit_once('.').is_some_and(|(_, kind)| kind == "md"));
        documents
            .map(|name| format!("{folder}{name}"))
            .collect::<Vec<_>>()
    };
    [in_folder(""), in_folder("docs/")].concat()
}

#[test]
fn links_lead_somewhere() {
    for path in documents() {
        let text = read(&path);
        for event in Parser::new(&text) {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
                continue;
            };
            let (file, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() {
                place(&path)
            } else {
                place(&path).with_file_name(file)
            };
            assert!(target.exists(), "{path}: {dest_url}");
            assert!(
                anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor),
                "{path}: {dest_url}"
            );
        }
    }
}

/// Beside the generated tables the guide has to say what to do about each code and event, and it names no others.
#[test]
fn the_guide_speaks_of_every_event_and_code_and_of_no_other() {
    let own = blocks::renewed(&read("docs/realtime.md"), |_| String::new()).unwrap();
    let spans: BTreeSet<String> = Parser::new(&own)
        .filter_map(|event| match event {
            Event::Code(span) => Some(span.to_string()),
            _ => None,
        })
        .collect();
    let named = |like: &str| -> BTreeSet<&str> {
        let like = regex::Regex::new(like).unwrap();
        let spans = spans.iter().map(String::as_str);
        spans.filter(|span| like.is_match(span)).collect()
    };
    let asyncapi = yaml("fixtures/asyncapi.yaml");
    let messages = asyncapi["components"]["messages"].as_object().unwrap();
    let events = messages.values().map(|message| message["name"].as_str().unwrap());
    let common = json("fixtures/schemas/common.json");
    let codes = common["$defs"]["ErrorCode"]["enum"].as_array().unwrap();
    let codes = codes.iter().map(|code| code.as_str().unwrap());
    assert_eq!(
        named("^([a-z]+:[a-z]+|[A-Z_]{3,})$"),
        events.chain(codes).collect()
    );
    let contract = Contract::embedded().unwrap();
    let ids = regex::Regex::new(r"\b[A-Z]{3,5}-\d\d\b").unwrap();
    for id in ids.find_iter(&own) {
        assert!(
            contract.requirement(id.as_str()).is_some(),
            "docs/realtime.md: {}",
            id.as_str()
        );
    }
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    let known: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    let text = read("docs/dependencies.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let told: Vec<&str> = rows.filter_map(|row| row.split(" |").next()).skip(1).collect();
    assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), known);
    assert!(told.is_sorted(), "the list is sorted by name");
}

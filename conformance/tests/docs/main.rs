//! `docs/realtime.md` and `docs/protocol.md` say what `fixtures/` and the programs in `docs/clients/` say: what lies between
//! `<!-- generated: … -->` and `<!-- end -->` is made from them. Their links lead somewhere, and their commands work.
//!
//! `UPDATE_DOCS=1 cargo test -p chatspec --test docs` writes what has changed.

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

const DOCUMENTS: [&str; 2] = ["docs/realtime.md", "docs/protocol.md"];

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
        Some((file, part)) => code::part(file, part),
    }
}

#[test]
fn generated_blocks_are_in_step() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    for path in DOCUMENTS {
        let text = read(path);
        let fresh = blocks::renewed(&text, content).unwrap_or_else(|why| panic!("{path}: {why}"));
        if update {
            fs::write(place(path), &fresh).unwrap();
        } else if fresh != text {
            let (line, (is, should_be)) = (1..)
                .zip(text.lines().zip(fresh.lines()))
                .find(|(_, (is, should_be))| is != should_be)
                .unwrap_or((0, ("", "")));
            panic!(
                "{path} is no longer what fixtures/ and docs/clients/ say, first in line {line}:\n  is        {is}\n  \
                 should be {should_be}\nUPDATE_DOCS=1 cargo test -p chatspec --test docs writes it"
            );
        }
    }
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
    for path in DOCUMENTS {
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

#[test]
fn links_lead_somewhere() {
    for path in DOCUMENTS {
        let text = read(path);
        for event in Parser::new(&text) {
            let Event::Start(Tag::Link { dest_url, .. }) = event else {
                continue;
            };
            let (file, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() {
                place(path)
            } else {
                place("docs").join(file)
            };
            assert!(target.exists(), "{path}: {dest_url}");
            assert!(
                anchor.is_empty() || anchors(&fs::read_to_string(&target).unwrap()).contains(anchor),
                "{path}: {dest_url}"
            );
        }
    }
}

/// Beside the generated tables the guide has to say what to do about each code and event.
#[test]
fn the_guide_speaks_of_every_event_and_code() {
    let own = blocks::renewed(&read("docs/realtime.md"), |_| String::new()).unwrap();
    let asyncapi = yaml("fixtures/asyncapi.yaml");
    let messages = asyncapi["components"]["messages"].as_object().unwrap();
    let events = messages.values().map(|message| message["name"].as_str().unwrap());
    let common = json("fixtures/schemas/common.json");
    let codes = common["$defs"]["ErrorCode"]["enum"].as_array().unwrap();
    for word in events.chain(codes.iter().map(|code| code.as_str().unwrap())) {
        assert!(
            own.contains(&format!("`{word}`")),
            "docs/realtime.md says nothing of {word}"
        );
    }
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

//! The contract as data, embedded from `fixtures/`: the binary is one file and asks nothing of the network.
//!
//! - [`Contract`]: areas and requirements; [`set`]: which of them count
//! - [`schema`]: JSON Schemas by name
//! - [`place`]: what they say about one place in a value
//! - [`corpus`]: bad and odd input by event

pub mod corpus;
pub mod place;
pub mod schema;
pub mod set;

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use thiserror::Error;

use crate::verdict::Level;
use corpus::Corpus;
use schema::Schemas;
use set::RequirementSet;

const CATALOGUE: &str = include_str!("../../../fixtures/requirements.toml");
/// Folder by folder: `fixtures/peers` holds, once it was installed, what the peers are built on.
static FOLDERS: [(&str, Dir<'static>); 3] = [
    (
        "payloads",
        include_dir!("$CARGO_MANIFEST_DIR/../fixtures/payloads"),
    ),
    ("schemas", include_dir!("$CARGO_MANIFEST_DIR/../fixtures/schemas")),
    ("sets", include_dir!("$CARGO_MANIFEST_DIR/../fixtures/sets")),
];

/// One area of the contract.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// As in `rate-limit`.
    pub id: String,
    /// As in `Rate limit`.
    pub title: String,
    /// What its requirement ids begin with, as in `RATE`.
    pub prefix: String,
}

/// One requirement of the contract.
#[derive(Clone, Debug, Deserialize)]
pub struct Requirement {
    /// As in `MSG-02`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The area it belongs to.
    pub area: String,
    /// What is required.
    pub statement: String,
    /// The section of the feature checklist it comes from, or `+`.
    #[serde(default)]
    pub origin: String,
    /// Why it is required.
    #[serde(default)]
    pub why: String,
    /// What clients and a conforming server exchange where it matters, one thing a line; `requirements.toml` tells how to
    /// read it.
    #[serde(default)]
    pub example: String,
}

/// The whole contract.
#[derive(Debug)]
pub struct Contract {
    /// Its version, as in `1.0`.
    pub protocol: String,
    /// The areas in the order of the contract.
    pub areas: Vec<Area>,
    /// The requirements in the order of the contract.
    pub requirements: Vec<Requirement>,
    /// Those of them that count: all, until somebody asks [to be held to](Contract::held_to) a frozen set.
    pub set: RequirementSet,
    /// The frozen sets, by name.
    sets: BTreeMap<String, RequirementSet>,
    /// The schemas.
    pub schemas: Schemas,
    /// The corpus of bad and odd input.
    pub corpus: Corpus,
}

/// The embedded contract is not what the kit expects: the kit was built wrong.
#[derive(Debug, Error)]
#[error("the embedded contract is broken: {0}")]
pub struct ContractError(String);

/// There is no requirement set of this name.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("there is no requirement set {name}; use one of {}", .known.join(", "))]
pub struct UnknownSet {
    /// The name as it was given.
    pub name: String,
    /// What there is.
    pub known: Vec<String>,
}

#[derive(Deserialize)]
struct Catalogue {
    protocol: String,
    #[serde(rename = "area")]
    areas: Vec<Area>,
    #[serde(rename = "requirement")]
    requirements: Vec<Requirement>,
}

impl Contract {
    /// The contract that was built in.
    pub fn embedded() -> Result<Self, ContractError> {
        let files = FOLDERS.iter().flat_map(|(name, folder)| files(name, folder));
        Self::parse(CATALOGUE, &files.collect())
    }

    fn parse(catalogue: &str, files: &BTreeMap<String, String>) -> Result<Self, ContractError> {
        let catalogue: Catalogue = toml::from_str(catalogue)
            .map_err(|error| ContractError(format!("requirements.toml: {error}")))?;
        let sets = sets(files, &catalogue.requirements).map_err(ContractError)?;
        Ok(Self {
            set: RequirementSet::latest(),
            sets,
            protocol: catalogue.protocol,
            areas: catalogue.areas,
            requirements: catalogue.requirements,
            schemas: Schemas::compile(files).map_err(ContractError)?,
            corpus: Corpus::parse(files).map_err(ContractError)?,
        })
    }

    /// The same, where only the requirements of this set count.
    pub fn held_to(self, name: &str) -> Result<Self, UnknownSet> {
        let set = match self.sets.get(name) {
            Some(set) => set.clone(),
            None if name == set::LATEST => RequirementSet::latest(),
            None => {
                let known = self.sets.keys().map(String::as_str).chain([set::LATEST]);
                return Err(UnknownSet {
                    name: name.to_owned(),
                    known: known.map(str::to_owned).collect(),
                });
            }
        };
        Ok(Self { set, ..self })
    }

    /// The names of the sets in which a requirement counts.
    pub fn sets_with(&self, id: &str) -> impl Iterator<Item = &str> {
        let frozen = self.sets.iter().filter(move |(_, set)| set.has(id));
        frozen.map(|(name, _)| name.as_str()).chain([set::LATEST])
    }

    /// The requirement with this id.
    pub fn requirement(&self, id: &str) -> Option<&Requirement> {
        self.requirements.iter().find(|requirement| requirement.id == id)
    }

    /// The area with this id.
    pub fn area(&self, id: &str) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == id)
    }

    /// The same, held to a set of this text, which `fixtures/sets` does not have.
    #[cfg(test)]
    pub(crate) fn frozen(mut self, name: &str, text: &str) -> Self {
        let set = RequirementSet::parse(text).unwrap();
        self.sets.insert(name.to_owned(), set);
        self.held_to(name).unwrap()
    }

    /// A small contract for tests: `X-01` MUST, `X-02` SHOULD, `X-03` MAY in the area `x`, and `Y-01` MUST in `y`.
    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        let row = |id: &str, level: Level, area: &str| Requirement {
            id: id.to_owned(),
            level,
            area: area.to_owned(),
            statement: format!("What {id} asks for."),
            origin: "+".to_owned(),
            why: String::new(),
            example: String::new(),
        };
        let area = |id: &str| Area {
            id: id.to_owned(),
            title: id.to_uppercase(),
            prefix: id.to_uppercase(),
        };
        Self {
            protocol: "1.0".to_owned(),
            areas: vec![area("x"), area("y")],
            requirements: vec![
                row("X-01", Level::Must, "x"),
                row("X-02", Level::Should, "x"),
                row("X-03", Level::May, "x"),
                row("Y-01", Level::Must, "y"),
            ],
            set: RequirementSet::latest(),
            sets: BTreeMap::new(),
            schemas: Schemas::default(),
            corpus: Corpus::default(),
        }
    }
}

/// The frozen sets by name; each names requirements that are there, with the levels that they have.
fn sets(
    files: &BTreeMap<String, String>,
    requirements: &[Requirement],
) -> Result<BTreeMap<String, RequirementSet>, String> {
    let mut sets = BTreeMap::new();
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("sets/")) {
        let wrong = |why: String| format!("{path}: {why}");
        let set = RequirementSet::parse(text).map_err(wrong)?;
        if *path != format!("sets/{}.toml", set.name()) {
            return Err(wrong(format!("it calls itself {}", set.name())));
        }
        for (id, level) in set.levels() {
            if !requirements.iter().any(|r| r.id == id && r.level == level) {
                return Err(wrong(format!(
                    "requirements.toml has no {id} with the level {}",
                    level.word()
                )));
            }
        }
        sets.insert(set.name().to_owned(), set);
    }
    Ok(sets)
}

/// Every text file below a folder of `fixtures`, by its path from there.
fn files(name: &str, folder: &Dir<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for file in folder.files() {
        if let Some(text) = file.contents_utf8() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            found.insert(format!("{name}/{path}"), text.to_owned());
        }
    }
    for sub in folder.dirs() {
        found.extend(files(name, sub));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_contract_is_whole() {
        let contract = Contract::embedded().unwrap();
        assert_eq!(contract.protocol, "1.0");
        for requirement in &contract.requirements {
            let area = contract.area(&requirement.area);
            let prefix = area.map(|area| format!("{}-", area.prefix)).unwrap_or_default();
            assert!(
                !prefix.is_empty() && requirement.id.starts_with(&prefix),
                "{}",
                requirement.id
            );
        }
        let mut ids: Vec<_> = contract.requirements.iter().map(|r| &r.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), contract.requirements.len());
    }

    #[test]
    fn a_set_that_does_not_fit_the_catalogue_is_told() {
        let requirements = Contract::for_test().requirements;
        let told = |path: &str, must: &str| {
            let text = format!("name = \"1.0\"\nmust = [{must}]\nshould = [\"X-02\"]\nmay = []");
            sets(&BTreeMap::from([(path.to_owned(), text)]), &requirements)
        };
        assert!(told("sets/1.0.toml", "\"X-01\"").unwrap()["1.0"].has("X-01"));
        for (path, must, why) in [
            ("sets/1.0.toml", "\"X-99\"", "no X-99 with the level MUST"),
            ("sets/1.0.toml", "\"X-03\"", "no X-03 with the level MUST"),
            ("sets/2.0.toml", "\"X-01\"", "calls itself 1.0"),
        ] {
            let error = told(path, must).unwrap_err();
            assert!(error.starts_with(path) && error.contains(why), "{error}");
        }
    }
}

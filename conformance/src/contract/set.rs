//! Requirement sets: what a server is held to that claims to conform to a version.
//!
//! The catalogue of requirements grows, and a set does not. `fixtures/sets/1.0.toml` names what belongs to the claim
//! "conforms to 1.0", for good: what has been added to the catalogue since is run and told, and fails nothing there. Who
//! wants to be held to all that this kit knows takes [`LATEST`].

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::verdict::Level;

/// The set that a run is held to where nobody says otherwise.
pub const DEFAULT: &str = "1.0";

/// The name of the set of everything in the catalogue.
pub const LATEST: &str = "latest";

/// Requirements that count in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementSet {
    name: String,
    /// The level of each, by id; none where the set has all there are.
    levels: Option<BTreeMap<String, Level>>,
}

/// A file in `fixtures/sets`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    must: Vec<String>,
    should: Vec<String>,
    may: Vec<String>,
}

impl RequirementSet {
    /// Everything in the catalogue.
    pub fn latest() -> Self {
        Self {
            name: LATEST.to_owned(),
            levels: None,
        }
    }

    /// What a file in `fixtures/sets` says.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let lists = [
            (Level::Must, file.must),
            (Level::Should, file.should),
            (Level::May, file.may),
        ];
        let mut levels = BTreeMap::new();
        for (level, id) in lists
            .into_iter()
            .flat_map(|(level, ids)| ids.into_iter().map(move |id| (level, id)))
        {
            if levels.insert(id.clone(), level).is_some() {
                return Err(format!("it has {id} twice"));
            }
        }
        Ok(Self {
            name: file.name,
            levels: Some(levels),
        })
    }

    /// As in `1.0`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the requirement with this id belongs to it. One that does not was added to the catalogue later.
    pub fn has(&self, id: &str) -> bool {
        self.levels.as_ref().is_none_or(|levels| levels.contains_key(id))
    }

    /// Each requirement of a frozen set with its level, by id; nothing for [`LATEST`], which has no list of its own.
    pub fn levels(&self) -> impl Iterator<Item = (&str, Level)> {
        let levels = self.levels.iter().flatten();
        levels.map(|(id, level)| (id.as_str(), *level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_lists_and_the_latest_has_everything() {
        let set = RequirementSet::parse("name = \"1.0\"\nmust = [\"X-01\"]\nshould = [\"X-02\"]\nmay = []")
            .unwrap();
        assert_eq!(set.name(), "1.0");
        assert!(set.has("X-01") && set.has("X-02") && !set.has("X-03"));
        assert_eq!(
            set.levels().collect::<Vec<_>>(),
            [("X-01", Level::Must), ("X-02", Level::Should)]
        );
        assert!(RequirementSet::latest().has("X-03"));
    }

    #[test]
    fn a_requirement_has_one_level() {
        let twice = "name = \"1.0\"\nmust = [\"X-01\"]\nshould = [\"X-01\"]\nmay = []";
        assert_eq!(RequirementSet::parse(twice), Err("it has X-01 twice".to_owned()));
    }
}

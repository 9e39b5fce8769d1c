//! Sabotages: ways to break one requirement on the wire, each of which the kit must notice.
//!
//! - [`Catalogue`]: all of them, from `fixtures/sabotages.toml`
//! - [`campaign`](mod@campaign): a target, and a run of the suite for every sabotage, through a proxy of its own
//! - [`trial`]: what came of one: who noticed, and who else turned red
//! - [`matrix`]: what came of all of them, for people and as a document
//!
//! A conformance kit is worth what it catches. A sabotage that survives is a hole in the kit.

pub mod campaign;
pub mod matrix;
pub mod trial;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use thiserror::Error;

use crate::contract::{Contract, Requirement};
use crate::plan::{LONG, Plan};
use crate::proxy::rule::{Observation, Rule};
use crate::scenarios::Scenario;
use crate::verdict::Level;

const TEXT: &str = include_str!("../../../fixtures/sabotages.toml");

/// One way to break one requirement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sabotage {
    /// As in `typing-echoed`; unique.
    pub name: String,
    /// Id of the requirement that it breaks.
    pub breaks: String,
    /// What a server like that does, in a sentence.
    pub why: String,
    /// What is done to what passes.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// Ids of other requirements that are broken with it, each with the reason.
    #[serde(default)]
    pub collateral: BTreeMap<String, String>,
    /// Why only the scenarios that judge the requirement are run, where that is so: what it does would be met everywhere.
    pub alone: Option<String>,
}

/// A requirement that no sabotage can break from the wire.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beyond {
    /// Id of the requirement.
    pub requirement: String,
    /// Why it cannot be broken by a proxy.
    pub why: String,
}

/// All sabotages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// What is worth remembering while something passes.
    #[serde(default, rename = "observe")]
    pub observations: Vec<Observation>,
    /// In the order of the contract.
    #[serde(rename = "sabotage")]
    pub sabotages: Vec<Sabotage>,
    /// What cannot be broken from the wire.
    #[serde(default)]
    pub beyond: Vec<Beyond>,
}

/// What is wrong with the catalogue.
#[derive(Debug, Error)]
#[error("sabotages.toml: {0}")]
pub struct CatalogueError(String);

impl Catalogue {
    /// The one that was built in.
    pub fn embedded(contract: &Contract) -> Result<Self, CatalogueError> {
        Self::parse(TEXT, contract)
    }

    /// Reads a catalogue, and sees whether it makes sense.
    pub fn parse(text: &str, contract: &Contract) -> Result<Self, CatalogueError> {
        let catalogue: Self = toml::from_str(text).map_err(|error| CatalogueError(error.to_string()))?;
        for observation in &catalogue.observations {
            observation
                .check()
                .map_err(|why| CatalogueError(format!("observe {}: {why}", observation.name)))?;
        }
        let mut names = BTreeSet::new();
        for sabotage in &catalogue.sabotages {
            if !names.insert(&sabotage.name) {
                return Err(CatalogueError(format!("{} is listed twice", sabotage.name)));
            }
            catalogue
                .check(sabotage, contract)
                .map_err(|why| CatalogueError(format!("{}: {why}", sabotage.name)))?;
        }
        match catalogue
            .beyond
            .iter()
            .find(|beyond| contract.requirement(&beyond.requirement).is_none())
        {
            Some(beyond) => Err(CatalogueError(format!(
                "beyond: no requirement {}",
                beyond.requirement
            ))),
            None => Ok(catalogue),
        }
    }

    fn check(&self, sabotage: &Sabotage, contract: &Contract) -> Result<(), String> {
        for id in sabotage.collateral.keys().chain([&sabotage.breaks]) {
            match contract.requirement(id) {
                None => return Err(format!("no requirement {id}")),
                Some(requirement) if requirement.level == Level::May => {
                    return Err(format!("{id} is never a verdict"));
                }
                Some(_) => {}
            }
        }
        if sabotage.collateral.contains_key(&sabotage.breaks) {
            return Err(format!(
                "{} is the requirement it breaks, so it cannot be collateral as well",
                sabotage.breaks
            ));
        }
        if sabotage.rules.is_empty() {
            return Err("it does nothing".to_owned());
        }
        sabotage.rules.iter().try_for_each(Rule::check)?;
        let own: BTreeSet<&str> = sabotage.rules.iter().flat_map(Rule::remembers).collect();
        let unknown = sabotage.rules.iter().flat_map(Rule::asks_for).find(|name| {
            !own.contains(name)
                && self
                    .observations
                    .iter()
                    .all(|observation| observation.name != *name)
        });
        match unknown {
            Some(name) => Err(format!("nothing remembers {name}")),
            None => Ok(()),
        }
    }

    /// The observations that the rules of a sabotage ask for.
    pub fn observations_for(&self, sabotage: &Sabotage) -> Vec<Observation> {
        let asked: BTreeSet<&str> = sabotage.rules.iter().flat_map(Rule::asks_for).collect();
        self.observations
            .iter()
            .filter(|observation| asked.contains(observation.name.as_str()))
            .cloned()
            .collect()
    }

    /// The requirements of this level that no sabotage breaks, and that are not said to be beyond reach.
    pub fn missing<'a>(&self, contract: &'a Contract, level: Level) -> Vec<&'a Requirement> {
        let covered = |id: &str| {
            self.sabotages.iter().any(|sabotage| sabotage.breaks == id)
                || self.beyond.iter().any(|beyond| beyond.requirement == id)
        };
        let of_level = contract.requirements.iter().filter(|r| r.level == level);
        of_level.filter(|r| !covered(&r.id)).collect()
    }
}

/// How far is looked around to see who else turns red.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breadth {
    /// What judges the requirement, the quick scenarios of its area and of those of the collateral, and of every other area
    /// its first quick one.
    Near,
    /// All quick scenarios beside those that judge the requirement.
    Wide,
}

impl Sabotage {
    /// What is run to see who notices. What takes waiting, runs alone, or takes something away from the target, is run only
    /// where it judges the requirement, and the last not even then.
    pub fn plan(&self, scenarios: &[&'static Scenario], breadth: Breadth) -> Plan {
        let judges = |scenario: &Scenario| scenario.requirements.contains(&self.breaks.as_str());
        let quick = |scenario: &Scenario| scenario.waits() < LONG && !scenario.exclusive;
        let first = |scenario: &Scenario| {
            let of_area = |other: &&&'static Scenario| other.area() == scenario.area() && quick(other);
            scenarios
                .iter()
                .find(of_area)
                .is_some_and(|other| other.id == scenario.id)
        };
        // The area that a requirement belongs to is the one in whose file it is judged first.
        let area_of = |id: &str| {
            let judge = scenarios
                .iter()
                .find(|scenario| scenario.requirements.contains(&id));
            judge.map(|scenario| scenario.area())
        };
        let touched: BTreeSet<&str> = self
            .collateral
            .keys()
            .chain([&self.breaks])
            .filter_map(|id| area_of(id))
            .collect();
        let around = |scenario: &Scenario| {
            breadth == Breadth::Wide || touched.contains(scenario.area()) || first(scenario)
        };
        let wanted = |scenario: &&'static Scenario| {
            let beside = self.alone.is_none() && quick(scenario) && around(scenario);
            !scenario.disruptive && (judges(scenario) || beside)
        };
        Plan::of(scenarios.iter().copied().filter(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_must_has_a_sabotage_or_a_reason_why_not() {
        let contract = Contract::embedded().unwrap();
        let catalogue = Catalogue::embedded(&contract).unwrap();
        let missing = catalogue.missing(&contract, Level::Must);
        let missing: Vec<_> = missing.iter().map(|r| &r.id).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn sabotages_stand_in_the_order_of_the_contract() {
        let contract = Contract::embedded().unwrap();
        let catalogue = Catalogue::embedded(&contract).unwrap();
        let place = |id: &str| contract.requirements.iter().position(|r| r.id == id);
        for pair in catalogue.sabotages.windows(2) {
            assert!(
                place(&pair[0].breaks) <= place(&pair[1].breaks),
                "{} comes before {}",
                pair[0].name,
                pair[1].name
            );
        }
    }

    #[test]
    fn mistakes_are_told_with_the_name() {
        let rule = "rule = [{ on = { ack = '*' }, do = ['drop'] }]";
        let one = |more: &str| format!("[[sabotage]]\nname = 'x'\nwhy = 'w'\n{more}\n");
        for (text, told) in [
            (one(&format!("breaks = 'X-09'\n{rule}")), "x: no requirement X-09"),
            (
                one(&format!("breaks = 'X-03'\n{rule}")),
                "x: X-03 is never a verdict",
            ),
            (one("breaks = 'X-01'\nrule = []"), "x: it does nothing"),
            (
                one(&format!(
                    "breaks = 'X-01'\ncollateral = {{ X-01 = 'so' }}\n{rule}"
                )),
                "cannot be collateral",
            ),
            (
                one(
                    "breaks = 'X-01'\nrule = [{ on = { ack = '*' }, when = [{ seen = 'a' }], do = ['drop'] }]",
                ),
                "x: nothing remembers a",
            ),
            (
                one(&format!("breaks = 'X-01'\n{rule}")).repeat(2),
                "x is listed twice",
            ),
            (
                format!(
                    "{}[[beyond]]\nrequirement = 'Z-01'\nwhy = 'w'",
                    one(&format!("breaks = 'X-01'\n{rule}"))
                ),
                "no requirement Z-01",
            ),
        ] {
            let error = Catalogue::parse(&text, &Contract::for_test())
                .unwrap_err()
                .to_string();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn what_is_run_is_what_judges_and_some_around_it() {
        let contract = Contract::embedded().unwrap();
        let catalogue = Catalogue::embedded(&contract).unwrap();
        let all: Vec<_> = crate::scenarios::all().collect();
        let of = |id: &str, breadth| {
            let sabotage = catalogue.sabotages.iter().find(|s| s.breaks == id).unwrap();
            let plan = sabotage.plan(&all, breadth);
            plan.scenarios.iter().map(|s| s.id).collect::<Vec<_>>()
        };
        let near = |id| of(id, Breadth::Near);
        assert!(near("RATE-05").contains(&"rate-limit/window-passes"));
        for (scenario, judged) in [
            ("messages/race", true),
            ("typing/start-and-stop", true),
            ("typing/ignored", false),
            ("rate-limit/window-passes", false),
            ("robustness/flood", false),
        ] {
            assert_eq!(near("MSG-02").contains(&scenario), judged, "{scenario}");
        }
        assert!(!near("ACK-04").contains(&"acks/store-away"));
        let wide = of("MSG-02", Breadth::Wide);
        assert!(wide.contains(&"typing/ignored") && !wide.contains(&"rate-limit/window-passes"));
        assert!(
            near("ROB-04")
                .iter()
                .all(|scenario| *scenario == "robustness/malformed-packets")
        );
    }
}

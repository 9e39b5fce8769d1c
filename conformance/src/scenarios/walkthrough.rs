//! What each scenario does, step by step, for people whose server fails it and who do not read Rust.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Scenario;

const TEXT: &str = include_str!("walkthrough.toml");

/// The steps of one scenario. One that is judged ends with the requirements in brackets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Walkthrough {
    steps: Vec<String>,
}

/// The steps of a scenario, in their order; none where it is not described.
pub fn steps(scenario: &Scenario) -> &'static [String] {
    ALL.get(scenario.id).map_or(&[], |described| &described.steps)
}

/// A test proves that the text parses.
static ALL: LazyLock<BTreeMap<String, Walkthrough>> =
    LazyLock::new(|| toml::from_str(TEXT).unwrap_or_default());

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::contract::Contract;
    use crate::scenarios;

    #[test]
    fn every_scenario_is_described_with_all_that_it_judges() {
        let mut described: BTreeMap<String, Walkthrough> = toml::from_str(TEXT).unwrap();
        let contract = Contract::embedded().unwrap();
        for scenario in scenarios::all() {
            let steps = described
                .remove(scenario.id)
                .unwrap_or_else(|| panic!("{} is missing", scenario.id))
                .steps;
            assert!(steps.len() > 1, "{}", scenario.id);
            let judged: BTreeSet<&str> = steps
                .iter()
                .filter_map(|step| step.strip_suffix(']')?.rsplit_once('['))
                .flat_map(|(_, ids)| ids.split(", "))
                .filter(|id| contract.requirement(id).is_some())
                .collect();
            let declared: BTreeSet<&str> = scenario.requirements.iter().copied().collect();
            assert_eq!(judged, declared, "{}", scenario.id);
        }
        let unknown: Vec<_> = described.keys().collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn the_sizes_that_it_tells_are_those_of_the_corpus() {
        let corpus = Contract::embedded().unwrap().corpus;
        for (scenario, size) in [
            ("robustness/corpus-room-join", corpus.of("room:join").len()),
            ("robustness/corpus-room-leave", corpus.of("room:leave").len()),
            ("robustness/corpus-message-send", corpus.of("message:send").len()),
            ("robustness/corpus-receipt-read", corpus.of("receipt:read").len()),
            (
                "robustness/corpus-presence-ping",
                corpus.of("presence:ping").len(),
            ),
            ("auth/no-token", corpus.tokens.len()),
            ("messages/every-script", corpus.bodies.len()),
        ] {
            let text = ALL[scenario].steps.join(" ");
            assert!(
                text.contains(&size.to_string()),
                "{scenario} does not tell of {size}: {text}"
            );
        }
    }
}

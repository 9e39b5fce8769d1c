//! Every scenario can be reproduced by a script, except those that are listed with a reason.

use chatspec::contract::Contract;
use chatspec::repro::{Api, Language, limits, play, read, write};
use chatspec::scenarios;
use chatspec::transcript::annotation::Annotation;
use chatspec::transcript::record::Entry;
use futures_util::StreamExt;

/// Played at once; each has a server of its own.
const AT_ONCE: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_that_is_not_excepted_is_a_script_with_all_that_it_judges() {
    let contract = Contract::embedded().unwrap();
    let told = scenarios::all().filter(|scenario| limits::of_scenario(scenario).is_none());
    let playing = futures_util::stream::iter(told).map(async |scenario| (scenario, play(scenario).await));
    let played: Vec<_> = playing.buffer_unordered(AT_ONCE).collect().await;
    assert!(played.len() > 30, "only {} are told", played.len());
    for (scenario, entries) in played {
        let entries = entries.unwrap();
        let requirements = scenario.requirements.iter();
        for id in requirements.filter(|id| limits::of_requirement(id).is_none()) {
            let steps = read(scenario, Some(id), &entries);
            let steps = steps.unwrap_or_else(|why| panic!("{} for {id}: {why}", scenario.id));
            for language in [Language::Js, Language::Python] {
                let script = write(&steps, &contract, &Api::default(), language).unwrap();
                let left = of_one_run(&entries).find(|value| script.contains(*value));
                assert_eq!(left, None, "{} for {id}: {script}", scenario.id);
            }
        }
    }
}

/// What was true of the recorded run only: the ids and tokens of its users.
fn of_one_run(entries: &[Entry]) -> impl Iterator<Item = &str> {
    let registered = entries.iter().filter_map(|entry| match &entry.annotation {
        Some(Annotation::Registered { id, access_token, .. }) => Some([id.as_str(), access_token.0.as_str()]),
        _ => None,
    });
    registered.flatten()
}

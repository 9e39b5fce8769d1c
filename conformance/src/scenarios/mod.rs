//! The scenarios: one file per area of the contract, named as the contract names it.
//!
//! A scenario is one `async fn(&Scene) -> Outcome` and one entry in its file's table:
//!
//! ```
//! use chatspec::scenarios::{Cost, Scenario, run};
//! use chatspec::scene::{Outcome, Scene};
//!
//! pub(crate) const SCENARIOS: &[Scenario] = &[
//!     Scenario::new("presence/nothing", "Connecting works", &["PRES-05"], run!(nothing))
//!         .steps(&["Alice connects with her access token  [PRES-05]"])
//!         .cost(Cost::Seconds(2)),
//! ];
//!
//! async fn nothing(scene: &Scene) -> Outcome {
//!     let alice = scene.user("alice").await?;
//!     scene.connect(&alice).await?;
//!     Ok(())
//! }
//! # assert_eq!(SCENARIOS.len(), 1);
//! ```
//!
//! Its steps are what `chatspec explain`, reports and scripts tell of it. A step that does not work ends the scenario, and
//! then nothing that passed in it counts. Words that come up again in them:
//!
//! - the deadline: how long an ack, an event or an HTTP answer is waited for: 5 s, more for a slow target
//! - the margin: how near to a limit nothing is decided: 50 ms, more for a slow target
//! - the settle time: between 20 and 500 ms, after a later message or `chat:update` has shown that nothing came before it;
//!   "a later message" stands for both, and it is always the kit's own, never one that the scenario judges
//! - a group: has, besides the people named, the kit's hidden witness, who sends the later messages; in a plain group
//!   there is no witness, and the later messages are posted through REST by who made it
//! - through REST: by a request below `/v1` with the access token of whoever is named

mod acks;
mod auth;
mod chat_updates;
mod messages;
mod presence;
mod rate_limit;
mod receipts;
mod robustness;
mod rooms;
pub(crate) mod steps;
mod sync;
mod transport;
mod typing;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::scene::{Outcome, Scene};

/// What runs a scenario; [`run!`] makes it of an `async fn(&Scene) -> Outcome`.
pub type Run = for<'a> fn(&'a Scene) -> BoxFuture<'a, Outcome>;

/// Turns an `async fn(&Scene) -> Outcome` into what [`Scenario::new`] takes.
#[macro_export]
#[doc(hidden)]
macro_rules! __run {
    ($scenario:path) => {
        |scene| ::std::boxed::Box::pin($scenario(scene))
    };
}

#[doc(inline)]
pub use crate::__run as run;

/// How long a scenario takes; the longest start first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// A few round trips.
    Short,
    /// It waits this many seconds for windows to pass.
    Seconds(u64),
}

/// One story with checks in it.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// `area/what-happens`, as in `rooms/join-and-leave`; unique, and permanent.
    pub id: &'static str,
    /// What happens, in one sentence.
    pub summary: &'static str,
    /// The requirements that it judges: every one of these, and no other.
    pub requirements: &'static [&'static str],
    /// How long it takes.
    pub cost: Cost,
    /// Whether it runs alone, after all others.
    pub exclusive: bool,
    /// Whether it takes something away from the target for a while, and so runs after those that only run alone.
    pub disruptive: bool,
    /// What it does, step by step, for people whose server fails it and who do not read Rust.
    pub steps: &'static [&'static str],
    /// The code that does it.
    pub run: Run,
}

impl Scenario {
    /// A short scenario that runs beside others.
    pub const fn new(
        id: &'static str,
        summary: &'static str,
        requirements: &'static [&'static str],
        run: Run,
    ) -> Self {
        Self {
            id,
            summary,
            requirements,
            cost: Cost::Short,
            exclusive: false,
            disruptive: false,
            steps: &[],
            run,
        }
    }

    /// One that does this, in this order. A step that is judged ends, after two spaces, with the requirements that it is
    /// judged for, as in `[TYPE-01, TYPE-02]`; the others are preparations, waits and positive twins.
    #[must_use]
    pub const fn steps(mut self, steps: &'static [&'static str]) -> Self {
        self.steps = steps;
        self
    }

    /// One that takes this long.
    #[must_use]
    pub const fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// One that runs alone, after all others: for floods and fine timing.
    #[must_use]
    pub const fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// One that takes something away from the target for a while: it runs alone, after the exclusive ones.
    #[must_use]
    pub const fn disruptive(mut self) -> Self {
        self.exclusive = true;
        self.disruptive = true;
        self
    }

    /// The area, which is the first part of the id.
    pub fn area(&self) -> &'static str {
        self.id.split('/').next().unwrap_or_default()
    }

    /// What its own waits add up to.
    pub const fn waits(&self) -> Duration {
        match self.cost {
            Cost::Short => Duration::ZERO,
            Cost::Seconds(seconds) => Duration::from_secs(seconds),
        }
    }
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scenario({})", self.id)
    }
}

/// Every scenario, in the order of the contract.
pub fn all() -> impl Iterator<Item = &'static Scenario> {
    [
        transport::SCENARIOS,
        auth::SCENARIOS,
        acks::SCENARIOS,
        rooms::SCENARIOS,
        messages::SCENARIOS,
        rate_limit::SCENARIOS,
        typing::SCENARIOS,
        receipts::SCENARIOS,
        presence::SCENARIOS,
        chat_updates::SCENARIOS,
        sync::SCENARIOS,
        robustness::SCENARIOS,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::contract::Contract;

    #[test]
    fn every_scenario_tells_its_steps_with_all_that_it_judges() {
        let contract = Contract::embedded().unwrap();
        for scenario in all() {
            assert!(scenario.steps.len() > 1, "{} has no steps", scenario.id);
            let told: HashSet<&str> = scenario
                .steps
                .iter()
                .filter_map(|step| step.strip_suffix(']')?.rsplit_once("  ["))
                .flat_map(|(_, ids)| ids.split(", "))
                .filter(|id| contract.requirement(id).is_some())
                .collect();
            let judged: HashSet<&str> = scenario.requirements.iter().copied().collect();
            assert_eq!(told, judged, "{}", scenario.id);
        }
    }

    #[test]
    fn ids_are_unique_and_name_an_area_and_requirements_of_the_contract() {
        let contract = Contract::embedded().unwrap();
        let mut seen = HashSet::new();
        for scenario in all() {
            assert!(seen.insert(scenario.id), "{} is there twice", scenario.id);
            assert!(
                contract.area(scenario.area()).is_some(),
                "{}: no such area",
                scenario.id
            );
            assert!(
                !scenario.requirements.is_empty(),
                "{} judges nothing",
                scenario.id
            );
            for requirement in scenario.requirements {
                assert!(
                    contract.requirement(requirement).is_some(),
                    "{}: {requirement}",
                    scenario.id
                );
            }
        }
    }
}

//! What to run and what to report on.
//!
//! Patterns are globs over the ids of requirements, scenarios and areas, whatever the case. `--only MSG-02` runs the
//! scenarios that judge it and reports on nothing else; `--only messages/*` runs these scenarios and reports on all that
//! they judge; `--only rooms` takes an area. `--skip` takes away in the same way. A pattern that matches nothing is an
//! error, so that lists of patterns cannot rot.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use globset::{GlobBuilder, GlobMatcher};
use thiserror::Error;

use crate::contract::{Contract, Requirement};
use crate::scenarios::Scenario;
use crate::verdict::Level;

/// What waits this long has no place in a quick run.
pub(crate) const LONG: Duration = Duration::from_secs(1);

/// What to run and what to report on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scenarios, in the order of the contract.
    pub scenarios: Vec<&'static Scenario>,
    /// The ids of the requirements that are reported on.
    pub requirements: BTreeSet<String>,
    /// The ids of the requirements that [`Plan::quick`] has left out, in the order of the contract.
    pub left_out: Vec<String>,
    /// Whether it is less than everything, by `--only`, `--skip` or `--quick`.
    pub partial: bool,
}

/// What is wrong with a selection.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// It is no glob.
    #[error("{option} {pattern}: {why}")]
    Glob {
        /// `--only` or `--skip`.
        option: &'static str,
        /// The pattern as it was given.
        pattern: String,
        /// Why it is no valid pattern.
        why: String,
    },
    /// Nothing has such an id.
    #[error("{option} {pattern}: no requirement, scenario or area has such an id{}", did_you_mean(.near))]
    Unmatched {
        /// `--only` or `--skip`.
        option: &'static str,
        /// The pattern as it was given.
        pattern: String,
        /// Ids that are spelt alike.
        near: Vec<String>,
    },
    /// Nothing is left.
    #[error("nothing is left to run: --skip leaves out everything that --only selects")]
    Empty,
    /// Nothing is quick.
    #[error("nothing is left to run: everything selected needs waiting, which --quick leaves out")]
    NotQuick,
}

/// `; did you mean A or B?`, or nothing.
pub fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() {
        "; see chatspec list".to_owned()
    } else {
        format!("; did you mean {}?", near.join(" or "))
    }
}

struct Pattern {
    glob: GlobMatcher,
}

impl Pattern {
    fn new(option: &'static str, text: &str) -> Result<Self, PlanError> {
        let glob = GlobBuilder::new(text).case_insensitive(true).build();
        let glob = glob.map_err(|error| PlanError::Glob {
            option,
            pattern: text.to_owned(),
            why: error.kind().to_string(),
        })?;
        Ok(Self {
            glob: glob.compile_matcher(),
        })
    }

    fn takes(&self, id: &str) -> bool {
        self.glob.is_match(id)
    }

    fn takes_requirement(&self, requirement: &Requirement) -> bool {
        self.takes(&requirement.id) || self.takes(&requirement.area)
    }

    fn takes_scenario(&self, scenario: &Scenario) -> bool {
        self.takes(scenario.id) || self.takes(scenario.area())
    }
}

impl Plan {
    /// These scenarios, and all that they judge.
    pub fn of(scenarios: impl IntoIterator<Item = &'static Scenario>) -> Self {
        let scenarios: Vec<_> = scenarios.into_iter().collect();
        let judged = scenarios.iter().flat_map(|scenario| scenario.requirements);
        Self {
            requirements: judged.map(ToString::to_string).collect(),
            scenarios,
            left_out: Vec::new(),
            partial: true,
        }
    }

    /// Everything, less what the patterns leave out.
    pub fn select(
        contract: &Contract,
        scenarios: &[&'static Scenario],
        only: &[String],
        skip: &[String],
    ) -> Result<Self, PlanError> {
        let patterns = |option, texts: &[String]| -> Result<Vec<Pattern>, PlanError> {
            texts
                .iter()
                .map(|text| {
                    let pattern = Pattern::new(option, text)?;
                    let hit = contract.requirements.iter().any(|r| pattern.takes_requirement(r))
                        || scenarios.iter().any(|s| pattern.takes_scenario(s))
                        || contract.areas.iter().any(|area| pattern.takes(&area.id));
                    if hit {
                        Ok(pattern)
                    } else {
                        Err(PlanError::Unmatched {
                            option,
                            pattern: text.clone(),
                            near: near(text, contract, scenarios),
                        })
                    }
                })
                .collect()
        };
        let (only, skip) = (patterns("--only", only)?, patterns("--skip", skip)?);
        let judged = |id: &str, by: &Scenario| by.requirements.contains(&id);

        let mut requirements: BTreeSet<String> = contract
            .requirements
            .iter()
            .filter(|r| {
                only.is_empty()
                    || only.iter().any(|p| {
                        p.takes_requirement(r) || scenarios.iter().any(|s| p.takes(s.id) && judged(&r.id, s))
                    })
            })
            .filter(|r| r.level != Level::May && !skip.iter().any(|p| p.takes_requirement(r)))
            .map(|r| r.id.clone())
            .collect();
        let skipped = |s: &Scenario| skip.iter().any(|p| p.takes_scenario(s));
        let kept: Vec<&'static Scenario> = scenarios
            .iter()
            .copied()
            .filter(|s| !skipped(s) && s.requirements.iter().any(|id| requirements.contains(*id)))
            .collect();
        // A requirement that only skipped scenarios judge has been skipped with them.
        if !skip.is_empty() {
            requirements
                .retain(|id| kept.iter().any(|s| judged(id, s)) || !scenarios.iter().any(|s| judged(id, s)));
        }
        if kept.is_empty() && !(only.is_empty() && skip.is_empty()) && requirements.is_empty() {
            return Err(PlanError::Empty);
        }
        let judgeable = contract.requirements.iter().filter(|r| r.level != Level::May);
        Ok(Self {
            partial: kept.len() < scenarios.len() || requirements.len() < judgeable.count(),
            scenarios: kept,
            requirements,
            left_out: Vec::new(),
        })
    }

    /// Without the scenarios that wait for something to pass, and without the requirements that only these judge.
    pub fn quick(mut self, contract: &Contract) -> Result<Self, PlanError> {
        let before = self.scenarios.len();
        self.scenarios.retain(|scenario| scenario.waits() < LONG);
        self.partial |= self.scenarios.len() < before;
        let judged = |id: &str| {
            self.scenarios
                .iter()
                .any(|scenario| scenario.requirements.contains(&id))
        };
        let of_plan = contract
            .requirements
            .iter()
            .filter(|r| self.requirements.contains(&r.id));
        self.left_out = of_plan.filter(|r| !judged(&r.id)).map(|r| r.id.clone()).collect();
        self.requirements.retain(|id| !self.left_out.contains(id));
        if self.scenarios.is_empty() {
            return Err(PlanError::NotQuick);
        }
        Ok(self)
    }
}

/// Ids that are spelt like this one, best first.
pub fn near(text: &str, contract: &Contract, scenarios: &[&'static Scenario]) -> Vec<String> {
    let wanted = text.to_lowercase();
    let ids = contract
        .requirements
        .iter()
        .map(|r| r.id.clone())
        .chain(scenarios.iter().map(|s| s.id.to_owned()))
        .chain(contract.areas.iter().map(|area| area.id.clone()));
    let mut close: Vec<(usize, Reverse<usize>, String)> = ids
        .map(|id| {
            let lower = id.to_lowercase();
            (
                distance(&wanted, &lower),
                Reverse(common_prefix(&wanted, &lower)),
                id,
            )
        })
        .filter(|(away, _, id)| *away <= 2.max(id.len() / 4))
        .collect();
    close.sort();
    close.into_iter().map(|(_, _, id)| id).take(3).collect()
}

/// How many letters both begin with.
fn common_prefix(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count()
}

/// How many letters have to change to get from one to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::run;
    use crate::scene::{Outcome, Scene};

    async fn nothing(_: &Scene) -> Outcome {
        Ok(())
    }

    static ONE: Scenario = Scenario::new("x/one", "", &["X-01", "X-02"], run!(nothing));
    static TWO: Scenario = Scenario::new("x/two", "", &["X-02"], run!(nothing));
    static WHY: Scenario = Scenario::new("y/why", "", &["Y-01"], run!(nothing));

    fn select(only: &[&str], skip: &[&str]) -> Result<(Vec<&'static str>, Vec<String>), PlanError> {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let plan = Plan::select(
            &Contract::for_test(),
            &[&ONE, &TWO, &WHY],
            &texts(only),
            &texts(skip),
        )?;
        Ok((
            plan.scenarios.iter().map(|s| s.id).collect(),
            plan.requirements.into_iter().collect(),
        ))
    }

    fn are(scenarios: &[&'static str], requirements: &[&str]) -> (Vec<&'static str>, Vec<String>) {
        (
            scenarios.to_vec(),
            requirements.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn without_patterns_everything_runs() {
        assert_eq!(
            select(&[], &[]),
            Ok(are(&["x/one", "x/two", "y/why"], &["X-01", "X-02", "Y-01"]))
        );
    }

    #[test]
    fn only_takes_requirements_scenarios_and_areas_whatever_the_case() {
        assert_eq!(select(&["x-01"], &[]), Ok(are(&["x/one"], &["X-01"])));
        assert_eq!(select(&["X-02"], &[]), Ok(are(&["x/one", "x/two"], &["X-02"])));
        assert_eq!(select(&["x/TWO"], &[]), Ok(are(&["x/one", "x/two"], &["X-02"])));
        assert_eq!(select(&["y"], &[]), Ok(are(&["y/why"], &["Y-01"])));
        assert_eq!(select(&["*/w*"], &[]), Ok(are(&["y/why"], &["Y-01"])));
    }

    #[test]
    fn skip_takes_away() {
        assert_eq!(select(&[], &["x"]), Ok(are(&["y/why"], &["Y-01"])));
        assert_eq!(
            select(&[], &["x/one"]),
            Ok(are(&["x/two", "y/why"], &["X-02", "Y-01"]))
        );
        assert_eq!(select(&["x-01"], &["x"]), Err(PlanError::Empty));
    }

    #[test]
    fn what_is_less_than_everything_is_partial() {
        let partial = |only: &[&str], skip: &[&str]| {
            let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
            Plan::select(
                &Contract::for_test(),
                &[&ONE, &TWO, &WHY],
                &texts(only),
                &texts(skip),
            )
            .unwrap()
            .partial
        };
        assert!(!partial(&[], &[]) && !partial(&["*"], &[]));
        // Also where each requirement is still looked at elsewhere.
        for (only, skip) in [
            (&["x"][..], &[][..]),
            (&[], &["x/two"]),
            (&["X-0*", "Y-01"], &["X-02"]),
        ] {
            assert!(partial(only, skip), "{only:?} {skip:?}");
        }
    }

    #[test]
    fn a_pattern_that_matches_nothing_is_an_error_with_near_ids() {
        let told = select(&["Y-02"], &[]).unwrap_err().to_string();
        assert!(told.contains("did you mean Y-01"), "{told}");
        assert!(matches!(select(&["["], &[]), Err(PlanError::Glob { .. })));
        assert!(
            matches!(select(&[], &["zzzzzz"]), Err(PlanError::Unmatched { near, .. }) if near.is_empty())
        );
    }
}

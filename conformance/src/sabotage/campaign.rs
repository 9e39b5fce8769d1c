//! A target, and a run of the suite for every sabotage, through a proxy of its own.
//!
//! All proxies stand before one target. They do not disturb one another, since every run has users and chats of its own;
//! what would be in the way of others, such as taking the store away, is not run. First comes a run through a proxy without
//! a sabotage: only what passes there can be seen to be broken. What is not as it should be at the end is run again, alone,
//! since many runs at once may be slow enough to disturb what is measured.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use super::trial::{Trial, TrialOutcome};
use super::{Breadth, Catalogue, Sabotage};
use crate::contract::Contract;
use crate::plan::Plan;
use crate::preflight::{self, PrepareError, TargetChoice};
use crate::proxy::{Instructions, Proxy, ProxyError};
use crate::result::{RequirementResult, RunResult};
use crate::runner;
use crate::scenarios::{self, Scenario};
use crate::scene::{Context, RunOptions};
use crate::targets::tokens::Tokens;
use crate::targets::{Target, TargetError};
use crate::verdict::Rules;
use crate::verdict::Verdict;

/// How many runs without a sabotage are made at most: a requirement that passes in one of them is one that the target keeps.
const CONTROLS: usize = 2;
/// Scenarios at once in each run.
const SCENARIOS_AT_ONCE: usize = 16;

/// A target, and what is needed to run the suite against it once per sabotage.
pub struct Campaign {
    /// The target itself, running, and how fast it is.
    direct: Arc<Context>,
    contract: Arc<Contract>,
    catalogue: Catalogue,
    options: RunOptions,
    scenarios: Vec<&'static Scenario>,
    breadth: Breadth,
    /// The requirements that pass without a sabotage.
    sound: BTreeSet<String>,
    stop: watch::Receiver<bool>,
}

/// Why the suite cannot be run through a proxy.
#[derive(Debug, Error)]
pub enum CampaignError {
    /// The proxy does not start.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
    /// The proxy's address cannot be used as a target.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// What happens in a campaign, for a progress bar.
#[derive(Clone, Debug)]
pub enum CampaignEvent {
    /// The run without a sabotage is over.
    Ready,
    /// A sabotage has been tried, for the last time.
    Tried(Arc<Trial>),
}

impl Campaign {
    /// Gets a target ready, and runs the suite through a proxy that does nothing.
    pub async fn set_up(
        subject: TargetChoice,
        contract: Contract,
        catalogue: Catalogue,
        breadth: Breadth,
        scale: f64,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, PrepareError> {
        let options = RunOptions {
            scale,
            rules: Rules {
                strict: true,
                ..Rules::default()
            },
            ..RunOptions::default()
        };
        let contract = Arc::new(contract);
        let direct = preflight::prepare(subject, contract.clone(), options.clone()).await?;
        Ok(Self {
            direct,
            contract,
            catalogue,
            options,
            scenarios: scenarios::all().collect(),
            breadth,
            sound: BTreeSet::new(),
            stop,
        })
    }

    /// What the target is called.
    pub fn target(&self) -> &str {
        &self.direct.target.profile.name
    }

    /// Tries sabotages, `at_once` at the same time; reports each when it has been tried, and gives all in their order.
    pub async fn try_all(
        &mut self,
        sabotages: &[Sabotage],
        at_once: usize,
        mut tell: impl FnMut(CampaignEvent),
    ) -> Result<Vec<Arc<Trial>>, CampaignError> {
        for _ in 0..CONTROLS {
            let control = self.control(sabotages).await?;
            let passed = |requirement: &&RequirementResult| requirement.verdict == Verdict::Pass;
            let sound = control.requirements.iter().filter(passed);
            self.sound.extend(sound.map(|requirement| requirement.id.clone()));
            if control
                .requirements
                .iter()
                .all(|requirement| self.sound.contains(&requirement.id))
            {
                break;
            }
        }
        tell(CampaignEvent::Ready);

        let campaign = &*self;
        // The slow ones first, so that none of them is waited for alone at the end.
        let mut order: Vec<usize> = (0..sabotages.len()).collect();
        order.sort_by_key(|number| std::cmp::Reverse(campaign.slowest(&sabotages[*number])));
        let tried = stream::iter(order)
            .map(async |number: usize| (number, campaign.try_one(&sabotages[number]).await));
        let mut tried = std::pin::pin!(tried.buffer_unordered(at_once.max(1)));
        let mut trials = vec![None; sabotages.len()];
        let mut again = Vec::new();
        while let Some((number, trial)) = tried.next().await {
            if trial.is_well() {
                let trial = Arc::new(trial);
                tell(CampaignEvent::Tried(trial.clone()));
                trials[number] = Some(trial);
            } else {
                again.push(number);
            }
        }
        for number in again {
            let mut trial = campaign.try_one(&sabotages[number]).await;
            trial.runs = 2;
            let trial = Arc::new(trial);
            tell(CampaignEvent::Tried(trial.clone()));
            trials[number] = Some(trial);
        }
        Ok(trials.into_iter().flatten().collect())
    }

    fn slowest(&self, sabotage: &Sabotage) -> std::time::Duration {
        let plan = sabotage.plan(&self.scenarios, self.breadth);
        plan.scenarios
            .iter()
            .map(|scenario| scenario.waits())
            .max()
            .unwrap_or_default()
    }

    /// The run without a sabotage: everything that is run with one of these.
    async fn control(&self, sabotages: &[Sabotage]) -> Result<Arc<RunResult>, CampaignError> {
        let plans: Vec<Plan> = sabotages
            .iter()
            .map(|sabotage| sabotage.plan(&self.scenarios, self.breadth))
            .collect();
        let wanted = |scenario: &&'static Scenario| {
            plans
                .iter()
                .any(|plan| plan.scenarios.iter().any(|planned| planned.id == scenario.id))
        };
        let plan = Plan::of(self.scenarios.iter().copied().filter(wanted));
        let (result, _) = self.run(plan, Instructions::default()).await?;
        Ok(result)
    }

    async fn try_one(&self, sabotage: &Sabotage) -> Trial {
        if !self.sound.contains(&sabotage.breaks) {
            let why = format!("{} does not pass without the sabotage", sabotage.breaks);
            return Trial::without_run(sabotage, TrialOutcome::Unfit(why));
        }
        let instructions = Instructions {
            rules: sabotage.rules.clone(),
            observations: self.catalogue.observations_for(sabotage),
            ..Instructions::default()
        };
        match self
            .run(sabotage.plan(&self.scenarios, self.breadth), instructions)
            .await
        {
            Ok((result, fired)) => Trial::judge(sabotage, &result, fired, &self.sound),
            Err(error) => Trial::without_run(sabotage, TrialOutcome::Broken(error.to_string())),
        }
    }

    /// A run through a proxy with these instructions; gives how often a rule was about something as well.
    async fn run(
        &self,
        plan: Plan,
        instructions: Instructions,
    ) -> Result<(Arc<RunResult>, usize), CampaignError> {
        let target = &self.direct.target;
        let mut profile = target.profile.clone();
        let tokens = Tokens::default();
        let instructions = Instructions {
            rest: profile.rest.clone(),
            tokens: tokens.clone(),
            ..instructions
        };
        let addresses: Vec<_> = target
            .urls()
            .iter()
            .chain(target.own_rest_url())
            .cloned()
            .collect();
        let proxy = Proxy::start(&addresses, instructions).await?;
        let (urls, rest) = proxy.urls().split_at(target.urls().len());
        profile = profile.at(urls.to_vec());
        if let Some(rest) = rest.first() {
            profile.rest.url = Some(rest.clone());
        }
        let target = Target::new(profile)?.with_tokens(tokens);
        let context = Arc::new(Context::new(target, self.contract.clone(), self.options.clone()));
        context.calibrate(self.direct.timing().measured().copied());
        // Nobody listens: what came of it is all that is wanted.
        let (events, _) = mpsc::unbounded_channel();
        let result = runner::run(
            Arc::new(plan),
            context,
            SCENARIOS_AT_ONCE,
            events,
            self.stop.clone(),
        )
        .await;
        Ok((result, proxy.fired()))
    }
}

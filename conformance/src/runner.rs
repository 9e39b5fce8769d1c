//! Runs scenarios, many at once, and tells what happens through events; it prints nothing.
//!
//! The costly start first. Those that are exclusive run afterwards, one by one, the disruptive last, and so do those whose timing was too
//! close to tell: they are run again alone, at most twice, and only the last attempt counts. Scenarios on what was added to
//! the contract after the set that counts come when all this is over, so that they can take nothing away from it.
//!
//! A scenario that panics is a fault of the kit. One that takes too long is stopped. What has not failed in a scenario
//! that did not get to its end is unverified as blocked, which makes the exit code 1 for a MUST. After a blocked scenario
//! the target is asked for a handshake; when it does not answer, the run is given up.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::plan::Plan;
use crate::preflight;
use crate::result::{RunEvent, RunResult, ScenarioResult, by_requirement};
use crate::scenarios::Scenario;
use crate::scene::{Context, Outcome, Record, Scene, Stop};
use crate::transcript::TranscriptLine;
use crate::verdict::{Blocked, Check, Unverified, Verdict};

const RETRIES: usize = 2;

/// Runs a plan. `stop` turning true cuts it short.
pub async fn run(
    plan: Arc<Plan>,
    context: Arc<Context>,
    jobs: usize,
    events: mpsc::UnboundedSender<RunEvent>,
    stop: watch::Receiver<bool>,
) -> Arc<RunResult> {
    let started_at = OffsetDateTime::now_utc();
    let began = Instant::now();
    let mut run = Run {
        context: context.clone(),
        began,
        events,
        stop,
        results: Vec::new(),
        lost: None,
    };
    run.tell(RunEvent::Started {
        context: context.clone(),
        plan: plan.clone(),
    });
    let set = &context.contract.set;
    let counts = |scenario: &&Scenario| scenario.requirements.iter().any(|id| set.has(id));
    let (claimed, later): (Vec<_>, Vec<_>) = plan.scenarios.iter().copied().partition(counts);
    run.all(claimed, jobs.max(1)).await;
    // A target that goes away only now has kept what is claimed of it.
    let lost = run.lost.clone();
    run.all(later, jobs.max(1)).await;

    let place = |wanted: &ScenarioResult| plan.scenarios.iter().position(|s| s.id == wanted.scenario.id);
    run.results.sort_by_key(place);
    let (requirements, later) = by_requirement(&context.contract, &plan.requirements, &run.results)
        .into_iter()
        .partition(|r| set.has(&r.id));
    let result = Arc::new(RunResult {
        protocol: context.contract.protocol.clone(),
        set: set.name().to_owned(),
        target: context.target.profile.name.clone(),
        urls: context.target.urls().iter().map(ToString::to_string).collect(),
        provisioning: context.target.profile.provision.kind(),
        limits: context.target.profile.limits.clone(),
        started_at,
        duration: began.elapsed(),
        calibration: context.timing().measured().copied(),
        interrupted: *run.stop.borrow(),
        lost,
        partial: plan.partial,
        left_out: plan.left_out.clone(),
        requirements,
        later,
        scenarios: std::mem::take(&mut run.results),
        rules: context.options.rules,
        baseline: None,
    });
    run.tell(RunEvent::Finished(result.clone()));
    result
}

struct Run {
    context: Arc<Context>,
    began: Instant,
    events: mpsc::UnboundedSender<RunEvent>,
    stop: watch::Receiver<bool>,
    results: Vec<ScenarioResult>,
    lost: Option<String>,
}

impl Run {
    fn tell(&self, event: RunEvent) {
        // Nobody listening is no reason to stop.
        self.events.send(event).ok();
    }

    /// Why no further scenario is to start, if so.
    fn over(&self) -> Option<String> {
        if *self.stop.borrow() {
            return Some("the run was interrupted".to_owned());
        }
        self.lost
            .as_ref()
            .map(|why| format!("the target has stopped answering: {why}"))
    }

    /// Runs scenarios: at once what can be, and the rest one by one.
    async fn all(&mut self, scenarios: Vec<&'static Scenario>, jobs: usize) {
        type Scenarios = Vec<&'static Scenario>;
        let (mut exclusive, mut at_once): (Scenarios, Scenarios) =
            scenarios.into_iter().partition(|s| s.exclusive);
        at_once.sort_by_key(|scenario| std::cmp::Reverse(scenario.cost));
        let mut alone = self.many(at_once, jobs).await;
        exclusive.sort_by_key(|scenario| scenario.disruptive);
        alone.extend(exclusive.into_iter().map(|scenario| (scenario, RETRIES)));
        self.one_by_one(alone).await;
    }

    /// Runs scenarios at once; gives those that have to run again alone.
    async fn many(
        &mut self,
        scenarios: Vec<&'static Scenario>,
        jobs: usize,
    ) -> Vec<(&'static Scenario, usize)> {
        let mut again = Vec::new();
        let mut waiting = scenarios.into_iter();
        let mut running = JoinSet::new();
        loop {
            while running.len() < jobs {
                let Some(scenario) = waiting.next() else { break };
                if let Some(why) = self.over() {
                    self.finish(not_run(scenario, &why));
                    continue;
                }
                self.tell(RunEvent::ScenarioStarted(scenario));
                running.spawn(attempt(
                    self.context.clone(),
                    scenario,
                    self.began,
                    self.stop.clone(),
                ));
            }
            match running.join_next().await {
                None => return again,
                Some(Ok(done)) => {
                    let result = self.take(done);
                    if result.verdict == Verdict::Inconclusive && self.over().is_none() {
                        again.push((result.scenario, RETRIES - 1));
                    } else {
                        self.finish(result);
                    }
                }
                // The scenario's own panics are caught inside; this one would be the runner's.
                Some(Err(error)) => self.lost = Some(format!("the kit is at fault: {error}")),
            }
        }
    }

    /// Runs scenarios alone, each with so many further attempts.
    async fn one_by_one(&mut self, scenarios: Vec<(&'static Scenario, usize)>) {
        for (scenario, retries) in scenarios {
            for left in (0..=retries).rev() {
                if let Some(why) = self.over() {
                    self.finish(not_run(scenario, &why));
                    break;
                }
                self.tell(RunEvent::ScenarioStarted(scenario));
                let done = attempt(self.context.clone(), scenario, self.began, self.stop.clone()).await;
                let mut result = self.take(done);
                result.attempts = 1 + RETRIES - left;
                if result.verdict != Verdict::Inconclusive || left == 0 {
                    self.finish(result);
                    break;
                }
            }
        }
    }

    fn take(&mut self, done: Attempt) -> ScenarioResult {
        if self.lost.is_none() {
            self.lost = done.lost;
        }
        done.result
    }

    fn finish(&mut self, result: ScenarioResult) {
        self.tell(RunEvent::ScenarioFinished(Arc::new(result.clone())));
        self.results.push(result);
    }
}

struct Attempt {
    result: ScenarioResult,
    /// Why the target does not answer any more, if so.
    lost: Option<String>,
}

async fn attempt(
    context: Arc<Context>,
    scenario: &'static Scenario,
    run_began: Instant,
    mut stop: watch::Receiver<bool>,
) -> Attempt {
    let began = Instant::now();
    let scene = Scene::new(context.clone(), scenario.id);
    let limit = context.timing().scenario(scenario.waits());
    let outcome = tokio::select! {
        outcome = perform(scenario, &scene, limit) => outcome,
        () = stopped(&mut stop) => Err(Stop::blocked("the run was interrupted")),
    };
    let outcome = match scene.tear_down().await {
        Err(Stop::Harness(why)) => Err(Stop::Harness(format!(
            "the target's store could not be brought up again: {why}"
        ))),
        _ => outcome,
    };
    let lost = match &outcome {
        Err(Stop::Blocked(_)) if !*stop.borrow() => preflight::still_there(&context).await.err(),
        _ => None,
    };
    let mut result = conclude(scenario, scene.recorded(), outcome, &scene.frames());
    result.began = began.duration_since(run_began);
    result.duration = began.elapsed();
    Attempt { result, lost }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody can stop the run any more.
        std::future::pending::<()>().await;
    }
}

/// Runs the story within its limit; a panic is a fault of the kit.
async fn perform(scenario: &Scenario, scene: &Scene, limit: Duration) -> Outcome {
    let story = AssertUnwindSafe((scenario.run)(scene)).catch_unwind();
    match tokio::time::timeout(limit, story).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => {
            let text = panic
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| panic.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "no message".to_owned());
            Err(Stop::Harness(format!("the scenario panicked: {text}")))
        }
        Err(_) => Err(Stop::blocked(format!(
            "it did not finish within {} s",
            limit.as_secs()
        ))),
    }
}

fn not_run(scenario: &'static Scenario, why: &str) -> ScenarioResult {
    conclude(scenario, Record::default(), Err(Stop::blocked(why)), &[])
}

/// The result of a scenario from its record and its end: every declared requirement gets a check, and only those. Its
/// times are for the caller to fill in. `frames` led to that end.
fn conclude(
    scenario: &'static Scenario,
    record: Record,
    outcome: Outcome,
    frames: &[TranscriptLine],
) -> ScenarioResult {
    let Record {
        mut checks,
        notes,
        measurements,
    } = record;
    for check in &mut checks {
        if !scenario.requirements.contains(&check.requirement.as_str()) {
            check.verdict = Verdict::Harness;
            check.message = Some(format!(
                "{} judges {}, which it does not declare",
                scenario.id, check.requirement
            ));
        }
    }
    let blocked = |requirement: &str, blocked: &Blocked| {
        let why = format!("blocked: {}", blocked.why);
        let kind = Unverified::Blocked(Box::new(blocked.clone()));
        let mut check = Check::unverified(requirement, scenario.id, kind, why);
        check.frames = frames.to_vec();
        check
    };
    let not_offered = |requirement: &str, why: &str| {
        Check::unverified(requirement, scenario.id, Unverified::NotOffered, why)
    };
    // Half a story proves nothing: what passed before may be what a server that does nothing passes as well.
    for check in checks.iter_mut().filter(|check| check.verdict == Verdict::Pass) {
        match &outcome {
            Err(Stop::Blocked(by)) => *check = blocked(&check.requirement, by),
            Err(Stop::Unverified(why)) => *check = not_offered(&check.requirement, why),
            Ok(()) | Err(Stop::Judged(_) | Stop::Harness(_)) => {}
        }
    }
    for requirement in scenario.requirements {
        if checks.iter().any(|check| check.requirement == *requirement) {
            continue;
        }
        checks.push(match &outcome {
            Ok(()) => blocked(requirement, &Blocked::because("the scenario did not get to it")),
            Err(Stop::Blocked(by)) => blocked(requirement, by),
            Err(Stop::Judged(other)) => blocked(
                requirement,
                &Blocked {
                    requirement: Some(other.clone()),
                    ..Blocked::because(format!("{other} does not hold"))
                },
            ),
            Err(Stop::Unverified(why)) => not_offered(requirement, why),
            Err(Stop::Harness(why)) => {
                Check::new(requirement, scenario.id, Verdict::Harness).because(why.clone())
            }
        });
    }
    let mut verdict = Verdict::over(checks.iter().map(|check| check.verdict));
    let message = match outcome {
        Ok(()) | Err(Stop::Judged(_)) => None,
        Err(Stop::Blocked(by)) => Some(format!("blocked: {}", by.why)),
        Err(Stop::Unverified(why)) => Some(why),
        Err(Stop::Harness(why)) => {
            verdict = Verdict::over([verdict, Verdict::Harness]);
            Some(why)
        }
    };
    ScenarioResult {
        scenario,
        verdict,
        attempts: 1,
        began: Duration::ZERO,
        duration: Duration::ZERO,
        checks,
        notes,
        measurements,
        message,
    }
}

#[cfg(test)]
mod tests;

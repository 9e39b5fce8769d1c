//! Plays a scenario against the reference server, and records it.

use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;

use crate::contract::Contract;
use crate::preflight::{PrepareError, start_reference};
use crate::scenarios::Scenario;
use crate::scene::{Context, RunOptions, Scene, Stop};
use crate::transcript::record::{Entry, Recorder};
use crate::verdict::Verdict;

/// Why there is no recording.
#[derive(Debug, Error)]
pub enum NotPlayed {
    /// The reference server does not start.
    #[error(transparent)]
    NotReady(#[from] PrepareError),
    /// It does not do what is recorded as what a server does.
    #[error("the reference server does not get through {scenario}: {why}")]
    Fails {
        /// Which scenario.
        scenario: &'static str,
        /// What happened instead.
        why: String,
    },
}

/// Everything that happens when the scenario is played against the reference server: with tokens and annotations. It is played
/// again where it does not work at once, since on a busy machine some timing may be too close to tell.
pub async fn play(scenario: &'static Scenario) -> Result<Vec<Entry>, NotPlayed> {
    const RETRIES: usize = 2;
    for _ in 0..RETRIES {
        if let Ok(entries) = once(scenario).await {
            return Ok(entries);
        }
    }
    once(scenario).await
}

async fn once(scenario: &'static Scenario) -> Result<Vec<Entry>, NotPlayed> {
    let contract = Contract::embedded().map_err(|error| NotPlayed::Fails {
        scenario: scenario.id,
        why: error.to_string(),
    })?;
    let entries = Arc::new(Mutex::new(Vec::new()));
    let taken = entries.clone();
    let recorder = Recorder::confidential(move |entry| {
        taken.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
        Ok(())
    });
    let options = RunOptions {
        recorder: Some(Arc::new(recorder)),
        ..RunOptions::default()
    };
    // Nothing is measured before: the times that a script waits are its own.
    let context = Arc::new(Context::new(start_reference(None).await?, contract, options));
    let scene = Scene::new(context.clone(), scenario.id);
    let limit = context.timing().scenario(scenario.waits());
    let outcome = tokio::time::timeout(limit, (scenario.run)(&scene)).await;
    // What comes from here on is clearing up.
    let entries = std::mem::take(&mut *entries.lock().unwrap_or_else(PoisonError::into_inner));
    let torn_down = scene.tear_down().await;
    let fails = |why: String| NotPlayed::Fails {
        scenario: scenario.id,
        why,
    };
    match outcome {
        Err(_) => return Err(fails(format!("it did not finish within {} s", limit.as_secs()))),
        Ok(Err(Stop::Judged(_)) | Ok(())) => {}
        Ok(Err(stop)) => return Err(fails(stop.why())),
    }
    torn_down.map_err(|stop| fails(stop.why()))?;
    let checks = scene.recorded().checks;
    match checks.iter().find(|check| check.verdict != Verdict::Pass) {
        Some(check) => Err(fails(format!(
            "{} {}",
            check.requirement,
            check.message.as_deref().unwrap_or(check.verdict.word())
        ))),
        None => Ok(entries),
    }
}

//! Trying out a target file, one step after the other: what was sent, what came back, what to change.
//!
//! - [`examine`]: all steps, told one by one
//! - `steps`: what they do
//! - `advice`: what to change where one does not work

mod advice;
mod steps;

use std::sync::Arc;

use crate::contract::Contract;
use crate::preflight;
use crate::scene::{Context, RunOptions, Scene, Stop};
use crate::targets::Target;
use crate::targets::profile::Profile;
use crate::transcript::Transcript;
use steps::Examination;

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// What was tried, as in `register`.
    pub step: &'static str,
    /// Whether it works.
    pub state: StepState,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// It works; what was seen.
    Works(String),
    /// It does not.
    Broken {
        /// What was expected and what came instead, or why the step could not be done.
        why: String,
        /// What was sent and what came back, oldest first.
        frames: Vec<String>,
        /// What to change.
        advice: String,
    },
    /// The target file says that it is not offered, and it is not.
    NotOffered(String),
    /// A step that it builds on does not work.
    NotTried(&'static str),
}

impl StepReport {
    /// Whether something has to be mended.
    pub const fn is_broken(&self) -> bool {
        matches!(self.state, StepState::Broken { .. })
    }
}

/// Examines a target, and tells every finding as it is made. Gives whether all is well.
pub async fn examine(
    profile: Profile,
    contract: Contract,
    timeout_scale: f64,
    mut tell: impl FnMut(&StepReport),
) -> bool {
    let mut well = true;
    let mut told = |finding: StepReport| {
        well &= !finding.is_broken();
        tell(&finding);
    };
    let launched = profile.launch.is_some();
    let target = match Target::start(profile).await {
        Ok(target) => target,
        Err(error) => {
            told(StepReport {
                step: "start",
                state: StepState::Broken {
                    why: error.to_string(),
                    frames: Vec::new(),
                    advice: advice::on_start(&error).to_owned(),
                },
            });
            return false;
        }
    };
    let urls: Vec<String> = target.urls().iter().map(ToString::to_string).collect();
    if launched {
        told(StepReport {
            step: "start",
            state: StepState::Works(format!("ready at {}", urls.join(" "))),
        });
    }
    let options = RunOptions {
        scale: timeout_scale,
        ..RunOptions::default()
    };
    let context = Arc::new(Context::new(target, contract, options));
    match preflight::can_be_reached(&context).await {
        Ok(()) => told(StepReport {
            step: "socket.io",
            state: StepState::Works(format!("answers at {}", urls.join(" "))),
        }),
        Err(unfit) => {
            told(StepReport {
                step: "socket.io",
                state: StepState::Broken {
                    why: unfit.to_string(),
                    frames: Vec::new(),
                    advice: advice::ON_REACHING.to_owned(),
                },
            });
            return false;
        }
    }
    Box::pin(walk(&context, told)).await;
    well
}

/// All steps on a target that can be reached.
async fn walk(context: &Arc<Context>, mut tell: impl FnMut(StepReport)) {
    let scene = Scene::new(context.clone(), "kit/doctor");
    let mut examination = Examination::new(&scene);
    let mut broken: Vec<&'static str> = Vec::new();
    for step in steps::ALL {
        if let Some(cause) = step.after.iter().copied().find(|before| broken.contains(before)) {
            broken.push(step.name);
            tell(StepReport {
                step: step.name,
                state: StepState::NotTried(cause),
            });
            continue;
        }
        let before = scene.transcript().len();
        let done = examination.take(step.what).await;
        let state = match done {
            Ok(seen) => StepState::Works(seen),
            Err(Stop::Unverified(why)) => {
                broken.push(step.name);
                StepState::NotOffered(why)
            }
            Err(stop) => {
                broken.push(step.name);
                let why = stop.why();
                StepState::Broken {
                    frames: since(scene.transcript(), before),
                    advice: advice::on(step.what, &why, &context.target.profile),
                    why,
                }
            }
        };
        tell(StepReport {
            step: step.name,
            state,
        });
    }
    // Nothing depends on how it ends.
    scene.tear_down().await.ok();
}

fn since(transcript: &Transcript, before: usize) -> Vec<String> {
    let lines = transcript.last(transcript.len().saturating_sub(before), |_| false);
    lines.iter().map(ToString::to_string).collect()
}

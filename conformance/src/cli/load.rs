//! `load`: many users at once, with an eye on every message.
//!
//! - `args`: what it takes
//! - `outputs`: the reports, and where they go

mod args;
mod outputs;

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

pub(super) use args::LoadArgs;

use super::Failure;
use super::run::interruption;
use crate::contract::Contract;
use crate::load::outcome::LoadResult;
use crate::load::plan::Plan;
use crate::load::process::{self, Watched};
use crate::load::{self, Conditions, LoadError, Progress, Tell};
use crate::preflight::PrepareError;
use crate::result::Exit;
use crate::scene::{Context, RunOptions};
use crate::targets::profile::{Limits, Profile};
use crate::targets::{Target, reference};

pub(super) const EXAMPLES: &str = "Examples:
  chatspec load                                        100 users, 50 messages a second for 10 s, on the reference server
  chatspec load --rooms 100 --rate 500 --duration 1m   ten times as many, for a minute
  chatspec load --rooms 10 --rate 2000 --rate-max 300  few users who send much: the limit must be lifted
  chatspec load --idle 90% --ramp 20s                  nine of ten connections only stay open
  chatspec load --connect-only 5000 --duration 30s     a storm of connections, held for half a minute
  chatspec load --target chatspec.toml --report json=load.json --report html=load.html
  chatspec load --url http://a:4000 --url http://b:4000 --pid 4711 --pid 4712

Without --target and --url it is the reference server, in memory, in a process of its own where the program chatspec-server
is beside this one, and otherwise inside this process.

Messages go out at their times, whether or not those before have been answered, and latencies count from those times. Users
are registered first, which is slow where passwords are hashed well.

Exit codes: 0 nothing was lost, doubled, out of order or invented; 1 something was; 2 the command line or the target file is
wrong, or the rate would meet the rate limit; 3 the target cannot be reached, or answers nothing; 130 interrupted.";

/// Loads a server; 0 where nothing was lost, doubled, out of order or invented.
pub(super) fn load(args: &LoadArgs, contract: Contract) -> Result<Exit, Failure> {
    // What the person got wrong is told before anything is started or written.
    let profile = args.profile()?;
    let limits = profile
        .as_ref()
        .map_or_else(|| args.reference_limits(), |profile| profile.limits.clone());
    let plan = Plan::new(args.wanted(), &limits).map_err(|error| Failure::new(Exit::Usage, error))?;
    let watched = watched(&args.pid)?;
    let mut outputs = outputs::outputs(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, error))?;
    let outcome = runtime.block_on(perform(args, contract, profile, &limits, plan, watched));
    // Connections that do not end are no reason to wait.
    runtime.shutdown_background();
    let outcome = outcome?;
    for output in &mut outputs {
        output.write(&outcome)?;
    }
    Ok(outcome.exit())
}

async fn perform(
    args: &LoadArgs,
    contract: Contract,
    profile: Option<Profile>,
    limits: &Limits,
    plan: Plan,
    watched: Option<Watched>,
) -> Result<LoadResult, Failure> {
    let stop = interruption();
    let mut interrupted = stop.clone();
    let starting = start(profile, limits);
    let (target, shares_process) = tokio::select! {
        target = starting => target?,
        _ = interrupted.wait_for(|stop| *stop) => return Err(LoadError::Interrupted.into()),
    };
    let conditions = Conditions {
        watched: watched.or_else(|| target.process_group().map(Watched::Group)),
        shares_process,
        connecting: args.connecting.into(),
        ..Conditions::default()
    };
    let context = Arc::new(Context::new(target, contract, RunOptions::default()));
    let bar = progress_bar();
    let shown = bar.clone();
    let tell: Tell = Arc::new(move |progress| show(&shown, progress));
    let outcome = load::run(plan, context.clone(), conditions, stop, tell).await;
    bar.finish_and_clear();
    match (outcome, context.target.exit_report()) {
        (Ok(mut outcome), exit_report) => {
            outcome
                .warnings
                .extend(exit_report.map(|told| format!("the server ended during the load: {told}")));
            Ok(outcome)
        }
        (Err(error), Some(exit_report)) => Err(Failure::new(Exit::Fault, format!("{error}; {exit_report}"))),
        (Err(error), None) => Err(error.into()),
    }
}

/// The processes of `--pid`, which must be there.
fn watched(pids: &[u32]) -> Result<Option<Watched>, Failure> {
    for pid in pids {
        if process::usage(&Watched::Processes(vec![*pid])).is_none() {
            let text = format!(
                "--pid {pid}: there is no such process, or this system does not report CPU time and memory of processes"
            );
            return Err(Failure::new(Exit::Usage, text));
        }
    }
    Ok((!pids.is_empty()).then(|| Watched::Processes(pids.to_vec())))
}

/// The target, running, and whether it does so in this process.
async fn start(profile: Option<Profile>, limits: &Limits) -> Result<(Target, bool), PrepareError> {
    let rate_max = u32::try_from(limits.rate_max).unwrap_or(u32::MAX);
    if let Some(profile) = profile.or_else(|| reference::in_own_process(rate_max)) {
        return Ok((Target::start(profile).await?, false));
    }
    let (profile, running) = reference::start_for_load(rate_max).await?;
    Ok((Target::new(profile)?.keeping(running), true))
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        let exit = match error {
            LoadError::Interrupted => Exit::Interrupted,
            _ => Exit::Fault,
        };
        Self::new(exit, error)
    }
}

fn progress_bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("  {spinner:.cyan} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn show(bar: &ProgressBar, progress: Progress) {
    if bar.is_hidden() {
        return;
    }
    bar.set_message(match progress {
        Progress::Registering { done, of } => format!("{done} of {of} users"),
        Progress::Connecting { done, of } => format!("{done} of {of} connections"),
        Progress::Loading {
            since,
            of,
            sent,
            acked,
            delivered,
        } => format!(
            "{} of {} s: {sent} sent, {acked} acknowledged, {delivered} delivered",
            since.as_secs(),
            of.as_secs_f64()
        ),
        Progress::Draining { open } => format!(
            "waiting for {} acks and {} deliveries",
            open.unanswered, open.missing
        ),
    });
}

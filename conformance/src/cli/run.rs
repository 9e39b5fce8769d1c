//! `run`: from the command line to an exit code.

use std::io;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::files::fresh;
use super::reports::reports;
use super::{Failure, RunArgs};
use crate::baseline::Baseline;
use crate::contract::Contract;
use crate::plan::Plan;
use crate::preflight::{self, PrepareError, TargetChoice};
use crate::report::Report;
use crate::result::RunEvent;
use crate::result::{Exit, RunResult};
use crate::runner;
use crate::scenarios;
use crate::scene::RunOptions;
use crate::services;
use crate::targets::TargetError;
use crate::transcript::record::Recorder;
use crate::verdict::Rules;

pub(super) fn run(args: &RunArgs, contract: Contract) -> Result<Exit, Failure> {
    // What the person got wrong is told before anything is started or written.
    let contract = contract
        .held_to(&args.set)
        .map_err(|error| Failure::new(Exit::Usage, format!("--set: {error}")))?;
    let all: Vec<_> = scenarios::all().collect();
    let plan = Plan::select(&contract, &all, &args.only, &args.skip)
        .and_then(|plan| {
            if args.quick {
                plan.quick(&contract)
            } else {
                Ok(plan)
            }
        })
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let known = args.baseline.as_deref();
    let known = known
        .map(|path| Baseline::read(path, &contract, &all))
        .transpose()
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let subject = subject(args)?;
    let reports = reports(args)?;
    let options = RunOptions {
        scale: args.timeout_scale,
        rules: Rules {
            strict: args.strict,
            require_all: args.require_all,
        },
        recorder: recorder(args)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, error))?;
    let exit = runtime.block_on(perform(args, contract, plan, subject, options, reports, known));
    // Connections that do not end are no reason to wait.
    runtime.shutdown_background();
    exit
}

/// The server to test.
fn subject(args: &RunArgs) -> Result<TargetChoice, Failure> {
    Ok(match args.target.profile()? {
        Some(profile) => profile.into(),
        None if args.with_mongodb && !services::BUILT_IN => {
            return Err(Failure::new(Exit::Usage, services::MISSING));
        }
        None if args.with_mongodb => TargetChoice::ReferenceOnMongoDb,
        None => TargetChoice::Reference,
    })
}

/// How many scenarios run at once. What stands in for MongoDB takes one request after the other: with all of them at once, a
/// slow machine keeps requests waiting until the server gives up.
fn jobs(args: &RunArgs) -> usize {
    let usual = if args.with_mongodb { 8 } else { 64 };
    args.jobs.unwrap_or(usual).into()
}

/// The recorder for `--transcript`, if it is given.
fn recorder(args: &RunArgs) -> Result<Option<Arc<Recorder>>, Failure> {
    let path = args.transcript.as_deref();
    let file = path.map(|path| fresh("--transcript", path)).transpose()?;
    Ok(file.map(|file| Arc::new(Recorder::lines(file))))
}

async fn perform(
    args: &RunArgs,
    contract: Contract,
    plan: Plan,
    subject: TargetChoice,
    options: RunOptions,
    reports: Vec<Box<dyn Report>>,
    known: Option<Baseline>,
) -> Result<Exit, Failure> {
    let recorder = options.recorder.clone();
    let stop = interruption();
    let mut interrupted = stop.clone();
    let context = tokio::select! {
        context = preflight::prepare(subject, contract, options) => context?,
        _ = interrupted.wait_for(|stop| *stop) => return Ok(Exit::Interrupted),
    };

    let (events, received) = mpsc::unbounded_channel();
    let reporting = tokio::task::spawn_blocking(move || write_reports(reports, received, known.as_ref()));
    let result = runner::run(Arc::new(plan), context, jobs(args), events, stop).await;
    let reported = reporting.await;
    if let Some(error) = recorder.and_then(|recorder| recorder.failure()) {
        let text = format!("the transcript is incomplete, because it could not be written: {error}");
        return Err(Failure::new(Exit::Fault, text));
    }
    match reported {
        Ok(Ok(judged)) => Ok(judged.unwrap_or(result).exit()),
        Ok(Err(error)) => Err(Failure::new(
            Exit::Fault,
            format!("a report could not be written: {error}"),
        )),
        Err(error) => Err(Failure::new(Exit::Fault, error)),
    }
}

/// Turns true at the first Ctrl-C or SIGTERM; the second one ends the process at once.
#[expect(clippy::disallowed_methods, reason = "a second Ctrl-C means: end at once")]
pub(super) fn interruption() -> watch::Receiver<bool> {
    let (stopper, stop) = watch::channel(false);
    tokio::spawn(async move {
        if asked_to_stop().await {
            stopper.send_replace(true);
            anstream::eprintln!("chatspec: interrupted; writing the reports of what has been run");
            if asked_to_stop().await {
                std::process::exit(Exit::Interrupted as i32);
            }
        }
        // A receiver whose sender is gone would look as if it could not be interrupted.
        std::future::pending::<()>().await;
    });
    stop
}

/// Waits for a Ctrl-C, or for the SIGTERM by which CI systems end what takes too long; false where neither can be had.
#[cfg(unix)]
async fn asked_to_stop() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return tokio::signal::ctrl_c().await.is_ok();
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
        terminated = terminate.recv() => terminated.is_some(),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        let exit = match error {
            PrepareError::Target(TargetError::MongoDb(_)) if !services::BUILT_IN => Exit::Usage,
            PrepareError::Target(TargetError::Launch(_) | TargetError::MongoDb(_) | TargetError::Jwks(_)) => {
                Exit::Fault
            }
            PrepareError::Target(_) => Exit::Usage,
            PrepareError::Reference(_) | PrepareError::MongoDb(_) | PrepareError::Unfit(_) => Exit::Fault,
        };
        Self::new(exit, error)
    }
}

/// Hands every event to every report; if one fails, the others go on. Gives the result with what the baseline says to it.
/// The error is the first one of a report.
fn write_reports(
    mut reports: Vec<Box<dyn Report>>,
    mut events: mpsc::UnboundedReceiver<RunEvent>,
    known: Option<&Baseline>,
) -> io::Result<Option<Arc<RunResult>>> {
    let mut failed = None;
    let mut finished = None;
    while let Some(mut event) = events.blocking_recv() {
        if let RunEvent::Finished(result) = &mut event {
            if let Some(baseline) = known {
                *result = baseline.apply(result);
            }
            finished = Some(result.clone());
        }
        reports.retain_mut(|report| match report.event(&event) {
            Ok(()) => true,
            Err(error) => {
                if error.kind() != io::ErrorKind::BrokenPipe {
                    failed.get_or_insert(error);
                }
                false
            }
        });
        if finished.is_some() {
            break;
        }
    }
    failed.map_or(Ok(finished), Err)
}

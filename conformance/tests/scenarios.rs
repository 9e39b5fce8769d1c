//! Every scenario as a test of its own: against the reference server, or against `CHATSPEC_URL` or `CHATSPEC_TARGET`.
//!
//! The first test that runs starts all scenarios that are selected, at once; each test then waits for its own result. So
//! `cargo test` takes as long as the command line does, and filters, `--exact`, `--skip` and `--list` work as everywhere.
//!
//! - `CHATSPEC_URL`: another target; several addresses of it are separated by commas
//! - `CHATSPEC_TARGET`: a target file, from the top of the repository on; `CHATSPEC_URL` comes before the addresses in it
//! - `CHATSPEC_JWT_SECRET`: the target's HS256 secret
//! - `CHATSPEC_TIMEOUT_SCALE`: a factor on every deadline
//!
//! Against the reference, a scenario succeeds only if everything that it judges passes. Against another target, what
//! could not be verified or was too close to tell is shown as ignored with the reason, and a warning is no failure.

use std::collections::HashMap;
use std::env;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};

use chatspec::contract::Contract;
use chatspec::plan::Plan;
use chatspec::preflight::{self, TargetChoice};
use chatspec::report::json;
use chatspec::result::RunEvent;
use chatspec::result::{RunResult, ScenarioResult};
use chatspec::runner;
use chatspec::scenarios::{self, Scenario};
use chatspec::scene::RunOptions;
use chatspec::targets::profile::Profile;
use chatspec::verdict::{Level, Verdict};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::sync::{mpsc, watch};

fn main() -> ExitCode {
    let args = Arguments::from_args();
    let tests: Vec<Trial> = scenarios::all().map(scenario).chain(overall()).collect();
    let selected = |scenario: &&'static Scenario| {
        let test = Trial::test(scenario.id, || Ok(()));
        !args.is_filtered_out(&test)
    };
    SELECTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(scenarios::all().filter(selected));
    libtest_mimic::run(&args, tests).exit_code()
}

fn scenario(scenario: &'static Scenario) -> Trial {
    Trial::ignorable_test(scenario.id, move || match BOARD.scenario(scenario.id) {
        Ok(result) => conclude(&result),
        Err(why) => Err(why.into()),
    })
}

/// What is to hold for the run as a whole.
fn overall() -> [Trial; 2] {
    [
        Trial::test("run/report-fits-its-schema", || {
            let result = BOARD.run()?;
            Contract::embedded()?
                .schemas
                .matches("report", &json::document(&result))?;
            Ok(())
        }),
        Trial::ignorable_test("run/the-reference-keeps-every-must-and-should", || {
            let result = BOARD.run()?;
            if !on_the_reference() || result.scenarios.len() < scenarios::all().count() {
                return Ok(Completion::ignored_with(
                    "not every scenario ran on the reference",
                ));
            }
            // By what was judged in this run, and not by what scenarios declare.
            let passed = |id: &str| {
                let checks = || result.scenarios.iter().flat_map(|scenario| &scenario.checks);
                let mut mine = checks().filter(|check| check.requirement == id).peekable();
                mine.peek().is_some() && mine.all(|check| check.verdict == Verdict::Pass)
            };
            let missing: Vec<String> = Contract::embedded()?
                .requirements
                .into_iter()
                .filter(|requirement| requirement.level != Level::May && !passed(&requirement.id))
                .map(|requirement| requirement.id)
                .collect();
            if missing.is_empty() {
                Ok(Completion::Completed)
            } else {
                Err(format!("not kept, or not looked at: {}", missing.join(" ")).into())
            }
        }),
    ]
}

fn conclude(result: &ScenarioResult) -> Result<Completion, Failed> {
    let reference = on_the_reference();
    let blocked = result.checks.iter().any(|check| check.blocked().is_some());
    match result.verdict {
        Verdict::Pass if !blocked => Ok(Completion::Completed),
        Verdict::Warn if !reference => Ok(Completion::Completed),
        Verdict::Unverified | Verdict::Inconclusive if !reference && !blocked => {
            Ok(Completion::ignored_with(told(result)))
        }
        _ => Err(told(result).into()),
    }
}

/// Everything that did not pass, with the frames that led there.
fn told(result: &ScenarioResult) -> String {
    let mut text = result.message.clone().unwrap_or_default();
    for check in result
        .checks
        .iter()
        .filter(|check| check.verdict != Verdict::Pass)
    {
        let message = check.message.as_deref().unwrap_or_default();
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "\n{} {}: {message}",
            check.requirement,
            check.verdict.word()
        );
        for frame in &check.frames {
            let _ = write!(text, "\n    {frame}");
        }
    }
    text
}

/// Whether the environment names no target.
fn on_the_reference() -> bool {
    set("CHATSPEC_URL").is_none() && set("CHATSPEC_TARGET").is_none()
}

/// A variable that is set, and not to nothing.
fn set(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// The target that the environment names; none for the reference server.
fn profile() -> Result<Option<Profile>, String> {
    if on_the_reference() {
        return Ok(None);
    }
    let mut profile = match set("CHATSPEC_TARGET") {
        // Tests run in the folder of their package.
        Some(file) => {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
            Profile::read(&file).map_err(|error| error.to_string())?
        }
        None => Profile::default(),
    };
    if let Some(urls) = set("CHATSPEC_URL") {
        profile = profile.at(urls.split(',').map(|url| url.trim().to_owned()).collect());
    }
    profile.auth.jwt_secret = set("CHATSPEC_JWT_SECRET").or(profile.auth.jwt_secret);
    Ok(Some(profile))
}

/// The scenarios that the filters leave.
static SELECTED: Mutex<Vec<&'static Scenario>> = Mutex::new(Vec::new());

/// The one run that all tests look at; whoever looks first starts it.
static BOARD: LazyLock<Arc<Board>> = LazyLock::new(|| {
    let board = Arc::new(Board::default());
    let writing = board.clone();
    std::thread::spawn(move || {
        let outcome = perform(&writing);
        writing.change(|state| state.outcome = Some(outcome));
    });
    board
});

#[derive(Default)]
struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    scenarios: HashMap<&'static str, Arc<ScenarioResult>>,
    outcome: Option<Result<Arc<RunResult>, String>>,
}

impl Board {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn scenario(&self, id: &str) -> Result<Arc<ScenarioResult>, String> {
        self.wait(|state| {
            let over = state.outcome.as_ref().map(|outcome| match outcome {
                Ok(_) => Err(format!("{id} did not run")),
                Err(why) => Err(why.clone()),
            });
            state.scenarios.get(id).cloned().map(Ok).or(over)
        })
    }

    fn run(&self) -> Result<Arc<RunResult>, String> {
        self.wait(|state| state.outcome.clone())
    }

    fn wait<T>(&self, found: impl Fn(&State) -> Option<T>) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = found(&state) {
                return found;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn perform(board: &Board) -> Result<Arc<RunResult>, String> {
    let contract = Contract::embedded().map_err(|error| error.to_string())?;
    let scale = match env::var("CHATSPEC_TIMEOUT_SCALE") {
        Ok(scale) => scale
            .parse()
            .map_err(|_| format!("CHATSPEC_TIMEOUT_SCALE={scale} is no number"))?,
        Err(_) => 1.0,
    };
    let mut scenarios = SELECTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if scenarios.is_empty() {
        // Only what looks at the run as a whole is selected.
        scenarios.extend(scenarios::all());
    }
    let ids: Vec<String> = scenarios.iter().map(|scenario| scenario.id.to_owned()).collect();
    let plan = Plan::select(&contract, &scenarios, &ids, &[]).map_err(|error| error.to_string())?;
    let subject = profile()?.map_or(TargetChoice::Reference, TargetChoice::from);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let result = runtime.block_on(async {
        let options = RunOptions {
            scale,
            ..RunOptions::default()
        };
        let context = preflight::prepare(subject, contract, options)
            .await
            .map_err(|error| error.to_string())?;
        let (events, mut told) = mpsc::unbounded_channel();
        let (_stopper, stop) = watch::channel(false);
        let running = tokio::spawn(runner::run(Arc::new(plan), context, 64, events, stop));
        while let Some(event) = told.recv().await {
            if let RunEvent::ScenarioFinished(result) = event {
                board.change(|state| drop(state.scenarios.insert(result.scenario.id, result)));
            }
        }
        running.await.map_err(|error| error.to_string())
    });
    runtime.shutdown_background();
    result
}

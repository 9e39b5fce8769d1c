//! What a scenario gets: users, chats, connections, fences, and a place to say what it saw.
//!
//! - [`Scene`]: checks and notes; the other files add to it
//! - [`people`]: users and REST as one of them
//! - [`chats`]: chats and memberships
//! - [`connect`]: connections, everyday and raw, and the requests that are mere steps
//! - [`fence`]: proving that something did not happen
//! - [`mod@line`]: a client whose network fails at a chosen moment
//! - [`outage`]: the target without its store
//!
//! A scenario is a story told with `?`: a step that does not work stops it, and what it has not judged by then is
//! unverified, since the scenario whose subject that step is fails it. What a scenario is about goes to
//! [`Scene::check`], which goes on, or [`Scene::require`], which stops where going on makes no sense.

pub mod chats;
pub mod connect;
pub mod fence;
pub mod line;
pub mod outage;
pub mod people;

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use crate::calibration::{Calibration, Timing};
use crate::client::Client;
use crate::client::inbox::Hidden;
use crate::contract::Contract;
use crate::expect::{Found, Mismatch};
use crate::measurement::Measurement;
use crate::targets::Target;
use crate::targets::jwt::Minter;
use crate::targets::profile::Profile;
use crate::targets::provision::ProvisionError;
use crate::transcript::annotation::Annotation;
use crate::transcript::record::Recorder;
use crate::transcript::{ScenarioRun, Transcript, TranscriptLine};
use crate::verdict::{Blocked, Check, Level, Rules, Unverified};

/// How a run is done: deadlines, what fails it, and whether it is recorded.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The factor on every deadline.
    pub scale: f64,
    /// What fails the run, beside a MUST that fails.
    pub rules: Rules,
    /// Gets everything that goes over the wire, if it is to be recorded.
    pub recorder: Option<Arc<Recorder>>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            scale: 1.0,
            rules: Rules::default(),
            recorder: None,
        }
    }
}

/// What all scenes of a run share.
#[derive(Debug)]
pub struct Context {
    /// The server under test.
    pub target: Target,
    /// The contract.
    pub contract: Arc<Contract>,
    /// The options of the run.
    pub options: RunOptions,
    timing: OnceLock<Timing>,
    run: String,
    counter: AtomicU64,
    service_accounts: tokio::sync::OnceCell<fence::ServiceAccounts>,
    registrations: tokio::sync::Semaphore,
}

impl Context {
    /// A context for a run, before anything is measured.
    pub fn new(target: Target, contract: impl Into<Arc<Contract>>, options: RunOptions) -> Self {
        Self {
            target,
            contract: contract.into(),
            options,
            timing: OnceLock::new(),
            run: uuid::Uuid::new_v4().simple().to_string()[..8].to_owned(),
            counter: AtomicU64::new(0),
            service_accounts: tokio::sync::OnceCell::new(),
            registrations: tokio::sync::Semaphore::new(people::REGISTRATIONS),
        }
    }

    /// How long to wait.
    pub fn timing(&self) -> Timing {
        self.timing
            .get()
            .copied()
            .unwrap_or(Timing::new(self.options.scale, None))
    }

    /// Takes what was measured as the base of all deadlines; only the first time counts.
    pub fn calibrate(&self, measured: Option<Calibration>) {
        self.timing.set(Timing::new(self.options.scale, measured)).ok();
    }
}

/// Why a scenario ends before its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// A step did not work: what is not judged yet is unverified.
    Blocked(Box<Blocked>),
    /// The target does not offer what is needed, as in a signing key: what is not judged yet is unverified.
    Unverified(String),
    /// The kit is at fault.
    Harness(String),
    /// A check that the rest depends on did not pass; it has been recorded.
    Judged(String),
}

impl Stop {
    /// Blocked for a reason that is no step.
    pub fn blocked(why: impl Into<String>) -> Self {
        Self::Blocked(Box::new(Blocked::because(why)))
    }

    /// Says which step it was that did not work.
    fn in_step(mismatch: Mismatch, step: &str) -> Self {
        let mut cause = Self::from(mismatch.at(step));
        if let Self::Blocked(blocked) = &mut cause {
            blocked.step = Some(step.to_owned());
            blocked.requirement = subject_of(step).map(ToOwned::to_owned);
        }
        cause
    }

    /// The reason, as a sentence for people.
    pub fn why(self) -> String {
        match self {
            Self::Blocked(blocked) => blocked.why,
            Self::Unverified(why) | Self::Harness(why) | Self::Judged(why) => why,
        }
    }
}

/// What a scenario returns.
pub type Outcome = Result<(), Stop>;

impl From<Mismatch> for Stop {
    /// A mismatch met with `?` was a mere step.
    fn from(mismatch: Mismatch) -> Self {
        match mismatch {
            Mismatch::Definite(_) | Mismatch::Inconclusive { .. } => Self::Blocked(Box::new(Blocked {
                why: mismatch.to_string(),
                mismatch: Some(mismatch),
                ..Blocked::default()
            })),
            Mismatch::Fault { why } => Self::Harness(why),
        }
    }
}

impl From<ProvisionError> for Stop {
    /// What the target does not offer is nobody's fault.
    fn from(error: ProvisionError) -> Self {
        match error {
            ProvisionError::Failed(mismatch) => mismatch.into(),
            ProvisionError::Unavailable(why) => Self::blocked(why),
            ProvisionError::NotOffered { .. } => Self::Unverified(error.to_string()),
        }
    }
}

/// Says which step it was that did not work.
pub trait Step<T> {
    /// Stops with `what` in front of the reason: `joining as bob: expected …`.
    fn step(self, what: &str) -> Result<T, Stop>;
}

impl<T> Step<T> for Found<T> {
    fn step(self, what: &str) -> Result<T, Stop> {
        self.map_err(|mismatch| Stop::in_step(mismatch, what))
    }
}

impl<T> Step<T> for Result<T, ProvisionError> {
    fn step(self, what: &str) -> Result<T, Stop> {
        self.map_err(|error| match error {
            ProvisionError::Failed(mismatch) => Stop::in_step(mismatch, what),
            error => error.into(),
        })
    }
}

/// The requirement that is about a step: where the step does not work, its scenario says more.
fn subject_of(step: &str) -> Option<&'static str> {
    const SUBJECTS: [(&str, &str); 6] = [
        ("connecting", "AUTH-01"),
        ("room:join", "ROOM-01"),
        ("room:leave", "ROOM-04"),
        ("message:send", "MSG-01"),
        ("receipt:read", "RCPT-01"),
        ("presence:ping", "PRES-05"),
    ];
    let word = step.split(' ').next()?;
    SUBJECTS.iter().find(|(step, _)| *step == word).map(|(_, id)| *id)
}

/// What a scenario gets.
#[derive(Debug)]
pub struct Scene {
    context: Arc<Context>,
    scenario: &'static str,
    /// No other scene of the run has it.
    number: u64,
    transcript: Arc<Transcript>,
    hidden: Arc<Hidden>,
    record: Mutex<Record>,
    clients: Mutex<Vec<Client>>,
    names: Mutex<HashMap<String, usize>>,
    fences: fence::Fences,
    outage: outage::Outage,
}

/// What a scenario has said so far.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Its checks.
    pub checks: Vec<Check>,
    /// What it noted about freedoms of the contract: requirement and text.
    pub notes: Vec<(String, String)>,
    /// What it measured.
    pub measurements: Vec<Measurement>,
}

impl Scene {
    /// A scene for one run of the scenario of this id; the kit's own begin with `kit/`.
    pub fn new(context: Arc<Context>, scenario: &'static str) -> Self {
        let number = context.counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let scenario_run = context.options.recorder.clone().map(|recorder| ScenarioRun {
            scenario,
            scene: number,
            recorder,
        });
        Self {
            number,
            context,
            scenario,
            transcript: Arc::new(Transcript::new(scenario_run)),
            hidden: Arc::default(),
            record: Mutex::default(),
            clients: Mutex::default(),
            names: Mutex::default(),
            fences: fence::Fences::default(),
            outage: outage::Outage::default(),
        }
    }

    /// Records a verdict on a requirement and goes on; gives what was found, if it was.
    pub fn check<T>(&self, requirement: &str, found: Found<T>) -> Option<T> {
        match found {
            Ok(value) => {
                self.judge(requirement, Ok(()));
                Some(value)
            }
            Err(mismatch) => {
                self.judge(requirement, Err(mismatch));
                None
            }
        }
    }

    /// Records a verdict on a requirement, and stops the scenario unless it is a pass.
    pub fn require<T>(&self, requirement: &str, found: Found<T>) -> Result<T, Stop> {
        self.check(requirement, found)
            .ok_or_else(|| Stop::Judged(requirement.to_owned()))
    }

    /// Records that a requirement cannot be judged here, and goes on; gives what there is otherwise.
    pub fn offered<T>(&self, requirement: &str, found: Result<T, Stop>) -> Result<Option<T>, Stop> {
        match found {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Unverified(why)) => {
                let check = Check::unverified(requirement, self.scenario, Unverified::NotOffered, why);
                self.record().checks.push(check);
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// Notes how the target uses a freedom that the contract leaves (a MAY); never a verdict.
    pub fn note(&self, requirement: &str, text: impl Into<String>) {
        self.record().notes.push((requirement.to_owned(), text.into()));
    }

    /// Reports how long something took that a verdict rests on.
    pub fn measured(&self, requirement: &str, what: &str, time: Duration) {
        self.record()
            .measurements
            .push(Measurement::time(requirement, what, time));
    }

    /// Reports how many of something a verdict rests on.
    pub fn counted(&self, requirement: &str, what: &str, count: usize) {
        self.record()
            .measurements
            .push(Measurement::count(requirement, what, count));
    }

    /// Looks at a freedom that the contract leaves: that a step of it does not work says nothing about what is required.
    pub async fn aside(&self, probe: impl Future<Output = Outcome>) -> Outcome {
        match probe.await {
            Err(stop @ Stop::Harness(_)) => Err(stop),
            _ => Ok(()),
        }
    }

    /// Whether the value fits a schema of the contract, as in `dto/message` or `events/server/message-new`.
    pub fn schema(&self, name: &str, value: &serde_json::Value) -> Found {
        self.context.contract.schemas.matches(name, value)
    }

    /// The contract: requirements, schemas, corpus.
    pub fn contract(&self) -> &Contract {
        &self.context.contract
    }

    /// What is known about the target: limits, origins.
    pub fn profile(&self) -> &Profile {
        &self.context.target.profile
    }

    /// The deadlines and margins of this run.
    pub fn timing(&self) -> Timing {
        self.context.timing()
    }

    /// Something to mint tokens with; stops the scenario where the target's key is not known.
    pub fn minter(&self) -> Result<Minter, Stop> {
        Minter::new(&self.profile().auth).ok_or_else(|| {
            Stop::Unverified(
                "the target's JWT key is not known: give --jwt-secret, or auth.jwt_secret_env, auth.private_key_file or \
                 auth.jwks_env in the target file"
                    .to_owned(),
            )
        })
    }

    /// Waits; for windows that have to pass, not for things that can be awaited.
    pub async fn sleep(&self, how_long: Duration) {
        tokio::time::sleep(how_long).await;
    }

    /// A text that no other scenario uses: for bodies, titles and client ids.
    pub fn unique(&self, what: &str) -> String {
        format!("{what} {}", uuid::Uuid::new_v4())
    }

    /// What has gone over the wire so far.
    pub fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// What was said so far.
    pub fn recorded(&self) -> Record {
        self.record().clone()
    }

    /// Closes every connection of the scene, whatever state it is in, and gives back what was taken from the target. That
    /// this cannot be done is the kit's fault, and has to be done by hand.
    pub async fn tear_down(&self) -> Result<(), Stop> {
        let given_back = self.end_outage().await;
        let clients = std::mem::take(&mut *self.clients.lock());
        let closing = futures_util::future::join_all(clients.iter().map(Client::close));
        tokio::time::timeout(Duration::from_secs(5), closing).await.ok();
        given_back
    }

    /// What went over the wire last, without the kit's own fences.
    pub fn frames(&self) -> Vec<TranscriptLine> {
        const FRAMES: usize = 14;
        self.transcript.last(FRAMES, fence::is_own)
    }

    fn keep(&self, client: &Client) {
        self.clients.lock().push(client.clone());
    }

    fn record(&self) -> parking_lot::MutexGuard<'_, Record> {
        self.record.lock()
    }

    fn judge(&self, requirement: &str, found: Found) {
        self.transcript
            .annotate(self.scenario, Annotation::Judged(requirement.to_owned()));
        let level = self.context.contract.requirement(requirement).map(|r| r.level);
        let found = match level {
            Some(_) => found,
            None => Err(Mismatch::fault(format!(
                "{requirement} is no requirement of the contract"
            ))),
        };
        let level = level.unwrap_or(Level::Must);
        let mut check = Check::judge(
            requirement,
            self.scenario,
            level,
            self.context.options.rules.strict,
            found,
        );
        if matches!(
            check.mismatch,
            Some(Mismatch::Definite(_) | Mismatch::Inconclusive { .. })
        ) {
            check.frames = self.frames();
        }
        self.record().checks.push(check);
    }
}

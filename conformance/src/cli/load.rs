//! `load`: many users at once, with an eye on every message.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use terminal_size::terminal_size_of;

use super::reports::{create, fitting};
use super::run::interruption;
use super::{Color, Failure, TargetArgs};
use crate::contract::Contract;
use crate::load::outcome::Outcome;
use crate::load::plan::{Idle, Plan, Wanted};
use crate::load::process::{self, Watched};
use crate::load::{self, Conditions, LoadError, Progress, Tell, report};
use crate::preflight::NotReady;
use crate::result::Exit;
use crate::scene::{Conduct, Context};
use crate::target::profile::{Limits, Profile};
use crate::target::{Target, reference};

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

/// What `load` takes.
#[derive(Debug, Args)]
pub(super) struct LoadArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Chats.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rooms: u32,
    /// Members of each chat; all of them are connected, and take turns to send.
    #[arg(long, value_name = "N", default_value_t = 10)]
    room_size: u32,
    /// Messages per second in all.
    #[arg(long, value_name = "N", default_value_t = 50.0, value_parser = positive)]
    rate: f64,
    /// How long messages are sent, as in 500ms, 30s or 2m; plain numbers are seconds.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    duration: Duration,
    /// Length of a message in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 100)]
    payload: usize,
    /// Share of the messages that are sent once more under the same clientId.
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = share)]
    repeat: f64,
    /// Connections on top that are open and do nothing: a number, or their share of all as in 90%.
    #[arg(long, value_name = "N|SHARE", default_value = "0", value_parser = idle)]
    idle: Idle,
    /// Time over which connections are opened, evenly.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = time)]
    ramp: Duration,
    /// Connections that are being opened at the same time, at most.
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    connecting: u16,
    /// Open so many connections, hold them for the duration, and send nothing.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..),
          conflicts_with_all = ["rooms", "room_size", "rate", "payload", "repeat", "idle"])]
    connect_only: Option<u32>,
    /// Messages that the server lets a user send in any one rate window, where it is not what the target file says (10 in
    /// the contract); the reference server is started with it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate_max: Option<u32>,
    /// Deliveries that take longer are counted as late.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = time)]
    late: Duration,
    /// When nothing has come for so long at the end, what is still missing is lost.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    drain: Duration,
    /// A process of the server, whose CPU time and memory are told; one that the kit starts is known.
    #[arg(long, value_name = "PID")]
    pid: Vec<u32>,
    /// Report to write: terminal, json or html, with =PATH into a file. One may go to standard output without a path; the
    /// terminal report then goes to standard error.
    #[arg(long, value_name = "FORMAT[=PATH]", value_parser = parse)]
    report: Vec<Asked>,
    /// How colours are used.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number greater than 0".to_owned()),
    }
}

/// A time that is not negative and no longer than a week.
fn time(text: &str) -> Result<Duration, String> {
    const LONGEST: f64 = 7.0 * 24.0 * 3_600.0;
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err("the units are ms, s, m and h".to_owned()),
    };
    match number.parse::<f64>() {
        Ok(number) if number * unit <= LONGEST => Ok(Duration::from_secs_f64(number * unit)),
        Ok(_) => Err("that is longer than a week".to_owned()),
        Err(_) => Err("a time as in 500ms, 30s or 2m".to_owned()),
    }
}

/// A share of a whole: 2% or 0.02.
fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    match share {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share between 0% and 100%".to_owned()),
    }
}

fn idle(text: &str) -> Result<Idle, String> {
    if !text.ends_with('%') {
        let number = text.parse().map(Idle::Number);
        return number.map_err(|_| "a number of connections, or their share of all as in 90%".to_owned());
    }
    match share(text) {
        Ok(share) if share <= 0.999 => Ok(Idle::Share(share)),
        _ => Err("a share of all connections between 0% and 99.9%".to_owned()),
    }
}

/// What `--report` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    text: String,
    format: Format,
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Terminal,
    Json,
    Html,
}

fn parse(text: &str) -> Result<Asked, String> {
    let (format, path) = match text.split_once('=') {
        Some((_, "")) => return Err("there is no path after =".to_owned()),
        Some((format, path)) => (format, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let format = Format::from_str(format, false);
    Ok(Asked {
        text: text.to_owned(),
        format: format.map_err(|_| "no such format; there are terminal, json and html".to_owned())?,
        path,
    })
}

impl LoadArgs {
    fn wanted(&self) -> Wanted {
        let wanted = Wanted {
            rooms: self.rooms,
            room_size: self.room_size,
            idle: self.idle,
            rate: self.rate,
            duration: self.duration,
            payload: self.payload,
            repeat: self.repeat,
            ramp: self.ramp,
            late: self.late,
            drain: self.drain,
        };
        match self.connect_only {
            Some(number) => wanted.connections(number),
            None => wanted,
        }
    }

    /// The target that is named, with the limit that is.
    fn profile(&self) -> Result<Option<Profile>, Failure> {
        let mut profile = self.target.profile()?;
        if let (Some(profile), Some(rate_max)) = (&mut profile, self.rate_max) {
            profile.limits.rate_max = rate_max as usize;
        }
        Ok(profile)
    }

    /// What the reference server is started with.
    fn reference_limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(rate_max) = self.rate_max {
            limits.rate_max = rate_max as usize;
        }
        limits
    }
}

/// Loads a server; 0 where nothing was lost, doubled, out of order or invented.
pub(super) fn load(args: &LoadArgs, contract: Contract) -> Result<Exit, Failure> {
    // What the person got wrong is told before anything is started or written.
    let profile = args.profile()?;
    let limits = profile
        .as_ref()
        .map_or_else(|| args.reference_limits(), |profile| profile.limits.clone());
    let plan = Plan::new(args.wanted(), &limits).map_err(|error| Failure::new(Exit::Usage, error))?;
    let watched = watched(&args.pid)?;
    let mut outputs = outputs(args)?;
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
) -> Result<Outcome, Failure> {
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
    let context = Arc::new(Context::new(target, contract, Conduct::default()));
    let bar = progress_bar();
    let shown = bar.clone();
    let tell: Tell = Arc::new(move |progress| show(&shown, progress));
    let outcome = load::run(plan, context.clone(), conditions, stop, tell).await;
    bar.finish_and_clear();
    match (outcome, context.target.obituary()) {
        (Ok(mut outcome), obituary) => {
            outcome
                .warnings
                .extend(obituary.map(|told| format!("the server has gone: {told}")));
            Ok(outcome)
        }
        (Err(error), Some(obituary)) => Err(Failure::new(Exit::Fault, format!("{error}; {obituary}"))),
        (Err(error), None) => Err(error.into()),
    }
}

/// The processes of `--pid`, which must be there.
fn watched(pids: &[u32]) -> Result<Option<Watched>, Failure> {
    for pid in pids {
        if process::usage(&Watched::Processes(vec![*pid])).is_none() {
            let text =
                format!("--pid {pid}: there is no such process, or this system does not tell what it uses");
            return Err(Failure::new(Exit::Usage, text));
        }
    }
    Ok((!pids.is_empty()).then(|| Watched::Processes(pids.to_vec())))
}

/// The target, running, and whether it does so in this process.
async fn start(profile: Option<Profile>, limits: &Limits) -> Result<(Target, bool), NotReady> {
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

/// Somewhere that a report goes.
struct Output {
    format: Format,
    /// As people know it, for errors.
    place: String,
    out: Box<dyn Write + Send>,
}

impl Output {
    fn write(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        let written = match self.format {
            Format::Terminal => report::terminal::write(&mut self.out, outcome),
            Format::Json => report::json(outcome).and_then(|text| self.put(&text)),
            Format::Html => self.put(&report::html::page(outcome)),
        };
        match written {
            // Whoever has stopped reading does not want to know more.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let text = format!("{} could not be written: {error}", self.place);
                Err(Failure::new(Exit::Fault, text))
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// Where the reports go that are asked for; the terminal's is always there.
fn outputs(args: &LoadArgs) -> Result<Vec<Output>, Failure> {
    let bare: Vec<&Asked> = args.report.iter().filter(|one| one.path.is_none()).collect();
    let on_stdout = bare.iter().filter(|one| one.format != Format::Terminal).count();
    if on_stdout > 1 {
        let text =
            "--report: only one can go to standard output; give the others a path, as in html=load.html";
        return Err(Failure::new(Exit::Usage, text));
    }
    let screen: Box<dyn Write + Send> = if on_stdout > 0 {
        fitting(io::stderr(), terminal_size_of(io::stderr()), args.color)
    } else {
        fitting(io::stdout(), terminal_size_of(io::stdout()), args.color)
    };
    let mut outputs = vec![Output {
        format: Format::Terminal,
        place: "the terminal report".to_owned(),
        out: screen,
    }];
    let mut files = Vec::new();
    for Asked { text, format, path } in &args.report {
        let out: Box<dyn Write + Send> = match (path, format) {
            (None, Format::Terminal) => continue,
            (None, _) => Box::new(io::stdout()),
            (Some(path), Format::Terminal) => {
                let file: Box<dyn Write + Send> = Box::new(create(text, path, &mut files)?);
                Box::new(anstream::StripStream::new(file))
            }
            (Some(path), _) => Box::new(create(text, path, &mut files)?),
        };
        outputs.push(Output {
            format: *format,
            place: format!("--report {text}"),
            out,
        });
    }
    Ok(outputs)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("1.5", 1_500),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0", 0),
        ] {
            assert_eq!(time(text), Ok(Duration::from_millis(expected)), "{text}");
        }
        for wrong in ["", "s", "5 s", "-1s", "1d", "9999h", "1.2.3s"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_are_percent_or_fractions() {
        assert_eq!(
            (share("2%"), share("0.5"), share("100%")),
            (Ok(0.02), Ok(0.5), Ok(1.0))
        );
        for wrong in ["", "%", "2", "-1%", "101%", "NaN"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            (idle("7"), idle("90%")),
            (Ok(Idle::Number(7)), Ok(Idle::Share(0.9)))
        );
        assert!(idle("100%").is_err() && idle("0.5").is_err());
    }

    #[test]
    fn a_report_has_a_format_and_perhaps_a_path() {
        let asked = parse("html=out/a=b.html").unwrap();
        assert_eq!(
            (asked.format, asked.path.as_deref()),
            (Format::Html, Some(Path::new("out/a=b.html")))
        );
        assert_eq!(parse("json").unwrap().path, None);
        assert!(parse("html=").is_err_and(|told| told.contains("no path")));
        assert!(parse("tap=x").is_err_and(|told| told.contains("terminal, json and html")));
    }
}

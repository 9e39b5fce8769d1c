//! The command line: `run` (the default), `list`, `explain`, `repro`, `init`, `doctor`, `baseline`, `snapshot`, `diff`,
//! `matrix`, `load`, `sabotage`, `proxy`, `completions`, `man`.

mod baseline;
mod diff;
mod doctor;
mod files;
mod init;
mod list;
mod load;
mod matrix;
mod proxy;
mod reports;
mod repro;
mod run;
mod sabotage;
mod shell;
mod snapshot;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::contract::{Contract, set};
use crate::result::Exit;
use crate::targets::profile::Profile;

/// Checks a realtime chat server against the contract.
#[derive(Debug, Parser)]
#[command(
    name = "chatspec", version, long_version = LONG_VERSION, max_term_width = 100, args_conflicts_with_subcommands = true,
    after_help = EXAMPLES, after_long_help = EXAMPLES
)]
struct Cli {
    #[command(flatten)]
    run: RunArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the scenarios against a target (the default).
    Run(Box<RunArgs>),
    /// List the requirements, with the scenarios that judge them.
    List(ListArgs),
    /// Write a target file to begin with.
    #[command(after_help = INIT_EXAMPLES)]
    Init(init::InitArgs),
    /// Try out a target file step by step, showing what was sent, what came back and what to change.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(doctor::DoctorArgs),
    /// Maintain a file of known failures, for run --baseline.
    #[command(subcommand)]
    Baseline(baseline::Command),
    /// Write the shapes of acks and broadcasts to files, or check that they have not changed.
    #[command(after_help = snapshot::EXAMPLES)]
    Snapshot(snapshot::SnapshotArgs),
    /// Show what has changed from one JSON report to another; fails if something got worse.
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::DiffArgs),
    /// Show JSON reports side by side: requirements by implementations.
    #[command(after_help = matrix::EXAMPLES)]
    Matrix(matrix::MatrixArgs),
    /// Put a server under load with many users, and check that every message arrives.
    #[command(after_help = load::EXAMPLES)]
    Load(Box<load::LoadArgs>),
    /// Break a correct server in one way at a time, and see whether the kit notices.
    #[command(after_help = sabotage::EXAMPLES)]
    Sabotage(sabotage::SabotageArgs),
    /// Run a proxy between clients and a server that can make something go wrong.
    #[command(after_help = proxy::EXAMPLES)]
    Proxy(proxy::ProxyArgs),
    /// Explain a requirement or a scenario.
    Explain {
        /// Id of a requirement or a scenario, as in MSG-02 or rooms/join-and-leave.
        id: String,
        /// When to use colours.
        #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
        color: Color,
    },
    /// Write a requirement or a scenario as a script for an official client, which needs no chatspec.
    #[command(after_help = repro::EXAMPLES)]
    Repro(repro::ReproArgs),
    /// Write shell completions.
    #[command(after_help = shell::COMPLETIONS_EXAMPLES)]
    Completions(shell::CompletionsArgs),
    /// Write the manual pages.
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(shell::ManArgs),
}

/// What `run` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct RunArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Run the reference server on MongoDB: the one at `MONGODB_URI`, one in a container, or one that is installed and
    /// started on this machine, whichever is available first (`CHATSPEC_MONGO=uri|container|local` selects one). Needs a
    /// chatspec that is built with `--features services`.
    #[arg(long, conflicts_with_all = ["url", "target"])]
    with_mongodb: bool,
    /// Run only what matches this glob: ids of requirements, scenarios and areas.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Leave out what matches this glob.
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,
    /// Requirement set to hold the target to: a frozen one, or latest for all that this kit knows. Requirements that were
    /// added later are run and reported too, but cannot fail the run.
    #[arg(long, value_name = "NAME", default_value = set::DEFAULT)]
    set: String,
    /// Leave out everything that has to wait longer than a second, such as the rate window; the report lists it.
    #[arg(long)]
    quick: bool,
    /// Show only failures and the result.
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Show every requirement, every failed check, and all of the evidence.
    #[arg(short, long)]
    verbose: bool,
    /// Show how long each scenario took, and which of them the run had to wait for.
    #[arg(long)]
    timings: bool,
    /// A SHOULD that does not hold fails the run.
    #[arg(long)]
    strict: bool,
    /// A MUST that cannot be verified, or is too close to tell, fails the run.
    #[arg(long)]
    require_all: bool,
    /// File of known failures: the run fails for failures that are not in it, and for entries that are no longer true (see
    /// chatspec baseline).
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// How many scenarios to run at the same time [default: 64, or 8 with --with-mongodb].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    jobs: Option<u16>,
    /// Report to write: terminal, json, html, junit, tap, markdown, github (annotations) or badge (for shields.io), with =PATH
    /// into a file. One may go to standard output without a path; the terminal report then goes to standard error.
    #[arg(long, value_name = "FORMAT[=PATH]")]
    report: Vec<String>,
    /// Write every frame and every HTTP exchange of the run to this file as it happens: one JSON object per line, without
    /// secrets.
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Multiply every deadline by this factor, for slow machines.
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = scale)]
    timeout_scale: f64,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

/// The server to test.
#[derive(Debug, Args)]
struct TargetArgs {
    /// Address of the target; repeat it for each process of the target, and clients are spread over them. Without an address
    /// and a target file, the reference server is tested, started inside the kit.
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    /// Target file: addresses, REST API, limits, key; chatspec init writes one (see fixtures/targets).
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// The target's HS256 secret, so that the kit can mint expired and forged tokens.
    #[arg(
        long,
        value_name = "SECRET",
        env = "CHATSPEC_JWT_SECRET",
        hide_env_values = true
    )]
    jwt_secret: Option<String>,
}

impl TargetArgs {
    /// The profile of the target that is named; none where none is.
    fn profile(&self) -> Result<Option<Profile>, Failure> {
        let mut profile = match &self.target {
            Some(path) => Profile::read(path).map_err(|error| Failure::new(Exit::Usage, error))?,
            None if self.url.is_empty() => return Ok(None),
            None => Profile::default(),
        };
        if !self.url.is_empty() {
            profile = profile.at(self.url.clone());
        }
        if self.jwt_secret.is_some() {
            profile.auth.jwt_secret.clone_from(&self.jwt_secret);
        }
        Ok(Some(profile))
    }
}

#[derive(Debug, Args)]
struct ListArgs {
    /// List the scenarios instead of the requirements.
    #[arg(long)]
    scenarios: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    const fn choice(self) -> anstream::ColorChoice {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
    }
}

/// What the kit is, what it speaks, and what it holds to where nobody says otherwise; `-V` has the first line alone.
const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\nprotocol 1.0\nrequirement set 1.0");

const EXAMPLES: &str = "Examples:
  chatspec                                         the reference server, started inside the kit
  chatspec --with-mongodb                          the same on MongoDB, wherever one is available
  chatspec --url http://127.0.0.1:4000             a server that is running
  chatspec --url http://a:4000 --url http://b:4000 two processes of one deployment
  chatspec --only MSG-02 --only 'rooms/*'          one requirement and some scenarios
  chatspec --quick --timings                       what takes no waiting, and how long it took
  chatspec --target target.toml --report json=report.json --report html=report.html
  chatspec --target target.toml --report json=report.json --report junit=report.xml
  chatspec --report markdown=\"$GITHUB_STEP_SUMMARY\" --report github
  chatspec init --launch 'node server.mjs'         a target file to begin with
  chatspec doctor --target chatspec.toml           what in it works, and what to change
  chatspec baseline accept report.json --baseline known.toml
  chatspec --target target.toml --baseline known.toml
  chatspec diff main.json report.json              what got better or worse
  chatspec matrix *.json --report html=matrix.html implementations side by side
  chatspec snapshot --target target.toml --check shapes
  chatspec load --rooms 100 --rate 500             many users at once, with an eye on every message
  chatspec list
  chatspec explain MSG-05
  chatspec repro MSG-05 --lang js --out msg-05.mjs

Exit codes:
  0  conforms, in everything that the run checked
  1  a MUST failed or was blocked, a SHOULD failed under --strict, a MUST is unverified under --require-all;
     with --baseline: something fails that is not listed, or an entry no longer fails as listed, or has expired
  2  the command line, the selection, the target file or the baseline is wrong
  3  the target cannot be reached or provisioned, has gone away, or the kit itself is at fault
  130  interrupted";

const INIT_EXAMPLES: &str = "Examples:
  chatspec init                                             asks for what is needed, on a terminal
  chatspec init --url http://127.0.0.1:4000                 for a server that runs already
  chatspec init --launch 'node server.mjs' --key-env KEY    for one that the kit starts
  chatspec init --provision jwt --algorithm RS256 -         to standard output";

const DOCTOR_EXAMPLES: &str = "Examples:
  chatspec doctor --target chatspec.toml
  chatspec doctor --url http://127.0.0.1:4000               a server with the contract's own REST API

Exit codes: 0 all that a run needs works, 2 the target file is wrong, 3 something does not work.";

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(factor) if factor.is_finite() && (0.01..=1000.0).contains(&factor) => Ok(factor),
        _ => Err("a number between 0.01 and 1000".to_owned()),
    }
}

/// A failure that the person at the keyboard can act on, with the exit code it leads to.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    text: String,
}

impl Failure {
    fn new(exit: Exit, text: impl std::fmt::Display) -> Self {
        Self {
            exit,
            text: text.to_string(),
        }
    }
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = Contract::embedded()
        .map_err(|error| Failure::new(Exit::Fault, error))
        .and_then(|contract| dispatch(cli, contract));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            let style = anstyle::AnsiColor::Red.on_default().bold();
            anstream::eprintln!("{style}chatspec:{style:#} {}", failure.text);
            failure.exit.into()
        }
    }
}

fn dispatch(cli: Cli, contract: Contract) -> Result<Exit, Failure> {
    match cli.command {
        None => run::run(&cli.run, contract),
        Some(Command::Run(args)) => run::run(&args, contract),
        Some(Command::Baseline(command)) => baseline::baseline(&command, &contract),
        Some(Command::Diff(args)) => diff::diff(&args, &contract),
        Some(Command::Matrix(args)) => matrix::matrix(&args, &contract),
        Some(Command::Load(args)) => load::load(&args, contract),
        Some(Command::List(args)) => list::list(&args, &contract),
        Some(Command::Init(args)) => init::init(args),
        Some(Command::Doctor(args)) => doctor::doctor(&args, contract),
        Some(Command::Snapshot(args)) => snapshot::snapshot(&args, contract),
        Some(Command::Repro(args)) => repro::repro(&args, &contract),
        Some(Command::Sabotage(args)) => sabotage::sabotage(&args, contract),
        Some(Command::Completions(args)) => Ok(shell::completions(&args)),
        Some(Command::Man(args)) => shell::man(&args),
        Some(Command::Proxy(args)) => proxy::proxy(&args, &contract),
        Some(Command::Explain { id, color }) => list::explain(&id, color, &contract),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_version_is_that_of_the_contract() {
        let protocol = Contract::embedded().unwrap().protocol;
        let told = format!(
            "{}\nprotocol {protocol}\nrequirement set {}",
            env!("CARGO_PKG_VERSION"),
            set::DEFAULT
        );
        assert_eq!(LONG_VERSION, told);
    }

    #[test]
    fn run_is_the_default_and_takes_the_same_options() {
        let top = Cli::parse_from(["chatspec", "--strict", "--only", "MSG-02"]);
        assert!(top.command.is_none() && top.run.strict && top.run.only == ["MSG-02"]);
        let sub = Cli::parse_from(["chatspec", "run", "--strict"]);
        assert!(matches!(sub.command, Some(Command::Run(args)) if args.strict));
    }

    #[test]
    fn odd_values_are_refused() {
        for args in [
            ["--jobs", "0"],
            ["--timeout-scale", "NaN"],
            ["--timeout-scale", "0"],
            ["--color", "pink"],
        ] {
            assert!(
                Cli::try_parse_from(["chatspec"].iter().chain(&args)).is_err(),
                "{args:?}"
            );
        }
    }
}

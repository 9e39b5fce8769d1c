//! `repro`: a requirement or a scenario as a script.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::Failure;
use crate::contract::Contract;
use crate::plan::{did_you_mean, near};
use crate::repro::play::NotPlayed;
use crate::repro::steps::Steps;
use crate::repro::{self, Api, Language, NotReproducible, limits};
use crate::result::Exit;
use crate::scenarios::{self, Scenario};
use crate::targets::profile::Profile;

/// What `repro` takes.
#[derive(Debug, Args)]
pub(super) struct ReproArgs {
    /// Id of a requirement or a scenario, as in MSG-05 or messages/repeats.
    id: String,
    /// The language.
    #[arg(long, value_enum)]
    lang: Language,
    /// Scenario to play for a requirement, instead of the first that judges it.
    #[arg(long, value_name = "ID")]
    scenario: Option<String>,
    /// Target file, where the server's REST API is not the contract's.
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    /// File to write, instead of to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) const EXAMPLES: &str = "Examples:
  chatspec repro MSG-05 --lang js --out msg-05.mjs          then: npm install socket.io-client@4
                                                            and:  node msg-05.mjs http://127.0.0.1:4000
  chatspec repro MSG-05 --lang python --out msg_05.py       then: pip install 'python-socketio[asyncio_client]'
  chatspec repro rooms/removed --lang js                    all that a scenario looks at
  chatspec repro RATE-01 --lang js --target chatspec.toml   with the REST requests of a target file

The script ends with 0 as the contract says, 1 at the first difference, 2 where the server cannot be reached.

Exit codes: 0 it is written, 2 there is no such id or it cannot be written as a script, 3 the kit itself is at fault.";

/// How long people wait without being told what for.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Writes the script.
pub(super) fn repro(args: &ReproArgs, contract: &Contract) -> Result<Exit, Failure> {
    let usage = |text: String| Failure::new(Exit::Usage, text);
    let (scenario, asked) = chosen(args, contract).map_err(usage)?;
    let profile = args.target.as_deref().map(Profile::read).transpose();
    let profile = profile.map_err(|error| Failure::new(Exit::Usage, error))?;
    if scenario.waits() > SILENCE {
        let seconds = scenario.waits().as_secs();
        anstream::eprintln!(
            "chatspec: plays {} first, which takes some {seconds} s",
            scenario.id
        );
    }
    let refused = |why: NotReproducible| usage(format!("{} cannot be written as a script: {why}", args.id));
    let steps = recorded(scenario, asked.as_deref()).map_err(|error| Failure::new(Exit::Fault, error))?;
    let steps = steps.map_err(refused)?;
    let api = profile.map_or_else(|| Ok(Api::default()), |profile| Api::of(&profile, &steps));
    let script = repro::write(&steps, contract, &api.map_err(refused)?, args.lang).map_err(refused)?;
    match args.out.as_deref() {
        Some(path) => save(path, &script).map_err(usage),
        None => print(&script),
    }
}

/// Which scenario to play, and the requirement that it is played for.
fn chosen(args: &ReproArgs, contract: &Contract) -> Result<(&'static Scenario, Option<String>), String> {
    let wanted = args.id.as_str();
    let requirement = contract
        .requirements
        .iter()
        .find(|requirement| requirement.id.eq_ignore_ascii_case(wanted));
    let Some(requirement) = requirement else {
        return match args.scenario {
            Some(_) => Err(format!("{wanted} is no requirement: --scenario is for one")),
            None => Ok((reproducible(named(wanted, contract)?)?, None)),
        };
    };
    let id = requirement.id.as_str();
    if let Some(why) = limits::of_requirement(id) {
        return Err(format!("{id} cannot be written as a script: {why}"));
    }
    let judges: Vec<&'static Scenario> = scenarios::all()
        .filter(|scenario| scenario.requirements.contains(&id))
        .collect();
    let Some(first) = judges.first() else {
        return Err(format!("{id} leaves something open: no scenario judges it"));
    };
    let chosen = match &args.scenario {
        Some(wanted) => of_these(named(wanted, contract)?, &judges)
            .ok_or_else(|| format!("{wanted} does not judge {id}; {} does", ids(&judges)))?,
        None => judges
            .iter()
            .find(|judge| reproducible(judge).is_ok())
            .unwrap_or(first),
    };
    Ok((reproducible(chosen)?, Some(id.to_owned())))
}

fn named(id: &str, contract: &Contract) -> Result<&'static Scenario, String> {
    let all: Vec<&'static Scenario> = scenarios::all().collect();
    let found = all.iter().find(|scenario| scenario.id.eq_ignore_ascii_case(id));
    found.copied().ok_or_else(|| {
        let hint = did_you_mean(&near(id, contract, &all));
        format!("no requirement or scenario has the id {id}{hint}")
    })
}

fn reproducible(scenario: &'static Scenario) -> Result<&'static Scenario, String> {
    match limits::of_scenario(scenario) {
        Some(why) => Err(format!("{} cannot be written as a script: {why}", scenario.id)),
        None => Ok(scenario),
    }
}

fn of_these<'a>(scenario: &Scenario, judges: &'a [&'static Scenario]) -> Option<&'a &'static Scenario> {
    judges.iter().find(|judge| judge.id == scenario.id)
}

fn ids(scenarios: &[&'static Scenario]) -> String {
    let ids: Vec<&str> = scenarios.iter().map(|scenario| scenario.id).collect();
    ids.join(" or ")
}

fn recorded(
    scenario: &'static Scenario,
    asked: Option<&str>,
) -> Result<Result<Steps, NotReproducible>, NotPlayed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| NotPlayed::Fails {
        scenario: scenario.id,
        why: error.to_string(),
    })?;
    let entries = runtime.block_on(repro::play(scenario));
    // Connections that do not end are no reason to wait.
    runtime.shutdown_background();
    Ok(repro::read(scenario, asked, &entries?))
}

fn save(path: &Path, script: &str) -> Result<Exit, String> {
    std::fs::write(path, script).map_err(|error| format!("--out {}: {error}", path.display()))?;
    Ok(Exit::Conforms)
}

/// A reader that has gone away is no failure.
fn print(script: &str) -> Result<Exit, Failure> {
    let written = io::stdout().lock().write_all(script.as_bytes());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Fault, error)),
        _ => Ok(Exit::Conforms),
    }
}

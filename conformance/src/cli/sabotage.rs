//! `sabotage`: whether the kit notices when a server is spoilt.

use std::fs;
use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anstream::AutoStream;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use time::OffsetDateTime;

use super::run::interruption;
use super::{Color, Failure, TargetArgs, scale};
use crate::contract::Contract;
use crate::preflight::TargetChoice;
use crate::result::Exit;
use crate::sabotage::campaign::{Campaign, CampaignEvent};
use crate::sabotage::matrix::Matrix;
use crate::sabotage::{Breadth, Catalogue, Sabotage};

pub(super) const EXAMPLES: &str = "Examples:
  chatspec sabotage                                    all, on the reference server
  chatspec sabotage --only typing-echoed               one of them
  chatspec sabotage --only 'MSG-*' --only RATE-01      those that break these requirements
  chatspec sabotage --sample 2/3                       every third, from the second on
  chatspec sabotage --target chatspec.toml             on a server of one's own that keeps its promises
  chatspec sabotage --list

Exit codes: 0 each was noticed by a check of the requirement that it breaks, and nothing else turned red but what is
listed with it; 1 not so; 2 the command line or the target file is wrong; 3 there is no target to try them on.";

/// What `sabotage` takes.
#[derive(Debug, Args)]
pub(super) struct SabotageArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Only sabotages whose name, or the id of the requirement they break, matches this glob.
    #[arg(long, value_name = "PATTERN")]
    only: Vec<String>,
    /// Only a part of them, as in 2/3: every third, beginning with the second.
    #[arg(long, value_name = "I/N", value_parser = sample)]
    sample: Option<(usize, usize)>,
    /// Run all quick scenarios against each, not only the quick ones of the areas that it breaks.
    #[arg(long)]
    wide: bool,
    /// List the sabotages, and run nothing.
    #[arg(long)]
    list: bool,
    /// How many sabotages to run at the same time.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Write the results to this file, as a Markdown document.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Multiply every deadline by this factor, for slow machines.
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = scale)]
    timeout_scale: f64,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

fn sample(text: &str) -> Result<(usize, usize), String> {
    let parts = text
        .split_once('/')
        .and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((i, n)) if 1 <= i && i <= n => Ok((i, n)),
        _ => Err("two numbers as in 1/3, the first not greater than the second".to_owned()),
    }
}

/// Tries sabotages; 0 where the kit noticed them all.
pub(super) fn sabotage(args: &SabotageArgs, contract: Contract) -> Result<Exit, Failure> {
    let catalogue = Catalogue::embedded(&contract).map_err(|error| Failure::new(Exit::Fault, error))?;
    let chosen = chosen(&catalogue, args)?;
    if args.list {
        list(&chosen, args.color);
        return Ok(Exit::Conforms);
    }
    let subject = match args.target.profile()? {
        Some(profile) => profile.into(),
        None => TargetChoice::Reference,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, error))?;
    let done = runtime.block_on(perform(args, contract, catalogue, &chosen, subject));
    // Connections that do not end are no reason to wait.
    runtime.shutdown_background();
    done
}

/// The sabotages that are asked for.
fn chosen(catalogue: &Catalogue, args: &SabotageArgs) -> Result<Vec<Sabotage>, Failure> {
    let mut globs = Vec::new();
    for pattern in &args.only {
        let wrong = |why: String| Failure::new(Exit::Usage, format!("--only {pattern}: {why}"));
        let glob = globset::GlobBuilder::new(pattern).case_insensitive(true).build();
        let glob = glob
            .map_err(|error| wrong(error.kind().to_string()))?
            .compile_matcher();
        if !catalogue
            .sabotages
            .iter()
            .any(|one| glob.is_match(&one.name) || glob.is_match(&one.breaks))
        {
            return Err(wrong(
                "no sabotage has this name or breaks this requirement; see chatspec sabotage --list"
                    .to_owned(),
            ));
        }
        globs.push(glob);
    }
    let asked_for = |one: &&Sabotage| {
        globs.is_empty()
            || globs
                .iter()
                .any(|glob| glob.is_match(&one.name) || glob.is_match(&one.breaks))
    };
    let (first, step) = args.sample.unwrap_or((1, 1));
    let chosen: Vec<_> = catalogue
        .sabotages
        .iter()
        .filter(asked_for)
        .skip(first - 1)
        .step_by(step)
        .cloned()
        .collect();
    if chosen.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "nothing is left to try: --sample leaves out everything that --only selects",
        ));
    }
    Ok(chosen)
}

fn list(sabotages: &[Sabotage], color: Color) {
    let mut out = AutoStream::new(io::stdout().lock(), color.choice());
    let width = sabotages
        .iter()
        .map(|one| one.name.len())
        .max()
        .unwrap_or_default();
    for Sabotage {
        name, breaks, why, ..
    } in sabotages
    {
        // Whoever has stopped reading does not want to know more.
        if writeln!(out, "{breaks:<9} {name:<width$}  {why}").is_err() {
            break;
        }
    }
}

async fn perform(
    args: &SabotageArgs,
    contract: Contract,
    catalogue: Catalogue,
    chosen: &[Sabotage],
    subject: TargetChoice,
) -> Result<Exit, Failure> {
    let began = Instant::now();
    let stop = interruption();
    let mut interrupted = stop.clone();
    // Of somebody else's server it is no fault of the kit that it does not keep what is to be broken.
    let all_must_be_tried = matches!(subject, TargetChoice::Reference);
    let bar = progress(chosen.len());
    let for_report = Contract::embedded().map_err(|error| Failure::new(Exit::Fault, error))?;
    let breadth = if args.wide { Breadth::Wide } else { Breadth::Near };
    let trying = async {
        let mut campaign = Campaign::set_up(
            subject,
            contract,
            catalogue.clone(),
            breadth,
            args.timeout_scale,
            stop,
        )
        .await?;
        let target = campaign.target().to_owned();
        let tried = campaign
            .try_all(chosen, args.jobs.into(), |event| show_progress(&bar, &event))
            .await;
        let trials = tried.map_err(|error| Failure::new(Exit::Fault, error))?;
        Ok::<_, Failure>(Matrix {
            target,
            trials,
            took: began.elapsed(),
        })
    };
    let matrix = tokio::select! {
        matrix = trying => matrix?,
        _ = interrupted.wait_for(|stop| *stop) => return Ok(Exit::Interrupted),
    };
    bar.finish_and_clear();
    let mut out = AutoStream::new(io::stdout().lock(), args.color.choice());
    // Whoever has stopped reading does not want to know more.
    let _ = matrix.write(&mut out, &for_report);
    if let Some(path) = &args.markdown {
        let text = matrix.markdown(&for_report, &catalogue, &command(), &today());
        fs::write(path, text)
            .map_err(|error| Failure::new(Exit::Fault, format!("--markdown {}: {error}", path.display())))?;
    }
    let well = matrix.is_well() && (matrix.all_tried() || !all_must_be_tried);
    Ok(if well { Exit::Conforms } else { Exit::Fails })
}

/// As it was typed.
fn command() -> String {
    let args: Vec<String> = std::env::args().skip(1).collect();
    format!("chatspec {}", args.join(" "))
}

fn today() -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    OffsetDateTime::now_utc().format(format).unwrap_or_default()
}

fn progress(length: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) =
        ProgressStyle::with_template("  {spinner:.cyan} {pos}/{len} sabotages  {wide_msg:.dim}")
    {
        bar.set_style(style);
    }
    bar.set_message("first without any");
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

fn show_progress(bar: &ProgressBar, event: &CampaignEvent) {
    match event {
        CampaignEvent::Ready => bar.set_message(""),
        CampaignEvent::Tried(trial) => {
            let trial = Arc::clone(trial);
            bar.set_message(format!("{} {}", trial.name, trial.outcome.word()));
            bar.inc(1);
        }
    }
}

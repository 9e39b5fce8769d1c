//! `doctor`: tries out a target file step by step.

use std::io::{self, Write};

use anstream::AutoStream;
use clap::Args;

use super::run::interruption;
use super::{Color, Failure, TargetArgs, scale};
use crate::contract::Contract;
use crate::doctor::{self, StepReport, StepState};
use crate::report::palette::{BOLD, DIM, GREEN, RED, YELLOW};
use crate::result::Exit;

/// What `doctor` takes.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    target: TargetArgs,
    /// Multiply every deadline by this factor, for slow machines.
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = scale)]
    timeout_scale: f64,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

/// Tries out what the file says; 0 where everything works.
pub(super) fn doctor(args: &DoctorArgs, contract: Contract) -> Result<Exit, Failure> {
    let profile = args.target.profile()?.ok_or_else(|| {
        let text =
            "say which server to examine: --target FILE or --url URL; chatspec init writes a target file";
        Failure::new(Exit::Usage, text)
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, error))?;
    let mut out = AutoStream::new(io::stdout(), args.color.choice());
    let examined = doctor::examine(profile, contract, args.timeout_scale, |finding| {
        // Whoever has stopped reading does not want to know more.
        let _ = show(&mut out, finding);
    });
    let well = runtime.block_on(async {
        let mut interrupted = interruption();
        // What runs for the target ends with the examination.
        tokio::select! {
            well = examined => Some(well),
            _ = interrupted.wait_for(|stop| *stop) => None,
        }
    });
    runtime.shutdown_background();
    let Some(well) = well else {
        return Ok(Exit::Interrupted);
    };
    let ending = if well {
        format!("\n  {GREEN}All that a run needs works.{GREEN:#}")
    } else {
        format!("\n  {RED}Something has to be fixed{RED:#} before a run can say anything about this server.")
    };
    let _ = writeln!(out, "{ending}");
    Ok(if well { Exit::Conforms } else { Exit::Fault })
}

fn show(out: &mut impl Write, finding: &StepReport) -> io::Result<()> {
    let step = finding.step;
    match &finding.state {
        StepState::Works(seen) => writeln!(out, "  {GREEN}✓{GREEN:#} {step:<24} {DIM}{seen}{DIM:#}"),
        StepState::NotOffered(why) => writeln!(out, "  {YELLOW}·{YELLOW:#} {step:<24} {why}"),
        StepState::NotTried(cause) => {
            writeln!(
                out,
                "  {YELLOW}·{YELLOW:#} {step:<24} not tried: it builds on \"{cause}\""
            )
        }
        StepState::Broken { why, frames, advice } => {
            writeln!(out, "  {RED}✗ {step}{RED:#}")?;
            for frame in frames {
                writeln!(out, "      {DIM}{frame}{DIM:#}")?;
            }
            for line in why.lines() {
                writeln!(out, "      {line}")?;
            }
            writeln!(out, "      {BOLD}change:{BOLD:#} {advice}")
        }
    }?;
    out.flush()
}

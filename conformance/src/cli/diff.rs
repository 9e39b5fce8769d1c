//! `diff`: what has changed from one report to another.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use clap::{Args, ValueEnum};

use super::{Color, Failure};
use crate::compare::diff::{self, Diff};
use crate::contract::Contract;
use crate::result::Exit;
use crate::saved::Saved;

pub(super) const EXAMPLES: &str = "Examples:
  chatspec --target chatspec.toml --report json=report.json
  chatspec diff main.json report.json                  did this branch make anything worse?
  chatspec diff nightly.json quick.json                what --quick leaves out is told and does not count
  chatspec diff --strict main.json report.json         what was looked at then has to be looked at now
  chatspec diff --format markdown main.json report.json >> \"$GITHUB_STEP_SUMMARY\"
  chatspec --report json | chatspec diff main.json -

Better and worse, from the best:
  proven  pass
  open    unverified, inconclusive, harness (the kit is at fault)
  broken  fail; warn; unverified where a MUST was blocked, which fails a run as well
  What goes down is worse, what goes up is better, and passes only if it is proven. What stays where it is has changed if
  it has another verdict, or is broken with another fingerprint. That a SHOULD fails in a run under --strict and is a
  warning in another is no difference.

What B did not look at is gone, and never better: what --only, --skip or --quick left out, what an interruption came
before, what had not passed in a scenario that did not run again, and what was broken and cannot be verified any more.

Exit codes:
  0  nothing is worse, as far as both looked
  1  something is worse, or new and failing; under --strict, or gone
  2  a file is missing or is no JSON report of this schema version, the protocol versions differ, or nothing was looked at
     in both";

/// What `diff` takes.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// JSON report of the run before; - is standard input.
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// JSON report of the run after; - is standard input.
    #[arg(value_name = "B.json")]
    b: PathBuf,
    /// What B did not look at counts as worse.
    #[arg(long)]
    strict: bool,
    /// How to write it.
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
    /// For pull requests.
    Markdown,
}

pub(super) fn diff(args: &DiffArgs, contract: &Contract) -> Result<Exit, Failure> {
    standard_input_once(&[&args.a, &args.b])?;
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let diff = Diff::between(&a, &b, contract).map_err(|error| Failure::new(Exit::Usage, error))?;
    let stdout = io::stdout().lock();
    let written = match args.format {
        Format::Text => diff::text(
            &mut AutoStream::new(stdout, args.color.choice()),
            &diff,
            args.strict,
        ),
        Format::Json => diff::json(&diff, args.strict).and_then(|text| put(stdout, &text)),
        Format::Markdown => put(stdout, &diff::markdown(&diff, args.strict)),
    };
    let exit = if diff.is_worse(args.strict) {
        Exit::Fails
    } else {
        Exit::Conforms
    };
    done(written, exit)
}

/// Refuses to read standard input a second time, at its end.
pub(super) fn standard_input_once(files: &[&PathBuf]) -> Result<(), Failure> {
    if files.iter().filter(|file| **file == Path::new("-")).count() > 1 {
        let text = "standard input can be read only once: give a file instead of the second -";
        return Err(Failure::new(Exit::Usage, text));
    }
    Ok(())
}

pub(super) fn read(file: &Path) -> Result<Saved, Failure> {
    Saved::read(file).map_err(|error| Failure::new(Exit::Usage, error))
}

pub(super) fn put(mut out: impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A reader that has gone away is no failure, and takes nothing from the verdict.
pub(super) fn done(written: io::Result<()>, exit: Exit) -> Result<Exit, Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Fault, error)),
        _ => Ok(exit),
    }
}

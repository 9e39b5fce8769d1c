//! `snapshot`: writes what a target's acks and broadcasts look like, or holds it against what was written.

use std::io::{self, Write};
use std::path::PathBuf;

use anstream::AutoStream;
use clap::Args;
use similar::{ChangeTag, TextDiff};

use super::run::interruption;
use super::{Color, Failure, TargetArgs, scale};
use crate::contract::Contract;
use crate::preflight::{self, TargetChoice};
use crate::report::palette::{BOLD, CYAN, DIM, GREEN, RED, YELLOW};
use crate::result::Exit;
use crate::scene::RunOptions;
use crate::shapes::changes::changes;
use crate::shapes::document::Document;
use crate::shapes::folder::{Documents, Drift, Folder, FolderError, Written};
use crate::shapes::gather::{GatherError, gather};

pub(super) const EXAMPLES: &str = "Examples:
  chatspec snapshot --out shapes                            of the reference server
  chatspec snapshot --target chatspec.toml --out shapes     of your own; keep the folder under version control
  chatspec snapshot --target chatspec.toml --check shapes   in CI: fails when anything looks different
  chatspec snapshot --url http://127.0.0.1:4000 --check shapes

In the files, volatile values stand as their kind: <objectid>, <uuid>, <timestamp>, <text>, <number>.
  \"key?\"    is not always there
  \"+key\"    is no key of the contract
  \"a | b\"   is either of them

Exit codes: 0 written, or nothing has changed; 1 something has changed; 2 the command line, the target file or the folder
is wrong; 3 the target cannot be reached, or what is asked for there does not work.";

const RUNS: u16 = 2;

/// What `snapshot` takes.
#[derive(Debug, Args)]
pub(super) struct SnapshotArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    action: Action,
    /// How often to gather everything: keys that are only sometimes present show up over several runs.
    #[arg(long, value_name = "N", default_value_t = RUNS, value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: u16,
    /// Multiply every deadline by this factor, for slow machines.
    #[arg(long, value_name = "F", default_value_t = 1.0, value_parser = scale)]
    timeout_scale: f64,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

/// What to do with what was gathered: one of both.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Action {
    /// Write the files to this folder, which is created if needed; snapshots in it that are out of date are removed.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Compare the files of this folder with the target, and show the differences.
    #[arg(long, value_name = "DIR")]
    check: Option<PathBuf>,
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<GatherError> for Failure {
    fn from(error: GatherError) -> Self {
        Self::new(Exit::Fault, error)
    }
}

/// Gathers, and writes or compares.
pub(super) fn snapshot(args: &SnapshotArgs, contract: Contract) -> Result<Exit, Failure> {
    // What the person got wrong is told before anything is started.
    let subject = args
        .target
        .profile()?
        .map_or(TargetChoice::Reference, TargetChoice::from);
    let folder = match &args.action {
        Action {
            check: Some(path), ..
        } => Folder::read(path)?,
        Action { out: Some(path), .. } => Folder::make(path)?,
        Action { .. } => return Err(Failure::new(Exit::Usage, "give --out DIR or --check DIR")),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Fault, error))?;
    let gathered = runtime.block_on(async {
        let mut interrupted = interruption();
        // What runs for the target ends with the gathering.
        tokio::select! {
            gathered = Box::pin(from_target(args, subject, contract)) => gathered.map(Some),
            _ = interrupted.wait_for(|stop| *stop) => Ok(None),
        }
    });
    // Connections that do not end are no reason to wait.
    runtime.shutdown_background();
    let Some(gathered) = gathered? else {
        return Ok(Exit::Interrupted);
    };
    let mut out = AutoStream::new(io::stdout(), args.color.choice());
    if args.action.check.is_none() {
        let written = folder.write(&gathered)?;
        unless_closed(tell_written(&mut out, &folder, &written, &gathered))?;
        return Ok(Exit::Conforms);
    }
    let drift = folder.drift(&gathered);
    unless_closed(tell_drift(&mut out, args, &folder, &drift))?;
    Ok(if drift.is_empty() {
        Exit::Conforms
    } else {
        Exit::Fails
    })
}

async fn from_target(
    args: &SnapshotArgs,
    subject: TargetChoice,
    contract: Contract,
) -> Result<Documents, Failure> {
    let options = RunOptions {
        scale: args.timeout_scale,
        ..RunOptions::default()
    };
    let context = preflight::prepare(subject, contract, options).await?;
    let urls: Vec<&str> = context.target.urls().iter().map(url::Url::as_str).collect();
    let mut err = AutoStream::new(io::stderr(), args.color.choice());
    let name = &context.target.profile.name;
    // Progress that nobody reads is no reason to stop.
    let _ = writeln!(
        err,
        "{BOLD}chatspec{BOLD:#} snapshot of {name} {DIM}{}{DIM:#}",
        urls.join(" ")
    );
    let runs = args.runs;
    let gathered = gather(&context, runs.into(), |run| {
        let _ = writeln!(err, "{DIM}gathering, run {run} of {runs}{DIM:#}");
    });
    Ok(gathered.await?)
}

/// A reader that has gone away is no failure.
fn unless_closed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Fault, error)),
        _ => Ok(()),
    }
}

fn tell_written(
    out: &mut impl Write,
    folder: &Folder,
    written: &Written,
    gathered: &Documents,
) -> io::Result<()> {
    let not_seen = || {
        gathered
            .values()
            .flat_map(|document| document.not_seen.iter().map(move |case| (document, case)))
    };
    if not_seen().next().is_some() {
        writeln!(
            out,
            "\n  {BOLD}Not seen{BOLD:#}, and listed in the files as such:"
        )?;
        for (document, (case, why)) in not_seen() {
            writeln!(
                out,
                "  {YELLOW}·{YELLOW:#} {}, {case}  {DIM}{why}{DIM:#}",
                document.what
            )?;
        }
    }
    let Written {
        written,
        unchanged,
        removed,
    } = written;
    let path = folder.path().display();
    writeln!(
        out,
        "\n  {GREEN}✓{GREEN:#} {path}: {written} written, {unchanged} unchanged, {removed} removed"
    )
}

fn tell_drift(out: &mut impl Write, args: &SnapshotArgs, folder: &Folder, drift: &[Drift]) -> io::Result<()> {
    let path = folder.path().display();
    if drift.is_empty() {
        return writeln!(out, "\n  {GREEN}✓{GREEN:#} {path}: nothing has changed");
    }
    for drift in drift {
        tell_file(out, folder, drift)?;
    }
    let files = if drift.len() == 1 {
        "file differs"
    } else {
        "files differ"
    };
    writeln!(
        out,
        "\n  {RED}✗ {path}: {} {files}.{RED:#} Where that is meant, accept it:",
        drift.len()
    )?;
    writeln!(out, "    {}", accepting(args, folder))
}

/// One file: what has changed, and how that looks in it.
fn tell_file(out: &mut impl Write, folder: &Folder, drift: &Drift) -> io::Result<()> {
    let file = folder.path().join(&drift.file);
    let what = drift
        .is
        .as_ref()
        .or(drift.was.as_ref())
        .map(|document| document.what.as_str());
    writeln!(
        out,
        "\n{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}",
        file.display(),
        what.unwrap_or_default()
    )?;
    match (&drift.was, &drift.is) {
        (Some(was), Some(is)) => {
            for change in changes(was, is) {
                writeln!(out, "  {RED}✗{RED:#} {change}")?;
            }
        }
        (None, _) => writeln!(out, "  {RED}✗{RED:#} there is no such file")?,
        (_, None) => writeln!(out, "  {RED}✗{RED:#} this is not gathered any more")?,
    }
    let text = |document: &Option<Document>| document.as_ref().map(Document::to_text).unwrap_or_default();
    tell_diff(out, &text(&drift.was), &text(&drift.is))
}

fn tell_diff(out: &mut impl Write, was: &str, is: &str) -> io::Result<()> {
    writeln!(
        out,
        "  {RED}--- in the file{RED:#}\n  {GREEN}+++ from the target{GREEN:#}"
    )?;
    for hunk in TextDiff::from_lines(was, is).unified_diff().iter_hunks() {
        writeln!(out, "  {CYAN}{}{CYAN:#}", hunk.header())?;
        for change in hunk.iter_changes() {
            let style = match change.tag() {
                ChangeTag::Delete => RED,
                ChangeTag::Insert => GREEN,
                ChangeTag::Equal => DIM,
            };
            let line = change.value().trim_end_matches('\n');
            writeln!(out, "  {style}{}{line}{style:#}", change.tag())?;
        }
    }
    Ok(())
}

/// The command that writes what was gathered, for a shell. Secrets are not repeated.
fn accepting(args: &SnapshotArgs, folder: &Folder) -> String {
    let mut words = vec!["chatspec".to_owned(), "snapshot".to_owned()];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    for url in &args.target.url {
        option("--url", url.clone());
    }
    if let Some(target) = &args.target.target {
        option("--target", target.display().to_string());
    }
    if args.runs != RUNS {
        option("--runs", args.runs.to_string());
    }
    option("--out", folder.path().display().to_string());
    let words: Vec<_> = words
        .iter()
        .map(|word| shlex::try_quote(word).unwrap_or(word.into()))
        .collect();
    words.join(" ")
}

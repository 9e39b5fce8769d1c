//! The reports that `run` is asked for: which, and where each goes.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstream::stream::{AsLockedWrite, RawStream};
use anstream::{AutoStream, StripStream};
use console::Term;
use strum::{EnumString, IntoEnumIterator};

use super::files::{Fresh, fresh};
use super::{Color, Failure, RunArgs};
use crate::report::html::Html;
use crate::report::terminal::wrap::Wrap;
use crate::report::terminal::{Detail, Terminal};
use crate::report::{AtEnd, Report, badge, github, json, junit, markdown, tap};
use crate::result::Exit;

/// What a report looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, EnumString, strum::EnumIter)]
#[strum(serialize_all = "lowercase")]
enum Kind {
    Terminal,
    Json,
    Html,
    Junit,
    Tap,
    Markdown,
    Github,
    Badge,
}

/// What `--report` asks for.
#[derive(Debug)]
struct Asked<'a> {
    /// The value of the option, for error messages.
    text: &'a str,
    kind: Kind,
    /// A file; without one it is standard output.
    path: Option<&'a Path>,
}

impl<'a> Asked<'a> {
    fn parse(text: &'a str) -> Result<Self, Failure> {
        let (kind, path) = match text.split_once('=') {
            Some((kind, path)) => (kind, Some(Path::new(path))),
            None => (text, None),
        };
        let no_such = |_| {
            let kinds: Vec<String> = Kind::iter().map(|kind| kind.to_string()).collect();
            usage(text, format!("unknown format; use one of {}", kinds.join(", ")))
        };
        let kind = kind.parse().map_err(no_such)?;
        Ok(Self { text, kind, path })
    }
}

fn usage(report: &str, why: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, format!("--report {report}: {why}"))
}

/// The reports that are asked for; files are opened now, so that a path that cannot be written is told at once.
pub(super) fn reports(args: &RunArgs) -> Result<Vec<Box<dyn Report>>, Failure> {
    let asked: Vec<Asked<'_>> = args
        .report
        .iter()
        .map(|text| Asked::parse(text))
        .collect::<Result<_, _>>()?;
    let on_screen = |one: &&Asked<'_>| one.kind == Kind::Terminal && one.path.is_none();
    let on_stdout = |one: &&Asked<'_>| one.kind != Kind::Terminal && one.path.is_none();
    only_one(asked.iter().filter(on_screen))?;
    only_one(asked.iter().filter(on_stdout))?;
    // What machines read is all that is there then.
    let screen: Box<dyn Write + Send> = if asked.iter().any(|one| on_stdout(&one)) {
        fitting(io::stderr(), Term::stderr().size_checked(), args.color)
    } else {
        fitting(io::stdout(), Term::stdout().size_checked(), args.color)
    };
    let mut reports = vec![terminal(screen, io::stderr().is_terminal(), args)];
    let mut files: Vec<(PathBuf, &str)> = Vec::new();
    for one in asked.iter().filter(|one| !on_screen(one)) {
        let out: Box<dyn Write + Send> = match one.path {
            Some(path) => Box::new(create(one.text, path, &mut files)?),
            None => Box::new(io::stdout()),
        };
        reports.push(report(one.kind, out, args));
    }
    Ok(reports)
}

/// At most one report can go to one place.
fn only_one<'a>(mut asked: impl Iterator<Item = &'a Asked<'a>>) -> Result<(), Failure> {
    match (asked.next(), asked.next()) {
        (Some(first), Some(second)) => {
            let first = first.text;
            Err(usage(
                second.text,
                format!(
                    "--report {first} already goes to standard output; give this one a file, as in {}=PATH",
                    second.kind
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn report(kind: Kind, out: Box<dyn Write + Send>, args: &RunArgs) -> Box<dyn Report> {
    match kind {
        Kind::Terminal => terminal(Box::new(StripStream::new(out)), false, args),
        Kind::Json => Box::new(AtEnd::new(out, json::text)),
        Kind::Html => Box::new(Html::new(out)),
        Kind::Junit => Box::new(AtEnd::new(out, junit::document)),
        Kind::Tap => Box::new(AtEnd::new(out, |run| Ok(tap::document(run)))),
        Kind::Markdown => Box::new(AtEnd::new(out, |run| Ok(markdown::document(run)))),
        Kind::Github => Box::new(AtEnd::new(out, |run| Ok(github::document(run)))),
        Kind::Badge => Box::new(AtEnd::new(out, |run| Ok(badge::text(run)))),
    }
}

fn terminal(out: Box<dyn Write + Send>, live: bool, args: &RunArgs) -> Box<dyn Report> {
    let terminal = Terminal::new(out, live && !args.quiet);
    Box::new(terminal.with_timings(args.timings).with_detail(detail(args)))
}

const fn detail(args: &RunArgs) -> Detail {
    match (args.quiet, args.verbose) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Normal,
    }
}

/// Lines that fit the terminal, where it is one, in the colours that it takes.
pub(super) fn fitting<S>(stream: S, size: Option<(u16, u16)>, color: Color) -> Box<dyn Write + Send>
where
    S: RawStream + AsLockedWrite + Send + 'static,
{
    let stream = AutoStream::new(stream, color.choice());
    match size {
        Some((_, columns)) => Box::new(Wrap::new(stream, columns.into())),
        None => Box::new(stream),
    }
}

/// Opens the file of a report, unless another report has it; `files` are those that were opened before.
pub(super) fn create<'a>(
    report: &'a str,
    path: &Path,
    files: &mut Vec<(PathBuf, &'a str)>,
) -> Result<BufWriter<Fresh>, Failure> {
    let wrong = |error: io::Error| Failure::new(Exit::Usage, format!("--report {}: {error}", path.display()));
    let fresh = fresh("--report", path)?;
    // A pipe or a device may take more than one.
    if fresh.file.metadata().map_err(wrong)?.is_file() {
        let place = fs::canonicalize(path).map_err(wrong)?;
        if let Some((_, other)) = files.iter().find(|(taken, _)| *taken == place) {
            return Err(usage(
                report,
                format!("--report {other} already writes to that file"),
            ));
        }
        files.push((place, report));
    }
    Ok(BufWriter::new(fresh))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_name() {
        for kind in Kind::iter() {
            let text = format!("{kind}=a=b");
            let asked = Asked::parse(&text).unwrap();
            assert_eq!((asked.kind, asked.path), (kind, Some(Path::new("a=b"))));
            assert_eq!(Asked::parse(&kind.to_string()).unwrap().path, None);
        }
        let told = Asked::parse("yaml=x").unwrap_err().text;
        assert_eq!(
            told,
            "--report yaml=x: unknown format; use one of terminal, json, html, junit, tap, markdown, github, badge"
        );
    }
}

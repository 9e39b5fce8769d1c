//! `matrix`: reports side by side.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anstream::{AutoStream, StripStream};
use clap::{Args, ValueEnum};

use super::diff::{done, put, read, standard_input_once};
use super::{Color, Failure};
use crate::compare::matrix::{self, Matrix};
use crate::contract::Contract;
use crate::result::Exit;
use crate::saved::Saved;

pub(super) const EXAMPLES: &str = "Examples:
  chatspec matrix node.json python.json go.json
  chatspec matrix node.json python.json --report html=matrix.html
  chatspec matrix reports/*.json --report text --report markdown=matrix.md --report json=matrix.json

The columns have the names of the targets. The HTML is one file, which needs neither scripts nor the network.

Exit codes:
  0  written, whatever the verdicts are
  2  a file is missing or is no JSON report of this schema version, the protocol versions differ, or a file cannot be
     written";

/// What `matrix` takes.
#[derive(Debug, Args)]
pub(super) struct MatrixArgs {
    /// JSON reports, one for each column; - is standard input.
    #[arg(value_name = "FILE.json", required = true)]
    files: Vec<PathBuf>,
    /// Format to write: text, markdown, html or json; add =PATH to write a file. Without it, text goes to standard output.
    #[arg(long, value_name = "FORMAT[=PATH]", value_parser = parse)]
    report: Vec<Report>,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    color: Color,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Report {
    format: Format,
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Markdown,
    Html,
    Json,
}

fn parse(text: &str) -> Result<Report, String> {
    let (format, path) = match text.split_once('=') {
        Some((_, "")) => return Err("a path is missing after =".to_owned()),
        Some((format, path)) => (format, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let known = Format::from_str(format, false);
    let format = known.map_err(|_| "unknown format; use text, markdown, html or json".to_owned())?;
    Ok(Report { format, path })
}

pub(super) fn matrix(args: &MatrixArgs, contract: &Contract) -> Result<Exit, Failure> {
    let standard = [Report {
        format: Format::Text,
        path: None,
    }];
    let reports = match args.report.as_slice() {
        [] => standard.as_slice(),
        reports => reports,
    };
    if reports.iter().filter(|report| report.path.is_none()).count() > 1 {
        let text =
            "--report: only one can go to standard output; give the others a path, as in html=matrix.html";
        return Err(Failure::new(Exit::Usage, text));
    }
    standard_input_once(&args.files.iter().collect::<Vec<_>>())?;
    let saved: Vec<Saved> = args
        .files
        .iter()
        .map(|file| read(file))
        .collect::<Result<_, _>>()?;
    let matrix = Matrix::of(&saved, contract).map_err(|error| Failure::new(Exit::Usage, error))?;
    for report in reports {
        match &report.path {
            Some(path) => write(report.format, path, &matrix)?,
            None => done(print(report.format, args.color, &matrix), Exit::Conforms).map(drop)?,
        }
    }
    Ok(Exit::Conforms)
}

fn print(format: Format, color: Color, matrix: &Matrix) -> io::Result<()> {
    let stdout = io::stdout().lock();
    match format {
        Format::Text => matrix::text(&mut AutoStream::new(stdout, color.choice()), matrix),
        Format::Markdown | Format::Html | Format::Json => put(stdout, &document(format, matrix)?),
    }
}

fn write(format: Format, path: &Path, matrix: &Matrix) -> Result<(), Failure> {
    document(format, matrix)
        .and_then(|text| fs::write(path, text))
        .map_err(|error| Failure::new(Exit::Usage, format!("--report {}: {error}", path.display())))
}

/// All of it, without colours.
fn document(format: Format, matrix: &Matrix) -> io::Result<String> {
    Ok(match format {
        Format::Text => {
            let mut text = Vec::new();
            matrix::text(&mut StripStream::new(&mut text), matrix)?;
            String::from_utf8_lossy(&text).into_owned()
        }
        Format::Markdown => matrix::markdown(matrix),
        Format::Html => matrix::html(matrix),
        Format::Json => matrix::json(matrix)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_a_format_and_perhaps_a_path() {
        let report = |format, path: Option<&str>| {
            Ok(Report {
                format,
                path: path.map(PathBuf::from),
            })
        };
        assert_eq!(
            parse("html=out/a=b.html"),
            report(Format::Html, Some("out/a=b.html"))
        );
        assert_eq!(parse("json"), report(Format::Json, None));
        assert!(parse("html=").is_err_and(|told| told.contains("path is missing")));
        assert!(parse("yaml=x").is_err_and(|told| told.contains("markdown, html or json")));
    }
}

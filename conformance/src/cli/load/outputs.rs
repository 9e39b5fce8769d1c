//! The reports that `load` is asked for, and where each goes.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use console::Term;

use super::args::LoadArgs;
use crate::cli::Failure;
use crate::cli::reports::{create, fitting};
use crate::load::outcome::LoadResult;
use crate::load::report;
use crate::result::Exit;

/// What `--report` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
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

pub(super) fn parse(text: &str) -> Result<Asked, String> {
    let (format, path) = match text.split_once('=') {
        Some((_, "")) => return Err("a path is missing after =".to_owned()),
        Some((format, path)) => (format, Some(PathBuf::from(path))),
        None => (text, None),
    };
    let format = Format::from_str(format, false);
    Ok(Asked {
        text: text.to_owned(),
        format: format.map_err(|_| "unknown format; use terminal, json or html".to_owned())?,
        path,
    })
}

/// Where a report is written.
pub(super) struct Output {
    format: Format,
    /// As people know it, for errors.
    place: String,
    out: Box<dyn Write + Send>,
}

impl Output {
    pub(super) fn write(&mut self, outcome: &LoadResult) -> Result<(), Failure> {
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
pub(super) fn outputs(args: &LoadArgs) -> Result<Vec<Output>, Failure> {
    let bare: Vec<&Asked> = args.report.iter().filter(|one| one.path.is_none()).collect();
    let on_stdout = bare.iter().filter(|one| one.format != Format::Terminal).count();
    if on_stdout > 1 {
        let text =
            "--report: only one can go to standard output; give the others a path, as in html=load.html";
        return Err(Failure::new(Exit::Usage, text));
    }
    let screen: Box<dyn Write + Send> = if on_stdout > 0 {
        fitting(io::stderr(), Term::stderr().size_checked(), args.color)
    } else {
        fitting(io::stdout(), Term::stdout().size_checked(), args.color)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_report_has_a_format_and_perhaps_a_path() {
        let asked = parse("html=out/a=b.html").unwrap();
        assert_eq!(
            (asked.format, asked.path.as_deref()),
            (Format::Html, Some(Path::new("out/a=b.html")))
        );
        assert_eq!(parse("json").unwrap().path, None);
        assert!(parse("html=").is_err_and(|told| told.contains("path is missing")));
        assert!(parse("tap=x").is_err_and(|told| told.contains("terminal, json or html")));
    }
}

//! `completions` and `man`: what a shell and `man` get to know of this program, made from the command line itself.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{Cli, Failure};
use crate::result::Exit;

pub(super) const COMPLETIONS_EXAMPLES: &str = "Examples:
  chatspec completions bash > ~/.local/share/bash-completion/completions/chatspec
  chatspec completions zsh > ~/.zfunc/_chatspec           with fpath+=~/.zfunc before compinit in ~/.zshrc
  chatspec completions fish > ~/.config/fish/completions/chatspec.fish
  chatspec completions powershell >> $PROFILE";

pub(super) const MAN_EXAMPLES: &str = "Examples:
  chatspec man | man -l -                                 the page of chatspec itself
  chatspec man --out ~/.local/share/man/man1              all pages, also that of man chatspec-run";

/// What `completions` takes.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// What `man` takes.
#[derive(Debug, Args)]
pub(super) struct ManArgs {
    /// Folder for the pages of all commands, made if need be; without it, that of chatspec goes to standard output.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Writes the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "chatspec", &mut text);
    print(&text)
}

/// Writes one page, or all.
pub(super) fn man(args: &ManArgs) -> Result<Exit, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let Some(folder) = &args.out else {
        let (_, text) = page(command).map_err(|error| Failure::new(Exit::Fault, error))?;
        return Ok(print(&text));
    };
    let failed = |error| Failure::new(Exit::Usage, format!("--out {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    write(command, folder).map_err(failed)?;
    Ok(Exit::Conforms)
}

/// To standard output; whoever has stopped reading does not want the rest.
fn print(text: &[u8]) -> Exit {
    let _ = io::stdout().write_all(text);
    Exit::Conforms
}

/// The pages of a command and of all below it.
fn write(command: clap::Command, folder: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        write(below.clone(), folder)?;
    }
    let (name, text) = page(command)?;
    fs::write(folder.join(name), text)
}

/// One page, with the name of its file.
fn page(command: clap::Command) -> io::Result<(String, Vec<u8>)> {
    let closing = closing(&command);
    let has_commands = command.has_subcommands();
    let man = Man::new(command)
        .manual("chatspec")
        .source(concat!("chatspec ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if has_commands {
        man.render_subcommands_section(&mut text)?;
    }
    closing.to_writer(&mut text)?;
    Ok((man.get_filename(), text))
}

/// What stands below the options in `--help`: sections of their own, whose lines stay as they are.
fn closing(command: &clap::Command) -> Roff {
    let text = command
        .get_after_long_help()
        .or_else(|| command.get_after_help())
        .map(ToString::to_string);
    let mut roff = Roff::new();
    for paragraph in text.unwrap_or_default().split("\n\n") {
        let titled = ["Examples", "Exit codes"]
            .into_iter()
            .find_map(|title| Some((title, paragraph.strip_prefix(title)?.strip_prefix(':')?)));
        if let Some((title, lines)) = titled {
            roff.control("SH", [title.to_uppercase().as_str()]);
            roff.control("nf", []);
            for line in lines.trim_matches([' ', '\n']).lines() {
                roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
            roff.control("fi", []);
        } else {
            roff.control("PP", []);
            roff.text([roman(paragraph)]);
        }
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_below_the_options_has_sections_of_its_own() {
        let command = clap::Command::new("x").after_help(
            "Examples:\n  x one   the first\n  x two   the second\n\nIt says more.\n\nExit codes: 0 good, 1 bad.",
        );
        let text = closing(&command).render();
        let examples = ".SH EXAMPLES\n.nf\nx one   the first\nx two   the second\n.fi\n.PP\nIt says more.\n";
        assert!(text.contains(examples), "{text}");
        assert!(
            text.contains(".SH \"EXIT CODES\"\n.nf\n0 good, 1 bad.\n.fi\n"),
            "{text}"
        );
    }
}

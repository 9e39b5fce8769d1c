//! Lines that fit a terminal, however narrow it is, and that do nothing to it but colour it.

use std::io::{self, Write};
use std::sync::LazyLock;

use regex::Regex;
use textwrap::{Options, WordSplitter};

use crate::text::one_line;

/// Below this nothing can be read anyway.
const NARROWEST: usize = 30;

/// Wraps every line at words, and goes on under where the line began. Colours take no room. What else would steer the
/// terminal comes from a target, and is shown instead.
pub struct Wrap<W> {
    inner: W,
    width: usize,
    line: Vec<u8>,
}

impl<W: Write> Wrap<W> {
    /// Lines of at most `width` columns.
    pub const fn new(inner: W, width: usize) -> Self {
        let width = if width < NARROWEST { NARROWEST } else { width };
        Self {
            inner,
            width,
            line: Vec::new(),
        }
    }
}

impl<W: Write> Write for Wrap<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                for line in wrapped(&String::from_utf8_lossy(&line), self.width) {
                    writeln!(self.inner, "{line}")?;
                }
            } else {
                self.line.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// What steers a terminal as an escape; colours are kept.
fn harmless(line: &str) -> String {
    static COLOUR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\x1b\[[0-9;]*m").ok());
    let Some(colour) = &*COLOUR else {
        return one_line(line);
    };
    let mut shown = String::with_capacity(line.len());
    let mut end = 0;
    for found in colour.find_iter(line) {
        shown.push_str(&one_line(&line[end..found.start()]));
        shown.push_str(found.as_str());
        end = found.end();
    }
    shown + &one_line(&line[end..])
}

fn wrapped(line: &str, width: usize) -> Vec<String> {
    let line = &harmless(line);
    let begin = line.len() - line.trim_start_matches(' ').len();
    let indent = " ".repeat((begin + 2).min(width / 2));
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .word_splitter(WordSplitter::NoHyphenation);
    textwrap::wrap(line, options)
        .into_iter()
        .map(std::borrow::Cow::into_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str, width: usize) -> String {
        let mut out = Vec::new();
        let mut wrap = Wrap::new(&mut out, width);
        wrap.write_all(text.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_cut_at_words_and_go_on_under_their_beginning() {
        assert_eq!(
            through("   expected one thing and not another thing\nshort\n\n", 30),
            "   expected one thing and not\n     another thing\nshort\n\n"
        );
    }

    #[test]
    fn what_has_no_words_is_cut_all_the_same() {
        let long = "x".repeat(70);
        assert!(
            through(&format!("{long}\n"), 40)
                .lines()
                .all(|line| line.len() <= 40)
        );
    }

    #[test]
    fn a_target_cannot_steer_the_terminal() {
        assert_eq!(
            through("got \u{1b}]0;title\u{7} \u{9b}2J \u{202e}x\u{0} \u{1b}[2J\n", 80),
            "got \\u{1b}]0;title\\u{7} \\u{9b}2J \\u{202e}x\\u{0} \\u{1b}[2J\n"
        );
    }

    #[test]
    fn colours_take_no_room() {
        let red = "\u{1b}[31mwith a colour\u{1b}[0m and then some words\n";
        assert_eq!(through(red, 40), red);
    }
}

//! Lines that fit a terminal, however narrow it is.

use std::io::{self, Write};

use textwrap::{Options, WordSplitter};

/// Below this nothing can be read anyway.
const NARROWEST: usize = 30;

/// Wraps every line at words, and goes on under where the line began. Colours take no room.
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

fn wrapped(line: &str, width: usize) -> Vec<String> {
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
    fn colours_take_no_room() {
        let red = "\u{1b}[31mwith a colour\u{1b}[0m and then some words\n";
        assert_eq!(through(red, 40), red);
    }
}

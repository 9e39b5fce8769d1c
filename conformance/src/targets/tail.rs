//! The last lines that a process wrote, for whoever has to find out why it does not do what it should.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

use crate::private::Private;
use crate::transcript::redact::redact;

/// The last lines, with secrets replaced when they are shown. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    secrets: Private<Vec<String>>,
}

impl Tail {
    const LINES: usize = 20;
    /// What is shorter than this is no secret, but a number or a word that means nothing by itself.
    const SECRET: usize = 8;

    /// One that shows none of these.
    pub(super) fn hiding(secrets: impl Iterator<Item = String>) -> Self {
        Self {
            secrets: Private(secrets.filter(|secret| secret.len() >= Self::SECRET).collect()),
            ..Self::default()
        }
    }

    /// One more line; the oldest goes.
    pub(super) fn push(&self, line: String) {
        let mut lines = self.lines.lock();
        if lines.len() == Self::LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The lines, each set in by two spaces.
    pub fn text(&self) -> String {
        let lines = self.lines.lock();
        let lines: Vec<String> = lines.iter().map(|line| format!("  {}", redact(line))).collect();
        let hidden = |text: String, secret: &String| text.replace(secret, "***");
        self.secrets.0.iter().fold(lines.join("\n"), hidden)
    }

    /// Keeps what is read until the end, and shows every line to `look` first.
    pub(super) fn follow(
        &self,
        from: impl AsyncRead + Send + Unpin + 'static,
        look: impl Fn(&str) + Send + 'static,
    ) {
        let tail = self.clone();
        tokio::spawn(async move {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            // What is no UTF-8 is no reason to stop: a full pipe would stop the process.
            while from.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                look(&text);
                tail.push(text);
                line.clear();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_without_secrets() {
        let tail = Tail::hiding(["a long secret".to_owned(), "3000".to_owned()].into_iter());
        for n in 0..30 {
            tail.push(format!("line {n} on 3000 with a long secret"));
        }
        let text = tail.text();
        assert_eq!(text.lines().count(), Tail::LINES);
        assert!(
            text.contains("line 29 on 3000 with ***") && !text.contains("line 9 "),
            "{text}"
        );
    }
}

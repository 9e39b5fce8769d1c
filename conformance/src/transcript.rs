//! What went over the wire in one scenario, bounded and with secrets blotted out.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use regex::Regex;

use crate::expect::shorten;

/// Which way something went, seen from the kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the target.
    Out,
    /// From the target.
    In,
    /// Neither: something that happened to the connection.
    Note,
}

/// One frame, one HTTP exchange or one thing that happened.
#[derive(Clone, Debug)]
pub struct Line {
    /// Since the scenario began.
    pub at: Duration,
    /// Which client.
    pub client: String,
    /// Which way.
    pub direction: Direction,
    /// What, with secrets blotted out and cut where too long.
    pub text: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arrow = match self.direction {
            Direction::Out => "→",
            Direction::In => "←",
            Direction::Note => "·",
        };
        write!(
            f,
            "{:>9.3} ms  {} {arrow} {}",
            self.at.as_secs_f64() * 1e3,
            self.client,
            self.text
        )
    }
}

/// The lines of one scenario; the oldest go when there are too many.
#[derive(Debug)]
pub struct Transcript {
    began: Instant,
    lines: Mutex<VecDeque<Line>>,
    /// Texts that are not shown, wherever they occur.
    secrets: Mutex<BTreeSet<String>>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            lines: Mutex::default(),
            secrets: Mutex::default(),
        }
    }
}

impl Transcript {
    /// How many lines are kept.
    pub const CAPACITY: usize = 2_000;

    /// Writes one line.
    pub fn write(&self, client: &str, direction: Direction, text: &str) {
        let line = Line {
            at: self.began.elapsed(),
            client: client.to_owned(),
            direction,
            text: redact(&head(text)),
        };
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == Self::CAPACITY {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Never shows this text, in whatever way a target writes it: a password, or a token.
    pub fn hide(&self, secret: &str) {
        if !secret.is_empty() {
            self.secrets
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(secret.to_owned());
        }
    }

    /// The last `n` lines, oldest first, without the heartbeat and what else is to be left out.
    pub fn last(&self, n: usize, leave_out: impl Fn(&Line) -> bool) -> Vec<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last: Vec<Line> = lines
            .iter()
            .rev()
            .filter(|line| !matches!(line.text.as_str(), "2" | "3") && !leave_out(line))
            .take(n)
            .cloned()
            .collect();
        last.reverse();
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        for line in &mut last {
            // A secret that is cut off would not be found any more.
            for secret in secrets
                .iter()
                .filter(|secret| line.text.contains(*secret))
                .collect::<Vec<_>>()
            {
                line.text = line.text.replace(secret, "***");
            }
            line.text = shorten(&line.text);
        }
        last
    }
}

/// Enough of a huge text to show, so that blotting out does not walk through megabytes.
fn head(text: &str) -> std::borrow::Cow<'_, str> {
    const MOST: usize = 1_000;
    match text.char_indices().nth(MOST) {
        None => text.into(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()).into(),
    }
}

/// Replaces every JSON string that is long enough to be a token; what else the answer holds can still be seen.
pub fn blot(text: &str) -> String {
    static LONG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"\\]{16,}""#).ok());
    match &*LONG {
        Some(long) => long.replace_all(text, "\"***\"").into_owned(),
        None => "(could not be shown safely)".to_owned(),
    }
}

/// Replaces tokens and passwords.
pub fn redact(text: &str) -> String {
    static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)
            (?P<key> "(?:token|accessToken|sessionToken|password)"\s*:\s*" | [?&]token= | [Bb]earer\s+ )
            [^"&\s]+
            | (?P<jwt> eyJ[\w-]{8,}\.[\w-]+\.[\w-]* )
            "#,
        )
        .ok()
    });
    match &*SECRETS {
        Some(secrets) => secrets.replace_all(text, "${key}***").into_owned(),
        None => "(could not be shown safely)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_blotted_out() {
        for (text, shown) in [
            (r#"40{"token":"abc.def"}"#, r#"40{"token":"***"}"#),
            (
                r#"{"accessToken": "x", "sessionToken":"y"}"#,
                r#"{"accessToken": "***", "sessionToken":"***"}"#,
            ),
            ("GET /?a=1&token=xyz&b=2", "GET /?a=1&token=***&b=2"),
            ("Authorization: Bearer xyz", "Authorization: Bearer ***"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }

    #[test]
    fn the_heartbeat_is_left_out_and_the_oldest_go() {
        let transcript = Transcript::default();
        for i in 0..Transcript::CAPACITY + 5 {
            transcript.write("alice", Direction::Out, &i.to_string());
        }
        transcript.write("alice", Direction::In, "2");
        let last = transcript.last(2, |_| false);
        assert_eq!(last.last().map(|line| line.text.as_str()), Some("2004"));
        assert_eq!(
            transcript.last(usize::MAX, |_| false).len(),
            Transcript::CAPACITY - 1
        );
    }
}

//! What went over the wire in one scenario, bounded and with secrets replaced.
//!
//! - [`Transcript`]: the last lines, for people
//! - [`record`]: everything, as it happens, for a file
//! - [`decode`]: what a frame means
//! - [`mod@redact`]: replaces passwords and tokens
//! - [`annotation`]: what the kit means by it, for who tells it again

pub mod annotation;
pub mod decode;
pub mod record;
pub mod redact;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;

use crate::text::shorten;
use annotation::Annotation;
use record::{Entry, Recorder};
use redact::redact;

/// The direction of a frame, seen from the kit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the target.
    Out,
    /// From the target.
    In,
    /// Neither: something that happened to the connection.
    Note,
}

/// One frame, one HTTP exchange or one thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TranscriptLine {
    /// Since the scenario began.
    pub at: Duration,
    /// Name of the client, as in `alice`.
    pub client: String,
    /// Sent, received, or neither.
    pub direction: Direction,
    /// The frame or the note, with secrets replaced by `***`, and cut where it is too long.
    pub text: String,
}

impl std::fmt::Display for TranscriptLine {
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

/// One run of a scenario, whose transcript goes to a recorder as well.
#[derive(Clone, Debug)]
pub struct ScenarioRun {
    /// Id of the scenario, as in `rooms/join-and-leave`.
    pub scenario: &'static str,
    /// Number of this run: a scenario may run again, and no two runs have the same number.
    pub scene: u64,
    /// Gets every line.
    pub recorder: Arc<Recorder>,
}

/// The lines of one scenario; the oldest go when there are too many.
#[derive(Debug)]
pub struct Transcript {
    began: Instant,
    lines: Mutex<VecDeque<TranscriptLine>>,
    /// Texts that are not shown, wherever they occur.
    secrets: Mutex<BTreeSet<String>>,
    run: Option<ScenarioRun>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Transcript {
    /// How many lines are kept.
    pub const CAPACITY: usize = 2_000;

    /// An empty transcript; with a `run`, every line also goes to its recorder.
    pub fn new(run: Option<ScenarioRun>) -> Self {
        Self {
            began: Instant::now(),
            lines: Mutex::default(),
            secrets: Mutex::default(),
            run,
        }
    }

    /// Writes one line: a frame, or a note.
    pub fn write(&self, client: &str, direction: Direction, text: &str) {
        self.keep(client, direction, text);
        if let Some(run) = &self.run {
            let text = self.recorded(run, text);
            let decoded = match direction {
                Direction::Note => None,
                Direction::Out | Direction::In => decode::frame(&text),
            };
            run.record(client, direction, text, decoded);
        }
    }

    /// Writes one line that is not a frame as such, with what it means.
    pub fn write_as(&self, client: &str, direction: Direction, text: &str, decoded: &Value) {
        self.keep(client, direction, text);
        if let Some(run) = &self.run {
            // Replacing secrets leaves JSON valid.
            let decoded = serde_json::from_str(&self.recorded(run, &decoded.to_string())).ok();
            run.record(client, direction, self.recorded(run, text), decoded);
        }
    }

    /// Says what the kit means, where somebody is to tell it again.
    pub(crate) fn annotate(&self, client: &str, annotation: Annotation) {
        if let Some(run) = self.run.as_ref().filter(|run| run.recorder.is_confidential()) {
            run.recorder.record(Entry {
                annotation: Some(annotation),
                ..run.entry(client, Direction::Note, String::new(), None)
            });
        }
    }

    /// The text as it is recorded.
    fn recorded(&self, run: &ScenarioRun, text: &str) -> String {
        if run.recorder.is_confidential() {
            text.to_owned()
        } else {
            self.without_secrets(text)
        }
    }

    fn keep(&self, client: &str, direction: Direction, text: &str) {
        let line = TranscriptLine {
            at: self.began.elapsed(),
            client: client.to_owned(),
            direction,
            text: redact(&head(text)),
        };
        let mut lines = self.lines.lock();
        if lines.len() == Self::CAPACITY {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn without_secrets(&self, text: &str) -> String {
        let secrets = self.secrets.lock();
        let known = secrets.iter().filter(|secret| text.contains(*secret));
        redact(&known.fold(text.to_owned(), |text, secret| text.replace(secret, "***")))
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Never shows this text, in whatever way a target writes it: a password, or a token.
    pub fn hide(&self, secret: &str) {
        if !secret.is_empty() {
            self.secrets.lock().insert(secret.to_owned());
        }
    }

    /// The last `n` lines, oldest first, without the heartbeat and what else is to be left out.
    pub fn last(&self, n: usize, leave_out: impl Fn(&TranscriptLine) -> bool) -> Vec<TranscriptLine> {
        let lines = self.lines.lock();
        let mut last: Vec<TranscriptLine> = lines
            .iter()
            .rev()
            .filter(|line| !matches!(line.text.as_str(), "2" | "3") && !leave_out(line))
            .take(n)
            .cloned()
            .collect();
        last.reverse();
        drop(lines);
        for line in &mut last {
            // A secret that is cut off would not be found any more.
            line.text = shorten(&self.without_secrets(&line.text));
        }
        last
    }
}

impl ScenarioRun {
    fn record(&self, client: &str, direction: Direction, text: String, decoded: Option<Value>) {
        self.recorder.record(self.entry(client, direction, text, decoded));
    }

    fn entry(&self, client: &str, direction: Direction, text: String, decoded: Option<Value>) -> Entry {
        Entry {
            us: 0,
            scenario: self.scenario,
            scene: self.scene,
            client: client.to_owned(),
            direction,
            text,
            bytes: None,
            decoded,
            annotation: None,
        }
    }
}

/// Enough of a huge text to show, so that replacing secrets does not walk through megabytes.
fn head(text: &str) -> std::borrow::Cow<'_, str> {
    const MOST: usize = 1_000;
    match text.char_indices().nth(MOST) {
        None => text.into(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

//! The transcript of a whole run, written as it happens: one JSON object per line, which `fixtures/schemas/transcript.json`
//! describes.

use std::io::{self, Write};
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Direction;
use super::annotation::Annotation;

/// What a transcript says that it is, in its first line.
pub const SCHEMA: &str = "chatspec-transcript/1";

/// One frame, one half of an HTTP exchange, or one thing that happened; without secrets, unless the recorder is confidential.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When, in µs since the recording began, by a clock that never goes back.
    pub us: u64,
    /// In which scenario.
    pub scenario: &'static str,
    /// Which time it played: a scenario that is run again has another number.
    pub scene: u64,
    /// Name of the client, as in `alice`, or of the HTTP user.
    pub client: String,
    /// Sent, received, or neither.
    pub direction: Direction,
    /// As it went over the wire, or near to it where a library speaks for the kit.
    pub text: String,
    /// How many bytes it had, where the text is cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
    /// What it means, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<Value>,
    /// What the kit means, for a confidential recorder alone.
    #[serde(skip)]
    pub annotation: Option<Annotation>,
}

type Take = dyn FnMut(Entry) -> io::Result<()> + Send;

/// Takes every entry of a run, from all scenes.
pub struct Recorder {
    began: Instant,
    state: Mutex<State>,
    confidential: bool,
}

struct State {
    take: Box<Take>,
    failed: Option<io::Error>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

impl Recorder {
    /// Hands every entry over, whole.
    pub fn new(take: impl FnMut(Entry) -> io::Result<()> + Send + 'static) -> Self {
        let state = State {
            take: Box::new(take),
            failed: None,
        };
        Self {
            began: Instant::now(),
            state: Mutex::new(state),
            confidential: false,
        }
    }

    /// The same with secrets and remarks, for who writes none of them down.
    pub fn confidential(take: impl FnMut(Entry) -> io::Result<()> + Send + 'static) -> Self {
        Self {
            confidential: true,
            ..Self::new(take)
        }
    }

    /// Whether it takes secrets and remarks.
    pub(super) const fn is_confidential(&self) -> bool {
        self.confidential
    }

    /// Writes every entry as a line, at once and as a whole: a crash loses at most the last one. `out` must not buffer.
    pub fn lines(mut out: impl Write + Send + 'static) -> Self {
        let mut begun = false;
        Self::new(move |entry| {
            if !begun {
                begun = true;
                line(&mut out, &head())?;
            }
            line(&mut out, &cut(entry))
        })
    }

    /// Takes an entry; its time is set here. After a failure nothing more is taken.
    pub(super) fn record(&self, mut entry: Entry) {
        let mut state = self.state.lock();
        if state.failed.is_none() {
            // Under the lock, so that lines are in the order of their times.
            entry.us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
            state.failed = (state.take)(entry).err();
        }
    }

    /// The error that ended the recording early, if there was one; it is returned once.
    pub fn failure(&self) -> Option<io::Error> {
        self.state.lock().failed.take()
    }
}

/// Nobody wants to scroll through megabytes.
fn cut(mut entry: Entry) -> Entry {
    const MOST: usize = 16_384;
    if entry.text.len() > MOST {
        entry.bytes = Some(entry.text.len());
        entry.text.truncate(entry.text.floor_char_boundary(MOST));
        entry.decoded = None;
    }
    entry
}

fn head() -> Value {
    json!({
        "schema": SCHEMA,
        "kit": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        "began_at": OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
    })
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::transcript::{ScenarioRun, Transcript};

    #[derive(Clone, Default)]
    struct Sheet(Arc<Mutex<Vec<u8>>>);

    impl Write for Sheet {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sheet {
        fn lines(&self) -> Vec<Value> {
            let text = String::from_utf8(self.0.lock().clone()).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        }
    }

    fn played(recorder: Recorder) -> Transcript {
        Transcript::new(Some(ScenarioRun {
            scenario: "a/b",
            scene: 7,
            recorder: Arc::new(recorder),
        }))
    }

    #[test]
    fn every_line_is_there_at_once_decoded_and_fits_the_schema() {
        let sheet = Sheet::default();
        let transcript = played(Recorder::lines(sheet.clone()));
        transcript.write("alice", Direction::Note, "opens ws://x");
        transcript.write("alice", Direction::Out, r#"40{"token":"abc"}"#);
        assert_eq!(sheet.lines().len(), 3);
        transcript.write("alice", Direction::In, r#"423["a:b",{"n":1}]"#);
        transcript.hide("hush");
        transcript.write_as(
            "alice",
            Direction::In,
            "HTTP 200 hush",
            &json!({"http": "response", "status": 200, "body": {"pass": "hush"}}),
        );
        let lines = sheet.lines();
        let schemas = crate::contract::Contract::embedded().unwrap().schemas;
        for line in &lines {
            schemas.matches("transcript", line).unwrap();
        }
        assert_eq!(lines[0]["schema"], SCHEMA);
        assert!(lines[1].get("decoded").is_none());
        assert_eq!(
            lines[2]["decoded"],
            json!({"packet": "connect", "namespace": "/", "data": {"token": "***"}})
        );
        assert_eq!(
            lines[3]["decoded"],
            json!({"packet": "event", "namespace": "/", "ack": 3, "event": "a:b", "args": [{"n": 1}]})
        );
        assert_eq!(lines[4]["decoded"]["body"]["pass"], "***");
        assert_eq!(
            (&lines[4]["scenario"], &lines[4]["scene"]),
            (&json!("a/b"), &json!(7))
        );
        let times: Vec<_> = lines[1..]
            .iter()
            .map(|line| line["us"].as_u64().unwrap())
            .collect();
        assert!(times.is_sorted());
    }

    #[test]
    fn only_a_confidential_recorder_gets_secrets_and_remarks() {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let keep = |taken: &Arc<Mutex<Vec<Entry>>>| {
            let taken = taken.clone();
            move |entry| {
                taken.lock().push(entry);
                Ok(())
            }
        };
        for (recorder, texts) in [
            (Recorder::new(keep(&taken)), vec![r#"40{"token":"***"}"#]),
            (
                Recorder::confidential(keep(&taken)),
                vec![r#"40{"token":"abc"}"#, ""],
            ),
        ] {
            let transcript = played(recorder);
            transcript.hide("abc");
            transcript.write("alice", Direction::Out, r#"40{"token":"abc"}"#);
            let judged = Annotation::Judged("MSG-01".to_owned());
            transcript.annotate("alice", judged.clone());
            let taken = std::mem::take(&mut *taken.lock());
            assert_eq!(
                taken.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(),
                texts
            );
            assert_eq!(
                taken.iter().any(|entry| entry.annotation == Some(judged.clone())),
                texts.len() > 1
            );
        }
    }

    #[test]
    fn what_is_huge_is_cut_and_says_so() {
        let sheet = Sheet::default();
        let transcript = played(Recorder::lines(sheet.clone()));
        let text = format!(r#"42["x","{}"]"#, "é".repeat(100_000));
        transcript.write("alice", Direction::Out, &text);
        let line = &sheet.lines()[1];
        assert_eq!(line["bytes"], text.len());
        assert!(line["text"].as_str().unwrap().len() < 40_000);
        assert!(line.get("decoded").is_none());
    }

    #[test]
    fn a_failure_is_told_once_and_ends_the_recording() {
        let mut calls = 0;
        let recorder = Arc::new(Recorder::new(move |_| {
            calls += 1;
            Err(io::Error::other(format!("call {calls}")))
        }));
        let transcript = Transcript::new(Some(ScenarioRun {
            scenario: "a/b",
            scene: 0,
            recorder: recorder.clone(),
        }));
        transcript.write("alice", Direction::Out, "2");
        transcript.write("alice", Direction::Out, "2");
        assert_eq!(recorder.failure().unwrap().to_string(), "call 1");
        assert!(recorder.failure().is_none());
    }
}

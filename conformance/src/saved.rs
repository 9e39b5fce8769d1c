//! A JSON report, read back: what a comparison or a baseline needs of it, and everything that may be wrong with it.
//!
//! Fields that this version does not know are passed over, and those that older reports lack have a default, so that
//! reports of the same schema version are read whichever kit wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::baseline::{CheckLocation, Failure, Finding, FindingOutcome};
use crate::fingerprint::Fingerprint;
use crate::standing::Standing;
use crate::text::{brief, one_line};
use crate::verdict::{Level, Verdict};

/// What a report says that it is.
pub const SCHEMA: &str = "chatspec-report/1";

/// Nothing that a run writes comes near this.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// A report.
#[derive(Clone, Debug, Deserialize)]
pub struct Saved {
    /// Where it was read from, as people are told.
    #[serde(skip)]
    pub file: String,
    /// The protocol version.
    pub protocol: String,
    /// The name of the requirement set that counted; nothing where the report does not say.
    #[serde(default)]
    pub set: String,
    /// What wrote it.
    #[serde(default)]
    pub kit: SavedKit,
    /// Who was tested.
    pub target: SavedTarget,
    /// When the run began, as the report writes it.
    #[serde(default)]
    pub started_at: String,
    /// Whether the run was cut short from outside.
    #[serde(default)]
    pub interrupted: bool,
    /// The requirements that `--quick` has left out.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// What it says of each requirement.
    pub requirements: Vec<SavedRequirement>,
}

/// The kit that wrote a report.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct SavedKit {
    /// Its version.
    #[serde(default)]
    pub version: String,
}

/// The target that a report is about.
#[derive(Clone, Debug, Deserialize)]
pub struct SavedTarget {
    /// What it is called.
    pub name: String,
    /// The limits by which it was judged, by key.
    #[serde(default)]
    pub limits: BTreeMap<String, Value>,
}

/// What a report says of a requirement.
#[derive(Clone, Debug, Deserialize)]
pub struct SavedRequirement {
    /// As in `MSG-02`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Over all its checks.
    pub verdict: Verdict,
    /// What that means for the run; nothing in older reports.
    pub standing: Option<Standing>,
    /// Why, where the verdict is no pass.
    pub reason: Option<String>,
    /// Its checks; of a scenario that only passed, one.
    pub checks: Vec<SavedCheck>,
}

/// What a report says of a requirement in a scenario.
#[derive(Clone, Debug, Deserialize)]
pub struct SavedCheck {
    /// As in `messages/send-and-broadcast`.
    pub scenario: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why, where the verdict is no pass.
    #[serde(default)]
    pub message: String,
    /// Why it could not be made: `blocked` or `not-offered`.
    pub unverified: Option<String>,
    /// How it fails, where it fails the run.
    pub fingerprint: Option<Fingerprint>,
}

impl SavedCheck {
    /// Whether a step before it did not work.
    pub fn is_blocked(&self) -> bool {
        self.unverified.as_deref() == Some("blocked")
    }
}

impl SavedRequirement {
    /// What its verdict means for the run.
    pub fn standing(&self) -> Standing {
        self.standing.unwrap_or(match self.verdict {
            Verdict::Pass => Standing::Pass,
            Verdict::Fail => Standing::Failure,
            Verdict::Warn => Standing::Warning,
            Verdict::Harness => Standing::Fault,
            Verdict::Unverified | Verdict::Inconclusive => Standing::Undecided,
        })
    }

    /// Whether it is unverified because the target did not get through a step.
    pub fn is_blocked(&self) -> bool {
        self.verdict == Verdict::Unverified && self.checks.iter().any(SavedCheck::is_blocked)
    }
}

/// What is wrong with a report.
#[derive(Debug, Error)]
pub enum ReportError {
    /// It cannot be read.
    #[error("report {file}: {source}")]
    Read {
        /// Path of the report.
        file: String,
        /// The error of the file system.
        source: io::Error,
    },
    /// There is nothing in it.
    #[error(
        "report {file} is empty: the run that should have written it did not start, or was ended; run it again"
    )]
    Empty {
        /// Path of the report.
        file: String,
    },
    /// It is far too large.
    #[error("report {file} is no JSON report of chatspec: it has more than {} MiB", MOST_BYTES >> 20)]
    TooLarge {
        /// Path of the report.
        file: String,
    },
    /// It is something else.
    #[error("report {file} is no JSON report of chatspec: {why}; write one with --report json=PATH")]
    Invalid {
        /// Path of the report.
        file: String,
        /// What is wrong with it, with line and column where there are such.
        why: String,
    },
    /// It is a report of another time.
    #[error(
        "report {file} has the schema {schema}, and this chatspec reads {SCHEMA}: use the chatspec that wrote it, or run \
         it again with this one"
    )]
    OtherSchema {
        /// Path of the report.
        file: String,
        /// Its schema.
        schema: String,
    },
    /// It comes from a kit that knew no baselines.
    #[error(
        "report {file} has no fingerprints: it was written by an older chatspec; run it again with this one"
    )]
    NoFingerprints {
        /// Path of the report.
        file: String,
    },
}

/// What a report says that it is.
#[derive(Deserialize)]
struct Head {
    schema: Option<Value>,
}

impl Saved {
    /// Reads a report; `-` is standard input.
    pub fn read(path: &Path) -> Result<Self, ReportError> {
        let (file, bytes) = if path == Path::new("-") {
            ("on standard input".to_owned(), bytes(io::stdin().lock()))
        } else {
            let file = one_line(&path.display().to_string());
            (file, File::open(path).and_then(bytes))
        };
        match bytes {
            Ok(bytes) => Self::parse(&bytes, &file),
            Err(source) => Err(ReportError::Read { file, source }),
        }
    }

    /// Takes in what is in a file.
    pub fn parse(bytes: &[u8], file: &str) -> Result<Self, ReportError> {
        let file = file.to_owned();
        if bytes.len() as u64 > MOST_BYTES {
            return Err(ReportError::TooLarge { file });
        }
        if bytes.trim_ascii().is_empty() {
            return Err(ReportError::Empty { file });
        }
        let invalid = |why: String| ReportError::Invalid {
            file: file.clone(),
            why: brief(&why),
        };
        let not_read = |error: serde_json::Error| invalid(error.to_string());
        // What it is comes first: another thing has other fields, of which nobody wants to be told one by one.
        match serde_json::from_slice::<Head>(bytes).map_err(not_read)?.schema {
            Some(Value::String(schema)) if schema == SCHEMA => {}
            Some(Value::String(schema)) if schema.starts_with("chatspec-report/") => {
                let schema = brief(&schema);
                return Err(ReportError::OtherSchema { file, schema });
            }
            Some(schema) => return Err(invalid(format!("its schema is {schema}"))),
            None => return Err(invalid("it does not say its schema".to_owned())),
        }
        let report: Self = serde_json::from_slice(bytes).map_err(not_read)?;
        let mut ids = BTreeSet::new();
        if let Some(twice) = report.requirements.iter().find(|r| !ids.insert(&r.id)) {
            return Err(invalid(format!("it has {} twice", twice.id)));
        }
        Ok(Self { file, ..report })
    }

    /// What it says of a requirement.
    pub fn requirement(&self, id: &str) -> Option<&SavedRequirement> {
        self.requirements.iter().find(|requirement| requirement.id == id)
    }
}

impl Saved {
    /// What it says about each requirement in each scenario, for a baseline.
    pub fn findings(self) -> Result<Vec<Finding>, ReportError> {
        let mut findings = Vec::new();
        for requirement in self.requirements {
            for check in requirement.checks {
                let place = CheckLocation {
                    requirement: requirement.id.clone(),
                    scenario: check.scenario.clone(),
                };
                let outcome = outcome(check, &place).ok_or_else(|| ReportError::NoFingerprints {
                    file: self.file.clone(),
                })?;
                findings.push(Finding { place, outcome });
            }
        }
        Ok(findings)
    }
}

/// What a check says; nothing if it failed and has no fingerprint.
fn outcome(check: SavedCheck, place: &CheckLocation) -> Option<FindingOutcome> {
    Some(match (check.verdict, check.fingerprint) {
        (Verdict::Pass, _) => FindingOutcome::Pass,
        (verdict, Some(fingerprint)) => FindingOutcome::Fail(Failure {
            place: place.clone(),
            fingerprint,
            message: check.message,
            blocked: verdict == Verdict::Unverified,
        }),
        (Verdict::Fail, None) => return None,
        (Verdict::Warn, None) => FindingOutcome::Warning,
        (_, None) => FindingOutcome::Undecided(check.message),
    })
}

/// All of it, unless that is more than any report has: then a little more than that.
fn bytes(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};

    fn error_for(text: &str) -> String {
        Saved::parse(text.as_bytes(), "out.json").unwrap_err().to_string()
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let run = sample::result();
        let text = json::document(&run).to_string();
        let saved = Saved::parse(text.as_bytes(), "out.json").unwrap();
        assert_eq!(
            (saved.file.as_str(), saved.protocol.as_str()),
            ("out.json", "1.0")
        );
        assert_eq!(saved.target.name, "sample");
        assert_eq!(saved.target.limits["rate_max"], 10);
        assert_eq!(saved.left_out, ["Y-02"]);
        let failed = saved.requirement("X-01").unwrap();
        assert_eq!((failed.level, failed.verdict), (Level::Must, Verdict::Fail));
        assert_eq!(failed.reason, run.requirements[0].reason);
        assert!(failed.checks[0].fingerprint.is_some());
        assert!(saved.requirement("X-09").is_none());
    }

    #[test]
    fn fields_that_are_new_or_not_there_yet_do_no_harm() {
        let text = r#"{"schema": "chatspec-report/1", "protocol": "1.0", "target": {"name": "x", "colour": "red"},
            "requirements": [{"id": "X-01", "level": "MUST", "verdict": "pass", "checks": [], "mood": "good"}], "new": {}}"#;
        let saved = Saved::parse(text.as_bytes(), "out.json").unwrap();
        assert!(!saved.interrupted && saved.left_out.is_empty() && saved.target.limits.is_empty());
    }

    #[test]
    fn what_is_no_report_is_told() {
        assert!(error_for("").contains("out.json is empty"));
        assert!(error_for(" \n").contains("out.json is empty"));
        let broken = error_for("{\n  \"schema\": oops}");
        assert!(broken.contains("out.json is no JSON report") && broken.contains("line 2 column 13"));
        assert!(error_for("[1]").contains("out.json is no JSON report"));
        assert!(error_for("{}").contains("does not say its schema"));
        assert!(error_for(r#"{"schema": 7}"#).contains("its schema is 7"));
        assert!(error_for(r#"{"schema": "x"}"#).contains("its schema is \"x\""));
        let newer = error_for(r#"{"schema": "chatspec-report/2"}"#);
        assert!(newer.contains("chatspec-report/2, and this chatspec reads chatspec-report/1"));
        let shape = error_for("{\"schema\": \"chatspec-report/1\",\n \"protocol\": 1}");
        assert!(shape.contains("line 2 column"), "{shape}");
    }

    #[test]
    fn odd_values_are_told_without_being_obeyed() {
        let of = |requirements: &str| {
            error_for(&format!(
                r#"{{"schema": "chatspec-report/1", "protocol": "1.0", "target": {{"name": "x"}}, "requirements": {requirements}}}"#
            ))
        };
        let odd = of(r#"[{"id": "X-01", "level": "MUST", "verdict": "\u001b[2J", "checks": []}]"#);
        assert!(odd.contains(r"unknown variant `\u{1b}[2J`"), "{odd:?}");
        let twice = r#"{"id": "X-\u00071", "level": "MUST", "verdict": "pass", "checks": []}"#;
        assert!(of(&format!("[{twice}, {twice}]")).contains(r"it has X-\u{7}1 twice"));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_name() {
        let missing = Saved::read(Path::new("/no/such/report.json")).unwrap_err();
        assert!(missing.to_string().contains("/no/such/report.json"), "{missing}");
        let folder = tempfile::tempdir().unwrap();
        let told = Saved::read(folder.path()).unwrap_err().to_string();
        assert!(told.contains(folder.path().to_str().unwrap()), "{told}");
        let large = folder.path().join("large.json");
        File::create(&large).unwrap().set_len(MOST_BYTES + 10).unwrap();
        let told = Saved::read(&large).unwrap_err().to_string();
        assert!(told.contains("more than 64 MiB"), "{told}");
    }

    #[test]
    fn a_report_without_fingerprints_is_told() {
        let old = json::document(&sample::result())
            .to_string()
            .replace("\"fingerprint\"", "\"other\"");
        let saved = Saved::parse(old.as_bytes(), "out.json").unwrap();
        let told = saved.findings().unwrap_err().to_string();
        assert!(
            told.contains("out.json") && told.contains("older chatspec"),
            "{told}"
        );
    }
}

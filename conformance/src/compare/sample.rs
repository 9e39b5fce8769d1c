//! Small reports made by hand, for the tests of comparisons.

use serde_json::{Value, json};

use crate::saved::Saved;
use crate::standing::Standing;
use crate::verdict::{Level, Verdict};

/// What a report is to say of a requirement in one scenario.
#[derive(Clone, Copy)]
pub(crate) struct SampleCheck<'a> {
    id: &'a str,
    level: Level,
    verdict: Verdict,
    scenario: &'a str,
    reason: Option<&'a str>,
    fingerprint: Option<&'a str>,
}

impl<'a> SampleCheck<'a> {
    pub(crate) const fn must(id: &'a str, verdict: Verdict) -> Self {
        Self {
            id,
            level: Level::Must,
            verdict,
            scenario: "x/one",
            reason: None,
            fingerprint: None,
        }
    }

    pub(crate) const fn should(id: &'a str, verdict: Verdict) -> Self {
        Self {
            level: Level::Should,
            ..Self::must(id, verdict)
        }
    }

    pub(crate) const fn because(self, reason: &'a str) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }

    pub(crate) const fn print(self, fingerprint: &'a str) -> Self {
        Self {
            fingerprint: Some(fingerprint),
            ..self
        }
    }

    pub(crate) const fn at(self, scenario: &'a str) -> Self {
        Self { scenario, ..self }
    }

    fn check(&self) -> Value {
        json!({
            "scenario": self.scenario,
            "verdict": self.verdict,
            "message": self.reason.unwrap_or_default(),
            "unverified": self.is_blocked().then_some("blocked"),
            "fingerprint": self.fingerprint,
        })
    }

    /// Whether a step before it did not work: then there is a fingerprint, or it says so.
    fn is_blocked(&self) -> bool {
        let says_so = self.reason.is_some_and(|reason| reason.starts_with("blocked: "));
        self.verdict == Verdict::Unverified && (self.fingerprint.is_some() || says_so)
    }

    fn standing(&self) -> Standing {
        match self.verdict {
            Verdict::Pass => Standing::Pass,
            Verdict::Fail => Standing::Failure,
            Verdict::Warn => Standing::Warning,
            Verdict::Harness => Standing::Fault,
            Verdict::Unverified if self.level == Level::Must && self.is_blocked() => Standing::Unproven,
            Verdict::Unverified | Verdict::Inconclusive => Standing::Undecided,
        }
    }
}

/// A report that says all of that; what it says of one requirement several times are the checks of it, and the first of
/// them decides.
pub(crate) fn report(told: &[SampleCheck<'_>]) -> Saved {
    let mut requirements: Vec<Value> = Vec::new();
    for check in told {
        if let Some(known) = requirements.iter_mut().find(|r| r["id"] == check.id) {
            let mut checks = known["checks"].as_array().cloned().unwrap_or_default();
            checks.push(check.check());
            known["checks"] = checks.into();
        } else {
            requirements.push(json!({
                "id": check.id,
                "level": check.level,
                "verdict": check.verdict,
                "standing": check.standing(),
                "reason": check.reason,
                "checks": [check.check()],
            }));
        }
    }
    let report = json!({
        "schema": "chatspec-report/1",
        "protocol": "1.0",
        "kit": {"name": "chatspec", "version": "0.1.0"},
        "target": {"name": "sample", "limits": {"rate_max": 10, "rate_window_ms": 10_000}},
        "started_at": "2026-01-02T03:04:05Z",
        "interrupted": false,
        "requirements": requirements,
    });
    Saved::parse(report.to_string().as_bytes(), "out.json").unwrap()
}

/// The same under another name.
pub(crate) fn named(file: &str, target: &str, told: &[SampleCheck<'_>]) -> Saved {
    let mut report = report(told);
    report.file = file.to_owned();
    report.target.name = target.to_owned();
    report
}

//! The report for machines, written once at the end; `fixtures/schemas/report.json` describes it.

use std::io;

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;

use crate::expect::{Difference, Mismatch};
use crate::fingerprint::Fingerprint;
use crate::measurement::Measurement;
use crate::result::{RequirementResult, RunResult, ScenarioResult};
use crate::saved::SCHEMA;
use crate::standing::{self, Standing};
use crate::transcript::TranscriptLine;
use crate::verdict::{Blocked, Check, Level, Unverified, Verdict};

/// The whole report as text.
pub fn text(result: &RunResult) -> io::Result<String> {
    let mut text = serde_json::to_string_pretty(&document(result))?;
    text.push('\n');
    Ok(text)
}

/// The whole report.
pub fn document(result: &RunResult) -> Value {
    let notes = result.scenarios.iter().flat_map(|scenario| {
        let line = |(requirement, text): &(String, String)| {
            json!({"requirement": requirement, "scenario": scenario.scenario.id, "text": text})
        };
        scenario.notes.iter().map(line).collect::<Vec<_>>()
    });
    let figures = result.scenarios.iter().flat_map(|scenario| {
        let line = |figure: &Measurement| {
            json!({
                "requirement": figure.requirement,
                "scenario": scenario.scenario.id,
                "what": figure.what,
                "value": figure.value,
                "unit": figure.unit,
            })
        };
        scenario.measurements.iter().map(line).collect::<Vec<_>>()
    });
    let mut document = json!({
        "schema": SCHEMA,
        "protocol": result.protocol,
        "set": result.set,
        "kit": {"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")},
        "target": {
            "name": result.target,
            "urls": result.urls,
            "provisioning": result.provisioning,
            "limits": result.limits,
        },
        "started_at": result.started_at.format(&Rfc3339).unwrap_or_default(),
        "calibration": result.calibration,
        "interrupted": result.interrupted,
        "duration_ms": millis(result.duration),
        "summary": {
            "must": summary(result, Level::Must),
            "should": summary(result, Level::Should),
        },
        "requirements": result
            .requirements
            .iter()
            .map(|r| {
                let mut told = requirement(r, |check| standing::failure(result, r, check).map(|f| f.fingerprint));
                told["standing"] = json!(Standing::of(result, r));
                told
            })
            .collect::<Vec<_>>(),
        // They fail nothing, so that no baseline has to list them.
        "later": result.later.iter().map(|r| requirement(r, |_| None)).collect::<Vec<_>>(),
        "scenarios": result.scenarios.iter().map(scenario).collect::<Vec<_>>(),
        "left_out": result.left_out,
        "notes": notes.collect::<Vec<_>>(),
        "figures": figures.collect::<Vec<_>>(),
    });
    if let Some(why) = &result.lost {
        document["lost"] = why.as_str().into();
    }
    if let Some(judged) = &result.baseline {
        document["baseline"] = json!(judged);
    }
    document
}

fn summary(result: &RunResult, level: Level) -> Value {
    use Verdict::{Fail, Harness, Inconclusive, Pass, Unverified, Warn};
    let verdicts: &[Verdict] = match level {
        Level::Must => &[Pass, Fail, Unverified, Inconclusive],
        Level::Should | Level::May => &[Pass, Warn, Fail, Unverified, Inconclusive],
    };
    let mut counts: Map<String, Value> = verdicts
        .iter()
        .map(|verdict| (verdict.word().to_owned(), result.count(level, *verdict).into()))
        .collect();
    // Only there when it happened: it says nothing about the target.
    match result.count(level, Harness) {
        0 => {}
        n => drop(counts.insert(Harness.word().to_owned(), n.into())),
    }
    counts.into()
}

fn requirement(result: &RequirementResult, fingerprint: impl Fn(&Check) -> Option<Fingerprint>) -> Value {
    let mut checks = Vec::new();
    let mut passed = Vec::new();
    for check in &result.checks {
        let elsewhere = || {
            result
                .checks
                .iter()
                .any(|c| c.scenario == check.scenario && c.verdict != Verdict::Pass)
        };
        // A scenario that only passed is told once.
        if check.verdict == Verdict::Pass && (elsewhere() || passed.contains(&&check.scenario)) {
            continue;
        }
        passed.push(&check.scenario);
        let mut told = with_message(
            json!({"scenario": check.scenario, "verdict": check.verdict}),
            check,
        );
        if !check.frames.is_empty() {
            told["frames"] = check.frames.iter().map(frame).collect();
        }
        if let Some(fingerprint) = fingerprint(check) {
            told["fingerprint"] = fingerprint.as_str().into();
        }
        checks.push(told);
    }
    let mut document = json!({
        "id": result.id,
        "level": result.level,
        "verdict": result.verdict,
        "checks": checks,
    });
    if let Some(reason) = &result.reason {
        document["reason"] = reason.as_str().into();
    }
    document
}

fn with_message(mut document: Value, check: &Check) -> Value {
    if let Some(message) = &check.message {
        document["message"] = message.as_str().into();
    }
    match &check.unverified {
        Some(Unverified::NotOffered) => document["unverified"] = "not-offered".into(),
        Some(Unverified::Blocked(blocked)) => {
            document["unverified"] = "blocked".into();
            document["blocked"] = blocked_by(blocked);
        }
        None => {}
    }
    if let Some(difference) = check.mismatch.as_ref().and_then(Mismatch::difference) {
        document["difference"] = facts(difference);
    }
    document
}

fn blocked_by(blocked: &Blocked) -> Value {
    let difference = blocked.mismatch.as_ref().and_then(Mismatch::difference);
    let facts = [
        ("step", blocked.step.clone().map(Value::from)),
        ("requirement", blocked.requirement.clone().map(Value::from)),
        ("difference", difference.map(facts)),
    ];
    facts
        .into_iter()
        .filter_map(|(name, fact)| Some((name.to_owned(), fact?)))
        .collect()
}

fn facts(difference: &Difference) -> Value {
    let mut told = json!({
        "kind": difference.kind,
        "at": difference.at,
        "expected": difference.expected.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "actual": difference.actual.to_string(),
    });
    if let Some(pointer) = &difference.pointer {
        told["pointer"] = pointer.as_str().into();
    }
    told
}

fn frame(line: &TranscriptLine) -> Value {
    json!({
        "us": u64::try_from(line.at.as_micros()).unwrap_or(u64::MAX),
        "client": line.client,
        "direction": line.direction,
        "text": line.text,
    })
}

fn scenario(result: &ScenarioResult) -> Value {
    let mut document = json!({
        "id": result.scenario.id,
        "verdict": result.verdict,
        "attempts": result.attempts,
        "began_ms": millis(result.began),
        "duration_ms": millis(result.duration),
        "requirements": result.scenario.requirements,
    });
    let decisive = || {
        result
            .checks
            .iter()
            .find(|check| check.verdict == result.verdict)?
            .message
            .clone()
    };
    if let Some(message) = result.message.clone().or_else(decisive) {
        document["message"] = message.into();
    }
    document
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;
    use crate::report::sample;

    #[test]
    fn the_report_of_a_run() {
        let mut document: Value = serde_json::from_str(&text(&sample::result()).unwrap()).unwrap();
        document["kit"]["version"] = "(version)".into();
        insta::assert_json_snapshot!(document);
    }

    #[test]
    fn the_report_fits_its_schema() {
        let schemas = crate::contract::Contract::embedded().unwrap().schemas;
        schemas.matches("report", &document(&sample::result())).unwrap();
        let mut judged = (*Baseline::default().apply(&sample::result())).clone();
        schemas.matches("report", &document(&judged)).unwrap();
        assert_eq!(document(&judged)["baseline"]["new"][0]["requirement"], "X-01");
        judged.baseline.as_mut().unwrap().new.clear();
        schemas.matches("report", &document(&judged)).unwrap();
        judged.lost = Some("connection refused".to_owned());
        schemas.matches("report", &document(&judged)).unwrap();
        assert_eq!(document(&judged)["lost"], "connection refused");
    }
}

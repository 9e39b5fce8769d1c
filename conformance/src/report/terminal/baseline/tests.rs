use std::sync::Arc;

use super::*;
use crate::baseline::{Baseline, BaselineEntry, Failure, NotLookedAt, file};
use crate::fingerprint::Fingerprint;
use crate::report::{Report, sample, terminal::Terminal};
use crate::result::Exit;
use crate::result::RunEvent;

fn entry(requirement: &str, scenario: &str) -> BaselineEntry {
    BaselineEntry {
        place: CheckLocation {
            requirement: requirement.to_owned(),
            scenario: scenario.to_owned(),
        },
        fingerprint: Fingerprint::of_message(requirement, scenario, "another"),
        reason: format!("why {requirement} is tolerated"),
        expires: None,
    }
}

/// The sample run held against these entries.
fn judged(entries: &[BaselineEntry]) -> Arc<RunResult> {
    let baseline = Baseline {
        file: "known.toml".to_owned(),
        entries: entries.to_vec(),
    };
    baseline.apply(&sample::result())
}

fn report(result: &Arc<RunResult>) -> String {
    let mut out = Vec::new();
    let mut report = Terminal::new(anstream::StripStream::new(&mut out), false);
    report.event(&RunEvent::Finished(result.clone())).unwrap();
    drop(report);
    String::from_utf8(out).unwrap()
}

/// The entry for what fails in the sample.
fn known() -> BaselineEntry {
    let new = judged(&[]).baseline.clone().unwrap().new;
    BaselineEntry {
        fingerprint: new[0].fingerprint.clone(),
        ..entry("X-01", "x/one")
    }
}

#[test]
fn a_known_failure_is_shown_and_does_not_fail_the_run() {
    let result = judged(&[known(), entry("Y-01", "y/two")]);
    assert_eq!(result.exit(), Exit::Conforms);
    insta::assert_snapshot!(report(&result));
}

#[test]
fn new_changed_and_expired_failures_fail_the_run() {
    let cases: [(&[BaselineEntry], &str); 3] = [
        (&[], "new      not listed in known.toml"),
        (
            &[entry("X-01", "x/one")],
            "changed  listed, but failed in another way",
        ),
        (
            &[BaselineEntry {
                expires: file::parse_day("2026-01-01"),
                ..known()
            }],
            "expired  why X-01 is tolerated (until 2026-01-01)",
        ),
    ];
    for (entries, told) in cases {
        let result = judged(entries);
        assert_eq!(result.exit(), Exit::Fails, "{entries:?}");
        let report = report(&result);
        assert!(
            report.contains(told) && report.contains("Does not conform."),
            "{report}"
        );
    }
}

#[test]
fn what_is_new_is_shown_first() {
    let mut run = (*sample::result()).clone();
    let checks = &mut run.requirements[0].checks;
    let mut new = checks[1].clone();
    new.message = Some("expected a; got b".to_owned());
    new.mismatch = Some(crate::expect::Mismatch::new("a", "b"));
    let known_ones = [checks[1].clone(), checks[1].clone(), checks[1].clone()];
    checks.extend(known_ones);
    checks.push(new);
    let baseline = Baseline {
        file: "known.toml".to_owned(),
        entries: vec![known()],
    };
    let report = report(&baseline.apply(&run));
    let at = |text: &str| report.find(text).unwrap();
    assert!(
        at("not listed in known.toml") < at("why X-01 is tolerated"),
        "{report}"
    );
    assert!(report.contains("and 2 checks more"), "{report}");
}

#[test]
fn every_way_to_be_wrong_is_told_with_the_way_to_mend_it() {
    let mut result = (*judged(&[known()])).clone();
    let judged = result.baseline.as_mut().unwrap();
    let listed = judged.known[0].clone();
    let mut blocked = listed.clone();
    blocked.failure.blocked = true;
    judged.known.push(blocked.clone());
    judged.new.extend([listed.failure.clone(), blocked.failure]);
    judged.gone.push(entry("X-02", "x/one"));
    judged.changed.push(listed.clone());
    judged.expired.push(listed);
    for n in 0..7 {
        judged.not_looked_at.push(NotLookedAt {
            entry: entry("Y-01", &format!("y/{n}")),
            why: "it was not part of this run".to_owned(),
        });
    }
    insta::assert_snapshot!(report(&Arc::new(result)));
}

#[test]
fn an_entry_that_no_longer_fails_fails_the_run() {
    let mut result = (*judged(&[])).clone();
    let judged = result.baseline.as_mut().unwrap();
    judged.new.clear();
    judged.gone.push(entry("X-02", "x/one"));
    assert_eq!(result.exit(), Exit::Fails);
    let report = report(&Arc::new(result));
    for told in [
        "gone",
        "chatspec baseline prune REPORT.json --baseline known.toml",
        "known.toml lists what no longer fails.",
        "0 known failures by known.toml, 0 new, 1 gone",
    ] {
        assert!(report.contains(told), "{told} in {report}");
    }
}

#[test]
fn a_fault_is_not_hidden_and_neither_is_what_was_not_verified() {
    let known = judged(&[known()]);
    let mut lost = (*known).clone();
    lost.lost = Some("it has crashed".to_owned());
    assert_eq!(lost.exit(), Exit::Fault);
    // Neither does a wrong entry hide it.
    lost.baseline.as_mut().unwrap().gone.push(entry("X-02", "x/one"));
    assert_eq!(lost.exit(), Exit::Fault);
    assert_eq!(known.exit(), Exit::Conforms);
    assert_eq!(known.requiring_all().exit(), Exit::Fails, "Y-01 is not verified");
    let mut interrupted = (*known).clone();
    interrupted.interrupted = true;
    assert_eq!(interrupted.exit(), Exit::Interrupted);
}

#[test]
fn a_blocked_must_that_is_known_is_verified_enough() {
    let mut run = (*sample::result()).clone();
    run.requirements.drain(..2);
    let requirement = &mut run.requirements[0];
    requirement.blocked = true;
    requirement.checks[0].unverified = Some(crate::verdict::Unverified::Blocked(Box::default()));
    let known = BaselineEntry {
        fingerprint: Fingerprint::of(&requirement.checks[0]),
        ..entry("Y-01", "y/two")
    };
    let baseline = |entries: &[BaselineEntry]| Baseline {
        file: "known.toml".to_owned(),
        entries: entries.to_vec(),
    };
    assert_eq!(baseline(&[]).apply(&run).exit(), Exit::Fails);
    let result = baseline(&[known]).apply(&run);
    assert_eq!(
        (result.exit(), result.requiring_all().exit()),
        (Exit::Conforms, Exit::Conforms)
    );
    assert!(report(&result).contains("blocked, known Y-01 in y/two"));
}

#[test]
fn an_empty_baseline_changes_nothing() {
    let plain = sample::result();
    let mut plain = (*plain).clone();
    let mut empty = plain.clone();
    let apply = |run: &RunResult| Baseline::default().apply(run);
    assert_eq!((plain.exit(), apply(&plain).exit()), (Exit::Fails, Exit::Fails));
    for run in [&mut plain, &mut empty] {
        run.requirements.remove(0);
        run.requirements[1].blocked = true;
        run.requirements[1].checks[0].unverified = Some(crate::verdict::Unverified::Blocked(Box::default()));
    }
    assert_eq!((plain.exit(), apply(&empty).exit()), (Exit::Fails, Exit::Fails));
    let failures: Vec<Failure> = apply(&empty).baseline.clone().unwrap().new;
    assert!(failures.len() == 1 && failures[0].blocked, "{failures:?}");
    plain.requirements.pop();
    assert_eq!(
        (plain.requiring_all().exit(), apply(&plain).requiring_all().exit()),
        (Exit::Conforms, Exit::Conforms)
    );
}

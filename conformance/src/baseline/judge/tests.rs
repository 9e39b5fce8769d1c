use super::*;
use crate::baseline::file::parse_day;

fn place(requirement: &str, scenario: &str) -> CheckLocation {
    CheckLocation {
        requirement: requirement.to_owned(),
        scenario: scenario.to_owned(),
    }
}

/// `X-01` in `x/one`, where most of this happens.
fn here() -> CheckLocation {
    place("X-01", "x/one")
}

fn fails(place: CheckLocation, message: &str) -> Finding {
    failed(place, message, false)
}

fn blocked(place: CheckLocation, message: &str) -> Finding {
    failed(place, message, true)
}

fn failed(place: CheckLocation, message: &str, blocked: bool) -> Finding {
    let outcome = FindingOutcome::Fail(Failure {
        fingerprint: Fingerprint::of_message(&place.requirement, &place.scenario, message),
        place: place.clone(),
        message: message.to_owned(),
        blocked,
    });
    Finding { place, outcome }
}

fn is(place: CheckLocation, outcome: FindingOutcome) -> Finding {
    Finding { place, outcome }
}

fn undecided() -> FindingOutcome {
    FindingOutcome::Undecided("no key".to_owned())
}

fn entry(place: CheckLocation, message: &str) -> BaselineEntry {
    BaselineEntry {
        fingerprint: Fingerprint::of_message(&place.requirement, &place.scenario, message),
        place,
        reason: "see issue 7".to_owned(),
        expires: None,
    }
}

fn day(text: &str) -> Date {
    parse_day(text).unwrap()
}

fn judge(entries: &[BaselineEntry], findings: &[Finding]) -> Judged {
    let baseline = Baseline {
        file: "known.toml".to_owned(),
        entries: entries.to_vec(),
    };
    baseline.judge(findings, day("2026-06-15"))
}

/// How many there are: known, new, gone, changed, expired, not looked at.
fn counts(judged: &Judged) -> [usize; 6] {
    [
        judged.known.len(),
        judged.new.len(),
        judged.gone.len(),
        judged.changed.len(),
        judged.expired.len(),
        judged.not_looked_at.len(),
    ]
}

#[test]
fn what_fails_as_listed_is_known() {
    let judged = judge(&[entry(here(), "a")], &[fails(here(), "a"), fails(here(), "a")]);
    assert_eq!(counts(&judged), [1, 0, 0, 0, 0, 0]);
    assert!(!judged.is_stale() && !judged.has_failures());
}

#[test]
fn what_is_not_listed_is_new_each_once() {
    let findings = [
        fails(here(), "a"),
        fails(here(), "b"),
        fails(here(), "b"),
        fails(place("X-02", "x/one"), "a"),
        fails(place("X-01", "x/two"), "a"),
    ];
    let judged = judge(&[entry(here(), "a")], &findings);
    assert_eq!(counts(&judged), [1, 3, 0, 0, 0, 0]);
    assert!(!judged.is_stale());
    assert!(judged.has_failures());
}

#[test]
fn without_entries_everything_is_new() {
    let judged = judge(&[], &[fails(here(), "a"), blocked(place("Y-01", "y/two"), "b")]);
    assert_eq!(counts(&judged), [0, 2, 0, 0, 0, 0]);
}

#[test]
fn what_passes_now_is_gone() {
    let judged = judge(
        &[entry(here(), "a")],
        &[
            is(here(), FindingOutcome::Pass),
            fails(place("X-01", "x/two"), "a"),
        ],
    );
    assert_eq!(counts(&judged), [0, 1, 1, 0, 0, 0]);
    assert!(judged.is_stale());
}

#[test]
fn what_fails_in_another_way_has_changed_and_is_not_new_as_well() {
    let judged = judge(
        &[entry(here(), "a")],
        &[is(here(), FindingOutcome::Pass), fails(here(), "b")],
    );
    assert_eq!(counts(&judged), [0, 0, 0, 1, 0, 0]);
    assert!(judged.is_stale());
    assert!(judged.has_failures());
    assert_eq!(judged.changed[0].failure.message, "b");
    assert_eq!(judged.changed[0].entry, entry(here(), "a"));
}

#[test]
fn each_entry_has_changed_into_one_failure() {
    let entries = [entry(here(), "a"), entry(here(), "b"), entry(here(), "c")];
    let findings = [fails(here(), "b"), fails(here(), "d")];
    assert_eq!(counts(&judge(&entries, &findings)), [1, 0, 1, 1, 0, 0]);
    let findings = [
        fails(here(), "b"),
        fails(here(), "d"),
        fails(here(), "e"),
        fails(here(), "f"),
    ];
    assert_eq!(counts(&judge(&entries, &findings)), [1, 1, 0, 2, 0, 0]);
}

#[test]
fn what_has_expired_fails_from_the_day_after() {
    let until = |last: &str| BaselineEntry {
        expires: Some(day(last)),
        ..entry(here(), "a")
    };
    let judged = judge(&[until("2026-06-14")], &[fails(here(), "a")]);
    assert_eq!(counts(&judged), [0, 0, 0, 0, 1, 0]);
    assert!(judged.is_stale() && judged.has_failures());
    let judged = judge(&[until("2026-06-15")], &[fails(here(), "a")]);
    assert_eq!(counts(&judged), [1, 0, 0, 0, 0, 0]);
    // Expired or not, what passes is to be removed, and what did not run says nothing.
    let judged = judge(&[until("2026-06-14")], &[is(here(), FindingOutcome::Pass)]);
    assert_eq!(counts(&judged), [0, 0, 1, 0, 0, 0]);
    assert_eq!(counts(&judge(&[until("2026-06-14")], &[])), [0, 0, 0, 0, 0, 1]);
}

#[test]
fn what_the_run_says_nothing_about_is_neither() {
    let here = [entry(here(), "a")];
    let why = |findings: &[Finding]| {
        let judged = judge(&here, findings);
        assert_eq!(counts(&judged), [0, 0, 0, 0, 0, 1]);
        assert!(!judged.is_stale());
        judged.not_looked_at[0].why.clone()
    };
    assert!(why(&[]).contains("not part of this run"));
    let place = || here[0].place.clone();
    let elsewhere = CheckLocation {
        scenario: "x/two".to_owned(),
        ..place()
    };
    assert!(why(&[is(elsewhere, FindingOutcome::Pass)]).contains("not part of this run"));
    assert_eq!(why(&[is(place(), undecided())]), "no key");
    assert_eq!(
        why(&[is(place(), FindingOutcome::Pass), is(place(), undecided())]),
        "no key"
    );
    assert!(why(&[is(place(), FindingOutcome::Warning)]).contains("--strict"));
}

#[test]
fn one_of_several_failures_is_gone_only_if_the_story_got_to_its_end() {
    let entries = [entry(here(), "a"), entry(here(), "b")];
    assert_eq!(
        counts(&judge(&entries, &[fails(here(), "a")])),
        [1, 0, 1, 0, 0, 0]
    );
    let other = || place("X-02", "x/one");
    for broken_off in [is(other(), undecided()), blocked(other(), "blocked: X-01")] {
        let judged = judge(&entries, &[fails(here(), "a"), broken_off]);
        assert_eq!(judged.known.len() + judged.not_looked_at.len(), 2, "{judged:?}");
    }
}

#[test]
fn a_blocked_must_is_known_by_the_reason() {
    let findings = [blocked(here(), "blocked: joining")];
    let judged = judge(&[entry(here(), "blocked: joining")], &findings);
    assert_eq!(counts(&judged), [1, 0, 0, 0, 0, 0]);
    let judged = judge(&[entry(here(), "blocked: sending")], &findings);
    assert_eq!(counts(&judged), [0, 0, 0, 1, 0, 0]);
}

#[test]
fn every_failure_has_a_standing() {
    let over = BaselineEntry {
        expires: Some(day("2026-01-01")),
        ..entry(place("X-02", "x/one"), "a")
    };
    let entries = [entry(here(), "a"), over, entry(place("X-01", "x/two"), "a")];
    let findings = [
        fails(here(), "a"),
        fails(place("X-02", "x/one"), "a"),
        fails(place("X-01", "x/two"), "b"),
        fails(place("Y-01", "y/two"), "a"),
    ];
    let judged = judge(&entries, &findings);
    let standings: Vec<Listing<'_>> = failures(&findings).map(|one| judged.listed(one)).collect();
    assert_eq!(
        standings,
        [
            Listing::Known(&entries[0]),
            Listing::Expired(&entries[1]),
            Listing::Changed(&entries[2]),
            Listing::New,
        ]
    );
}

#[test]
fn machines_read_entries_with_what_was_seen() {
    let over = BaselineEntry {
        expires: Some(day("2026-12-31")),
        ..entry(here(), "a")
    };
    let judged = judge(
        &[
            over,
            entry(place("X-02", "x/one"), "a"),
            entry(place("X-02", "x/two"), "a"),
        ],
        &[
            fails(here(), "a"),
            fails(place("X-02", "x/one"), "b"),
            fails(place("Y-01", "y/two"), "c"),
        ],
    );
    let mut shown = serde_json::json!(judged);
    let print = |place: CheckLocation, message: &str| entry(place, message).fingerprint.to_string();
    assert_eq!(
        shown["known"].take(),
        serde_json::json!([{
            "requirement": "X-01", "scenario": "x/one", "fingerprint": print(here(), "a"),
            "reason": "see issue 7", "expires": "2026-12-31", "message": "a",
        }])
    );
    assert_eq!(
        shown["changed"].take(),
        serde_json::json!([{
            "requirement": "X-02", "scenario": "x/one", "fingerprint": print(place("X-02", "x/one"), "a"),
            "reason": "see issue 7", "message": "b", "now": print(place("X-02", "x/one"), "b"),
        }])
    );
    assert_eq!(
        shown["new"].take(),
        serde_json::json!([{
            "requirement": "Y-01", "scenario": "y/two", "fingerprint": print(place("Y-01", "y/two"), "c"),
            "message": "c",
        }])
    );
    assert_eq!(shown["not_looked_at"][0]["why"], "it was not part of this run");
}

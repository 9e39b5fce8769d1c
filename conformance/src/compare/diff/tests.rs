use super::*;
use crate::compare::sample::{SampleCheck, named};
use crate::verdict::Verdict::{Fail, Harness, Inconclusive, Pass, Unverified, Warn};

const BLOCKED: &str = "blocked: joining the room";
const ONE: &str = "00c0ffee0001";
const TWO: &str = "00c0ffee0002";

/// Beside what a test is about, so that there is always something to compare.
const ALWAYS: SampleCheck<'static> = SampleCheck::must("Y-01", Pass);

fn between(a: &Saved, b: &Saved) -> Diff {
    Diff::between(a, b, &Contract::for_test()).unwrap()
}

fn diff(a: &[SampleCheck<'_>], b: &[SampleCheck<'_>]) -> Diff {
    let report = |file, told: &[SampleCheck<'_>]| named(file, "sample", &[&[ALWAYS], told].concat());
    between(&report("a.json", a), &report("b.json", b))
}

fn ids(changes: &[Change]) -> Vec<&str> {
    changes
        .iter()
        .map(|change| change.requirement.id.as_str())
        .collect()
}

/// Where a requirement stands that had this and now has that.
fn standing(before: &[SampleCheck<'_>], now: &[SampleCheck<'_>]) -> &'static str {
    let diff = diff(before, now);
    let lists = [
        ("worse", &diff.worse),
        ("new", &diff.new),
        ("changed", &diff.changed),
        ("better", &diff.better),
        ("gone", &diff.gone),
    ];
    let found: Vec<_> = lists.iter().filter(|(_, list)| !list.is_empty()).collect();
    match found.as_slice() {
        [] => {
            assert_eq!(diff.same, 2);
            "same"
        }
        [(name, list)] => {
            assert_eq!((list.len(), diff.same), (1, 1));
            name
        }
        several => panic!("{several:?}"),
    }
}

#[test]
fn every_pair_of_verdicts_of_a_must_has_its_place() {
    let verdicts = [Pass, Inconclusive, Unverified, Harness, Fail];
    // From the row to the column.
    let expected = [
        ["same", "worse", "worse", "worse", "worse"],
        ["better", "same", "changed", "changed", "worse"],
        ["better", "changed", "same", "changed", "worse"],
        ["better", "changed", "changed", "same", "worse"],
        ["better", "better", "gone", "gone", "same"],
    ];
    for (before, row) in verdicts.into_iter().zip(expected) {
        for (now, expected) in verdicts.into_iter().zip(row) {
            let told = |verdict| [SampleCheck::must("X-01", verdict).because("so it is")];
            assert_eq!(
                standing(&told(before), &told(now)),
                expected,
                "{before:?} to {now:?}"
            );
        }
    }
}

#[test]
fn a_warning_is_as_bad_as_a_failure_under_strict() {
    let told = |verdict| [SampleCheck::should("X-02", verdict).because("expected one; got two")];
    assert_eq!(standing(&told(Pass), &told(Warn)), "worse");
    assert_eq!(standing(&told(Warn), &told(Pass)), "better");
    assert_eq!(standing(&told(Unverified), &told(Warn)), "worse");
    assert_eq!(standing(&told(Warn), &told(Unverified)), "gone");
    for (before, now) in [(Warn, Fail), (Fail, Warn)] {
        assert_eq!(standing(&told(before), &told(now)), "same");
        let notes = diff(&told(before), &told(now)).notes;
        assert!(notes[0].contains("--strict"), "{notes:?}");
    }
}

#[test]
fn a_blocked_must_is_broken() {
    let blocked = [SampleCheck::must("X-01", Unverified).because(BLOCKED).print(ONE)];
    let (passed, failed) = (
        [SampleCheck::must("X-01", Pass)],
        [SampleCheck::must("X-01", Fail)],
    );
    let not_offered = [SampleCheck::must("X-01", Unverified).because("no key is known")];
    assert_eq!(standing(&passed, &blocked), "worse");
    assert_eq!(standing(&not_offered, &blocked), "worse");
    assert_eq!(standing(&failed, &blocked), "changed");
    assert_eq!(standing(&blocked, &failed), "changed");
    assert_eq!(standing(&blocked, &not_offered), "gone");
    assert_eq!(standing(&blocked, &passed), "better");
}

#[test]
fn better_need_not_pass_yet() {
    let diff = diff(
        &[SampleCheck::must("X-01", Fail), SampleCheck::should("X-02", Fail)],
        &[
            SampleCheck::must("X-01", Inconclusive),
            SampleCheck::should("X-02", Pass),
        ],
    );
    assert_eq!(ids(&diff.better), ["X-01", "X-02"]);
    assert_eq!(diff.better_but_not_passing(), 1);
    assert!(!diff.is_worse(true));
    assert_eq!(
        diff.summary(false),
        "Nothing is worse: 2 better (1 of them does not pass yet), 1 the same."
    );
}

#[test]
fn another_fingerprint_is_another_failure_whatever_the_words() {
    let failed = |message, print| [SampleCheck::must("X-01", Fail).because(message).print(print)];
    assert_eq!(
        standing(&failed("after 3 ms", ONE), &failed("after 4 ms", ONE)),
        "same"
    );
    assert_eq!(standing(&failed("so", ONE), &failed("so", TWO)), "changed");
    // Reports have none for warnings, and older ones none at all.
    let warned = |message| [SampleCheck::should("X-02", Warn).because(message)];
    assert_eq!(
        standing(&warned("got 3 after 4 ms"), &warned("got 3 after 5 ms")),
        "same"
    );
    assert_eq!(standing(&warned("got three"), &warned("got four")), "changed");
    // What is open has no failure that could be another one.
    let open = |message| [SampleCheck::must("X-01", Unverified).because(message)];
    assert_eq!(
        standing(&open("no key is known"), &open("it is not offered")),
        "same"
    );
}

#[test]
fn of_a_changed_failure_only_the_difference_is_left() {
    let failed = |scenario, print| SampleCheck::must("X-01", Fail).at(scenario).print(print);
    let passed = |scenario| SampleCheck::must("X-01", Pass).at(scenario);
    let diff = diff(
        &[failed("x/one", ONE), failed("x/two", ONE)],
        &[failed("x/one", ONE), passed("x/two"), failed("x/three", TWO)],
    );
    let scenarios = |seen: &Option<Seen>| -> Vec<_> {
        let reasons = seen.iter().flat_map(|seen| &seen.reasons);
        reasons.filter_map(|reason| reason.scenario.clone()).collect()
    };
    let [changed] = diff.changed.as_slice() else {
        panic!("{diff:?}")
    };
    assert_eq!(scenarios(&changed.before), ["x/two"]);
    assert_eq!(scenarios(&changed.now), ["x/three"]);
    assert!(!diff.is_worse(true));
}

#[test]
fn what_is_new_counts_if_it_fails() {
    let new = |told| diff(&[], &[told]);
    assert_eq!(standing(&[], &[SampleCheck::must("X-01", Pass)]), "new");
    assert!(!new(SampleCheck::must("X-01", Pass)).is_worse(true));
    assert!(!new(SampleCheck::must("X-01", Unverified)).is_worse(true));
    assert!(!new(SampleCheck::should("X-02", Warn)).is_worse(true));
    assert!(new(SampleCheck::must("X-01", Fail)).is_worse(false));
    assert!(new(SampleCheck::must("X-01", Unverified).because(BLOCKED)).is_worse(false));
    let summary = new(SampleCheck::must("X-01", Fail)).summary(false);
    assert_eq!(summary, "Worse: 1 new (1 of them fails), 1 the same.");
}

#[test]
fn what_was_not_looked_at_again_is_gone_and_counts_under_strict() {
    let report = |told: &[SampleCheck<'_>]| named("out.json", "sample", &[&[ALWAYS], told].concat());
    let all = report(&[SampleCheck::must("X-01", Fail), SampleCheck::should("X-02", Pass)]);
    let mut quick =
        report(&[SampleCheck::must("X-01", Unverified).because("blocked: the run was interrupted")]);
    quick.left_out = vec!["X-02".to_owned()];
    quick.interrupted = true;
    let diff = between(&all, &quick);
    assert!(diff.better.is_empty() && diff.worse.is_empty(), "{diff:?}");
    let whys: Vec<_> = diff.gone_by_reason().into_iter().collect();
    assert_eq!(
        whys,
        [
            (&Unseen::Interrupted, vec!["X-01"]),
            (&Unseen::LeftOut, vec!["X-02"])
        ]
    );
    assert!(!diff.is_worse(false) && diff.is_worse(true));
    assert_eq!(
        diff.summary(false),
        "Nothing is worse in what both runs checked: 2 not looked at, 1 the same."
    );
    assert_eq!(diff.summary(true), "Worse: 2 not looked at, 1 the same.");

    // The other way round they are new.
    let back = between(&quick, &all);
    assert_eq!(ids(&back.new), ["X-01", "X-02"]);
    assert!(back.is_worse(false), "X-01 fails");
}

#[test]
fn a_failure_in_a_scenario_that_did_not_run_again_is_not_mended() {
    let before = [
        SampleCheck::must("X-01", Fail).at("x/one").print(ONE),
        SampleCheck::must("X-01", Pass).at("x/two"),
    ];
    let only_two = [SampleCheck::must("X-01", Pass).at("x/two")];
    let diff = diff(&before, &only_two);
    assert_eq!(ids(&diff.gone), ["X-01"]);
    assert_eq!(diff.gone[0].why, Some(Unseen::Elsewhere("x/one".to_owned())));
    // Nor is it, where what it needs is not offered any more.
    let not_offered = [
        SampleCheck::must("X-01", Pass).at("x/two"),
        SampleCheck::must("X-01", Unverified)
            .at("x/one")
            .because("no key is known"),
    ];
    assert_eq!(standing(&before, &not_offered), "gone");
    let both = [
        SampleCheck::must("X-01", Pass).at("x/two"),
        SampleCheck::must("X-01", Pass).at("x/one"),
    ];
    assert_eq!(standing(&before, &both), "better");
    // What had not been offered in the one may be left out: it had kept nothing from passing.
    let open = [SampleCheck::must("X-01", Unverified)
        .at("x/one")
        .because("no key is known")];
    assert_eq!(standing(&open, &only_two), "better");
    // A failure that was not looked at again makes no change of one that was.
    let twice = [
        SampleCheck::must("X-01", Fail).at("x/one").print(ONE),
        SampleCheck::must("X-01", Fail).at("x/two").print(TWO),
    ];
    let once = [SampleCheck::must("X-01", Fail).at("x/two").print(TWO)];
    assert_eq!(standing(&twice, &once), "same");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let report = |file, told| named(file, "sample", &[told]);
    let (a, mut b) = (
        report("a.json", ALWAYS),
        report("b.json", SampleCheck::must("X-01", Pass)),
    );
    let refused = |a: &Saved, b: &Saved| {
        Diff::between(a, b, &Contract::for_test())
            .unwrap_err()
            .to_string()
    };
    let told = refused(&a, &b);
    assert!(
        told.contains("a.json and b.json have no requirement in common"),
        "{told}"
    );
    b.protocol = "2.0".to_owned();
    let told = refused(&a, &b);
    assert!(told.contains("2.0 (b.json)"), "{told}");
}

#[test]
fn another_kit_and_other_limits_are_told() {
    let report = |file| named(file, "sample", &[ALWAYS]);
    let (a, mut b) = (report("a.json"), report("b.json"));
    b.kit.version = "0.2.0".to_owned();
    b.target.limits.insert("rate_max".to_owned(), 5.into());
    let diff = between(&a, &b);
    assert_eq!(diff.limits[0].limit, "rate_max");
    assert!(
        diff.notes[0].contains("different versions of chatspec"),
        "{:?}",
        diff.notes
    );
}

#[test]
fn another_requirement_set_is_told() {
    let report = |file, set: &str| {
        let mut report = named(file, "sample", &[ALWAYS]);
        set.clone_into(&mut report.set);
        report
    };
    let (a, b) = (report("a.json", "1.0"), report("b.json", "latest"));
    assert!(between(&a, &a).notes.is_empty());
    let diff = between(&a, &b);
    assert!(
        diff.notes[0].contains("different requirement sets"),
        "{:?}",
        diff.notes
    );
    assert!(!diff.a.details().contains("set"), "{}", diff.a.details());
    assert!(
        diff.b.details().contains("held to the requirement set latest"),
        "{}",
        diff.b.details()
    );
}

/// Two reports with one of everything, and with things in them that are to be shown and not to be obeyed.
fn everything() -> Diff {
    let hostile = "got \u{1b}[2J<script>alert('|')</script>\u{202e} `x`\nnext @all";
    let a = named(
        "nightly.json",
        "sample",
        &[
            SampleCheck::must("X-01", Pass),
            SampleCheck::should("X-02", Fail).because("expected one; got three"),
            SampleCheck::must("Y-01", Fail).because("expected it; got none"),
            SampleCheck::must("Z-01", Pass),
            SampleCheck::must("Z-02", Pass),
            SampleCheck::must("Z-03", Fail),
            SampleCheck::must("Z-04", Pass),
        ],
    );
    let mut b = named(
        "quick.json",
        "\u{1b}]0;owned\u{7}sample",
        &[
            SampleCheck::must("X-01", Fail).because(hostile),
            SampleCheck::should("X-02", Warn).because("expected one; got two"),
            SampleCheck::must("X-03", Pass),
            SampleCheck::must("Y-01", Inconclusive).because("2 ms before the end"),
            SampleCheck::must("Z-\u{1b}[1m", Fail).because(""),
            SampleCheck::must("Z-04", Pass),
        ],
    );
    b.left_out = vec!["Z-01".to_owned(), "Z-02".to_owned()];
    b.target.limits.insert("rate_max".to_owned(), 5.into());
    between(&a, &b)
}

fn as_text(diff: &Diff, strict: bool) -> String {
    let mut out = Vec::new();
    text(&mut anstream::StripStream::new(&mut out), diff, strict).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_text() {
    insta::assert_snapshot!(as_text(&everything(), false));
}

#[test]
fn the_markdown() {
    insta::assert_snapshot!(markdown(&everything(), false));
}

#[test]
fn nothing_of_a_report_reaches_the_terminal_as_a_command() {
    // With the colours of the kit, whose sequences are those of SGR alone.
    let mut out = Vec::new();
    text(&mut out, &everything(), false).unwrap();
    let coloured = String::from_utf8(out).unwrap();
    assert!(coloured.contains('\u{1b}'));
    for sequence in coloured.split('\u{1b}').skip(1) {
        let (parameters, _) = sequence.split_once('m').unwrap();
        assert!(
            parameters[1..].chars().all(|c| c.is_ascii_digit() || c == ';'),
            "{sequence:?}"
        );
    }
    let rest: String = coloured.split('\u{1b}').collect();
    assert!(!rest.contains(['\u{7}', '\u{202e}', '\u{9b}']), "{rest:?}");
    assert!(!markdown(&everything(), false).contains(['\u{1b}', '\u{7}', '\u{202e}']));
}

#[test]
fn the_json_has_all_and_fits_its_schema() {
    let diff = everything();
    let document: serde_json::Value = serde_json::from_str(&json(&diff, true).unwrap()).unwrap();
    for (list, changes) in [
        ("worse", &diff.worse),
        ("new", &diff.new),
        ("changed", &diff.changed),
        ("better", &diff.better),
        ("gone", &diff.gone),
    ] {
        let told: Vec<&str> = document[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["id"].as_str().unwrap())
            .collect();
        assert_eq!(told, ids(changes));
        assert!(!told.is_empty(), "{list}");
    }
    assert_eq!(document["is_worse"], true);
    assert_eq!(document["limits"][0]["values"], serde_json::json!([10, 5]));
    let schemas = Contract::embedded().unwrap().schemas;
    schemas.matches("diff", &document).unwrap();
}

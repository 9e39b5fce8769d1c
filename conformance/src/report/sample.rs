//! A made-up run with one of everything, for the tests of the reports.

use std::sync::Arc;
use std::time::Duration;

use time::macros::{date, datetime};

use crate::baseline::{Baseline, BaselineEntry, Failure};
use crate::calibration::Calibration;
use crate::contract::Contract;
use crate::expect::{Mismatch, MismatchKind};
use crate::fingerprint::Fingerprint;
use crate::measurement::Measurement;
use crate::plan::Plan;
use crate::result::RunEvent;
use crate::result::{RequirementResult, RunResult, ScenarioResult, by_requirement};
use crate::scenarios::{Scenario, run};
use crate::scene::{Context, Outcome, RunOptions, Scene};
use crate::targets::Target;
use crate::targets::profile::{Limits, Profile};
use crate::text::shorten;
use crate::transcript::{Direction, TranscriptLine};
use crate::verdict::{Check, Level, Rules, Unverified, Verdict};

async fn nothing(_: &Scene) -> Outcome {
    Ok(())
}

pub(crate) static ONE: Scenario = Scenario::new("x/one", "The first story", &["X-01", "X-02"], run!(nothing));
pub(crate) static TWO: Scenario = Scenario::new("y/two", "The second story", &["Y-01"], run!(nothing));

static THREE: Scenario = Scenario::new("y/three", "The third story", &["Y-03"], run!(nothing));

pub(crate) fn scenarios() -> Vec<ScenarioResult> {
    let wrong = || {
        Mismatch::of(
            MismatchKind::Value,
            ["an error ack FORBIDDEN", "an error ack NOT_FOUND"],
            r#"{"ok":true}"#,
        )
        .at("bob")
    };
    let mut failed = Check::judge("X-01", "x/one", Level::Must, false, Err(wrong()));
    let line = |us, direction, text: &str| TranscriptLine {
        at: Duration::from_micros(us),
        client: "bob".to_owned(),
        direction,
        text: text.to_owned(),
    };
    failed.frames = vec![
        line(1_500, Direction::Out, r#"room:join {"chatId":"c"} (ack wanted)"#),
        line(2_250, Direction::In, r#"ack of room:join: {"ok":true}"#),
    ];
    let warned = Check::judge(
        "X-02",
        "x/one",
        Level::Should,
        false,
        Err(Mismatch::new("one", "two")),
    );
    let unverified = Check::unverified(
        "Y-01",
        "y/two",
        Unverified::NotOffered,
        "the target's JWT key is not known: give --jwt-secret",
    );
    vec![
        ScenarioResult {
            scenario: &ONE,
            verdict: Verdict::Fail,
            attempts: 1,
            began: Duration::from_millis(10),
            duration: Duration::from_millis(1234),
            checks: vec![Check::new("X-01", "x/one", Verdict::Pass), failed, warned],
            notes: vec![(
                "X-03".to_owned(),
                "a duplicate counts against the limit".to_owned(),
            )],
            measurements: vec![Measurement::time(
                "X-01",
                "the longest wait",
                Duration::from_millis(310),
            )],
            message: None,
        },
        ScenarioResult {
            scenario: &TWO,
            verdict: Verdict::Unverified,
            attempts: 2,
            began: Duration::from_millis(1250),
            duration: Duration::from_millis(5),
            checks: vec![unverified],
            notes: vec![],
            measurements: vec![],
            message: Some("the target's JWT key is not known: give --jwt-secret".to_owned()),
        },
    ]
}

pub(crate) fn result() -> Arc<RunResult> {
    Arc::new(RunResult {
        left_out: vec!["Y-02".to_owned()],
        later: vec![later(Verdict::Fail)],
        partial: true,
        ..of(scenarios())
    })
}

/// A requirement that was added after the set, on which this was found.
fn later(verdict: Verdict) -> RequirementResult {
    let why = "expected one thing; got another";
    RequirementResult {
        id: "Y-03".to_owned(),
        level: Level::Must,
        area: "y".to_owned(),
        statement: "What Y-03 asks for.".to_owned(),
        verdict,
        reason: (verdict != Verdict::Pass).then(|| why.to_owned()),
        blocked: false,
        checks: vec![Check::new("Y-03", "y/three", verdict).because(why)],
    }
}

/// A run of everything, in which these scenarios came to these results.
fn of(scenarios: Vec<ScenarioResult>) -> RunResult {
    let contract = Contract::for_test();
    let selected = ["X-01", "X-02", "Y-01"].map(str::to_owned).into();
    RunResult {
        protocol: "1.0".to_owned(),
        set: "1.0".to_owned(),
        target: "sample".to_owned(),
        urls: vec!["http://127.0.0.1:4000/".to_owned()],
        provisioning: "rest",
        limits: Limits::default(),
        started_at: datetime!(2026-01-02 03:04:05 UTC),
        duration: Duration::from_millis(2500),
        calibration: Some(Calibration {
            connect_ms: 3.5,
            rtt_median_ms: 0.4,
            rtt_p99_ms: 0.9,
            rtt_max_ms: 1.1,
            broadcast_ms: 0.8,
        }),
        interrupted: false,
        lost: None,
        partial: false,
        left_out: Vec::new(),
        requirements: by_requirement(&contract, &selected, &scenarios),
        later: Vec::new(),
        scenarios,
        rules: Rules::default(),
        baseline: None,
    }
}

/// What a target may send to break a report, of every format at once.
pub(crate) const NASTY: &str = concat!(
    "\0\u{1}\u{8}\u{b}\u{1b}[31mred\u{7f}\u{85}\u{9b}\u{feff}\u{202e}\u{2028}\u{fffe}\u{ffff}\u{10ffff}\t\r\n",
    "]]> <![CDATA[ <!-- &amp; &#0; </failure> \\ud800 \\u0000 \\\n\n",
    "| a | b |\n|---|---|\n\n# heading\n\n* item _em_ ~~gone~~ `code` ``` $math$ [link](http://evil.example) ![x](y)\n",
    "</pre></code></details><script>alert(1)</script><img src=x onerror=alert(1)> @octocat www.evil.example https://evil.example\n",
    "::error file=a,line=1::injected%0A\n##[error]injected\n%25 %\n",
    "  ...\n---\nok 7 - injected # SKIP it\nBail out! injected\n1..9\npragma +strict {"
);

/// A run against a target that sends all this wherever it can.
pub(crate) fn nasty() -> Arc<RunResult> {
    let wrong =
        |actual: &str| Err(Mismatch::of(MismatchKind::Value, [NASTY, "something else"], actual).at("bob"));
    let huge = format!("{}{}", "x".repeat(100_000), NASTY);
    let checks = [NASTY, &huge, &"<&|\0".repeat(25_000), "one more", "and one more"]
        .map(|actual| Check::judge("X-01", "x/one", Level::Must, false, wrong(actual)));
    let mut scenarios = scenarios();
    scenarios[0].checks = checks.into();
    scenarios[0].checks[0].frames = vec![frame(NASTY), frame(&huge)];
    scenarios[0]
        .checks
        .push(Check::judge("X-02", "x/one", Level::Should, false, wrong(NASTY)));
    scenarios[0].notes = vec![("X-03".to_owned(), NASTY.to_owned())];
    scenarios[0].measurements = vec![Measurement::time("X-01", NASTY, Duration::from_millis(310))];
    let blocked = "blocked: got \\# {";
    scenarios[1].checks = vec![Check::unverified(
        "Y-01",
        "y/two",
        Unverified::Blocked(Box::default()),
        blocked,
    )];
    let mut run = of(scenarios);
    run.requirements[0].statement = r"What \ # SKIP | it | asks for.".to_owned();
    run.later = vec![RequirementResult {
        reason: Some(NASTY.to_owned()),
        ..later(Verdict::Fail)
    }];
    run.target = NASTY.to_owned();
    run.interrupted = true;
    run.lost = Some(NASTY.to_owned());
    Arc::new(run)
}

/// A frame with this text.
pub(crate) fn frame(text: &str) -> TranscriptLine {
    TranscriptLine {
        at: Duration::from_micros(1_500),
        client: "bob".to_owned(),
        direction: Direction::In,
        text: text.to_owned(),
    }
}

/// A run in which there was one check for each requirement.
fn checked(must: Check, should: Check, other: Check) -> RunResult {
    let mut scenarios = scenarios();
    for (scenario, checks) in scenarios.iter_mut().zip([vec![must, should], vec![other]]) {
        scenario.verdict = Verdict::over(checks.iter().map(|check| check.verdict));
        scenario.message = None;
        scenario.checks = checks;
    }
    of(scenarios)
}

/// Runs of every kind that there is, each with what it shows.
pub(crate) fn variants() -> Vec<(&'static str, RunResult)> {
    let must = |verdict| Check::new("X-01", "x/one", verdict).because("why");
    let should = |verdict| Check::new("X-02", "x/one", verdict).because("why");
    let open = |kind| Check::unverified("Y-01", "y/two", kind, "why");
    let pass = || Check::new("Y-01", "y/two", Verdict::Pass);
    let with = |verdict| checked(must(verdict), should(Verdict::Pass), pass());
    let all = || with(Verdict::Pass);
    let blocked = || {
        checked(
            must(Verdict::Pass),
            should(Verdict::Pass),
            open(Unverified::Blocked(Box::default())),
        )
    };
    let mut variants = vec![
        ("all passes", all()),
        ("a MUST fails", with(Verdict::Fail)),
        ("a MUST is too close to tell", with(Verdict::Inconclusive)),
        ("the kit is at fault", with(Verdict::Harness)),
        (
            "a SHOULD warns",
            checked(must(Verdict::Pass), should(Verdict::Warn), pass()),
        ),
        (
            "a SHOULD fails",
            checked(must(Verdict::Pass), should(Verdict::Fail), pass()),
        ),
        (
            "a MUST is not offered",
            checked(
                must(Verdict::Pass),
                should(Verdict::Pass),
                open(Unverified::NotOffered),
            ),
        ),
        ("a MUST is blocked", blocked()),
        (
            "nothing was run",
            RunResult {
                requirements: Vec::new(),
                ..all()
            },
        ),
        (
            "only a part was run",
            RunResult {
                partial: true,
                ..all()
            },
        ),
        (
            "interrupted",
            RunResult {
                interrupted: true,
                ..blocked()
            },
        ),
        (
            "lost",
            RunResult {
                lost: Some("why".to_owned()),
                ..blocked()
            },
        ),
        (
            "lost after a failure",
            RunResult {
                lost: Some("why".to_owned()),
                ..with(Verdict::Fail)
            },
        ),
    ];
    // A fault that is no requirement's, as of a hook that left the store away.
    let mut fault = all();
    fault.scenarios[0].verdict = Verdict::Harness;
    fault.scenarios[0].message = Some("why".to_owned());
    variants.push(("a scenario is at fault", fault));
    variants.extend(with_later(&all()));
    variants.extend(with_baseline(&with(Verdict::Fail), &blocked(), &all()));
    variants
}

/// A run that passes, beside what was found on a requirement that was added after the set.
fn with_later(passes: &RunResult) -> Vec<(&'static str, RunResult)> {
    let with = |requirement: RequirementResult| {
        let mut run = passes.clone();
        // A scenario of its own came to the same.
        run.scenarios.push(ScenarioResult {
            scenario: &THREE,
            verdict: requirement.verdict,
            checks: requirement.checks.clone(),
            message: requirement.reason.clone(),
            ..run.scenarios[0].clone()
        });
        run.later = vec![requirement];
        run
    };
    let mut blocked = later(Verdict::Unverified);
    blocked.blocked = true;
    vec![
        ("what was added later passes", with(later(Verdict::Pass))),
        ("what was added later fails", with(later(Verdict::Fail))),
        ("what was added later is blocked", with(blocked)),
        (
            "the kit is at fault in what was added later",
            with(later(Verdict::Harness)),
        ),
    ]
}

/// The run that shows this.
pub(crate) fn variant(what: &str) -> RunResult {
    let mut variants = variants().into_iter();
    variants.find(|(name, _)| *name == what).unwrap().1
}

/// What a baseline makes of these runs.
fn with_baseline(
    fails: &RunResult,
    blocked: &RunResult,
    passes: &RunResult,
) -> Vec<(&'static str, RunResult)> {
    let entries = |run: &RunResult| -> Vec<BaselineEntry> {
        let new = Baseline::default()
            .apply(run)
            .baseline
            .clone()
            .map(|judged| judged.new);
        let entry = |failure: Failure| BaselineEntry {
            place: failure.place,
            fingerprint: failure.fingerprint,
            reason: "see issue 7".to_owned(),
            expires: None,
        };
        new.unwrap_or_default().into_iter().map(entry).collect()
    };
    let apply = |entries: Vec<BaselineEntry>, run: &RunResult| {
        let file = "known.toml".to_owned();
        (*Baseline { file, entries }.apply(run)).clone()
    };
    let listed = || entries(fails);
    let expired = listed().into_iter().map(|entry| BaselineEntry {
        expires: Some(date!(2025 - 12 - 31)),
        ..entry
    });
    let changed = listed().into_iter().map(|entry| BaselineEntry {
        fingerprint: Fingerprint::of_message("X-01", "x/one", "another"),
        ..entry
    });
    vec![
        ("a failure is known", apply(listed(), fails)),
        ("a failure is new", apply(Vec::new(), fails)),
        ("a failure has changed", apply(changed.collect(), fails)),
        ("a failure has expired", apply(expired.collect(), fails)),
        ("a failure is gone", apply(listed(), passes)),
        ("what blocks is known", apply(entries(blocked), blocked)),
        ("what blocks is new", apply(Vec::new(), blocked)),
    ]
}

/// Every requirement fails five times over, with as much evidence as there can be, made of this; frames are cut already.
pub(crate) fn all_fail(contract: &Contract, text: &str) -> RunResult {
    let frames: Vec<TranscriptLine> = (0..14)
        .map(|n| TranscriptLine {
            at: Duration::from_secs(n),
            client: format!("alice#{}", 100 + n),
            direction: Direction::In,
            text: shorten(text),
        })
        .collect();
    let mut results: Vec<ScenarioResult> = crate::scenarios::all()
        .map(|scenario| ScenarioResult {
            scenario,
            verdict: Verdict::Fail,
            attempts: 3,
            began: Duration::ZERO,
            duration: Duration::from_secs(100),
            checks: Vec::new(),
            notes: vec![("MSG-18".to_owned(), text.to_owned()); 5],
            measurements: vec![Measurement::time("MSG-01", text, Duration::from_secs(10)); 5],
            message: Some(text.to_owned()),
        })
        .collect();
    for result in &mut results {
        for id in result.scenario.requirements {
            let wrong = Mismatch::of(MismatchKind::Value, [text; 6], text);
            let mut check = Check::judge(id, result.scenario.id, Level::Must, true, Err(wrong));
            check.frames.clone_from(&frames);
            result.checks.extend(vec![check; 5]);
        }
    }
    let ids = contract.requirements.iter().map(|r| r.id.clone()).collect();
    let mut run = (*result()).clone();
    run.requirements = by_requirement(contract, &ids, &results);
    for requirement in &mut run.requirements {
        // Those that no scenario looks at as well.
        requirement.verdict = Verdict::Fail;
        requirement.reason = Some(text.to_owned());
    }
    run.scenarios = results;
    text.clone_into(&mut run.target);
    run.lost = Some(text.to_owned());
    run.urls = vec![text.to_owned(); 30];
    run
}

/// A run begins.
pub(crate) fn started(contract: Contract) -> RunEvent {
    let profile = Profile {
        urls: vec!["http://127.0.0.1:4000".to_owned()],
        ..Profile::default()
    };
    let target = Target::new(profile).unwrap();
    let context = Context::new(target, contract, RunOptions::default());
    let plan = Plan::select(&context.contract, &[], &[], &[]).unwrap();
    RunEvent::Started {
        context: Arc::new(context),
        plan: Arc::new(plan),
    }
}

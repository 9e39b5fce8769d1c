//! A made-up run with one of everything, for the tests of the reports.

use std::sync::Arc;
use std::time::Duration;

use time::macros::datetime;

use crate::calibration::Calibration;
use crate::contract::Contract;
use crate::expect::Mismatch;
use crate::figure::Figure;
use crate::result::{RunResult, ScenarioResult, by_requirement};
use crate::scenarios::{Scenario, run};
use crate::scene::{Outcome, Scene};
use crate::target::profile::Limits;
use crate::transcript::{Direction, Line};
use crate::verdict::{Check, Level, Unverified, Verdict};

async fn nothing(_: &Scene) -> Outcome {
    Ok(())
}

pub(crate) static ONE: Scenario = Scenario::new("x/one", "The first story", &["X-01", "X-02"], run!(nothing));
pub(crate) static TWO: Scenario = Scenario::new("y/two", "The second story", &["Y-01"], run!(nothing));

pub(crate) fn scenarios() -> Vec<ScenarioResult> {
    let wrong = || {
        Mismatch::one_of(
            ["an error ack FORBIDDEN", "an error ack NOT_FOUND"],
            r#"{"ok":true}"#,
        )
        .at("bob")
    };
    let mut failed = Check::judge("X-01", "x/one", Level::Must, false, Err(wrong()));
    let line = |us, direction, text: &str| Line {
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
            figures: vec![Figure::time(
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
            figures: vec![],
            message: Some("the target's JWT key is not known: give --jwt-secret".to_owned()),
        },
    ]
}

pub(crate) fn result() -> Arc<RunResult> {
    let contract = Contract::for_test();
    let selected = ["X-01", "X-02", "Y-01"].map(str::to_owned).into();
    let scenarios = scenarios();
    Arc::new(RunResult {
        protocol: "1.0".to_owned(),
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
        left_out: vec!["Y-02".to_owned()],
        requirements: by_requirement(&contract, &selected, &scenarios),
        scenarios,
        baseline: None,
    })
}

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::baseline::Baseline;
use crate::contract::Contract;
use crate::expect::Mismatch;
use crate::result::{Exit, RequirementResult};
use crate::scenarios::{Cost, run as story};
use crate::scene::RunOptions;
use crate::targets::Target;
use crate::targets::profile::Profile;

/// A context whose target does not exist; these scenarios do not connect.
fn context() -> Arc<Context> {
    held_to(Contract::for_test())
}

/// The same, where this counts.
fn held_to(contract: Contract) -> Arc<Context> {
    let profile = Profile {
        urls: vec!["http://127.0.0.1:9".to_owned()],
        ..Profile::default()
    };
    let target = Target::new(profile).unwrap();
    let options = RunOptions {
        scale: 0.001,
        ..RunOptions::default()
    };
    Arc::new(Context::new(target, contract, options))
}

async fn play(scenarios: &[&'static Scenario]) -> Arc<RunResult> {
    play_in(context(), scenarios).await
}

async fn play_in(context: Arc<Context>, scenarios: &[&'static Scenario]) -> Arc<RunResult> {
    let plan = Plan::select(&Contract::for_test(), scenarios, &[], &[]).unwrap();
    let (events, mut told) = mpsc::unbounded_channel();
    let (_keep, stop) = watch::channel(false);
    let result = run(Arc::new(plan), context, 8, events, stop).await;
    let mut finished = 0;
    while let Ok(event) = told.try_recv() {
        finished += usize::from(matches!(event, RunEvent::ScenarioFinished(_)));
    }
    assert_eq!(finished, scenarios.len(), "every scenario finishes once");
    result
}

fn verdict(result: &RunResult, id: &str) -> (Verdict, String) {
    let found = result.requirements.iter().find(|r| r.id == id).unwrap();
    (found.verdict, found.reason.clone().unwrap_or_default())
}

async fn passes(scene: &Scene) -> Outcome {
    scene.check("X-01", Ok(()));
    scene.check("X-02", Ok(()));
    Ok(())
}
static PASSES: Scenario = Scenario::new("x/passes", "", &["X-01", "X-02"], story!(passes));

async fn panics(_: &Scene) -> Outcome {
    let empty: Vec<u8> = Vec::new();
    assert!(!empty.is_empty(), "a mistake in the kit");
    Ok(())
}
static PANICS: Scenario = Scenario::new("x/panics", "", &["X-01"], story!(panics));

async fn blocked(scene: &Scene) -> Outcome {
    scene.check("X-02", Ok(()));
    Err(Mismatch::new("a step", "none"))?
}
static BLOCKED: Scenario = Scenario::new("x/blocked", "", &["X-01", "X-02"], story!(blocked));

async fn undeclared(scene: &Scene) -> Outcome {
    scene.check("Y-01", Ok(()));
    Ok(())
}
static UNDECLARED: Scenario = Scenario::new("x/undeclared", "", &["X-01"], story!(undeclared));

async fn hangs(_: &Scene) -> Outcome {
    std::future::pending().await
}
static HANGS: Scenario = Scenario::new("x/hangs", "", &["X-01"], story!(hangs));

async fn warns(scene: &Scene) -> Outcome {
    scene.check("X-02", Err::<(), _>(Mismatch::new("a", "b")));
    scene.require("X-01", Err::<(), _>(Mismatch::new("a", "b")))?;
    Ok(())
}
static WARNS: Scenario = Scenario::new("x/warns", "", &["X-01", "X-02"], story!(warns));

async fn not_offered(_: &Scene) -> Outcome {
    Err(Stop::Unverified("no key".to_owned()))
}
static NOT_OFFERED: Scenario =
    Scenario::new("y/key", "", &["Y-01"], story!(not_offered)).cost(Cost::Seconds(3));

static TRIES: AtomicUsize = AtomicUsize::new(0);

async fn unsure_at_first(scene: &Scene) -> Outcome {
    let sure = TRIES.fetch_add(1, Ordering::SeqCst) >= 2;
    let found = if sure {
        Ok(())
    } else {
        Err(Mismatch::inconclusive("close"))
    };
    scene.check("Y-01", found);
    Ok(())
}
static UNSURE: Scenario = Scenario::new("y/unsure", "", &["Y-01"], story!(unsure_at_first));

static LATE: Scenario = Scenario::new("x/late", "", &["X-01"], story!(passes)).disruptive();

async fn never_sure(scene: &Scene) -> Outcome {
    scene.check("Y-01", Err::<(), _>(Mismatch::inconclusive("close")));
    Ok(())
}
static NEVER_SURE: Scenario = Scenario::new("y/never-sure", "", &["Y-01"], story!(never_sure)).exclusive();

#[tokio::test]
async fn what_passes_conforms_and_what_no_scenario_looks_at_is_unverified() {
    let result = play(&[&PASSES]).await;
    assert_eq!(verdict(&result, "X-01").0, Verdict::Pass);
    assert_eq!(
        verdict(&result, "Y-01"),
        (
            Verdict::Unverified,
            "no scenario of this run looks at it".to_owned()
        )
    );
    assert_eq!(
        (result.exit(), result.requiring_all().exit()),
        (Exit::Conforms, Exit::Fails)
    );
}

#[tokio::test]
async fn a_panic_is_a_fault_of_the_kit() {
    let result = play(&[&PANICS]).await;
    let (found, why) = verdict(&result, "X-01");
    assert_eq!(found, Verdict::Harness);
    assert!(why.contains("a mistake in the kit"), "{why}");
    assert_eq!(result.exit(), Exit::Fault);
}

#[tokio::test]
async fn a_blocked_scenario_proves_nothing() {
    let result = play(&[&BLOCKED]).await;
    let (found, why) = verdict(&result, "X-01");
    assert_eq!(found, Verdict::Unverified);
    assert!(why.starts_with("blocked: expected a step"), "{why}");
    // It had passed until then.
    assert_eq!(verdict(&result, "X-02").0, Verdict::Unverified);
    assert_eq!(result.scenarios[0].verdict, Verdict::Unverified);
    // The target of these tests does not exist, and that is found out.
    assert!(result.lost.is_some());
    assert_eq!(result.exit(), Exit::Fault);
}

#[tokio::test]
async fn judging_what_is_not_declared_is_a_fault_of_the_kit() {
    let result = play(&[&UNDECLARED]).await;
    assert_eq!(verdict(&result, "Y-01").0, Verdict::Harness);
    assert_eq!(verdict(&result, "X-01").0, Verdict::Unverified);
}

#[tokio::test]
async fn a_scenario_that_hangs_is_stopped() {
    let result = play(&[&HANGS]).await;
    let (found, why) = verdict(&result, "X-01");
    assert_eq!(found, Verdict::Unverified);
    assert!(why.contains("did not finish"), "{why}");
}

#[tokio::test]
async fn the_level_decides_between_fail_and_warn() {
    let result = play(&[&WARNS]).await;
    assert_eq!(verdict(&result, "X-01").0, Verdict::Fail);
    assert_eq!(verdict(&result, "X-02").0, Verdict::Warn);
    assert_eq!(result.exit(), Exit::Fails);
}

#[tokio::test]
async fn what_the_target_does_not_offer_is_listed_only() {
    let result = play(&[&PASSES, &NOT_OFFERED]).await;
    assert_eq!(
        verdict(&result, "Y-01"),
        (Verdict::Unverified, "no key".to_owned())
    );
    assert_eq!(
        (result.exit(), result.requiring_all().exit()),
        (Exit::Conforms, Exit::Fails)
    );
}

#[tokio::test]
async fn what_was_inconclusive_runs_again_alone() {
    let result = play(&[&PASSES, &UNSURE]).await;
    assert_eq!(verdict(&result, "Y-01").0, Verdict::Pass);
    assert_eq!(TRIES.load(Ordering::SeqCst), 3);
    let attempts: Vec<usize> = result.scenarios.iter().map(|one| one.attempts).collect();
    assert_eq!(attempts, [1, 3]);
    let result = play(&[&NEVER_SURE]).await;
    assert_eq!(verdict(&result, "Y-01").0, Verdict::Inconclusive);
    assert_eq!(result.scenarios[0].attempts, 3);
}

/// When a scenario began.
fn began(result: &RunResult, scenario: &Scenario) -> Duration {
    let mut scenarios = result.scenarios.iter();
    scenarios
        .find(|one| one.scenario.id == scenario.id)
        .unwrap()
        .began
}

#[tokio::test]
async fn what_disrupts_comes_after_all_others() {
    let result = play(&[&LATE, &NEVER_SURE, &PASSES]).await;
    assert!(began(&result, &LATE) > began(&result, &NEVER_SURE));
    assert!(began(&result, &LATE) > began(&result, &PASSES));
}

async fn fails_later(scene: &Scene) -> Outcome {
    scene.check("Y-01", Err::<(), _>(Mismatch::new("a", "b")));
    Ok(())
}
static FAILS_LATER: Scenario = Scenario::new("y/fails", "", &["Y-01"], story!(fails_later));

async fn blocks_later(_: &Scene) -> Outcome {
    Err(Mismatch::new("a step", "none"))?
}
static BLOCKS_LATER: Scenario = Scenario::new("y/blocks", "", &["Y-01"], story!(blocks_later));

async fn panics_later(_: &Scene) -> Outcome {
    let empty: Vec<u8> = Vec::new();
    assert!(!empty.is_empty(), "a mistake in the kit");
    Ok(())
}
static PANICS_LATER: Scenario = Scenario::new("y/panics", "", &["Y-01"], story!(panics_later));

/// The set was frozen when the contract had no Y-01 yet.
fn before_y() -> Contract {
    Contract::for_test().frozen(
        "1.0",
        "name = \"1.0\"\nmust = [\"X-01\"]\nshould = [\"X-02\"]\nmay = [\"X-03\"]",
    )
}

#[tokio::test]
async fn what_was_added_after_the_set_cannot_fail_a_run() {
    for (scenario, found) in [
        (&FAILS_LATER, Verdict::Fail),
        (&NEVER_SURE, Verdict::Inconclusive),
        (&NOT_OFFERED, Verdict::Unverified),
        // The target of these tests does not exist, so it counts as gone from here on.
        (&BLOCKS_LATER, Verdict::Unverified),
        (&PANICS_LATER, Verdict::Harness),
    ] {
        let result = play_in(held_to(before_y()), &[scenario, &PASSES]).await;
        assert_eq!(result.set, "1.0");
        let told =
            |list: &[RequirementResult]| list.iter().map(|r| (r.id.clone(), r.verdict)).collect::<Vec<_>>();
        let passes = |id: &str| (id.to_owned(), Verdict::Pass);
        assert_eq!(
            told(&result.requirements),
            [passes("X-01"), passes("X-02")],
            "{}",
            scenario.id
        );
        assert_eq!(
            told(&result.later),
            [("Y-01".to_owned(), found)],
            "{}",
            scenario.id
        );
        assert_eq!(
            (&result.lost, result.at_fault()),
            (&None, false),
            "{}",
            scenario.id
        );
        for result in [result.requiring_all(), (*result).clone()] {
            assert_eq!(result.exit(), Exit::Conforms, "{}", scenario.id);
            let judged = Baseline::default().apply(&result);
            assert_eq!(judged.exit(), Exit::Conforms, "{}", scenario.id);
        }
        // Where everything counts, each of them is red in its own way.
        let result = play(&[scenario, &PASSES]).await;
        assert!(result.later.is_empty(), "{}", scenario.id);
        assert_ne!(result.requiring_all().exit(), Exit::Conforms, "{}", scenario.id);
    }
}

#[tokio::test]
async fn what_was_added_after_the_set_comes_last() {
    let result = play_in(held_to(before_y()), &[&FAILS_LATER, &LATE, &PASSES]).await;
    assert!(began(&result, &FAILS_LATER) > began(&result, &LATE));
    assert!(began(&result, &LATE) > began(&result, &PASSES));
}

#[tokio::test]
async fn an_interrupted_run_still_has_a_result() {
    let plan = Plan::select(&Contract::for_test(), &[&HANGS, &PASSES], &[], &[]).unwrap();
    let (events, _told) = mpsc::unbounded_channel();
    let (stopper, stop) = watch::channel(false);
    let running = tokio::spawn(run(Arc::new(plan), context(), 8, events, stop));
    tokio::task::yield_now().await;
    stopper.send_replace(true);
    let result = running.await.unwrap();
    assert_eq!(result.scenarios.len(), 2);
    assert_eq!(result.exit(), Exit::Interrupted);
}

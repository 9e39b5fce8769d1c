//! The load generator: against a server that keeps its promises it finds nothing, and of one that breaks one it tells which,
//! and how often.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use chatspec::contract::Contract;
use chatspec::load::check::Faults;
use chatspec::load::outcome::{LoadResult, LoadVerdict};
use chatspec::load::plan::{Idle, LoadOptions, Plan};
use chatspec::load::{self, Conditions, report};
use chatspec::proxy::rule::Rule;
use chatspec::proxy::{Instructions, Proxy};
use chatspec::result::Exit;
use chatspec::scene::{Context, RunOptions};
use chatspec::targets::profile::Limits;
use chatspec::targets::{Target, reference};
use serde_json::Value;
use tokio::sync::watch;

/// A limit that no load here meets.
const LIFTED: u32 = 1_000;

/// One room of three, each of whom sends every 300 ms for three seconds: 30 messages.
fn small() -> LoadOptions {
    LoadOptions {
        rooms: 1,
        room_size: 3,
        rate: 10.0,
        duration: Duration::from_secs(3),
        repeat: 0.25,
        drain: Duration::from_secs(4),
        ..LoadOptions::default()
    }
}

fn plan(wanted: LoadOptions) -> Plan {
    let limits = Limits {
        rate_max: LIFTED as usize,
        ..Limits::default()
    };
    Plan::new(wanted, &limits).unwrap()
}

async fn run(wanted: LoadOptions, target: Target) -> LoadResult {
    let contract = Contract::embedded().unwrap();
    let context = Arc::new(Context::new(target, contract, RunOptions::default()));
    let (_stopper, stop) = watch::channel(false);
    let tell = Arc::new(|_| {});
    let loading = load::run(plan(wanted), context, Conditions::default(), stop, tell);
    Box::pin(loading).await.unwrap()
}

/// A load of the reference server, with this rate limit.
async fn on_reference(wanted: LoadOptions, rate_max: u32) -> LoadResult {
    let (profile, running) = reference::start_for_load(rate_max).await.unwrap();
    run(wanted, Target::new(profile).unwrap().keeping(running)).await
}

/// The small load through a proxy with these rules.
async fn spoilt(rules: &str) -> LoadResult {
    #[derive(serde::Deserialize)]
    struct File {
        rule: Vec<Rule>,
    }
    let rules = toml::from_str::<File>(rules).unwrap().rule;
    Box::pin(through_proxy(rules)).await
}

async fn through_proxy(rules: Vec<Rule>) -> LoadResult {
    let (profile, running) = reference::start_for_load(LIFTED).await.unwrap();
    let server = Target::new(profile.clone()).unwrap();
    let instructions = Instructions {
        rules,
        ..Instructions::default()
    };
    let proxy = Proxy::start(server.urls(), instructions).await.unwrap();
    let target = Target::new(profile.at(proxy.urls().to_vec())).unwrap();
    let outcome = run(small(), target.keeping(running)).await;
    assert!(proxy.fired() > 0, "the rules were about nothing");
    outcome
}

fn counts(faults: &Faults) -> [u64; 5] {
    let Faults {
        lost,
        doubled,
        out_of_order,
        invented,
        ids,
        ..
    } = *faults;
    [lost, doubled, out_of_order, invented, ids]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_its_promises_is_clean() {
    let wanted = LoadOptions {
        rooms: 5,
        room_size: 4,
        idle: Idle::Number(5),
        rate: 60.0,
        duration: Duration::from_secs(2),
        ..small()
    };
    let outcome = on_reference(wanted, LIFTED).await;
    assert_eq!(outcome.verdict(), LoadVerdict::Clean, "{outcome:?}");
    assert_eq!(outcome.exit(), Exit::Conforms);
    assert_eq!((outcome.connections.made, outcome.connections.wanted), (25, 25));
    let messages = &outcome.messages;
    assert_eq!((messages.planned, messages.sent, messages.acked), (120, 120, 120));
    assert_eq!(
        (messages.due, messages.delivered, messages.repeats),
        (480, 480, 30)
    );
    let latency = &outcome.latency;
    assert_eq!(
        (latency.ack.count, latency.delivery.count, latency.connect.count),
        (120, 480, 25)
    );
    for one in [latency.ack, latency.delivery] {
        assert!(
            one.p50 > 0.0 && one.p50 <= one.p99 && one.p99 <= one.max,
            "{one:?}"
        );
    }
    let by_time: u64 = latency
        .timeline
        .iter()
        .map(|stretch| stretch.delivery.count)
        .sum();
    assert_eq!(by_time, 480);
    // The last ones may take their time.
    assert!(
        (20.0..=60.0).contains(&outcome.rates.acks_per_s),
        "{:?}",
        outcome.rates
    );
    assert!(
        (80.0..=240.0).contains(&outcome.rates.deliveries_per_s),
        "{:?}",
        outcome.rates
    );
    let document: Value = serde_json::from_str(&report::json(&outcome).unwrap()).unwrap();
    let contract = Contract::embedded().unwrap();
    contract.schemas.matches("load", &document).unwrap();
}

/// One delivery of a message does not come: to the first member that it is for.
const DROPPED: &str = "
    [[rule]]
    on = { event = 'message:new' }
    when = [{ at = '/data/message/body', like = ':0:1:3 ' }, { unseen = 'once' }]
    do = ['drop', { remember = { name = 'once', of = [] } }]
";

const DOUBLED: &str = "
    [[rule]]
    on = { event = 'message:new' }
    when = [{ at = '/data/message/body', like = ':0:1:3 ' }, { unseen = 'once' }]
    do = ['duplicate', { remember = { name = 'once', of = [] } }]
";

/// A message is held back at one member until the sixth one after it from the same sender has come, almost two seconds later.
const REORDERED: &str = "
    [[rule]]
    on = { event = 'message:new' }
    when = [{ at = '/data/message/body', like = ':0:1:2 ' }, { unseen = 'once' }]
    do = [
        'drop',
        { remember = { name = 'once', of = [] } },
        { remember = { name = 'held', of = ['/conn/id'], keep = '{{/data}}' } },
    ]
    [[rule]]
    on = { event = 'message:new' }
    when = [{ at = '/data/message/body', like = ':0:1:8 ' }, { seen = 'held', of = ['/conn/id'] }]
    do = [{ inject = { event = 'message:new', data = '{{/seen/held/last}}' } }]
";

/// One delivery has another body: what was sent is lost, and what arrives is invented.
const CHANGED: &str = "
    [[rule]]
    on = { event = 'message:new' }
    when = [{ at = '/data/message/body', like = ':0:1:3 ' }, { unseen = 'once' }]
    do = [{ set = { at = '/data/message/body', to = 'hello' } }, { remember = { name = 'once', of = [] } }]
";

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_on_the_wire_is_told_for_what_it_is() {
    let runs = [DROPPED, DOUBLED, REORDERED, CHANGED].map(spoilt);
    let outcomes = futures_util::future::join_all(runs).await;
    let seen: Vec<[u64; 5]> = outcomes.iter().map(|outcome| counts(&outcome.faults)).collect();
    let expected = [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 1, 0]];
    assert_eq!(seen, expected);
    for outcome in &outcomes {
        assert_eq!(outcome.messages.acked, 30);
        assert_eq!(outcome.exit(), Exit::Fails);
    }
    let told = &outcomes[0].faults.told[0].text;
    assert!(
        told.contains(":0:1:3 was acknowledged and never arrived at member"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ack_with_another_id_is_told() {
    let outcome = spoilt(
        "[[rule]]
         on = { ack = 'message:send' }
         when = [{ unseen = 'once' }]
         do = [{ set = { at = '/data/data/serverId', to = '{{/fresh/id}}' } }, { remember = { name = 'once', of = [] } }]",
    )
    .await;
    let [lost, doubled, out_of_order, invented, ids] = counts(&outcome.faults);
    // Whether the ack or a delivery came first, at least one of them has an id that the others have not.
    assert!(ids >= 1, "{:?}", outcome.faults);
    assert_eq!([lost, doubled, out_of_order, invented], [0; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_connection_has_lost_nothing_else() {
    let outcome = spoilt(
        "[[rule]]
         on = { event = 'message:new' }
         when = [{ at = '/data/message/body', like = ':0:1:3 ' }, { unseen = 'once' }]
         do = ['drop', 'cut', { remember = { name = 'once', of = [] } }]",
    )
    .await;
    assert_eq!(counts(&outcome.faults), [0; 5], "{:?}", outcome.faults);
    assert_eq!(
        (outcome.connections.lost, outcome.connections.reasons.len()),
        (1, 1)
    );
    assert_eq!(
        (outcome.verdict(), outcome.exit()),
        (LoadVerdict::Partly, Exit::Conforms)
    );
    assert!(outcome.messages.acked < outcome.messages.planned);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_no_success() {
    let outcome = spoilt(
        "[[rule]]
         on = { event = 'message:new' }
         when = [{ at = '/data/message/body', like = ':0:1:3 ' }]
         do = ['drop', 'cut', { cut_others = [{ at = '/other/state', is = 'accepted' }] }]",
    )
    .await;
    assert_eq!(outcome.connections.lost, 3, "{:?}", outcome.connections);
    assert_eq!(
        (outcome.verdict(), outcome.exit()),
        (LoadVerdict::Dead, Exit::Fault)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_and_nothing_else_is_wrong() {
    let outcome = on_reference(small(), 5).await;
    assert_eq!(counts(&outcome.faults), [0; 5], "{:?}", outcome.faults);
    let refused: Vec<&str> = outcome.messages.refused.keys().map(String::as_str).collect();
    assert_eq!(refused, ["RATE_LIMITED"]);
    // Five of each of the three in any ten seconds.
    assert_eq!(outcome.messages.acked, 15);
    assert_eq!(outcome.verdict(), LoadVerdict::Partly);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_alone_are_made_and_held() {
    let wanted = LoadOptions {
        duration: Duration::from_millis(300),
        ramp: Duration::from_millis(200),
        ..LoadOptions::default()
    };
    let outcome = on_reference(wanted.connections(20), LIFTED).await;
    assert_eq!(
        (outcome.connections.made, outcome.latency.connect.count),
        (20, 20)
    );
    assert!(outcome.connections.seconds >= 0.19, "{:?}", outcome.connections);
    assert_eq!(
        (outcome.messages.planned, outcome.verdict()),
        (0, LoadVerdict::Clean)
    );
    let document: Value = serde_json::from_str(&report::json(&outcome).unwrap()).unwrap();
    Contract::embedded()
        .unwrap()
        .schemas
        .matches("load", &document)
        .unwrap();
}

fn chatspec(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chatspec"))
        .arg("load")
        .args(args)
        .env_remove("CHATSPEC_JWT_SECRET")
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_writes_its_reports() {
    let (profile, _running) = reference::start_for_load(10).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (json, html) = (
        format!("json={}", file("load.json")),
        format!("html={}", file("load.html")),
    );
    let url = profile.urls[0].clone();
    let done = tokio::task::spawn_blocking(move || {
        chatspec(&[
            "--url",
            &url,
            "--rooms",
            "2",
            "--room-size",
            "3",
            "--rate",
            "4",
            "--duration",
            "1s",
            "--report",
            &json,
            "--report",
            &html,
        ])
    });
    let done = done.await.unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    assert_eq!(
        done.status.code(),
        Some(0),
        "{told}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        told.contains("Clean: every message") && told.contains("12 of 12 due"),
        "{told}"
    );
    let report: Value = serde_json::from_str(&std::fs::read_to_string(file("load.json")).unwrap()).unwrap();
    assert_eq!(report["messages"]["acked"], 4);
    Contract::embedded()
        .unwrap()
        .schemas
        .matches("load", &report)
        .unwrap();
    let page = std::fs::read_to_string(file("load.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<svg"));
}

#[test]
fn what_makes_no_sense_is_a_usage_error_before_anything_is_started() {
    for (args, told) in [
        (["--rate", "2000"].as_slice(), "or lift the limit"),
        (&["--payload", "3"], "--payload 3"),
        (&["--room-size", "1"], "at least 2"),
        (&["--connect-only", "5", "--rate", "3"], "--connect-only"),
        (
            &["--report", "json", "--report", "html"],
            "only one can go to standard output",
        ),
        (&["--duration", "soon"], "--duration"),
        (
            &["--pid", "4000000000"],
            "--pid 4000000000: there is no such process",
        ),
    ] {
        let done = chatspec(args);
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(told), "{args:?}: {said}");
    }
}

#[test]
fn who_is_not_there_cannot_be_loaded() {
    let done = chatspec(&["--url", "http://127.0.0.1:9"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains("cannot connect"), "{said}");
}

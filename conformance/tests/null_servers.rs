//! Servers that keep no promise, and what the kit says of them: nothing that they do not deserve may pass.
//!
//! Each answers its sockets in one stupid way, behind a REST API that works (the reference's, passed through), so that
//! the scenarios get as far as they can. A requirement that such a server truly keeps stands below with the reason;
//! any other MUST that passes is a hole in the kit.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chatspec::contract::Contract;
use chatspec::plan::Plan;
use chatspec::preflight;
use chatspec::runner;
use chatspec::scenarios;
use chatspec::scene::RunOptions;
use chatspec::shapes::folder::Documents;
use chatspec::shapes::gather::gather;
use chatspec::shapes::subjects::{JOIN, NEITHER, OK, READ, REFUSAL, SEND, Subject};
use chatspec::targets::profile::Profile;
use chatspec::targets::profile::capabilities::{Capabilities, Capability};
use chatspec::targets::reference;
use chatspec::verdict::{Level, Verdict};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Event, SocketRef, TryData};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{mpsc, watch};

/// All at once: they wait most of the time, for what never comes.
const AT_ONCE: usize = 8;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    args.test_threads.get_or_insert(AT_ONCE);
    macro_rules! tests {
        ($($name:ident,)*) => {
            vec![$(Trial::test(stringify!($name), || { $name(); Ok(()) }),)*]
        };
    }
    let tests = tests![
        silence_earns_nothing,
        refusing_everything_as_forbidden_earns_nothing,
        refusing_everything_as_invalid_earns_nothing,
        refusing_everything_as_too_much_earns_nothing,
        failing_at_everything_earns_nothing,
        agreeing_to_everything_earns_only_the_ways_in,
        declaring_everything_absent_earns_nothing_more,
        echoing_everything_earns_nothing,
        disconnecting_on_every_event_earns_nothing,
        closing_every_connection_earns_nothing,
        accepting_any_token_is_seen_by_every_requirement_on_tokens,
        silence_has_no_shape_and_a_reason_for_each,
        what_agrees_to_everything_is_seen_to_do_that_and_nothing_else,
        an_echo_is_neither_a_success_nor_an_error,
    ];
    libtest_mimic::run(&args, tests).exit_code()
}

/// The one thing that a server does with whatever it is sent.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Silent,
    /// Refuses everything with this code.
    Refuses(&'static str),
    Agrees,
    Echoes,
    Disconnects,
    ClosesConnections,
    AcceptsAnyToken,
}

impl Habit {
    fn act(self, socket: &SocketRef, event: &str, data: &Value, ack: AckSender) {
        // An ack that nobody asked for cannot be sent, and need not be.
        match self {
            Self::Silent | Self::ClosesConnections => {}
            // It answers a ping as it should, so that it shows that it has let somebody in.
            Self::AcceptsAnyToken => {
                if event == "presence:ping" {
                    let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
                    drop(ack.send(&json!({"ok": true, "data": {"serverTime": now}})));
                }
            }
            Self::Refuses(code) => drop(ack.send(&json!({"ok": false, "error": code, "message": "no"}))),
            Self::Agrees => drop(ack.send(&json!({"ok": true}))),
            Self::Echoes => {
                drop(socket.emit(event, data));
                drop(ack.send(data));
            }
            Self::Disconnects => drop(socket.clone().disconnect()),
        }
    }
}

/// Starts one; gives its URL.
async fn start(habit: Habit, rest: String) -> String {
    let (layer, io) = SocketIo::new_layer();
    let begin = move |socket: SocketRef| async move {
        if matches!(habit, Habit::ClosesConnections) {
            socket.disconnect().ok();
            return;
        }
        socket.on_fallback(
            move |socket: SocketRef, Event(event): Event, TryData(data): TryData<Value>, ack: AckSender| async move {
                habit.act(&socket, &event, &data.unwrap_or_default(), ack);
            },
        );
    };
    io.ns("/", begin);
    let passed_on = Arc::new((reqwest::Client::new(), rest));
    let routes = Router::new().fallback(pass_on).with_state(passed_on).layer(layer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

/// REST goes to a server that keeps its promises.
async fn pass_on(State(to): State<Arc<(reqwest::Client, String)>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (client, base) = to.as_ref();
    let url = format!("{base}{}", parts.uri);
    let mut headers = HeaderMap::new();
    for name in ["authorization", "content-type"] {
        if let Some(value) = parts.headers.get(name) {
            headers.insert(name, value.clone());
        }
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let answer = client
        .request(parts.method, url)
        .headers(headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let status: StatusCode = answer.status();
    let bytes = answer.bytes().await.unwrap();
    Response::builder()
        .status(status)
        .body(Body::from(bytes))
        .unwrap()
}

/// Most of the time goes into waiting for what never comes, and nothing here is slow.
const HASTE: f64 = 0.4;

/// One of them, in front of a reference server.
async fn profile(habit: Habit, reference: Profile) -> Profile {
    Profile {
        name: format!("{habit:?}"),
        urls: vec![start(habit, reference.urls[0].clone()).await],
        ..reference
    }
}

/// The MUSTs with their verdicts.
async fn judged(habit: Habit, capabilities: Capabilities) -> Vec<(String, Verdict)> {
    let (reference, _running) = reference::start(None).await.unwrap();
    let profile = Profile {
        capabilities,
        ..profile(habit, reference).await
    };
    let contract = Contract::embedded().unwrap();
    let all: Vec<_> = scenarios::all().collect();
    let plan = Plan::select(&contract, &all, &[], &[]).unwrap();
    let options = RunOptions {
        scale: HASTE,
        ..RunOptions::default()
    };
    let context = preflight::prepare(profile.into(), contract, options)
        .await
        .unwrap();
    let (events, _told) = mpsc::unbounded_channel();
    let (_stopper, stop) = watch::channel(false);
    let result = runner::run(Arc::new(plan), context, 64, events, stop).await;
    result
        .requirements
        .iter()
        .filter(|requirement| requirement.level == Level::Must)
        .map(|requirement| (requirement.id.clone(), requirement.verdict))
        .collect()
}

/// What is kept by the REST API alone, whoever answers the sockets. That it passes shows that the scenarios did run.
const BY_REST: &str = "SYNC-03";

fn all_judged(habit: Habit, capabilities: Capabilities) -> Vec<(String, Verdict)> {
    in_a_runtime(judged(habit, capabilities))
}

/// Whatever is still running then is not waited for.
fn in_a_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// Nothing passes but what REST keeps, and what the server does deserve, with the reason. Gives all verdicts.
#[track_caller]
fn keeps_only(habit: Habit, deserved: &[(&str, &str)]) -> Vec<(String, Verdict)> {
    let judged = all_judged(habit, Capabilities::default());
    let kept = judged.iter().filter(|(_, verdict)| *verdict == Verdict::Pass);
    let kept: Vec<&String> = kept.map(|(id, _)| id).collect();
    assert!(kept.iter().any(|id| *id == BY_REST), "{habit:?}: nothing was run");
    let undeserved: Vec<_> = kept
        .into_iter()
        .filter(|id| *id != BY_REST && !deserved.iter().any(|(known, _)| known == id))
        .collect();
    assert!(undeserved.is_empty(), "{habit:?} earns {undeserved:?}");
    judged
}

fn silence_earns_nothing() {
    keeps_only(Habit::Silent, &[]);
}

fn refusing_everything_as_forbidden_earns_nothing() {
    keeps_only(Habit::Refuses("FORBIDDEN"), &[]);
}

fn refusing_everything_as_invalid_earns_nothing() {
    keeps_only(Habit::Refuses("VALIDATION_ERROR"), &[]);
}

fn refusing_everything_as_too_much_earns_nothing() {
    keeps_only(Habit::Refuses("RATE_LIMITED"), &[]);
}

fn failing_at_everything_earns_nothing() {
    keeps_only(Habit::Refuses("INTERNAL"), &[]);
}

fn agreeing_to_everything_earns_only_the_ways_in() {
    let deserved = [
        (
            "TRANS-01",
            "the handshake is right, and a ping is to be agreed to",
        ),
        ("AUTH-01", "it lets everyone in, those with a JWT too"),
        ("AUTH-02", "the same for a JWT in the query"),
        ("AUTH-03", "the same for a session token"),
    ];
    keeps_only(Habit::Agrees, &deserved);
}

/// What a target file says is not offered leads nowhere, and what has been seen until then proves nothing.
fn declaring_everything_absent_earns_nothing_more() {
    let capabilities = Capabilities::without(Capability::ALL.iter().copied());
    for (habit, deserved) in [
        (Habit::Refuses("FORBIDDEN"), &[][..]),
        (Habit::Agrees, &["TRANS-01", "AUTH-01"]),
    ] {
        let judged = all_judged(habit, capabilities.clone());
        let kept: Vec<_> = judged
            .iter()
            .filter(|(id, verdict)| *verdict == Verdict::Pass && !deserved.contains(&id.as_str()))
            .collect();
        assert!(kept.is_empty(), "{habit:?} earns {kept:?}");
    }
}

fn echoing_everything_earns_nothing() {
    keeps_only(Habit::Echoes, &[]);
}

fn disconnecting_on_every_event_earns_nothing() {
    keeps_only(Habit::Disconnects, &[]);
}

fn closing_every_connection_earns_nothing() {
    keeps_only(Habit::ClosesConnections, &[]);
}

fn accepting_any_token_is_seen_by_every_requirement_on_tokens() {
    let deserved = [
        ("TRANS-01", "the handshake is right, and pings are answered"),
        ("AUTH-01", "it lets everyone in, those with a JWT too"),
        ("AUTH-02", "the same for a JWT in the query"),
        ("AUTH-03", "the same for a session token"),
        ("PRES-05", "it answers pings with the time"),
    ];
    let judged = keeps_only(Habit::AcceptsAnyToken, &deserved);
    for id in [
        "AUTH-04", "AUTH-05", "AUTH-06", "AUTH-07", "AUTH-08", "AUTH-09", "AUTH-10",
    ] {
        assert!(
            judged.contains(&(id.to_owned(), Verdict::Fail)),
            "{id} does not see that anyone is let in"
        );
    }
}

/// What it sends, as shapes.
fn shapes(habit: Habit) -> Documents {
    in_a_runtime(gathered(habit))
}

async fn gathered(habit: Habit) -> Documents {
    let (reference, _running) = reference::start(None).await.unwrap();
    let profile = profile(habit, reference).await;
    let contract = Contract::embedded().unwrap();
    let options = RunOptions {
        scale: HASTE,
        ..RunOptions::default()
    };
    let context = preflight::prepare(profile.into(), contract, options)
        .await
        .unwrap();
    gather(&context, 1, |_| {}).await.unwrap()
}

fn silence_has_no_shape_and_a_reason_for_each() {
    for (name, document) in shapes(Habit::Silent) {
        assert!(document.seen.is_empty(), "{name}: {:?}", document.seen);
        for (case, why) in document.not_seen {
            let reasons = ["answered with nothing", "came", "accepted", "only message:send"];
            assert!(
                reasons.iter().any(|reason| why.contains(reason)),
                "{name}, {case}: {why:?}"
            );
        }
    }
}

fn what_agrees_to_everything_is_seen_to_do_that_and_nothing_else() {
    let shapes = shapes(Habit::Agrees);
    for (name, document) in &shapes {
        let seen: Vec<_> = document.seen.keys().map(String::as_str).collect();
        let expected = if name.starts_with("ack-") { &[OK][..] } else { &[] };
        assert_eq!(seen, expected, "{name}");
        assert!(document.not_seen.values().all(|why| !why.is_empty()), "{name}");
    }
    let reason = |subject: &Subject, case: &str| shapes[subject.name].not_seen[case].as_str();
    assert_eq!(
        reason(&JOIN, "FORBIDDEN"),
        "a member of no chat joins: answered with ok; a stranger joins: answered with ok"
    );
    assert_eq!(
        reason(&READ, "NOT_FOUND"),
        "a receipt for no message: answered with ok"
    );
    assert_eq!(
        reason(&SEND, "RATE_LIMITED"),
        "11 messages at once: answered with ok"
    );
    assert!(reason(&REFUSAL, "UNAUTHORIZED").contains("no token: accepted"));
}

fn an_echo_is_neither_a_success_nor_an_error() {
    let shapes = shapes(Habit::Echoes);
    let seen = serde_json::to_value(&shapes[JOIN.name].seen).unwrap();
    assert_eq!(shapes[JOIN.name].seen.keys().collect::<Vec<_>>(), [NEITHER]);
    assert!(seen[NEITHER].to_string().contains("chatId"), "{seen}");
}

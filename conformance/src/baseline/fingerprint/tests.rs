use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::contract::Contract;
use crate::event::Event;
use crate::expect::Mismatch;
use crate::expect::event::event;
use crate::text::show;

fn of(message: &str) -> Fingerprint {
    Fingerprint::of("X-01", "x/one", message)
}

/// All of them say the same, in different runs.
#[track_caller]
fn are_the_same(messages: &[impl AsRef<str>]) {
    let first = messages[0].as_ref();
    for other in messages {
        let other = other.as_ref();
        assert_eq!(of(first), of(other), "{:?}\n{:?}", lasting(first), lasting(other));
    }
}

/// No two of them say the same.
#[track_caller]
fn all_differ(messages: &[impl AsRef<str>]) {
    let mut seen = BTreeMap::new();
    for message in messages {
        let message = message.as_ref();
        if let Some(other) = seen.insert(of(message), message) {
            panic!("{message:?} and {other:?} are both {:?}", lasting(message));
        }
    }
}

#[test]
fn every_pattern_is_valid() {
    assert_eq!(MASK_PATTERNS.len(), MASKS.len());
    assert_eq!(UNLIKE_PATTERNS.len(), UNLIKE.len());
    assert_eq!(WHO_PATTERNS.len(), WHO.len());
    assert!(CUT.is_some() && WORD.is_some());
}

#[test]
fn it_depends_on_requirement_scenario_and_message_and_is_short() {
    let one = Fingerprint::of("X-01", "x/one", "expected a; got b");
    assert_eq!(one, Fingerprint::of("X-01", "x/one", "expected a; got b"));
    assert_ne!(one, Fingerprint::of("X-02", "x/one", "expected a; got b"));
    assert_ne!(one, Fingerprint::of("X-01", "x/two", "expected a; got b"));
    assert_ne!(one, Fingerprint::of("X-01", "x/one", "expected a; got c"));
    assert_eq!(Fingerprint::try_from(one.to_string()), Ok(one));
    for wrong in ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789äb"] {
        assert!(Fingerprint::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn what_the_kit_and_the_target_draw_anew_does_not_count() {
    are_the_same(&[
        "got bob: {\"_id\":\"65f0c0ffee65f0c0ffee65f0\",\"body\":\"hi 1b4e28ba-2fa1-11d2-883f-0016d3cca427\"}",
        "got bob: {\"_id\":\"75f0c0ffee65f0c0ffee65f1\",\"body\":\"hi 9f4e28ba-2fa1-41d2-983f-0016d3cca428\"}",
    ]);
    are_the_same(&[
        "got {\"id\":7,\"userId\":\"u_7\"}, /chatId = \"c-1\"",
        "got {\"id\":12,\"userId\":\"u_12\"}, /chatId = \"c-12\"",
    ]);
    are_the_same(&[
        "sender alice.0f3c9a1e.3@chatspec.example with pw-0f3c9a1e-3",
        "sender alice.77e0aa02.112@chatspec.example with pw-77e0aa02-112",
    ]);
    are_the_same(&[
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyMiJ9.x_jftJeZ4CVPmB92K27uhbUJU1",
    ]);
    are_the_same(&[
        "{\"sessionToken\":\"q3Zk81xVbb_0aLmPq7Tz\",\"sid\":\"AAAB\"}",
        "{\"sessionToken\":\"Zz9Qk81xVbb-0aLmPq7T\",\"sid\":\"CkXy\"}",
    ]);
}

#[test]
fn sessions_are_drawn_anew_whatever_they_look_like() {
    let told = |sid: &str| format!("expected an HTTP answer to GET /socket.io/?EIO=4&sid={sid}; got none");
    are_the_same(&[
        told("cloyox5kC4pmBk3Q"),
        told("8JxmZ9WWw_q__brR"),
        told("abcdefghijklmnop"),
        told("7"),
    ]);
}

#[test]
fn who_is_stopped_first_is_luck_but_who_sees_a_failure_is_not() {
    are_the_same(&[
        "blocked: expected an ack of room:join within 2000 ms; got room:join: bob: none; the connection is open",
        "blocked: expected an ack of room:join within 300 ms; got room:join: alice#2: none; the connection is open",
    ]);
    are_the_same(&[
        "blocked: expected a success ack {\"ok\":true}; got room:join as bob: {\"ok\":false}",
        "blocked: expected a success ack {\"ok\":true}; got room:join as alice#2: {\"ok\":false}",
    ]);
    are_the_same(&[
        "blocked: a message sent into the room to fence it did not reach bob",
        "blocked: a message sent into the room to fence it did not reach carol#2",
    ]);
    all_differ(&[
        "blocked: expected an ack of room:join within 9 ms; got room:join: bob: none; the connection is open",
        "blocked: expected an ack of message:send within 9 ms; got bob: none; the connection is open",
        "blocked: expected a success ack {\"ok\":true}; got room:join as bob: {\"ok\":false}",
        "blocked: a message sent into the room to fence it did not reach bob",
        "blocked: MSG-02 does not hold",
        "blocked: MSG-03 does not hold",
        "expected a success ack {\"ok\":true}; got bob: {\"ok\":false}",
        "expected a success ack {\"ok\":true}; got carol: {\"ok\":false}",
    ]);
}

#[test]
fn whether_the_client_noticed_the_end_of_the_connection_is_luck() {
    are_the_same(&[
        "expected an ack of room:join within 9 ms; got bob: none; the connection is open",
        "expected an ack of room:join within 9 ms; got bob: none; the connection is closed: reset by peer",
    ]);
    are_the_same(&[
        "expected an ack of room:join within 9 ms; got bob: none; the connection is open",
        "expected room:join to be sent; got bob: it could not be sent: not connected",
    ]);
    are_the_same(&[
        "expected CONNECT to be accepted; got the connection was closed: reset by peer",
        "expected CONNECT to be accepted; got the connection was closed: 1005",
    ]);
}

#[test]
fn times_and_places_do_not_count() {
    are_the_same(&[
        "expected an ack of room:join within 2000 ms; got none",
        "expected an ack of room:join within 350 ms; got none",
    ]);
    are_the_same(&["it did not finish within 30 s", "it did not finish within 4.5 s"]);
    are_the_same(&[
        "{\"createdAt\":\"2026-01-02T03:04:05.678Z\",\"retryAfterMs\":5321,\"at\":1767323045678}",
        "{\"createdAt\":\"2027-11-12T13:14:15Z\",\"retryAfterMs\":87,\"at\":1767323099999}",
    ]);
    are_the_same(&[
        "connecting to http://127.0.0.1:4000/socket.io: refused by 127.0.0.1:4000, localhost:4000",
        "connecting to https://chat.example/socket.io: refused by 10.0.0.7:81, localhost:50321",
    ]);
}

#[test]
fn what_was_asked_and_answered_does_count() {
    all_differ(&[
        "expected an error ack FORBIDDEN; got bob: {\"ok\":true}",
        "expected an error ack FORBIDDEN; got carol: {\"ok\":true}",
        "expected an error ack NOT_FOUND; got bob: {\"ok\":true}",
        "expected an error ack FORBIDDEN; got bob: {\"ok\":false,\"error\":\"INTERNAL\"}",
        "expected HTTP 204; got HTTP 200 ",
        "expected HTTP 204; got HTTP 404 ",
        "expected /unreadCount = 1; got /unreadCount = 2",
        "expected /unreadCount = 1; got /unreadCount = 3",
        "message 9 of 10: expected a success ack; got {\"ok\":false}",
        "message 10 of 10: expected a success ack; got {\"ok\":false}",
    ]);
}

#[test]
fn every_entry_of_the_corpus_has_a_fingerprint_of_its_own() {
    let corpus = Contract::embedded().unwrap().corpus;
    let told = |name: &String| {
        let mismatch = Mismatch::new("VALIDATION_ERROR", "{\"ok\":true}");
        mismatch.at(name).to_string()
    };
    for entries in corpus.events.values() {
        all_differ(&entries.iter().map(|entry| told(&entry.name)).collect::<Vec<_>>());
    }
    all_differ(
        &corpus
            .tokens
            .iter()
            .map(|token| told(&token.name))
            .collect::<Vec<_>>(),
    );
    all_differ(
        &corpus
            .bodies
            .iter()
            .map(|body| told(&body.name))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn what_else_had_arrived_is_luck() {
    let arrived = |name: &str, n: usize| -> Vec<Event> {
        (0..n)
            .map(|n| Event::for_test(name, json!({"state": format!("odd {n}")})))
            .collect()
    };
    let wanted = event("typing:update").at("/state", "start");
    let told = |within, events: &[Event], closed| {
        let within = Duration::from_millis(within);
        wanted.missing(within, events, closed).at("bob").to_string()
    };
    are_the_same(&[
        told(100, &[], None),
        told(70, &[], Some("going away")),
        told(50, &arrived("presence:update", 1), None),
        told(30, &arrived("presence:update", 9), Some("reset by peer")),
    ]);
    are_the_same(&[
        told(100, &arrived("typing:update", 1), None),
        told(90, &arrived("typing:update", 7), None),
    ]);
    all_differ(&[
        told(100, &[], None),
        told(100, &arrived("typing:update", 1), None),
    ]);
}

#[test]
fn how_often_something_came_that_must_not_is_luck_but_that_it_came_is_not() {
    let told = |wanted: usize, seen: usize| {
        let events: Vec<Event> = (0..seen)
            .map(|n| Event::for_test("message:new", json!({"n": n})))
            .collect();
        let found = event("message:new").exactly(wanted, &events);
        found.unwrap_err().at("bob").to_string()
    };
    are_the_same(&[told(0, 1), told(0, 2), told(0, 9)]);
    are_the_same(&[told(1, 2), told(1, 3)]);
    all_differ(&[told(0, 1), told(1, 0), told(1, 2)]);
}

#[test]
fn where_a_long_value_is_cut_does_not_count() {
    let listing = |email: &str, count: usize| {
        let user = json!({"email": email, "name": "a name of some length"});
        let told = show(&json!({"users": vec![user; count]}));
        format!("expected {{\"ok\":true}}; got {told} (/users: too many)")
    };
    are_the_same(&[
        listing("alice.0f3c9a1e.3@chatspec.example", 10),
        listing("alice.0f3c9a1e.312@chatspec.example", 11),
    ]);
    all_differ(&[
        listing("alice.0f3c9a1e.3@chatspec.example", 10),
        listing("nobody", 10),
    ]);
}

#[test]
fn what_is_known_already_is_what_would_be_worked_out() {
    let known = Fingerprints::default();
    for (requirement, scenario, message) in [
        ("X-01", "x/one", "expected one; got two"),
        ("X-01", "x/one", "expected one; got none"),
        ("X-02", "x/one", "expected one; got two"),
        ("X-01", "y/two", "expected one; got two"),
        ("X-01", "x/one", "expected one; got two"),
    ] {
        let expected = Fingerprint::of(requirement, scenario, message);
        assert_eq!(known.clone().of(requirement, scenario, message), expected);
    }
    assert_eq!(known.0.lock().unwrap().len(), 4);
}

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::client::no_ack;
use crate::contract::Contract;
use crate::event::Event;
use crate::expect::event::event;
use crate::expect::{ack, equal, has};
use crate::verdict::{Blocked, Level, Unverified};

fn failed(mismatch: Mismatch) -> Check {
    Check::judge("X-01", "x/one", Level::Must, false, Err(mismatch))
}

fn blocked(why: &str, mismatch: Option<Mismatch>) -> Check {
    let blocked = Blocked {
        mismatch,
        ..Blocked::because(why)
    };
    Check::unverified("X-01", "x/one", Unverified::Blocked(Box::new(blocked)), why)
}

/// All of them are the same failure, in different runs.
#[track_caller]
fn are_the_same(checks: &[Check]) {
    let first = Fingerprint::of(&checks[0]);
    for check in checks {
        assert_eq!(
            first,
            Fingerprint::of(check),
            "{:?}\n{:?}",
            checks[0].message,
            check.message
        );
    }
}

/// No two of them are the same failure.
#[track_caller]
fn all_differ(checks: &[Check]) {
    let mut seen = BTreeMap::new();
    for check in checks {
        if let Some(other) = seen.insert(Fingerprint::of(check), &check.message) {
            panic!("{:?} and {other:?} have one fingerprint", check.message);
        }
    }
}

#[test]
fn it_depends_on_requirement_scenario_and_facts_and_is_short() {
    let wrong = || Err(Mismatch::new("a", "b"));
    let of = |id, scenario, found| Fingerprint::of(&Check::judge(id, scenario, Level::Must, false, found));
    let one = of("X-01", "x/one", wrong());
    assert_eq!(one, of("X-01", "x/one", wrong()));
    assert_ne!(one, of("X-02", "x/one", wrong()));
    assert_ne!(one, of("X-01", "x/two", wrong()));
    assert_ne!(one, of("X-01", "x/one", Err(Mismatch::new("a", "c"))));
    assert_eq!(Fingerprint::try_from(one.to_string()), Ok(one));
    for wrong in ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789äb"] {
        assert!(Fingerprint::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

#[test]
fn what_was_drawn_for_a_run_does_not_count() {
    let refused = |id: &str, n: u64| {
        let reply = json!({"ok": false, "error": "INTERNAL", "correlationId": id, "retryAfterMs": n});
        failed(ack::ok(&reply).unwrap_err().at("alice"))
    };
    are_the_same(&[
        refused("1b4e28ba-2fa1-11d2-883f-0016d3cca427", 17),
        refused("9f4e28ba-2fa1-41d2-983f-0016d3cca428", 1_800),
    ]);
    let cursor = |id: &str| {
        failed(
            has(
                &json!({"messageId": id}),
                "/messageId",
                "65f0c0ffee65f0c0ffee65f9",
            )
            .unwrap_err(),
        )
    };
    are_the_same(&[
        cursor("65f0c0ffee65f0c0ffee65f0"),
        cursor("75f0c0ffee65f0c0ffee65f1"),
    ]);
}

#[test]
fn which_of_the_connections_of_a_user_it_was_does_not_count() {
    let silent = |who: &str| failed(no_ack("message:send", Duration::from_secs(3), None).at(who));
    are_the_same(&[silent("alice"), silent("alice#2"), silent("alice#17")]);
    all_differ(&[silent("alice"), silent("bob")]);
}

#[test]
fn what_happened_to_arrive_does_not_count_but_that_there_was_one_like_it() {
    let wanted = event("message:new").at("/message/body", "hi");
    let arrived = |events: &[(&str, Value)], closed: Option<&str>| {
        let events: Vec<Event> = events
            .iter()
            .map(|(name, data)| Event::for_test(name, data.clone()))
            .collect();
        failed(
            wanted
                .missing(Duration::from_millis(900), &events, closed)
                .at("bob"),
        )
    };
    let other = ("presence:update", json!({"status": "online"}));
    let none = arrived(std::slice::from_ref(&other), None);
    are_the_same(&[
        none.clone(),
        arrived(&[other.clone(), other], Some("reset by peer")),
    ]);
    let like_it = |body| ("message:new", json!({"message": {"body": body}}));
    let garbled = arrived(&[like_it("h?")], None);
    are_the_same(&[garbled.clone(), arrived(&[like_it("??"), like_it("h?")], None)]);
    all_differ(&[none, garbled]);
}

#[test]
fn how_often_something_came_that_must_not_does_not_count() {
    let pattern = event("typing:update");
    let found = |n: usize| {
        let events = vec![Event::for_test("typing:update", json!({"n": n})); n];
        failed(pattern.exactly(0, &events).unwrap_err().at("bob"))
    };
    are_the_same(&[found(1), found(2), found(30)]);
    let races = |n: usize| failed(equal("different serverIds", &n, &1).unwrap_err());
    are_the_same(&[races(2), races(5)]);
}

#[test]
fn why_a_connection_is_gone_does_not_count() {
    let gone = |why: Option<&str>| {
        failed(no_ack("room:join", Duration::from_secs(3), why.map(str::to_owned)).at("bob"))
    };
    are_the_same(&[
        gone(None),
        gone(Some("reset")),
        gone(Some("the server closed it with 1006")),
    ]);
}

#[test]
fn who_was_stopped_by_a_step_does_not_count() {
    let stopped = |who: &str| {
        let mismatch = no_ack("room:join", Duration::from_secs(3), None).at(&format!("room:join as {who}"));
        blocked(&mismatch.to_string(), Some(mismatch))
    };
    are_the_same(&[stopped("alice"), stopped("bob#2")]);
    let late = |seconds: u64| blocked(&format!("it did not finish within {seconds} s"), None);
    are_the_same(&[late(20), late(35)]);
    all_differ(&[stopped("alice"), late(20)]);
}

#[test]
fn ways_to_be_wrong_differ() {
    let status = |code: &str| {
        let reply = json!({"ok": false, "error": code});
        failed(ack::error(&reply, &["FORBIDDEN"]).unwrap_err())
    };
    all_differ(&[
        status("NOT_FOUND"),
        status("INTERNAL"),
        failed(ack::error(&json!({"ok": true}), &["FORBIDDEN"]).unwrap_err()),
        failed(ack::error(&json!({"ok": true}), &["NOT_FOUND"]).unwrap_err()),
        failed(no_ack("message:send", Duration::from_secs(3), None)),
        failed(no_ack("room:join", Duration::from_secs(3), None)),
        failed(has(&json!({}), "/data/serverId", "x").unwrap_err()),
        failed(has(&json!({}), "/data/clientId", "x").unwrap_err()),
        blocked("no refusal came to be compared", None),
    ]);
}

#[test]
fn a_schema_that_is_broken_in_another_way_is_another_failure() {
    let contract = Contract::embedded().unwrap();
    let broken = |value: Value| failed(contract.schemas.matches("dto/message", &value).unwrap_err());
    let message = |id: &str| json!({"_id": id, "chatId": "65f0c0ffee65f0c0ffee65f1", "senderId": 7});
    are_the_same(&[
        broken(message("65f0c0ffee65f0c0ffee65f0")),
        broken(message("75f0c0ffee65f0c0ffee65f2")),
    ]);
    all_differ(&[broken(message("65f0c0ffee65f0c0ffee65f0")), broken(json!("none"))]);
}

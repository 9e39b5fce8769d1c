#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) is written in the place of the argument"
)]

use serde_json::json;

use super::*;
use crate::repro::story::{Ack, Bind, Take};
use crate::repro::term::Term;
use crate::targets::profile::operation::Operation;
use tape::{ALICE, CHAT, MESSAGE, OTHER, Tape, heard, message_new};

mod tape;

#[test]
fn what_the_server_made_is_a_variable_from_then_on() {
    let mut tape = Tape::begun();
    tape.send(0, "hi", MESSAGE);
    tape.judged("MSG-01");
    tape.remark("alice", heard(message_new(MESSAGE, "hi")));
    tape.judged("MSG-02");
    let steps = tape.steps();
    let [.., Step::Ask { asks, judge }, Step::Hear { wanted, binds, .. }] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    let bind = Bind {
        var: Var::Message(0),
        pointer: "/data/serverId".to_owned(),
    };
    assert_eq!((&asks[0].binds, judge), (&vec![bind], &vec!["MSG-01".to_owned()]));
    let mut vars = Vec::new();
    wanted.vars(&mut vars);
    assert_eq!(vars, [Var::Message(0), Var::Chat(0), Var::User(0)]);
    assert!(binds.is_empty());
}

#[test]
fn a_comparison_is_judged_by_what_comes_before_the_next_step() {
    let mut tape = Tape::begun();
    tape.send(0, "a step", MESSAGE);
    tape.send(1, "judged", OTHER);
    tape.judged("MSG-01");
    tape.judged("MSG-02");
    tape.judged("MSG-01");
    let judges: Vec<Vec<String>> = tape
        .steps()
        .iter()
        .filter(|step| matches!(step, Step::Ask { .. }))
        .map(|step| step.judge().to_vec())
        .collect();
    assert_eq!(judges, [vec![], vec!["MSG-01".to_owned(), "MSG-02".to_owned()]]);
}

#[test]
fn a_story_ends_with_what_was_asked_for() {
    let mut tape = Tape::begun();
    tape.send(0, "first", MESSAGE);
    tape.judged("MSG-01");
    tape.send(1, "second", OTHER);
    tape.judged("MSG-02");
    tape.send(2, "aside", OTHER);
    let count = |asked| {
        let steps = tape.told(asked).unwrap().steps;
        steps
            .iter()
            .filter(|step| matches!(step, Step::Ask { .. }))
            .count()
    };
    assert_eq!((count(Some("MSG-01")), count(None)), (1, 2));
    // A script that looks at nothing would find everything well.
    let untold = tape.told(Some("MSG-09")).unwrap_err();
    assert_eq!(untold, Untold::Unjudged("MSG-09".to_owned()));
}

#[test]
fn requests_that_do_not_wait_for_each_other_are_told_together() {
    let mut tape = Tape::begun();
    for id in 0..3 {
        tape.start(id, "receipt:read", json!({"chatId": CHAT, "messageId": MESSAGE}));
    }
    for id in [1, 0, 2] {
        tape.ack(id, json!({"ok": true}));
    }
    tape.start(3, "room:leave", json!({"chatId": CHAT}));
    tape.ack(3, json!({"ok": true}));
    tape.judged("RCPT-09");
    let sizes: Vec<usize> = tape
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Ask { asks, .. } => Some(asks.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [3, 1]);
}

#[test]
fn which_of_several_at_once_succeed_is_open() {
    let mut tape = Tape::begun();
    for id in 0..2 {
        tape.start(
            id,
            "message:send",
            json!({"chatId": CHAT, "clientId": "c", "body": "b"}),
        );
    }
    tape.ack(0, json!({"ok": false, "error": "RATE_LIMITED", "message": "no"}));
    tape.ack(
        1,
        json!({"ok": true, "data": {"clientId": "c", "serverId": MESSAGE}}),
    );
    tape.rest(
        "GET",
        &format!("/v1/chats/{CHAT}/messages?limit=5"),
        json!(null),
        json!({"messages": [{"_id": MESSAGE, "body": "b", "senderId": ALICE}]}),
    );
    tape.judged("RATE-07");
    let steps = tape.steps();
    let [.., Step::Ask { asks, .. }, Step::Rest { take, .. }] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    let counted = |outcome: &str| Ack::Counted(outcome.to_owned());
    assert_eq!(
        [&asks[0].ack, &asks[1].ack],
        [&counted("RATE_LIMITED"), &counted("ok")]
    );
    let any = Term::Object(vec![
        ("_id".to_owned(), Term::Id),
        ("body".to_owned(), Term::Words),
    ]);
    assert_eq!(*take, Take::Messages(vec![any]));
}

#[test]
fn only_what_the_scenario_waits_for_on_purpose_is_a_pause() {
    let mut tape = Tape::begun();
    tape.us += 900_000;
    tape.remark("alice", heard(message_new(MESSAGE, "late")));
    tape.send(0, "at once", OTHER);
    tape.us += 4_950_000;
    tape.send(1, "later", OTHER);
    tape.judged("RATE-06");
    let pauses: Vec<u64> = tape
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Pause { ms } => Some(*ms),
            _ => None,
        })
        .collect();
    assert_eq!(pauses, [5_100]);
}

#[test]
fn a_fence_does_not_come_between_a_step_and_its_verdict() {
    let mut tape = Tape::begun();
    let fence = "chatspec fence 2ffac4a3-3d7d-4d7b-94c2-8946e9efbab0";
    let count = |n| Annotation::Counted {
        n,
        event: "message:new".to_owned(),
        conditions: Some(vec![("/message/body".to_owned(), json!("hi"))]),
        after: None,
    };
    tape.remark("alice", heard(message_new(MESSAGE, "hi")));
    tape.rest(
        "POST",
        &format!("/v1/chats/{CHAT}/messages"),
        json!({"body": fence}),
        json!({"_id": OTHER}),
    );
    tape.remark("alice", heard(message_new(OTHER, fence)));
    tape.remark("alice", count(1));
    tape.judged("MSG-02");
    tape.judged("MSG-03");
    let judges: Vec<usize> = tape
        .steps()
        .iter()
        .filter(|step| matches!(step, Step::Hear { .. } | Step::Count { .. }))
        .map(|step| step.judge().len())
        .collect();
    // That it came is judged by all that is judged behind; that it came once, by the first.
    assert_eq!(judges, [2, 0, 1]);
}

#[test]
fn listings_are_judged_together_and_those_that_nothing_is_judged_by_are_not_compared() {
    let mut tape = Tape::begun();
    let list = |tape: &mut Tape| {
        tape.rest(
            "GET",
            &format!("/v1/chats/{CHAT}/messages?limit=5"),
            json!(null),
            json!({"messages": []}),
        );
    };
    list(&mut tape);
    tape.send(0, "hi", MESSAGE);
    list(&mut tape);
    list(&mut tape);
    tape.judged("SYNC-03");
    let compared: Vec<bool> = tape
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Rest {
                operation: Operation::ListMessages,
                take,
                ..
            } => Some(*take != Take::Nothing),
            _ => None,
        })
        .collect();
    assert_eq!(compared, [false, true, true]);
}

#[test]
fn refused_connections_and_literal_tokens_are_told() {
    let mut tape = Tape::begun();
    tape.connect("guest", json!({"token": ["x"]}), "connect_error");
    tape.judged("AUTH-05");
    let Step::Connect {
        auth,
        accepted,
        judge,
        ..
    } = tape.last()
    else {
        panic!("a connection")
    };
    let token = Term::List(vec![Term::plain("x")]);
    assert_eq!(auth, Some(Term::Object(vec![("token".to_owned(), token)])));
    assert_eq!((accepted, judge), (false, vec!["AUTH-05".to_owned()]));
}

#[test]
fn what_no_official_client_does_is_refused_and_named() {
    let refused = |play: &dyn Fn(&mut Tape)| {
        let mut tape = Tape::begun();
        play(&mut tape);
        tape.judged("ROB-04");
        tape.told(None).unwrap_err().to_string()
    };
    let hand_made = |tape: &mut Tape| {
        tape.push("alice", Direction::Out, None, None);
        tape.entries.last_mut().unwrap().text = "42[".to_owned();
    };
    assert!(refused(&hand_made).contains("alice sends 42["));
    let polling = |tape: &mut Tape| {
        tape.rest(
            "GET",
            "/socket.io/?EIO=4&transport=polling",
            json!(null),
            json!(null),
        );
    };
    assert!(refused(&polling).contains("/socket.io/?EIO=4&transport=polling"));
    let minted = |tape: &mut Tape| tape.connect("guest", json!({"token": "eyJ.eyJ.x"}), "connect_error");
    assert!(refused(&minted).contains("signing key"));
    let outcast = |tape: &mut Tape| {
        tape.connect("guest", json!({"token": "x"}), "connect_error");
        tape.out(
            "guest",
            json!({"packet": "event", "event": "room:join", "args": [{}]}),
        );
    };
    assert!(refused(&outcast).contains("guest sends though it was refused"));
    let silent = |tape: &mut Tape| {
        tape.push("alice", Direction::Note, None, None);
        tape.entries.last_mut().unwrap().text = "falls silent, connection kept".to_owned();
    };
    assert!(refused(&silent).contains("falls silent"));
    let second = |tape: &mut Tape| {
        tape.out(
            "alice",
            json!({"packet": "connect", "namespace": "/x", "data": null}),
        );
    };
    assert!(refused(&second).contains("alice sends"));
    let unconnected = |tape: &mut Tape| {
        tape.push("late", Direction::Note, None, None);
        tape.entries.last_mut().unwrap().text = "opens ws://x/".to_owned();
    };
    assert!(refused(&unconnected).contains("late opens a connection"));
}

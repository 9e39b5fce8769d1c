#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) is written in the place of the argument"
)]

use serde_json::json;

use super::*;
use crate::repro::steps::{Ack, Answer};
use crate::targets::profile::operation::Operation;
use tape::{ALICE, CHAT, MESSAGE, OTHER, Tape, heard, message_new};

mod tape;

/// The checks of those steps whose action is such.
fn checks(tape: &Tape, is_such: fn(&Action) -> bool) -> Vec<Vec<String>> {
    let steps = tape.steps().into_iter();
    let such = steps.filter(|step| is_such(&step.action));
    such.map(|step| step.checks).collect()
}

#[test]
fn what_the_server_made_has_a_name_from_then_on() {
    let mut tape = Tape::begun();
    tape.send(0, "hi", MESSAGE);
    tape.judged("MSG-01");
    tape.annotation("alice", heard(message_new(MESSAGE, "hi")));
    tape.judged("MSG-02");
    let steps = tape.steps();
    let [.., sent, heard] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    let (Action::Ask(asks), Action::Hear { wanted, .. }) = (&sent.action, &heard.action) else {
        panic!("{steps:?}")
    };
    let data = json!({"clientId": "c", "serverId": "{{message 1}}"});
    assert_eq!(
        asks[0].args,
        [json!({"chatId": "{{chat}}", "clientId": "c", "body": "hi"})]
    );
    assert_eq!(
        (&asks[0].ack, sent.checks.as_slice()),
        (&Ack::Ok(Some(data)), &["MSG-01".to_owned()][..])
    );
    assert_eq!(wanted["message"]["_id"], "{{message 1}}");
    assert_eq!(wanted["message"]["chatId"], "{{chat}}");
    assert_eq!(wanted["message"]["senderId"], "{{alice.id}}");
}

#[test]
fn users_of_the_same_name_are_told_apart() {
    let mut tape = Tape::begun();
    tape.register("alice", OTHER, "bbb");
    tape.connect("alice#2", json!({"token": "bbb"}), "connect");
    tape.judged("AUTH-01");
    let actions = tape.actions();
    let user = "alice 2".to_owned();
    assert!(actions.contains(&Action::Register { user }), "{actions:?}");
    let Some(Action::Connect { auth, .. }) = actions.last() else {
        panic!("{actions:?}")
    };
    assert_eq!(*auth, Some(json!({"token": "{{alice 2.token}}"})));
}

#[test]
fn a_step_checks_what_is_judged_before_the_next() {
    let mut tape = Tape::begun();
    tape.send(0, "a step", MESSAGE);
    tape.send(1, "judged", OTHER);
    tape.judged("MSG-01");
    tape.judged("MSG-02");
    tape.judged("MSG-01");
    let checks = checks(&tape, |action| matches!(action, Action::Ask(_)));
    assert_eq!(checks, [vec![], vec!["MSG-01".to_owned(), "MSG-02".to_owned()]]);
}

#[test]
fn the_steps_end_with_what_was_asked_for() {
    let mut tape = Tape::begun();
    tape.send(0, "first", MESSAGE);
    tape.judged("MSG-01");
    tape.send(1, "second", OTHER);
    tape.judged("MSG-02");
    tape.send(2, "aside", OTHER);
    let count = |asked| {
        let steps = tape.read(asked).unwrap().list;
        let asks = steps.iter().filter(|step| matches!(step.action, Action::Ask(_)));
        asks.count()
    };
    assert_eq!((count(Some("MSG-01")), count(None)), (1, 2));
    // A script that looks at nothing would find everything well.
    let refused = tape.read(Some("MSG-09")).unwrap_err();
    assert_eq!(refused, NotReproducible::Unjudged("MSG-09".to_owned()));
}

#[test]
fn requests_that_do_not_wait_for_each_other_are_one_step() {
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
    let actions = tape.actions();
    let sizes = actions.iter().filter_map(|action| match action {
        Action::Ask(asks) => Some(asks.len()),
        _ => None,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [3, 1]);
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
    let actions = tape.actions();
    let [.., Action::Ask(asks), Action::Rest { answer, .. }] = actions.as_slice() else {
        panic!("{actions:?}")
    };
    let one_of = |outcome: &str| Ack::OneOf(outcome.to_owned());
    assert_eq!(
        [&asks[0].ack, &asks[1].ack],
        [&one_of("RATE_LIMITED"), &one_of("ok")]
    );
    let any = json!({"_id": "{{an id}}", "body": "{{some words}}"});
    assert_eq!(*answer, Answer::Messages(vec![any]));
    let written = serde_json::to_value(&actions[actions.len() - 2]).unwrap();
    assert_eq!(written["acks"], json!({"RATE_LIMITED": 1, "ok": 1}));
    assert_eq!(written["at_once"][0].get("ack"), None);
}

#[test]
fn only_what_the_scenario_waits_for_on_purpose_is_a_pause() {
    let mut tape = Tape::begun();
    tape.us += 900_000;
    tape.annotation("alice", heard(message_new(MESSAGE, "late")));
    tape.send(0, "at once", OTHER);
    tape.us += 4_950_000;
    tape.send(1, "later", OTHER);
    tape.judged("RATE-06");
    let actions = tape.actions();
    let pauses: Vec<&Action> = actions
        .iter()
        .filter(|action| matches!(action, Action::Pause { .. }))
        .collect();
    assert_eq!(pauses, [&Action::Pause { seconds: 5.1 }]);
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
    tape.annotation("alice", heard(message_new(MESSAGE, "hi")));
    tape.rest(
        "POST",
        &format!("/v1/chats/{CHAT}/messages"),
        json!({"body": fence}),
        json!({"_id": OTHER}),
    );
    tape.annotation("alice", heard(message_new(OTHER, fence)));
    tape.annotation("alice", count(1));
    tape.judged("MSG-02");
    tape.judged("MSG-03");
    let checks = checks(&tape, |action| {
        matches!(action, Action::Hear { .. } | Action::Count { .. })
    });
    let numbers: Vec<usize> = checks.iter().map(Vec::len).collect();
    // That it came is judged by all that is judged behind; that it came once, by the first.
    assert_eq!(numbers, [2, 0, 1]);
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
    let actions = tape.actions();
    let compared = actions.iter().filter_map(|action| match action {
        Action::Rest {
            operation: Operation::ListMessages,
            answer,
            ..
        } => Some(*answer != Answer::Nothing),
        _ => None,
    });
    assert_eq!(compared.collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn refused_connections_and_literal_tokens_are_steps() {
    let mut tape = Tape::begun();
    tape.connect("guest", json!({"token": ["x"]}), "connect_error");
    tape.judged("AUTH-05");
    let step = tape.steps().pop().unwrap();
    let written =
        json!({"connect": "guest", "auth": {"token": ["x"]}, "refused": true, "checks": ["AUTH-05"]});
    assert_eq!(serde_json::to_value(step).unwrap(), written);
}

#[test]
fn what_no_official_client_does_is_refused_and_named() {
    let refused = |play: &dyn Fn(&mut Tape)| {
        let mut tape = Tape::begun();
        play(&mut tape);
        tape.judged("ROB-04");
        tape.read(None).unwrap_err().to_string()
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

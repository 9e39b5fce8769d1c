use super::*;
use crate::proxy::frames::{Frames, Piece};
use crate::proxy::rule::Rule;
use crate::targets::profile::operation::Operation;
use crate::targets::provision::Account;
use crate::targets::tokens::Tokens;

/// A proxy's state with rules of a TOML file, and what tokens of users are called like them.
fn state(rules: &str) -> State {
    #[derive(Default, serde::Deserialize)]
    struct File {
        #[serde(default)]
        rule: Vec<Rule>,
    }
    let file: File = toml::from_str(rules).unwrap();
    let tokens = Tokens::default();
    for user in ["alice", "bob", "carol"] {
        tokens.register(&Account {
            id: user.to_owned(),
            access_token: format!("token of {user}"),
            session_token: None,
        });
    }
    State::new(file.rule, Vec::new(), tokens)
}

fn says(state: &mut State, id: u64, heading: Heading, text: &str) -> FrameActions {
    state.frame(id, heading, encode(text, heading == Heading::ToServer), text)
}

/// A number that no connection has.
fn new_id(state: &State) -> u64 {
    state.peers.keys().max().copied().unwrap_or_default() + 1
}

/// Opens a connection and has it let in.
fn let_in(state: &mut State, user: &str) -> u64 {
    let id = new_id(state);
    state.open(id, None);
    says(
        state,
        id,
        Heading::ToServer,
        &format!(r#"40{{"token":"token of {user}"}}"#),
    );
    says(state, id, Heading::ToClient, r#"40{"sid":"x"}"#);
    id
}

fn texts(frames: &[Bytes]) -> Vec<String> {
    let mut pieces = Frames::default();
    for frame in frames {
        pieces.buffer().extend_from_slice(frame);
    }
    let text = |piece| match piece {
        Piece::Text { text, .. } => text,
        Piece::Other(raw) => panic!("{raw:?}"),
    };
    std::iter::from_fn(|| pieces.next()).map(text).collect()
}

#[test]
fn who_is_behind_a_connection_and_where_it_is_becomes_known() {
    let mut state = state("");
    let chat = json!({"data": {"_id": "c", "memberIds": ["alice", "bob"], "updatedAt": "2"}, "status": 201});
    state.learn_answer(Operation::CreateChat, &chat);
    let alice = let_in(&mut state, "alice");
    let again = let_in(&mut state, "alice");
    says(
        &mut state,
        alice,
        Heading::ToServer,
        r#"421["room:join",{"chatId":"c"}]"#,
    );
    assert_eq!(state.conn(alice)["outstanding"], 1);
    says(&mut state, alice, Heading::ToClient, r#"431[{"ok":true}]"#);
    let conn = state.conn(alice);
    assert_eq!(
        (&conn["user"], &conn["rooms"], &conn["member"], &conn["contacts"]),
        (&json!("alice"), &json!(["c"]), &json!(["c"]), &json!(["bob"]))
    );
    assert_eq!(
        (&conn["sockets"], &conn["token"]["kind"]),
        (&json!(2), &json!("session"))
    );
    assert_eq!(
        (&state.conn(again)["nth"], &state.conn(again)["rooms"]),
        (&json!(2), &json!([]))
    );

    // An update that is older than what is known changes nothing.
    let update = |at: &str, members: &str| {
        format!(r#"42["chat:update",{{"chat":{{"_id":"c","memberIds":{members},"updatedAt":"{at}"}}}}]"#)
    };
    says(&mut state, alice, Heading::ToClient, &update("1", "[\"alice\"]"));
    assert_eq!(state.conn(alice)["contacts"], json!(["bob"]));
    says(&mut state, alice, Heading::ToClient, &update("3", "[\"alice\"]"));
    assert_eq!(state.conn(alice)["contacts"], json!([]));
    let bob = let_in(&mut state, "bob");
    assert_eq!(state.conn(bob)["former"], json!(["c"]));

    says(
        &mut state,
        alice,
        Heading::ToServer,
        r#"422["room:leave",{"chatId":"c"}]"#,
    );
    says(&mut state, alice, Heading::ToClient, r#"432[{"ok":true}]"#);
    assert_eq!(state.conn(alice)["rooms"], json!([]));
    state.close(alice);
    state.close(again);
    let next = let_in(&mut state, "alice");
    assert_eq!(state.conn(next)["nth"], 3);
    assert!(state.conn(next)["away_since"].is_string());
}

#[test]
fn tokens_are_told_apart() {
    let mut state = state("");
    let claims = crate::targets::jwt::unsigned(&json!({"sub": "dave"}));
    for (query, payload, kind, place, user) in [
        (None, String::new(), "none", "none", Value::Null),
        (None, r#"{"token":7}"#.to_owned(), "odd", "payload", Value::Null),
        (
            None,
            r#"{"token":"x"}"#.to_owned(),
            "session",
            "payload",
            Value::Null,
        ),
        (
            Some("token of bob"),
            String::new(),
            "session",
            "query",
            json!("bob"),
        ),
        (
            Some("token of bob"),
            format!(r#"{{"token":"{claims}"}}"#),
            "jwt",
            "payload",
            json!("dave"),
        ),
    ] {
        let id = new_id(&state);
        state.open(id, query.map(str::to_owned));
        says(&mut state, id, Heading::ToServer, &format!("40{payload}"));
        let token = &state.conn(id)["token"];
        assert_eq!(
            (&token["kind"], &token["place"], &token["user"]),
            (&json!(kind), &json!(place), &user)
        );
        assert_eq!(token["known"], user == "bob");
    }
}

#[test]
fn an_event_is_shown_with_the_request_that_led_to_it() {
    let rules = r#"
        [[rule]]
        on = { event = "message:new" }
        when = [{ at = "/by/user", is = "alice" }, { at = "/request/senderId", exists = true }]
        do = [{ set = { at = "/data/message/senderId", to = "{{/request/senderId}}" } }]
    "#;
    let mut state = state(rules);
    let (alice, bob) = (let_in(&mut state, "alice"), let_in(&mut state, "bob"));
    let sends = r#"421["message:send",{"chatId":"c","clientId":"k","body":"hi","senderId":"eve"}]"#;
    assert_eq!(
        texts(&says(&mut state, alice, Heading::ToServer, sends).pass),
        [sends]
    );
    let new = r#"42["message:new",{"message":{"chatId":"c","clientId":"k","senderId":"alice"}}]"#;
    let passed = texts(&says(&mut state, bob, Heading::ToClient, new).pass);
    assert_eq!(passed, [new.replace("alice", "eve")]);
    let other = new.replace("\"k\"", "\"l\"");
    assert_eq!(
        texts(&says(&mut state, bob, Heading::ToClient, &other).pass),
        [other]
    );
    assert_eq!(state.fired, 1);
}

#[test]
fn what_is_reordered_waits_for_the_next_one_of_its_connection() {
    let mut state = state("[[rule]]\non = { event = 'a' }\ndo = ['reorder']");
    let (alice, bob) = (let_in(&mut state, "alice"), let_in(&mut state, "bob"));
    let one = says(&mut state, alice, Heading::ToClient, r#"42["a",1]"#);
    assert_eq!((one.pass.len(), one.held), (0, Some(0)));
    assert_eq!(
        says(&mut state, bob, Heading::ToClient, r#"42["a",9]"#).held,
        Some(0)
    );
    let two = says(&mut state, alice, Heading::ToClient, r#"42["a",2]"#);
    assert_eq!(texts(&two.pass), [r#"42["a",2]"#, r#"42["a",1]"#]);
    assert_eq!(state.release(alice, 0), None);
    assert!(state.release(bob, 0).is_some());
}

#[test]
fn what_goes_to_others_goes_to_those_who_are_meant() {
    let rules = r#"
        [[rule]]
        on = { event = "presence:update" }
        do = [{ deliver_to = [{ at = "/other/user", is_not = "{{/conn/user}}" }] }, "drop"]
        [[rule]]
        on = { request = "message:send" }
        do = [{ deliver_to = [{ at = "/other/user", is = "bob" }] }, { reply = { ok = true } }]
    "#;
    let mut state = state(rules);
    let ids: Vec<u64> = ["alice", "bob", "carol", "alice"]
        .iter()
        .map(|user| let_in(&mut state, user))
        .collect();
    let told = says(
        &mut state,
        ids[0],
        Heading::ToClient,
        r#"42["presence:update",{}]"#,
    );
    assert!(told.pass.is_empty());
    assert_eq!(told.elsewhere.len(), 2);
    let sent = says(&mut state, ids[0], Heading::ToServer, r#"424["message:send",{}]"#);
    let ways: Vec<Heading> = sent.elsewhere.iter().map(|(_, heading, _)| *heading).collect();
    assert_eq!(ways, [Heading::ToServer, Heading::ToClient]);
    let frames: Vec<Bytes> = sent.elsewhere.into_iter().map(|(_, _, frame)| frame).collect();
    assert_eq!(
        texts(&frames),
        [r#"42["message:send",{}]"#, r#"434[{"ok":true}]"#]
    );
}

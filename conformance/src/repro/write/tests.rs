use serde_json::{Value, json};

use super::super::names::{ID, TIME};
use super::super::steps::{Ack, Action, Answer, Ask, Step};
use super::*;
use crate::scenarios;
use crate::targets::profile::Profile;
use crate::targets::profile::operation::Operation;

fn rest(operation: Operation, fill: Value, answer: Answer) -> Action {
    Action::Rest {
        user: "alice".to_owned(),
        operation,
        fill: serde_json::from_value(fill).unwrap(),
        answer,
        call: None,
    }
}

fn connect(client: &str, token: impl Into<Value>, query: Value, refused: bool) -> Action {
    Action::Connect {
        client: client.to_owned(),
        auth: Some(Value::from_iter([("token", token.into())])),
        query: serde_json::from_value(query).unwrap(),
        refused,
    }
}

fn ask(client: &str, event: &str, args: Vec<Value>, ack: Ack) -> Ask {
    Ask {
        client: client.to_owned(),
        event: event.to_owned(),
        args,
        ack,
    }
}

/// A step of every kind.
#[expect(clippy::too_many_lines, reason = "one step after the other")]
fn steps() -> Steps {
    let alice = || "alice".to_owned();
    let event = || "message:new".to_owned();
    let register = |user: &str| Action::Register {
        user: user.to_owned(),
    };
    let in_chat = || json!({"chatId": "{{chat}}"});
    let message = json!({"message": {"_id": "{{message 1}}", "body": "{{new first}}", "createdAt": TIME}});
    let row = json!({"_id": "{{message 1}}", "body": "{{new first}}", "senderId": "{{alice.id}}"});
    let chat =
        json!({"kind": "group", "members": ["{{bob.id}}"], "title": "it's \"quoted\" \u{202e}{{x * 50}}"});
    let unchecked = [
        register("alice"),
        register("bob"),
        register("witness"),
        rest(Operation::CreateChat, chat, Answer::Id("chat".to_owned())),
        connect("alice", "{{alice.token}}", json!({}), false),
        connect(
            "alice#2",
            "{{bob.session}}",
            json!({"token": "{{alice.token}}"}),
            false,
        ),
        connect("guest", json!({"__proto__": 1}), json!({}), true),
        Action::Ask(vec![ask("alice", "room:join", vec![in_chat()], Ack::Ok(None))]),
        Action::Pause { seconds: 5.3 },
        Action::Mark {
            client: alice(),
            name: "alice 1".to_owned(),
        },
        Action::Send {
            client: alice(),
            event: "typing:start".to_owned(),
            args: Vec::new(),
            ack: true,
        },
    ];
    let checked = [
        Action::Ask(vec![
            ask("alice", "presence:ping", Vec::new(), Ack::Either),
            ask(
                "alice#2",
                "room:leave",
                vec![in_chat()],
                Ack::Error("FORBIDDEN".to_owned()),
            ),
        ]),
        Action::Ask(vec![
            ask("alice", "a", vec![json!(true)], Ack::OneOf("ok".to_owned())),
            ask(
                "alice",
                "b",
                vec![json!(null)],
                Ack::OneOf("FORBIDDEN".to_owned()),
            ),
        ]),
        Action::Hear {
            client: alice(),
            event: event(),
            wanted: message.clone(),
            since: Some("alice 1".to_owned()),
        },
        Action::Order {
            client: alice(),
            event: event(),
            wanted: vec![ID.into()],
        },
        Action::Count {
            times: 0,
            client: "alice#2".to_owned(),
            event: event(),
            wanted: message,
            since: None,
        },
        rest(
            Operation::ListMessages,
            json!({"chat": "{{chat}}", "limit": 200}),
            Answer::Messages(vec![row]),
        ),
        rest(
            Operation::ListChats,
            json!({}),
            Answer::Unread(vec![("{{chat}}".to_owned(), 3)]),
        ),
    ];
    let end = [
        rest(Operation::Logout, json!({}), Answer::Nothing),
        Action::Close { client: alice() },
    ];
    let step = |checks: &[&str], action: Action| Step {
        fence: matches!(&action, Action::Register { user } if user == "witness"),
        checks: checks.iter().map(|id| (*id).to_owned()).collect(),
        action,
    };
    let unchecked = unchecked.into_iter().map(|action| step(&[], action));
    let checked = checked.into_iter().map(|action| step(&["MSG-05"], action));
    let end = end.into_iter().map(|action| step(&[], action));
    Steps {
        scenario: scenarios::all()
            .find(|scenario| scenario.id == "messages/repeats")
            .unwrap(),
        asked: Some("MSG-05".to_owned()),
        list: unchecked.chain(checked).chain(end).collect(),
    }
}

fn script(api: &Api, language: Language) -> String {
    write(&steps(), &Contract::embedded().unwrap(), api, language).unwrap()
}

/// What is different from script to script.
fn above_the_interpreter(language: Language) -> String {
    let script = script(&Api::default(), language);
    let (above, _) = script
        .split_once("From here on all scripts are the same")
        .unwrap();
    above.to_owned()
}

#[test]
fn a_script_in_javascript() {
    insta::assert_snapshot!(above_the_interpreter(Language::Js));
}

#[test]
fn a_script_in_python() {
    insta::assert_snapshot!(above_the_interpreter(Language::Python));
}

#[test]
fn every_kind_of_step_is_known_to_both_interpreters() {
    let (js, python) = (include_str!("interpreter.mjs"), include_str!("interpreter.py"));
    for step in &steps().list {
        let text = literal(step, Language::Js, 0, 0);
        let kind = text.split('"').nth(1).unwrap();
        assert!(js.contains(&format!("\n  async {kind}(")), "{kind}");
        assert!(
            python.contains(&format!("\n    async def {kind}(step):")),
            "{kind}"
        );
    }
}

/// The api of a target file, for the steps.
fn target(text: &str) -> Result<Api, NotReproducible> {
    Api::of(&Profile::parse(text).unwrap(), &steps())
}

#[test]
fn a_target_file_says_how_its_server_is_spoken_to() {
    let api = target(
        "name = 'mine'\nurls = ['http://127.0.0.1:9']\n[handshake]\npath = '/ws/'\ntoken_in = 'query'\ntoken_field = 'key'\n\
         [rest]\nurl = 'http://127.0.0.1:8'\nauth = 'x-auth: T {{token}}'\nheaders = { x-key = 'hush' }\n\
         [rest.register]\nbody = { login = '{{handle}}', pass = '{{password}}' }\nreply = { userId = '/u' }\n\
         [rest.login]\nrequest = 'POST /login'\nbody = { login = '{{handle}}' }\nstatus = [200]\nreply = { accessToken = '/t', sessionToken = '/s' }\n\
         [rest.list_messages]\nitems = '/posts'\nreply = { _id = '/pid', body = '/text' }\n\
         [rest.list_chats]\nitems = ''\nreply = { _id = '/room/id', unreadCount = '/new' }\n",
    )
    .unwrap();
    let script = script(&api, Language::Js);
    let text = script.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        r#""url": "http://127.0.0.1:9", "rest": "http://127.0.0.1:8", "path": "/ws/", "authorization": {"x-auth": "T {{token}}"}"#,
        r#""take": {"id": "/u"}"#,
        r#""take": {"session": "/s", "token": "/t"}"#,
        r#"{"connect": "alice", "query": {"key": "{{alice.token}}"}}"#,
        r#""reply": {"posts": [{"pid": "{{message 1}}", "text": "{{new first}}"}]}"#,
        r#""reply": {"{{where}}": [[{"room": {"id": "{{chat}}"}}, {"new": 3}]]}"#,
        r#""token": "{{alice.session}}", "request": "POST /v1/auth/logout""#,
        r#""headers": {"x-key": "{{env CHAT_HEADER_X_KEY}}"}"#,
    ] {
        assert!(text.contains(part), "{part}\n{script}");
    }
    assert!(!script.contains("hush"));
}

#[test]
fn a_target_that_a_script_cannot_go_to_is_refused() {
    for (text, told) in [
        (
            "[provision]\nkind = 'command'\ncommand = 'true'",
            "provision.kind = \"command\"",
        ),
        ("[limits]\nrate_max = 3", "rate_max = 3"),
        ("[capabilities]\nlogout = false", "needs logout"),
        ("[capabilities]\nsession_tokens = false", "needs session_tokens"),
        ("[capabilities]\nquery_tokens = false", "needs query_tokens"),
    ] {
        let why = target(text).unwrap_err().to_string();
        assert!(why.contains(told), "{text}: {why}");
    }
    assert!(target("[limits]\nrate_max = 30\n[capabilities]\nsearch = false").is_ok());
}

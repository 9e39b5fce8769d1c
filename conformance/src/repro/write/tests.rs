use serde_json::json;

use super::super::story::{Ack, Ask, Client, Part, Step, Take, User};
use super::super::term::{Names, Piece, Var};
use super::*;
use crate::scenarios;
use crate::targets::profile::Profile;
use crate::targets::profile::operation::Operation;

const BOB: &str = "01a21399fdff0000780eff49";

/// A story with a step of every kind.
#[expect(clippy::too_many_lines, reason = "one step after the other")]
fn story() -> Story {
    let mut names = Names::default();
    names.bind(BOB, Var::User(1));
    names.bind("aaa", Var::Token(0));
    names.bind("sss", Var::Session(1));
    let fresh = Term::Text(vec![Piece::Fresh {
        label: "first".to_owned(),
        number: None,
    }]);
    let in_chat = || Term::Object(vec![("chatId".to_owned(), Term::var(Var::Chat(0)))]);
    let judge = || vec!["MSG-05".to_owned()];
    let message = |id| {
        let message = vec![
            ("_id".to_owned(), id),
            ("body".to_owned(), fresh.clone()),
            ("createdAt".to_owned(), Term::Time),
        ];
        Term::Object(vec![("message".to_owned(), Term::Object(message))])
    };
    let ok = || {
        Ack::Like(Term::Object(vec![
            ("ok".to_owned(), Term::Bool(true)),
            ("error".to_owned(), Term::Absent),
        ]))
    };
    let ask = |client, event: &str, args, ack| Ask {
        client,
        event: event.to_owned(),
        args,
        ack,
        binds: Vec::new(),
    };
    let connect = |client, auth: serde_json::Value, query: &[(&str, &str)], accepted| Step::Connect {
        client,
        auth: Some(names.term(&auth)),
        query: query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), names.text(value)))
            .collect(),
        accepted,
        judge: Vec::new(),
    };
    let rest = |operation, fill: &[(&str, Term)], take, judge| Step::Rest {
        user: 0,
        operation,
        fill: fill
            .iter()
            .map(|(name, term)| ((*name).to_owned(), term.clone()))
            .collect(),
        take,
        judge,
    };
    let chat = ("chat", Term::var(Var::Chat(0)));
    let client = |name: &str, user| Client {
        name: name.to_owned(),
        user,
    };
    let user = |name: &str, part| User {
        name: name.to_owned(),
        part,
    };
    Story {
        scenario: scenarios::all()
            .find(|scenario| scenario.id == "messages/repeats")
            .unwrap(),
        asked: Some("MSG-05".to_owned()),
        users: vec![
            user("alice", Part::Player),
            user("bob", Part::Player),
            user("witness", Part::Witness),
        ],
        clients: vec![
            client("alice", Some(0)),
            client("alice#2", Some(0)),
            client("guest", None),
        ],
        steps: vec![
            Step::Register(0),
            Step::Register(1),
            Step::Register(2),
            rest(
                Operation::CreateChat,
                &[
                    ("kind", Term::plain("group")),
                    ("members", Term::List(vec![Term::var(Var::User(1))])),
                    ("title", Term::plain("it's \"quoted\" \u{202e}")),
                ],
                Take::Id(Var::Chat(0)),
                Vec::new(),
            ),
            connect(0, json!({"token": "aaa"}), &[], true),
            connect(1, json!({"token": "sss"}), &[("token", "aaa")], true),
            connect(2, json!({"token": {"__proto__": 1}}), &[], false),
            Step::Ask {
                asks: vec![ask(0, "room:join", vec![in_chat()], ok())],
                judge: Vec::new(),
            },
            Step::Pause { ms: 5_300 },
            Step::Mark { client: 0, since: 0 },
            Step::Tell {
                client: 0,
                event: "typing:start".to_owned(),
                args: Vec::new(),
                asks: false,
            },
            Step::Ask {
                asks: vec![
                    ask(0, "presence:ping", Vec::new(), Ack::Open),
                    ask(1, "room:leave", vec![in_chat()], ok()),
                ],
                judge: judge(),
            },
            Step::Ask {
                asks: vec![
                    ask(
                        0,
                        "a",
                        vec![Term::plain("x".repeat(50) + "y")],
                        Ack::Counted("ok".to_owned()),
                    ),
                    ask(0, "b", vec![Term::Null], Ack::Counted("FORBIDDEN".to_owned())),
                ],
                judge: judge(),
            },
            Step::Hear {
                client: 0,
                event: "message:new".to_owned(),
                wanted: message(Term::Id),
                since: Some(0),
                binds: vec![super::super::story::Bind {
                    var: Var::Message(0),
                    pointer: "/message/_id".to_owned(),
                }],
                judge: judge(),
            },
            Step::Order {
                client: 0,
                event: "message:new".to_owned(),
                wanted: vec![Term::Id],
                judge: judge(),
            },
            Step::Count {
                n: 0,
                client: 1,
                event: "message:new".to_owned(),
                wanted: message(Term::var(Var::Message(0))),
                since: None,
                judge: judge(),
            },
            rest(
                Operation::ListMessages,
                &[chat.clone(), ("limit", Term::Number(200.into()))],
                Take::Messages(vec![Term::Object(vec![
                    ("_id".to_owned(), Term::var(Var::Message(0))),
                    ("body".to_owned(), fresh.clone()),
                    ("senderId".to_owned(), Term::var(Var::User(0))),
                ])]),
                judge(),
            ),
            rest(
                Operation::ListChats,
                &[],
                Take::Unread(vec![(Var::Chat(0), 3)]),
                judge(),
            ),
            rest(Operation::Logout, &[], Take::Nothing, Vec::new()),
            Step::Close(0),
        ],
    }
}

fn told(api: &Api, language: Language, from: &str) -> String {
    let script = write(&story(), &Contract::embedded().unwrap(), api, language).unwrap();
    script[script.find(from).unwrap()..].to_owned()
}

#[test]
fn a_story_in_javascript() {
    insta::assert_snapshot!(told(&Api::default(), Language::Js, "const authorization"));
}

#[test]
fn a_story_in_python() {
    insta::assert_snapshot!(told(&Api::default(), Language::Python, "def authorization"));
}

#[test]
fn the_head_of_a_script() {
    let script = told(&Api::default(), Language::Js, "//");
    insta::assert_snapshot!(script[..script.find("class Difference").unwrap()].to_owned());
}

/// The api of a target file, for the story.
fn target(text: &str) -> Result<Api, Untold> {
    Api::of(&Profile::parse(text).unwrap(), &story())
}

#[test]
fn a_target_file_says_how_its_server_is_spoken_to() {
    let api = target(
        "name = 'mine'\nurls = ['http://127.0.0.1:9']\n[handshake]\npath = '/ws/'\ntoken_in = 'query'\ntoken_field = 'key'\n\
         [rest]\nurl = 'http://127.0.0.1:8'\nauth = 'x-auth: T {{token}}'\nheaders = { x-key = 'hush' }\n\
         [rest.register]\nbody = { login = '{{handle}}', pass = '{{password}}' }\nreply = { userId = '/u' }\n\
         [rest.login]\nrequest = 'POST /login'\nbody = { login = '{{handle}}' }\nstatus = [200]\nreply = { accessToken = '/t', sessionToken = '/s' }\n\
         [rest.list_messages]\nitems = '/posts'\nreply = { _id = '/pid', body = '/text' }\n",
    )
    .unwrap();
    let script = told(&api, Language::Js, "//");
    for line in [
        "const SERVER = process.argv[2] ?? process.env.CHAT_URL ?? \"http://127.0.0.1:9\";",
        "const REST = \"http://127.0.0.1:8\";",
        "const PATH = \"/ws/\";",
        "const authorization = (token) => ({ \"x-auth\": `T ${token}` });",
        "id: at(reply, \"/u\"), token: at(reply2, \"/t\"), session: at(reply2, \"/s\")",
        "await connect(\"alice\", null, { key: alice.token })",
        "{ _id: \"/pid\", body: \"/text\" }",
        "[{ _id: message1, body: fresh(\"first\") }]",
        "\"x-key\": process.env.CHAT_HEADER_X_KEY ?? \"\"",
    ] {
        assert!(script.contains(line), "{line}\n{script}");
    }
    assert!(!script.contains("hush"));
    let python = told(&api, Language::Python, "#");
    assert!(python.contains("os.environ.get(\"CHAT_HEADER_X_KEY\", \"\")") && !python.contains("hush"));
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

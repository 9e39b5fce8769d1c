//! Targets that do things their own way: a REST API that differs from the contract's in every path, header, field and
//! status code, users from a file, and what `doctor` says of target files that are wrong.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod dialect;

use std::fmt::Write as _;
use std::sync::Arc;

use chatspec::contract::Contract;
use chatspec::doctor::{self, Finding, State};
use chatspec::plan::Plan;
use chatspec::preflight;
use chatspec::runner;
use chatspec::scenarios;
use chatspec::target::profile::Profile;
use chatspec::target::reference;
use chatspec::verdict::{Level, Verdict};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use dialect::Stranger;

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_api_that_differs_in_everything_is_no_obstacle() {
    let stranger = Stranger::start().await;
    let profile = Profile::parse(&stranger.target_file()).unwrap();
    let contract = Contract::embedded().unwrap();
    let all: Vec<_> = scenarios::all().collect();
    let plan = Plan::select(&contract, &all, &[], &[])
        .unwrap()
        .quick(&contract)
        .unwrap();
    let context = preflight::prepare(profile.into(), contract, 1.0, false)
        .await
        .unwrap();
    let (events, _told) = mpsc::unbounded_channel();
    let (_stopper, stop) = watch::channel(false);
    let result = runner::run(Arc::new(plan), context, 64, events, stop).await;
    let missing: Vec<_> = result
        .requirements
        .iter()
        .filter(|requirement| requirement.level != Level::May && requirement.verdict != Verdict::Pass)
        .map(|requirement| (&requirement.id, &requirement.reason))
        .collect();
    // It cannot be made to fail, and its origins are not told.
    assert!(
        missing
            .iter()
            .all(|(id, _)| ["ACK-04", "TRANS-03"].contains(&id.as_str())),
        "{missing:#?}"
    );
    assert!(
        !stranger.heard_the_contract(),
        "it was spoken to in the contract's words"
    );
}

async fn examined(text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let profile = Profile::parse(text).unwrap();
    let contract = Contract::embedded().unwrap();
    // What never comes is waited for, and nothing here is slow.
    let examining = doctor::examine(profile, contract, 0.4, |finding| findings.push(finding.clone()));
    Box::pin(examining).await;
    findings
}

fn broken(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings
        .iter()
        .filter_map(|finding| match &finding.state {
            State::Broken { advice, .. } => Some((finding.step, advice.as_str())),
            _ => None,
        })
        .collect()
}

/// Each of these changes one thing in a target file that works: which step shows it, and what the advice must name.
const BREAKS: &[(&str, &str, &str, &str)] = &[
    (
        "path = \"/socket.io/\"",
        "path = \"/sockets/\"",
        "socket.io",
        "handshake.path",
    ),
    (
        "POST /v9/people",
        "POST /v9/persons",
        "register",
        "rest.register.request",
    ),
    (
        "post = \"{{email}}\"",
        "male = \"{{email}}\"",
        "register",
        "rest.register.body",
    ),
    (
        "status = [203] # register",
        "status = [201]",
        "register",
        "add 203 to rest.register.status",
    ),
    (
        "/payload/person/key",
        "/payload/person/id",
        "register",
        "rest.register.reply",
    ),
    (
        "/payload/jwt",
        "/payload/person/called",
        "connect",
        "handshake.token_field",
    ),
    (
        "token_field = \"token\"",
        "token_field = \"bearer\"",
        "connect",
        "handshake.token_field",
    ),
    (
        "x-key: key={{token}}",
        "x-key: {{token}}",
        "create a group",
        "rest.auth",
    ),
    (
        "kind = { dm = \"pair\", group = \"crowd\" }",
        "kind = { group = \"crowd\" }",
        "create a DM",
        "capabilities.direct_chats",
    ),
    (
        "PUT /v9/circles/{{chat}}/label",
        "PUT /v9/circles/{{chat}}/name",
        "rename",
        "capabilities.rename",
    ),
    (
        "items = \"/payload/notes\"",
        "items = \"/payload/messages\"",
        "list messages",
        "rest.list_messages.items",
    ),
    (
        "younger = \"{{after}}\"",
        "newer = \"{{after}}\"",
        "list messages after one",
        "capabilities.after_cursor",
    ),
    (
        "sessionToken = \"/payload/pass\", ",
        "",
        "session token",
        "capabilities.session_tokens",
    ),
    (
        "jwt_secret = \"",
        "jwt_secret = \"another ",
        "minted token",
        "auth must have the key",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_a_target_file_is_shown_with_what_to_change() {
    let stranger = Stranger::start().await;
    let works = stranger.target_file();
    assert_eq!(broken(&examined(&works).await), []);
    for (right, wrong, step, advice) in BREAKS {
        assert!(works.contains(right), "{right}");
        let findings = examined(&works.replace(right, wrong)).await;
        let (first, told) = broken(&findings).first().copied().unwrap_or(("nothing", ""));
        assert_eq!(first, *step, "{wrong}: {findings:#?}");
        assert!(told.contains(advice), "{wrong}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_does_not_start_is_shown_with_what_it_wrote() {
    let text =
        "[launch]\ncommand = 'echo the port is ta$()ken >&2; exit 1'\nready_line = 'listening on (\\S+)'";
    let findings = examined(text).await;
    let [
        Finding {
            step: "start",
            state: State::Broken { why, advice, .. },
        },
    ] = findings.as_slice()
    else {
        panic!("{findings:#?}");
    };
    assert!(
        why.contains("the port is taken") && advice.contains("launch.command"),
        "{findings:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_absent_and_works_is_told() {
    let stranger = Stranger::start().await;
    let text = format!(
        "{}\n[capabilities]\nrename = false\nquery_tokens = false\n",
        stranger.target_file()
    );
    let findings = examined(&text).await;
    for step in ["rename", "query token"] {
        let found = findings.iter().find(|finding| finding.step == step).unwrap();
        let State::NotOffered(why) = &found.state else {
            panic!("{found:?}");
        };
        assert!(why.contains("but it works: set capabilities."), "{why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_may_come_from_a_file() {
    let (reference, _running) = reference::start(None).await.unwrap();
    let url = &reference.urls[0];
    let http = reqwest::Client::new();
    let mut users = String::new();
    for n in 0..3 {
        let person = json!({"email": format!("u{n}@example.org"), "password": "correct horse", "name": "u"});
        let made = http
            .post(format!("{url}/v1/auth/register"))
            .json(&person)
            .send()
            .await
            .unwrap();
        let made: Value = made.json().await.unwrap();
        let (id, access, session) = (&made["user"]["id"], &made["accessToken"], &made["sessionToken"]);
        // Writing to a String does not fail.
        let _ = writeln!(
            users,
            "[[users]]\nid = {id}\naccess_token = {access}\nsession_token = {session}"
        );
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), users).unwrap();
    let text = format!(
        "urls = ['{url}']\n[provision]\nkind = 'static'\nfile = '{}'\n",
        file.path().display()
    );
    assert_eq!(broken(&examined(&text).await), []);
}

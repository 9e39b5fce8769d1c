//! Targets that do things their own way: a REST API that differs from the contract's in every path, header, field and
//! status code, users from a file, and what `doctor` says of target files that are wrong.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

mod dialect;

use std::path::Path;
use std::sync::Arc;

use chatspec::contract::Contract;
use chatspec::doctor::{self, StepReport, StepState};
use chatspec::plan::Plan;
use chatspec::preflight;
use chatspec::result::RunResult;
use chatspec::runner;
use chatspec::scenarios;
use chatspec::scene::RunOptions;
use chatspec::targets::profile::Profile;
use chatspec::targets::reference;
use chatspec::verdict::{Level, Verdict};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use dialect::Stranger;

#[tokio::test(flavor = "multi_thread")]
async fn a_rest_api_that_differs_in_everything_is_no_obstacle() {
    let stranger = Stranger::start().await;
    let profile = Profile::parse(&stranger.target_file()).unwrap();
    let result = run(profile, &[]).await;
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

/// Runs these, or of everything what takes no waiting.
async fn run(profile: Profile, only: &[&str]) -> Arc<RunResult> {
    let contract = Contract::embedded().unwrap();
    let all: Vec<_> = scenarios::all().collect();
    let only: Vec<String> = only.iter().map(ToString::to_string).collect();
    let mut plan = Plan::select(&contract, &all, &only, &[]).unwrap();
    if only.is_empty() {
        plan = plan.quick(&contract).unwrap();
    }
    let context = preflight::prepare(profile.into(), contract, RunOptions::default())
        .await
        .unwrap();
    let (events, _told) = mpsc::unbounded_channel();
    let (_stopper, stop) = watch::channel(false);
    runner::run(Arc::new(plan), context, 64, events, stop).await
}

async fn examined(text: &str) -> Vec<StepReport> {
    let mut findings = Vec::new();
    let profile = Profile::parse(text).unwrap();
    let contract = Contract::embedded().unwrap();
    // What never comes is waited for, and nothing here is slow.
    let examining = doctor::examine(profile, contract, 0.4, |finding| findings.push(finding.clone()));
    Box::pin(examining).await;
    findings
}

fn broken(findings: &[StepReport]) -> Vec<(&str, &str)> {
    findings
        .iter()
        .filter_map(|finding| match &finding.state {
            StepState::Broken { advice, .. } => Some((finding.step, advice.as_str())),
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
        StepReport {
            step: "start",
            state: StepState::Broken { why, advice, .. },
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
        let StepState::NotOffered(why) = &found.state else {
            panic!("{found:?}");
        };
        assert!(why.contains("but it works: set capabilities."), "{why}");
    }
}

/// Registers somebody by hand: an entry for a file of users, the id and the access token.
async fn made_beforehand(url: &str) -> (String, String, String) {
    let email = format!("{}@example.org", uuid::Uuid::new_v4().simple());
    let person = json!({"email": email, "password": "correct horse", "name": "u"});
    let asked = reqwest::Client::new()
        .post(format!("{url}/v1/auth/register"))
        .json(&person);
    let made: Value = asked.send().await.unwrap().json().await.unwrap();
    let (id, access, session) = (&made["user"]["id"], &made["accessToken"], &made["sessionToken"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entry = format!("{{ id = {id}, access_token = {access}, session_token = {session} }}");
    (entry, text(id), text(access))
}

fn target_with_users(url: &str, users: &Path) -> String {
    format!(
        "urls = ['{url}']\n[provision]\nkind = 'static'\nfile = '{}'\n",
        users.display()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn users_may_come_from_a_file() {
    let (reference, _running) = reference::start(None).await.unwrap();
    let url = &reference.urls[0];
    let mut users = Vec::new();
    for _ in 0..3 {
        users.push(made_beforehand(url).await.0);
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("users = [{}]", users.join(", "))).unwrap();
    assert_eq!(broken(&examined(&target_with_users(url, file.path())).await), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_may_the_chats_among_them() {
    let (reference, _running) = reference::start(None).await.unwrap();
    let url = &reference.urls[0];
    let mut entries = Vec::new();
    let mut ids = Vec::new();
    let mut maker = String::new();
    for _ in 0..3 {
        let (entry, id, access) = made_beforehand(url).await;
        entries.push(entry);
        ids.push(id);
        if maker.is_empty() {
            maker = access;
        }
    }
    let chat = json!({"type": "group", "memberIds": &ids[1..]});
    let asked = reqwest::Client::new()
        .post(format!("{url}/v1/chats"))
        .bearer_auth(&maker)
        .json(&chat);
    let chat: Value = asked.send().await.unwrap().json().await.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let spare = made_beforehand(url).await.0;
    // Alice, Bob, and the witness of their group.
    let text = format!(
        "users = [{spare}]\n[[sets]]\nscenario = 'rooms/repeats'\nusers = [{}]\n\
         chats = [{{ id = {}, kind = 'group', members = [1, 2, 3] }}]\n",
        entries.join(", "),
        chat["_id"]
    );
    std::fs::write(file.path(), text).unwrap();
    // No chat can be made in any other way.
    let target = format!(
        "{}[rest.create_chat]\nrequest = 'POST /nowhere'\n",
        target_with_users(url, file.path())
    );
    let result = run(Profile::parse(&target).unwrap(), &["rooms/repeats"]).await;
    let verdicts: Vec<_> = result
        .scenarios
        .iter()
        .map(|played| (played.verdict, &played.message))
        .collect();
    assert_eq!(verdicts, [(Verdict::Pass, &None)]);
}

/// Plays one scenario against the reference, and gives its verdict and why.
async fn played(change: impl FnOnce(&mut Profile), scenario: &str) -> (Verdict, String) {
    let (mut profile, _running) = reference::start(None).await.unwrap();
    change(&mut profile);
    let result = run(profile, &[scenario]).await;
    let played = &result.scenarios[0];
    (played.verdict, played.message.clone().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_heartbeat_counts_more_than_the_handshake() {
    let scenario = "presence/vanished";
    assert_eq!(Box::pin(played(|_| (), scenario)).await.0, Verdict::Pass);
    // The reference takes longer than this.
    let hasty = |profile: &mut Profile| {
        profile.limits.ping_interval_ms = Some(100);
        profile.limits.ping_timeout_ms = Some(100);
    };
    assert_eq!(Box::pin(played(hasty, scenario)).await.0, Verdict::Fail);
    let slow = |profile: &mut Profile| profile.limits.ping_interval_ms = Some(90_000);
    let (verdict, why) = Box::pin(played(slow, scenario)).await;
    assert_eq!(verdict, Verdict::Unverified);
    assert!(why.contains("more than the 10 s that a run waits"), "{why}");
}

/// What a run notes of a search, with one thing changed in a target file that works.
async fn noted(right: &str, wrong: &str) -> String {
    let stranger = Stranger::start().await;
    let target = stranger.target_file().replace(right, wrong);
    let result = Box::pin(run(
        Profile::parse(&target).unwrap(),
        &["messages/durable-at-ack"],
    ));
    let result = result.await;
    assert_eq!(result.scenarios[0].verdict, Verdict::Pass);
    let [(requirement, note)] = result.scenarios[0].notes.as_slice() else {
        panic!("{:?}", result.scenarios[0].notes);
    };
    assert_eq!(requirement, "MSG-16");
    note.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_search_finds_is_noted_and_not_judged() {
    let found = noted("", "").await;
    assert!(
        found.contains("ms after its ack, and for members only"),
        "{found}"
    );
    let absent = noted("[handshake]", "[capabilities]\nsearch = false\n[handshake]").await;
    assert!(
        absent.ends_with("but it works: set capabilities.search = true"),
        "{absent}"
    );
    let broken = noted("wanted = ", "sought = ").await;
    assert!(
        broken.contains("a search does not work") && broken.contains("400"),
        "{broken}"
    );
}

//! Sabotages end to end: some of the catalogue by the command line, and some that the kit cannot or must not notice.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use chatspec::contract::Contract;
use chatspec::preflight::TargetChoice;
use chatspec::sabotage::campaign::Campaign;
use chatspec::sabotage::trial::{Trial, TrialOutcome};
use chatspec::sabotage::{Breadth, Catalogue};
use tokio::sync::watch;

fn chatspec(args: &[&str]) -> (Option<i32>, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_chatspec"))
        .args(args)
        .env_remove("CHATSPEC_JWT_SECRET")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

#[test]
fn sabotages_are_noticed_by_the_requirement_that_they_break() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("detection.md");
    let mut args = vec!["sabotage", "--markdown", document.to_str().unwrap()];
    let names = [
        "typing-echoed",
        "stranger-joins",
        "sender-from-the-client",
        "pages-with-a-gap",
    ];
    for name in names {
        args.extend(["--only", name]);
    }
    let (code, told, errors) = chatspec(&args);
    assert_eq!(code, Some(0), "{told}\n{errors}");
    assert!(
        told.contains("4 sabotages: 4 killed by their own requirement's check."),
        "{told}"
    );
    let document = std::fs::read_to_string(document).unwrap();
    for name in names {
        assert!(document.contains(&format!("`{name}`")), "{document}");
    }
    assert!(document.contains("| ROOM-02 | `stranger-joins` |"));
}

/// Most of the time goes into waiting for what never comes, and nothing here is slow.
const HASTE: f64 = 0.4;

/// What came of the sabotages of this catalogue on the reference server.
fn tried(catalogue: &str) -> Vec<Arc<Trial>> {
    let contract = Contract::embedded().unwrap();
    let catalogue = Catalogue::parse(catalogue, &contract).unwrap();
    let sabotages = catalogue.sabotages.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let trials = runtime.block_on(async {
        let (_stopper, stop) = watch::channel(false);
        let campaign = Campaign::set_up(
            TargetChoice::Reference,
            contract,
            catalogue,
            Breadth::Near,
            HASTE,
            stop,
        );
        let mut campaign = campaign.await.unwrap();
        campaign.try_all(&sabotages, 4, |_| ()).await.unwrap()
    });
    runtime.shutdown_background();
    trials
}

/// What goes wrong with the kit, or with the catalogue, is not taken for a success.
#[test]
fn what_is_not_noticed_is_told() {
    let trials = tried(
        r#"
        [[sabotage]]
        name = "harmless"
        breaks = "MSG-02"
        why = "It adds what the contract allows."
        [[sabotage.rule]]
        on = { event = "message:new" }
        do = [{ set = { at = "/data/message/extra", to = 1 } }]

        [[sabotage]]
        name = "about-nothing"
        breaks = "TYPE-01"
        why = "Its event does not exist."
        [[sabotage.rule]]
        on = { event = "typing:changed" }
        do = ["drop"]

        [[sabotage]]
        name = "files-under-another"
        breaks = "TYPE-01"
        why = "It breaks TYPE-03 and says TYPE-01."
        [[sabotage.rule]]
        on = { request = "typing:start" }
        when = [{ at = "/data/chatId", among = "{{/conn/member}}" }]
        do = [{ inject = { event = "typing:update", data = { chatId = "{{/data/chatId}}", userId = "{{/conn/user}}", state = "start" } } }]

        [[sabotage]]
        name = "lists-no-collateral"
        breaks = "TYPE-01"
        why = "It breaks TYPE-02 as well, and does not say so."
        [[sabotage.rule]]
        on = { event = "typing:update" }
        do = [{ remove = "/data/chatId" }]
        "#,
    );
    let outcomes: Vec<&TrialOutcome> = trials.iter().map(|trial| &trial.outcome).collect();
    assert_eq!(
        outcomes,
        [
            &TrialOutcome::Survived,
            &TrialOutcome::Idle,
            &TrialOutcome::ByAnother,
            &TrialOutcome::Killed
        ]
    );
    assert!(trials.iter().all(|trial| !trial.is_well() && trial.runs == 2));
    let unlisted: Vec<&str> = trials[3].unlisted.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(unlisted, ["TYPE-02"]);
}

#[test]
fn what_makes_no_sense_is_a_usage_error() {
    for (args, told) in [
        (
            &["sabotage", "--only", "no-such-thing"][..],
            "chatspec sabotage --list",
        ),
        (&["sabotage", "--sample", "4/3"], "1/3"),
        (&["sabotage", "--sample", "x"], "1/3"),
        (
            &["sabotage", "--only", "typing-echoed", "--sample", "2/3"],
            "nothing is left",
        ),
        (&["proxy"], "--url"),
        (
            &["proxy", "--url", "http://127.0.0.1:1", "--sabotage", "nothing"],
            "--list",
        ),
    ] {
        let (code, _, errors) = chatspec(args);
        assert_eq!(code, Some(2), "{args:?}: {errors}");
        assert!(errors.contains(told), "{args:?}: {errors}");
    }
    let (code, listed, _) = chatspec(&["sabotage", "--list", "--only", "TYPE-03"]);
    assert_eq!(code, Some(0));
    assert!(
        listed.lines().count() >= 2 && listed.contains("typing-echoed"),
        "{listed}"
    );
}

#[test]
fn a_proxy_says_where_it_is() {
    let mut proxy = Command::new(env!("CARGO_BIN_EXE_chatspec"))
        .args([
            "proxy",
            "--url",
            "http://127.0.0.1:1",
            "--sabotage",
            "typing-echoed",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let said = BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut line);
    let answer = line
        .trim()
        .strip_prefix("http://")
        .map(std::net::TcpStream::connect);
    proxy.kill().unwrap();
    proxy.wait().unwrap();
    said.unwrap();
    assert!(matches!(answer, Some(Ok(_))), "{line}");
}

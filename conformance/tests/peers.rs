//! The kit against implementations that share no code with it, each started by its own target file: what it says of them
//! is exactly what stands in the file `expected.toml` beside them.
//!
//! They need node and Python, and what they are built on: `scripts/peers.sh` installs that and runs these tests. So does
//! the example of a program that makes users.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatspec::contract::Contract;
use chatspec::plan::Plan;
use chatspec::preflight;
use chatspec::result::RunResult;
use chatspec::runner;
use chatspec::scenarios;
use chatspec::scene::RunOptions;
use chatspec::targets::profile::{Profile, Provision};
use chatspec::targets::reference;
use chatspec::verdict::{Level, Verdict};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};

/// What does not pass, by requirement, each with the reason.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Expected {
    fail: BTreeMap<String, String>,
    warn: BTreeMap<String, String>,
    unverified: BTreeMap<String, String>,
}

impl Expected {
    fn read(peer: &Path) -> Self {
        toml::from_str(&std::fs::read_to_string(peer.join("expected.toml")).unwrap()).unwrap()
    }

    fn verdict(&self, requirement: &str) -> Verdict {
        for (verdict, listed) in [
            (Verdict::Fail, &self.fail),
            (Verdict::Warn, &self.warn),
            (Verdict::Unverified, &self.unverified),
        ] {
            if listed.contains_key(requirement) {
                return verdict;
            }
        }
        Verdict::Pass
    }
}

fn peer(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/peers")
        .join(name)
}

async fn run(profile: Profile) -> Arc<RunResult> {
    let contract = Contract::embedded().unwrap();
    let all: Vec<_> = scenarios::all().collect();
    let plan = Plan::select(&contract, &all, &[], &[]).unwrap();
    let context = preflight::prepare(profile.into(), contract, RunOptions::default())
        .await
        .unwrap_or_else(|error| panic!("{error}\nscripts/peers.sh installs what the peers need"));
    let (events, _told) = mpsc::unbounded_channel();
    let (_stopper, stop) = watch::channel(false);
    runner::run(Arc::new(plan), context, 64, events, stop).await
}

async fn is_judged_as_expected(name: &str) {
    let folder = peer(name);
    let expected = Expected::read(&folder);
    let result = run(Profile::read(&folder.join("target.toml")).unwrap()).await;
    for id in expected
        .fail
        .keys()
        .chain(expected.warn.keys())
        .chain(expected.unverified.keys())
    {
        assert!(
            result
                .requirements
                .iter()
                .any(|requirement| requirement.id == *id),
            "{id} is no requirement"
        );
    }
    let surprises: Vec<String> = result
        .requirements
        .iter()
        .filter(|requirement| requirement.level != Level::May)
        .filter(|requirement| requirement.verdict != expected.verdict(&requirement.id))
        .map(|requirement| {
            let reason = requirement.reason.as_deref().unwrap_or_default();
            format!("{} {}: {reason}", requirement.id, requirement.verdict.word())
        })
        .collect();
    assert!(surprises.is_empty(), "{name}: {surprises:#?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and npm: scripts/peers.sh installs what it is built on, and runs it"]
async fn node() {
    is_judged_as_expected("node").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: scripts/peers.sh installs what it is built on, and runs it"]
async fn python() {
    is_judged_as_expected("python").await;
}

/// The program that is an example for `provision.kind = "command"`, at the reference server.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python: scripts/peers.sh runs it"]
async fn program() {
    let (reference, _running) = reference::start(None).await.unwrap();
    let mut profile = Profile {
        provision: Provision::Command {
            command: "exec python3 provision.py".to_owned(),
        },
        folder: peer("../targets"),
        ..reference
    };
    // A REST API that is spoken to all the same would not answer.
    profile.rest.url = Some("http://127.0.0.1:1".to_owned());
    let result = run(profile).await;
    let missing: Vec<_> = result
        .requirements
        .iter()
        .filter(|requirement| requirement.level != Level::May && requirement.verdict != Verdict::Pass)
        .map(|requirement| (requirement.id.as_str(), &requirement.reason))
        .collect();
    assert!(missing.iter().all(|(id, _)| *id == "ACK-04"), "{missing:#?}");
}

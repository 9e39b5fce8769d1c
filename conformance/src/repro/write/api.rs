//! How the target of a script is spoken to.

use super::super::Untold;
use super::super::story::{Step, Story};
use super::super::term::{Term, Var};
use crate::targets::profile::capabilities::Capability;
use crate::targets::profile::limits::Limits;
use crate::targets::profile::rest::Rest;
use crate::targets::profile::{Connecting, Profile, Provision, TokenPlace};

/// How the target of a script is spoken to: by the contract, unless a target file says something else.
#[derive(Clone, Debug, Default)]
pub struct Api {
    /// What the target is called, where there is a target file.
    pub name: Option<String>,
    /// Where it is, where that is known and does not change.
    pub url: Option<String>,
    /// Its REST API.
    pub rest: Rest,
    /// How clients ask for a connection.
    pub handshake: Connecting,
}

impl Api {
    /// That of a target file, for this story. The error says why a script cannot tell it to that target.
    pub fn of(profile: &Profile, story: &Story) -> Result<Self, Untold> {
        let refused = |why: String| Err(Untold::Target(why));
        if !matches!(profile.provision, Provision::Rest {}) {
            return refused(format!(
                "a script can register users through REST only, and the target file has provision.kind = {:?}",
                profile.provision.kind()
            ));
        }
        if let Some(own) = conflicting(&profile.limits, story) {
            return refused(format!(
                "the scenario is recorded with the contract's limits, and the target file has {own}"
            ));
        }
        if let Some(absent) = needed(story)
            .into_iter()
            .find(|one| !profile.capabilities.offers(*one))
        {
            return refused(format!(
                "the scenario needs {absent}, which the target does not offer by its target file"
            ));
        }
        let handshake = profile.handshake.clone();
        let own_tokens =
            (handshake.token_in, handshake.token_field.as_str()) != (TokenPlace::default(), "token");
        if own_tokens && story.scenario.area() == "auth" {
            return refused(
                "the scenario is about where tokens go, and the target file has another place for them"
                    .to_owned(),
            );
        }
        Ok(Self {
            name: Some(profile.name.clone()),
            url: profile.urls.first().filter(|url| !url.contains("{{")).cloned(),
            rest: profile.rest.clone(),
            handshake,
        })
    }
}

/// The limits of the target by which the recording is none of it.
fn conflicting(limits: &Limits, story: &Story) -> Option<String> {
    let contract = Limits::default();
    let rates = (limits.rate_max, limits.rate_window_ms) != (contract.rate_max, contract.rate_window_ms);
    let concerned = match story.scenario.area() {
        "rate-limit" => rates,
        "presence" => limits.presence_window_ms != contract.presence_window_ms,
        _ => limits.rate_max < contract.rate_max,
    };
    let bodies = story.scenario.id == "messages/size" && limits.body_max_bytes != contract.body_max_bytes;
    (concerned || bodies).then(|| limits.own().join(", "))
}

/// What the story cannot be told without.
fn needed(story: &Story) -> Vec<Capability> {
    let mut needed = Vec::new();
    for step in &story.steps {
        match step {
            Step::Rest { operation, fill, .. } => {
                needed.extend(Capability::of(*operation));
                if fill.contains_key("after") {
                    needed.push(Capability::AfterCursor);
                }
                if fill.get("kind") == Some(&Term::plain("dm")) {
                    needed.push(Capability::DirectChats);
                }
            }
            Step::Connect { query, .. } if !query.is_empty() => needed.push(Capability::QueryTokens),
            _ => {}
        }
    }
    if story.needed().iter().any(|var| matches!(var, Var::Session(_))) {
        needed.push(Capability::SessionTokens);
    }
    needed
}

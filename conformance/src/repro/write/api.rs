//! How the target of a script is spoken to.

use super::super::NotReproducible;
use super::super::steps::{Action, Steps};
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
    /// That of a target file, for these steps. The error says why a script cannot play them there.
    pub fn of(profile: &Profile, steps: &Steps) -> Result<Self, NotReproducible> {
        let refused = |why: String| Err(NotReproducible::Target(why));
        if !matches!(profile.provision, Provision::Rest {}) {
            return refused(format!(
                "a script can register users through REST only, and the target file has provision.kind = {:?}",
                profile.provision.kind()
            ));
        }
        if let Some(own) = conflicting(&profile.limits, steps) {
            return refused(format!(
                "the scenario is recorded with the contract's limits, and the target file has {own}"
            ));
        }
        if let Some(absent) = needed(steps)
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
        if own_tokens && steps.scenario.area() == "auth" {
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
fn conflicting(limits: &Limits, steps: &Steps) -> Option<String> {
    let contract = Limits::default();
    let rates = (limits.rate_max, limits.rate_window_ms) != (contract.rate_max, contract.rate_window_ms);
    let concerned = match steps.scenario.area() {
        "rate-limit" => rates,
        "presence" => limits.presence_window_ms != contract.presence_window_ms,
        _ => limits.rate_max < contract.rate_max,
    };
    let bodies = steps.scenario.id == "messages/size" && limits.body_max_bytes != contract.body_max_bytes;
    (concerned || bodies).then(|| limits.own().join(", "))
}

/// What the steps cannot be played without.
fn needed(steps: &Steps) -> Vec<Capability> {
    let mut needed = Vec::new();
    for step in &steps.list {
        match &step.action {
            Action::Rest { operation, fill, .. } => {
                needed.extend(Capability::of(*operation));
                if fill.contains_key("after") {
                    needed.push(Capability::AfterCursor);
                }
                if fill.get("kind").is_some_and(|kind| kind == "dm") {
                    needed.push(Capability::DirectChats);
                }
            }
            Action::Connect { query, .. } if !query.is_empty() => needed.push(Capability::QueryTokens),
            Action::Register { user } if steps.mention(&session(user)) => {
                needed.push(Capability::SessionTokens);
            }
            _ => {}
        }
    }
    needed
}

/// The name of a user's session token.
pub(super) fn session(user: &str) -> String {
    format!("{user}.session")
}

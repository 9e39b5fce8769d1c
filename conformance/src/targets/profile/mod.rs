//! What is known about a target beforehand, from a TOML file.
//!
//! - [`Profile`]: all of it, with its addresses
//! - [`launch`]: how it is started
//! - [`auth`]: its key
//! - [`limits`]: what it keeps within
//! - [`capabilities`]: what it does not offer
//! - [`provision`]: how users are made
//! - [`operation`]: what the kit asks of it beside its sockets
//! - [`rest`]: its REST API, a template for each of these
//! - [`error`]: why a target file is of no use

pub mod auth;
pub mod capabilities;
pub mod error;
pub mod launch;
pub mod limits;
pub mod operation;
pub mod provision;
pub mod rest;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use auth::Auth;
use capabilities::Capabilities;
pub use error::ProfileError;
use launch::{Launch, Services};
pub use limits::Limits;
pub use provision::Provision;
use rest::Rest;

/// A target profile; every part has a default, which is the contract's where it has one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// What reports call it.
    pub name: String,
    /// Where it listens; clients are spread over several.
    pub urls: Vec<String>,
    /// How it is started, where the kit is to do that.
    pub launch: Option<Launch>,
    /// What the kit provides beside a target that it starts.
    pub services: Services,
    /// How clients ask for a connection.
    pub handshake: Connecting,
    /// How tokens are signed.
    pub auth: Auth,
    /// The limits it keeps.
    pub limits: Limits,
    /// What it does not offer.
    pub capabilities: Capabilities,
    /// Which origins it answers.
    pub cors: Cors,
    /// How it can be made to fail.
    pub faults: Faults,
    /// What to run at certain moments of a run.
    pub hooks: Hooks,
    /// How its REST API is spoken.
    pub rest: Rest,
    /// How users are made.
    pub provision: Provision,
    /// Where paths in the file begin.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "target".to_owned(),
            urls: Vec::new(),
            launch: None,
            services: Services::default(),
            handshake: Connecting::default(),
            auth: Auth::default(),
            limits: Limits::default(),
            capabilities: Capabilities::default(),
            cors: Cors::default(),
            faults: Faults::default(),
            hooks: Hooks::default(),
            rest: Rest::default(),
            provision: Provision::default(),
            folder: PathBuf::new(),
        }
    }
}

/// Origins for the CORS checks; without them these stay unverified.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Cors {
    /// One that the target answers.
    pub allowed_origin: Option<String>,
    /// One that it does not.
    pub denied_origin: Option<String>,
}

/// How the target can be made to fail; without it, what is promised for failures stays unverified.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// The body of a message on which the target fails internally, as in a test build of it.
    pub internal_body: Option<String>,
}

/// Commands that the kit runs, through the shell, at certain moments of a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// Takes the target's store away and keeps what is in it; returns when it is gone.
    pub store_down: Option<String>,
    /// Gives it back; returns when it answers.
    pub store_up: Option<String>,
}

/// How clients ask for a connection, where the target does not do as the contract says. What the contract says of tokens is
/// judged by the contract all the same.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connecting {
    /// Where Socket.IO listens.
    pub path: String,
    /// Where the token goes.
    pub token_in: TokenPlace,
    /// The name of the field, or of the parameter.
    pub token_field: String,
}

impl Default for Connecting {
    fn default() -> Self {
        Self {
            path: "/socket.io/".to_owned(),
            token_in: TokenPlace::default(),
            token_field: "token".to_owned(),
        }
    }
}

/// Where the token goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenPlace {
    /// The payload of CONNECT.
    #[default]
    Payload,
    /// The query string.
    Query,
}

impl Profile {
    /// The same target, running already at these addresses.
    #[must_use]
    pub fn at(mut self, urls: Vec<String>) -> Self {
        self.launch = None;
        self.services = Services::default();
        self.auth.jwks_env = None;
        self.urls = urls;
        self
    }

    /// Reads a profile, and the keys from the environment or the files that it names.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ProfileError::Read {
            path: shown.clone(),
            source,
        })?;
        let mut profile: Self = Self::parse(&text).map_err(|why| ProfileError::Invalid {
            path: shown.clone(),
            why,
        })?;
        path.parent()
            .unwrap_or(Path::new(""))
            .clone_into(&mut profile.folder);
        let found = profile.auth.find_keys(&profile.folder);
        found.map_err(|why| ProfileError::Key { path: shown, why })?;
        Ok(profile)
    }

    /// Reads a profile from text; the error shows the line, or the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        profile.check().map_err(|why| match line_of(text, &why) {
            Some(line) => format!("line {line}: {why}"),
            None => why,
        })?;
        Ok(profile)
    }

    /// What the types alone do not see. The error begins with the key.
    fn check(&self) -> Result<(), String> {
        match &self.hooks {
            Hooks {
                store_down: Some(_),
                store_up: None,
            } => return Err("hooks.store_down without hooks.store_up: the store would stay down".to_owned()),
            Hooks {
                store_down: None,
                store_up: Some(_),
            } => {
                return Err(
                    "hooks.store_up without hooks.store_down: there is nothing to bring up".to_owned(),
                );
            }
            _ => {}
        }
        self.limits.check()?;
        if !(self.handshake.path.starts_with('/') && self.handshake.path.ends_with('/')) {
            return Err(format!(
                "handshake.path: \"{}\" must begin and end with a slash, as in \"/socket.io/\"",
                self.handshake.path
            ));
        }
        if let Some(launch) = &self.launch {
            launch.check(&self.urls)?;
        } else if self.services.mongodb.is_some() {
            return Err(
                "services.mongodb without a launch table: only a target that the kit starts gets a MongoDB"
                    .to_owned(),
            );
        } else if self.auth.jwks_env.is_some() {
            return Err(
                "auth.jwks_env without a launch table: the variable can only be set for a target that the kit starts"
                    .to_owned(),
            );
        }
        self.auth.check()?;
        self.rest.check()
    }
}

/// The line of the key that a complaint begins with, as in `rest.rename.body: …`: that of the last of its names that is in
/// the file, below the one before.
fn line_of(text: &str, complaint: &str) -> Option<usize> {
    let key = complaint.split([':', ' ']).next()?;
    let names: Vec<&str> = key.split('.').collect();
    let (last, tables) = names.split_last()?;
    let table = (1..=tables.len()).rev().find_map(|depth| {
        let head = format!("[{}]", tables[..depth].join("."));
        text.lines().position(|line| line.trim() == head)
    })?;
    let below = text.lines().enumerate().skip(table + 1);
    let found = below
        .take_while(|(_, line)| !line.trim_start().starts_with('['))
        .find(|(_, line)| line.split('=').next().is_some_and(|name| name.trim() == *last));
    Some(1 + found.map_or(table, |(line, _)| line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_profile_has_the_limits_of_the_contract() {
        let profile = Profile::parse("").unwrap();
        assert_eq!(
            (profile.limits.rate_max, profile.limits.rate_window_ms),
            (10, 10_000)
        );
        assert!(matches!(profile.provision, Provision::Rest {}));
    }

    #[test]
    fn mistakes_are_told_with_line_and_key() {
        let told = Profile::parse("name = 'x'\n[limits]\nrate_maximum = 3\n").unwrap_err();
        assert!(told.contains("line 3") && told.contains("rate_maximum"), "{told}");
        let told = Profile::parse("[provision]\nkind = 'rest'\nregister = true\n").unwrap_err();
        assert!(told.contains("register"), "{told}");
        let told = Profile::parse("[provision]\nkind = 'magic'\n").unwrap_err();
        assert!(told.contains("line") && told.contains("magic"), "{told}");
    }

    #[test]
    fn a_store_that_is_taken_down_must_be_brought_up() {
        for half in ["store_down", "store_up"] {
            let told = Profile::parse(&format!("[hooks]\n{half} = 'true'\n")).unwrap_err();
            assert!(told.contains("store_up") && told.contains("store_down"), "{told}");
        }
        assert!(Profile::parse("[hooks]\nstore_down = 'true'\nstore_up = 'true'\n").is_ok());
    }

    #[test]
    fn mistakes_within_a_value_are_told_with_the_line_too() {
        let told =
            Profile::parse("name = 'x'\n\n[rest.rename]\nstatus = [200]\nbody = { t = '{{titel}}' }\n")
                .unwrap_err();
        assert!(
            told.contains("line 5") && told.contains("rest.rename.body"),
            "{told}"
        );
    }

    #[test]
    fn what_only_a_started_target_can_use_needs_a_launch() {
        for text in [
            "[services]\nmongodb = 'URI'",
            "[auth]\nalgorithm = 'RS256'\njwks_env = 'JWKS'",
        ] {
            let told = Profile::parse(text).unwrap_err();
            assert!(told.contains("launch"), "{told}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let text = "[auth]\njwt_secret = 'hush'\n[rest]\nheaders = { 'x-key' = 'hush' }\n[launch]\ncommand = 'true'\n\
                    ready_line = '(.*)'\nenv = { KEY = 'hush' }";
        let profile = Profile::parse(text).unwrap();
        assert!(!format!("{profile:?}").contains("hush"));
    }

    #[test]
    fn limits_that_any_server_would_keep_are_none() {
        for limit in [
            "rate_max",
            "rate_window_ms",
            "presence_window_ms",
            "body_max_bytes",
        ] {
            let told = Profile::parse(&format!("[limits]\n{limit} = 0")).unwrap_err();
            assert!(told.contains(limit) && told.contains("line 2"), "{told}");
        }
    }
}

//! What is known about a target beforehand: its addresses, its limits, its key.

use std::path::Path;

use serde::Deserialize;
use thiserror::Error;

/// A target profile; every part has a default, which is the contract's where it has one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// What reports call it.
    pub name: String,
    /// Where it listens; clients are spread over several.
    pub urls: Vec<String>,
    /// How tokens are signed.
    pub auth: Auth,
    /// The limits it keeps.
    pub limits: Limits,
    /// Which origins it answers.
    pub cors: Cors,
    /// How it can be made to fail.
    pub faults: Faults,
    /// What to run at certain moments of a run.
    pub hooks: Hooks,
    /// How users and chats are made.
    pub provision: Provision,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            name: "target".to_owned(),
            urls: Vec::new(),
            auth: Auth::default(),
            limits: Limits::default(),
            cors: Cors::default(),
            faults: Faults::default(),
            hooks: Hooks::default(),
            provision: Provision::default(),
        }
    }
}

/// How tokens are signed; without a secret the kit cannot mint any, and what needs that stays unverified.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The HS256 secret itself.
    pub jwt_secret: Option<String>,
    /// The environment variable that holds it.
    pub jwt_secret_env: Option<String>,
    /// `iss` that is demanded.
    pub issuer: Option<String>,
    /// `aud` that is demanded.
    pub audience: Option<String>,
    /// Further claims that an access token must carry.
    pub claims: serde_json::Map<String, serde_json::Value>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth")
            .field("jwt_secret", &self.jwt_secret.as_ref().map(|_| "***"))
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

/// The limits that the target keeps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Sends per user in any one window.
    pub rate_max: usize,
    /// Length of that window.
    pub rate_window_ms: u64,
    /// Least time between two presence updates about one user.
    pub presence_window_ms: u64,
    /// Longest message body in bytes.
    pub body_max_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate_max: 10,
            rate_window_ms: 10_000,
            presence_window_ms: 2_000,
            body_max_bytes: 100_000,
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

/// How users and chats are made.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Provision {
    /// Through the contract's own REST API.
    #[default]
    Rest,
}

/// What is wrong with a target file.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// It cannot be read.
    #[error("target file {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It is no profile; the text shows line and key.
    #[error("target file {path} is not valid:\n{why}")]
    Invalid {
        /// Which file.
        path: String,
        /// The line and what is wrong in it.
        why: String,
    },
    /// It names an environment variable that is not set.
    #[error("target file {path}: auth.jwt_secret_env names {variable}, which is not set in the environment")]
    NoSuchVariable {
        /// Which file.
        path: String,
        /// Which variable.
        variable: String,
    },
}

impl Profile {
    /// Reads a profile, and the secret from the environment where the profile says so.
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
        if let Some(variable) = &profile.auth.jwt_secret_env {
            let secret = std::env::var(variable).map_err(|_| ProfileError::NoSuchVariable {
                path: shown,
                variable: variable.clone(),
            })?;
            profile.auth.jwt_secret = Some(secret);
        }
        Ok(profile)
    }

    /// Reads a profile from text; the error shows the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let profile: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        match &profile.hooks {
            Hooks {
                store_down: Some(_),
                store_up: None,
            } => Err("hooks.store_down without hooks.store_up: the store would stay down".to_owned()),
            Hooks {
                store_down: None,
                store_up: Some(_),
            } => Err("hooks.store_up without hooks.store_down: there is nothing to bring up".to_owned()),
            _ => Ok(profile),
        }
    }
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
        assert!(matches!(profile.provision, Provision::Rest));
    }

    #[test]
    fn mistakes_are_told_with_line_and_key() {
        let told = Profile::parse("name = 'x'\n[limits]\nrate_maximum = 3\n").unwrap_err();
        assert!(told.contains("line 3") && told.contains("rate_maximum"), "{told}");
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
    fn secrets_are_not_shown() {
        let profile = Profile::parse("[auth]\njwt_secret = 'hush'").unwrap();
        assert!(!format!("{profile:?}").contains("hush"));
    }
}

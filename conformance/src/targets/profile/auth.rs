//! How a target's tokens are signed.

use std::fmt;
use std::path::{Path, PathBuf};

use jsonwebtoken::Algorithm;
use serde::Deserialize;

use crate::placeholders;

/// How tokens are signed; without a key the kit cannot mint any, and what needs that stays unverified.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// HS256, HS384, HS512, RS256, ES256 or EdDSA.
    pub algorithm: Algorithm,
    /// The secret itself, for the HS algorithms.
    pub jwt_secret: Option<String>,
    /// The environment variable that holds it.
    pub jwt_secret_env: Option<String>,
    /// The file with the private key (PEM), for the other algorithms.
    pub private_key_file: Option<PathBuf>,
    /// The environment variable that holds it.
    pub private_key_env: Option<String>,
    /// The environment variable in which a target that the kit starts looks for the URL of the public keys (JWKS), which the
    /// kit serves. Without a private key, one is made for the run.
    pub jwks_env: Option<String>,
    /// The `kid` that tokens name; with `jwks_env` there is one in any case.
    pub key_id: Option<String>,
    /// `iss` that is demanded.
    pub issuer: Option<String>,
    /// `aud` that is demanded.
    pub audience: Option<String>,
    /// Further claims that an access token must carry; `{{user}}` stands for the user's id.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// The private key, once it has been found.
    #[serde(skip)]
    pub private_key: Option<String>,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::HS256,
            jwt_secret: None,
            jwt_secret_env: None,
            private_key_file: None,
            private_key_env: None,
            jwks_env: None,
            key_id: None,
            issuer: None,
            audience: None,
            claims: serde_json::Map::default(),
            private_key: None,
        }
    }
}

impl fmt::Debug for Auth {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("algorithm", &self.algorithm)
            .field("jwt_secret", &self.jwt_secret.as_ref().map(|_| "***"))
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Auth {
    /// Whether one key signs and another one verifies.
    pub const fn is_asymmetric(&self) -> bool {
        !matches!(
            self.algorithm,
            Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
        )
    }

    /// What the types alone do not see. The error begins with the key.
    pub(super) fn check(&self) -> Result<(), String> {
        const KNOWN: [Algorithm; 6] = [
            Algorithm::HS256,
            Algorithm::HS384,
            Algorithm::HS512,
            Algorithm::RS256,
            Algorithm::ES256,
            Algorithm::EdDSA,
        ];
        if !KNOWN.contains(&self.algorithm) {
            return Err(format!(
                "auth.algorithm: the kit does not sign with {}; use one of HS256, HS384, HS512, RS256, ES256 and EdDSA",
                algorithm_name(self.algorithm)
            ));
        }
        let claims = serde_json::Value::Object(self.claims.clone()).to_string();
        if let Some(unknown) = placeholders::names(&claims).find(|name| *name != "user") {
            return Err(format!(
                "auth.claims: {{{{{unknown}}}}} is no placeholder here; there is {{{{user}}}}"
            ));
        }
        if self.jwt_secret.is_some() && self.jwt_secret_env.is_some() {
            return Err("auth.jwt_secret beside auth.jwt_secret_env: give one of them".to_owned());
        }
        if self.private_key_file.is_some() && self.private_key_env.is_some() {
            return Err("auth.private_key_file beside auth.private_key_env: give one of them".to_owned());
        }
        let secret = self.jwt_secret.is_some() || self.jwt_secret_env.is_some();
        let private = self.private_key_file.is_some() || self.private_key_env.is_some();
        match (self.is_asymmetric(), secret, private) {
            (true, true, _) => Err(format!(
                "auth.algorithm: {} needs a private key, not a secret: give auth.private_key_file or auth.private_key_env",
                algorithm_name(self.algorithm)
            )),
            (false, _, true) => Err(format!(
                "auth.algorithm: {} needs a secret, not a private key: name RS256, ES256 or EdDSA, or give auth.jwt_secret",
                algorithm_name(self.algorithm)
            )),
            (false, ..) if self.jwks_env.is_some() => Err(format!(
                "auth.jwks_env: {} has no public key to serve: set auth.algorithm to RS256, ES256 or EdDSA",
                algorithm_name(self.algorithm)
            )),
            _ => Ok(()),
        }
    }

    /// Fetches the keys from where the profile says that they are. The error begins with the key of the profile.
    pub(super) fn find_keys(&mut self, folder: &Path) -> Result<(), String> {
        if let Some(variable) = &self.jwt_secret_env {
            self.jwt_secret = Some(variable_named("auth.jwt_secret_env", variable)?);
        }
        if let Some(variable) = &self.private_key_env {
            self.private_key = Some(variable_named("auth.private_key_env", variable)?);
        }
        if let Some(file) = &self.private_key_file {
            let file = folder.join(file);
            let key = std::fs::read_to_string(&file)
                .map_err(|error| format!("auth.private_key_file: {}: {error}", file.display()))?;
            self.private_key = Some(key);
        }
        if self.private_key.is_some() {
            super::super::jwt::Minter::new(self).map_or(Ok(()), |minter| minter.test())?;
        }
        Ok(())
    }
}

fn variable_named(key: &str, variable: &str) -> Result<String, String> {
    std::env::var(variable)
        .map_err(|_| format!("{key} names {variable}, which is not set in the environment"))
}
/// What JWTs call this algorithm, as in `HS256`: the library names its variants like that, and has no `Display` for them.
pub(in crate::targets) fn algorithm_name(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

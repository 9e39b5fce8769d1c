//! The key that signs and verifies access tokens: one key, one algorithm, so that neither can be confused.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::token::Refused;
use crate::clock::Timestamp;
use crate::ids::UserId;

/// A shorter HS256 secret can be guessed (RFC 7518 §3.2).
const SECRET_MIN_BYTES: usize = 32;

/// Why there is no usable key; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The secret is too short.
    #[error(
        "--jwt-secret has {0} bytes; give at least {SECRET_MIN_BYTES}, as from `openssl rand -base64 32`"
    )]
    ShortSecret(usize),
    /// The key file cannot be read.
    #[error("cannot read the key file {}: {cause}; give the path of a PEM file with --jwt-key-file", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The key file holds no Ed25519 private key.
    #[error("{} holds no Ed25519 private key in PKCS#8 PEM; make one with `openssl genpkey -algorithm ed25519`", .0.display())]
    NotEd25519(PathBuf),
    /// The library refuses to sign.
    #[error("cannot sign: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

/// Which key signs access tokens, and what they carry.
#[derive(Clone, Debug)]
pub struct KeyOptions {
    /// Secret for HS256, at least 32 bytes.
    pub secret: Option<String>,
    /// File with an Ed25519 private key, used where there is no secret.
    pub file: Option<PathBuf>,
    /// `iss` that tokens carry and must carry.
    pub issuer: Option<String>,
    /// `aud` that tokens carry and must carry.
    pub audience: Option<String>,
    /// How long a token is valid, in seconds.
    pub lifetime_seconds: u64,
}

/// The key in use.
pub struct Keys {
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    issuer: Option<String>,
    audience: Option<String>,
    lifetime_seconds: u64,
    public: Vec<Value>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    aud: Option<String>,
}

impl Keys {
    /// The key that `options` name; a random secret when they name none.
    pub fn open(options: KeyOptions) -> Result<Self, KeyError> {
        match (options.secret.clone(), options.file.clone()) {
            (Some(secret), _) => Self::from_secret(secret.as_bytes(), options),
            (None, Some(file)) => Self::from_file(&file, options),
            (None, None) => {
                let mut secret = [0; SECRET_MIN_BYTES];
                rand::fill(&mut secret);
                tracing::info!(
                    "no key is configured: access tokens are signed with a random secret, until this stops"
                );
                Self::from_secret(&secret, options)
            }
        }
    }

    fn from_secret(secret: &[u8], options: KeyOptions) -> Result<Self, KeyError> {
        if secret.len() < SECRET_MIN_BYTES {
            return Err(KeyError::ShortSecret(secret.len()));
        }
        let (signing, verifying) = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Ok(Self::new(
            Header::new(Algorithm::HS256),
            signing,
            verifying,
            Vec::new(),
            options,
        ))
    }

    fn from_file(file: &Path, options: KeyOptions) -> Result<Self, KeyError> {
        let pem = std::fs::read_to_string(file).map_err(|cause| KeyError::File {
            file: file.into(),
            cause,
        })?;
        let not_ours = |()| KeyError::NotEd25519(file.into());
        let key = SigningKey::from_pkcs8_pem(&pem).map_err(drop).map_err(not_ours)?;
        let signing = EncodingKey::from_ed_pem(pem.as_bytes())?;
        let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let verifying = DecodingKey::from_ed_components(&x)?;
        let kid = thumbprint(&x);
        let public =
            json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": x});
        let header = Header {
            kid: Some(kid),
            ..Header::new(Algorithm::EdDSA)
        };
        Ok(Self::new(header, signing, verifying, vec![public], options))
    }

    fn new(
        header: Header,
        signing: EncodingKey,
        verifying: DecodingKey,
        public: Vec<Value>,
        options: KeyOptions,
    ) -> Self {
        // One algorithm: `none`, or a public key taken for a secret, cannot pass (AUTH-08).
        let mut validation = Validation::new(header.alg);
        validation.leeway = 0;
        validation.validate_nbf = true;
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &options.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        match &options.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                required.push("aud");
            }
            None => validation.validate_aud = false,
        }
        validation.set_required_spec_claims(&required);
        Self {
            header,
            signing,
            verifying,
            validation,
            issuer: options.issuer,
            audience: options.audience,
            lifetime_seconds: options.lifetime_seconds,
            public,
        }
    }

    /// An access token for `user`, valid from `now`.
    pub(super) fn sign(&self, user: UserId, now: Timestamp) -> Result<String, KeyError> {
        let iat = now.as_millis() / 1_000;
        let claims = Claims {
            sub: user.to_string(),
            exp: iat + self.lifetime_seconds,
            iat: Some(iat),
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
        };
        Ok(encode(&self.header, &claims, &self.signing)?)
    }

    /// The subject of a valid access token (AUTH-06…09, AUTH-16), by the machine's own clock.
    pub(super) fn verify(&self, token: &str) -> Result<UserId, Refused> {
        let claims = decode::<Claims>(token, &self.verifying, &self.validation)?.claims;
        claims.sub.parse().map_err(|_| Refused::Subject)
    }

    /// The public keys; none for a secret.
    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": self.public })
    }
}

/// RFC 7638: the hash of the key's required members in order.
fn thumbprint(x: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(
        r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.3.
    #[test]
    fn a_thumbprint_is_that_of_the_standard() {
        let thumbprint = thumbprint("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}

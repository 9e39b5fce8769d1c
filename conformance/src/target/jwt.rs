//! Minting tokens with the target's key, good ones and forged ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use super::profile::Auth;
use crate::expect::{Found, Mismatch};

/// Mints tokens that the target accepts, and tokens that it must not accept.
#[derive(Clone)]
pub struct Minter {
    secret: String,
    issuer: Option<String>,
    audience: Option<String>,
    claims: Map<String, Value>,
}

impl Minter {
    /// A minter, if the target's secret is known.
    pub fn new(auth: &Auth) -> Option<Self> {
        Some(Self {
            secret: auth.jwt_secret.clone()?,
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            claims: auth.claims.clone(),
        })
    }

    /// Whether the target declares an issuer, an audience.
    pub const fn declares(&self) -> (bool, bool) {
        (self.issuer.is_some(), self.audience.is_some())
    }

    /// The claims of a good token for this user, valid from a minute ago for a quarter of an hour: change them to make
    /// bad ones.
    pub fn claims(&self, user_id: &str) -> Value {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let mut claims = self.claims.clone();
        claims.insert("sub".to_owned(), user_id.into());
        claims.insert("iat".to_owned(), (now - 60).into());
        claims.insert("exp".to_owned(), (now + 900).into());
        if let Some(issuer) = &self.issuer {
            claims.insert("iss".to_owned(), issuer.as_str().into());
        }
        if let Some(audience) = &self.audience {
            claims.insert("aud".to_owned(), audience.as_str().into());
        }
        Value::Object(claims)
    }

    /// Signs claims with the target's key and HS256.
    pub fn sign(&self, claims: &Value) -> Found<String> {
        sign(&self.secret, Algorithm::HS256, claims)
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minter(***)")
    }
}

/// Signs claims with any HMAC secret.
pub fn sign(secret: &str, algorithm: Algorithm, claims: &Value) -> Found<String> {
    let key = EncodingKey::from_secret(secret.as_bytes());
    jsonwebtoken::encode(&Header::new(algorithm), claims, &key)
        .map_err(|error| Mismatch::fault(format!("a token could not be signed: {error}")))
}

/// A token with `alg: none` and an empty signature.
pub fn unsigned(claims: &Value) -> String {
    let header = json!({"alg": "none", "typ": "JWT"});
    format!("{}.{}.", segment(&header), segment(claims))
}

/// The same token with claims replaced and the signature kept.
pub fn tampered(token: &str, change: impl FnOnce(&mut Value)) -> Found<String> {
    let wrong = || Mismatch::new("an access token of three segments", "something else");
    let segments: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = segments.as_slice() else {
        return Err(wrong());
    };
    let mut claims = decode(claims).ok_or_else(wrong)?;
    change(&mut claims);
    Ok(format!("{header}.{}.{signature}", segment(&claims)))
}

/// The claims of a token, unverified.
pub fn claims_of(token: &str) -> Option<Value> {
    decode(token.split('.').nth(1)?)
}

/// One segment: base64url of JSON.
pub fn segment(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(segment: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minter() -> Minter {
        Minter::new(&Auth {
            jwt_secret: Some("x".repeat(32)),
            issuer: Some("me".to_owned()),
            ..Auth::default()
        })
        .unwrap()
    }

    #[test]
    fn good_tokens_carry_what_the_target_declares() {
        let token = minter().sign(&minter().claims("u1")).unwrap();
        let claims = claims_of(&token).unwrap();
        assert_eq!(
            (claims["sub"].as_str(), claims["iss"].as_str()),
            (Some("u1"), Some("me"))
        );
        assert!(claims.get("aud").is_none());
    }

    #[test]
    fn forged_tokens_have_three_segments() {
        let claims = minter().claims("u1");
        assert_eq!(unsigned(&claims).split('.').count(), 3);
        let token = minter().sign(&claims).unwrap();
        let forged = tampered(&token, |claims| claims["sub"] = "u2".into()).unwrap();
        assert_eq!(claims_of(&forged).unwrap()["sub"], "u2");
        assert_eq!(forged.rsplit('.').next(), token.rsplit('.').next());
        assert!(tampered("no token", |_| ()).is_err());
    }

    #[test]
    fn without_a_secret_there_is_no_minter() {
        assert!(Minter::new(&Auth::default()).is_none());
    }
}

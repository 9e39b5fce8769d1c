//! Minting tokens with the target's key, good ones and forged ones.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use serde_json::{Map, Value, json};

use super::profile::Auth;
use super::profile::auth::algorithm_name;
use super::provision::template::TemplateValues;
use crate::expect::{Found, Mismatch};

/// The `kid` of a key that the kit has made.
const KEY_ID: &str = "chatspec";

/// Mints tokens that the target accepts, and tokens that it must not accept.
#[derive(Clone)]
pub struct Minter {
    algorithm: Algorithm,
    /// The secret, or the private key as PEM.
    key: String,
    key_id: Option<String>,
    issuer: Option<String>,
    audience: Option<String>,
    claims: Map<String, Value>,
}

impl Minter {
    /// A minter, if the target's key is known.
    pub fn new(auth: &Auth) -> Option<Self> {
        let key = if auth.is_asymmetric() {
            &auth.private_key
        } else {
            &auth.jwt_secret
        };
        let served = auth.jwks_env.as_ref().map(|_| KEY_ID.to_owned());
        Some(Self {
            algorithm: auth.algorithm,
            key: key.clone()?,
            key_id: auth.key_id.clone().or(served),
            issuer: auth.issuer.clone(),
            audience: auth.audience.clone(),
            claims: auth.claims.clone(),
        })
    }

    /// Whether the key can be used. The error begins with the profile's key for it.
    pub fn test(&self) -> Result<(), String> {
        let wrong = |why: &dyn std::fmt::Display| {
            format!(
                "auth.private_key_file: not a private key for {} in PEM: {why}",
                algorithm_name(self.algorithm)
            )
        };
        let key = self.encoding_key().map_err(|error| wrong(&error))?;
        jsonwebtoken::encode(&self.header(), &json!({}), &key).map_err(|error| wrong(&error))?;
        Ok(())
    }

    /// The claims of a good token for this user, valid from a minute ago for a quarter of an hour: change them to make
    /// bad ones.
    pub fn claims(&self, user_id: &str) -> Value {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let fill = TemplateValues::default().with("user", user_id);
        let own = self.claims.iter();
        let mut claims: Map<String, Value> = own
            .filter_map(|(name, value)| Some((name.clone(), fill.json(value)?)))
            .collect();
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

    /// Signs claims with the target's key and algorithm.
    pub fn sign(&self, claims: &Value) -> Found<String> {
        let key = self.encoding_key().map_err(|error| unsignable(&error))?;
        jsonwebtoken::encode(&self.header(), claims, &key).map_err(|error| unsignable(&error))
    }

    /// The public half of the key, where there are two.
    pub fn public_key(&self) -> Found<Jwk> {
        let mut public = if self.algorithm == Algorithm::EdDSA {
            // `Jwk::from_encoding_key` takes only keys without their public half, which is optional in the format.
            let key =
                ed25519_dalek::SigningKey::from_pkcs8_pem(&self.key).map_err(|error| unsignable(&error))?;
            let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
            serde_json::from_value(json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA"}))
                .map_err(|error| unsignable(&error))?
        } else {
            let key = self.encoding_key().map_err(|error| unsignable(&error))?;
            Jwk::from_encoding_key(&key, self.algorithm).map_err(|error| unsignable(&error))?
        };
        public.common.key_id.clone_from(&self.key_id);
        Ok(public)
    }

    /// The claims signed with HS256 and the public key as the secret, where there is one: whoever lets the token choose the
    /// algorithm takes it for good.
    pub fn confused(&self, claims: &Value) -> Option<Found<String>> {
        let public = match self.algorithm {
            Algorithm::RS256 => rsa::RsaPrivateKey::from_pkcs8_pem(&self.key)
                .or_else(|_| rsa::RsaPrivateKey::from_pkcs1_pem(&self.key).map_err(Into::into))
                .map_err(|error: rsa::pkcs8::Error| error.to_string())
                .and_then(|key| {
                    key.to_public_key()
                        .to_public_key_pem(LineEnding::LF)
                        .map_err(|error| error.to_string())
                }),
            Algorithm::ES256 => p256::SecretKey::from_pkcs8_pem(&self.key)
                .map_err(|error| error.to_string())
                .and_then(|key| {
                    key.public_key()
                        .to_public_key_pem(LineEnding::LF)
                        .map_err(|error| error.to_string())
                }),
            Algorithm::EdDSA => ed25519_dalek::SigningKey::from_pkcs8_pem(&self.key)
                .map_err(|error| error.to_string())
                .and_then(|key| {
                    key.verifying_key()
                        .to_public_key_pem(LineEnding::LF)
                        .map_err(|error| error.to_string())
                }),
            _ => return None,
        };
        let signed = public
            .map_err(|why| Mismatch::fault(format!("the public key could not be had: {why}")))
            .and_then(|public| {
                let header = Header {
                    alg: Algorithm::HS256,
                    ..self.header()
                };
                let key = EncodingKey::from_secret(public.as_bytes());
                jsonwebtoken::encode(&header, claims, &key).map_err(|error| unsignable(&error))
            });
        Some(signed)
    }

    fn header(&self) -> Header {
        Header {
            kid: self.key_id.clone(),
            ..Header::new(self.algorithm)
        }
    }

    fn encoding_key(&self) -> Result<EncodingKey, jsonwebtoken::errors::Error> {
        let key = self.key.as_bytes();
        match self.algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_pem(key),
            Algorithm::ES256 => EncodingKey::from_ec_pem(key),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(key),
            _ => Ok(EncodingKey::from_secret(key)),
        }
    }
}

impl std::fmt::Debug for Minter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Minter(***)")
    }
}

fn unsignable(error: &dyn std::fmt::Display) -> Mismatch {
    Mismatch::fault(format!("a token cannot be signed with the target's key: {error}"))
}

/// A private key for this algorithm, as PEM, that nobody else has.
pub fn new_private_key(algorithm: Algorithm) -> Result<String, String> {
    /// The shortest that is still taken for safe.
    const RSA_BITS: usize = 2_048;
    let random = &mut rsa::rand_core::OsRng;
    let pem = match algorithm {
        Algorithm::RS256 => rsa::RsaPrivateKey::new(random, RSA_BITS)
            .map_err(|error| error.to_string())?
            .to_pkcs8_pem(LineEnding::LF),
        Algorithm::ES256 => p256::SecretKey::random(random).to_pkcs8_pem(LineEnding::LF),
        Algorithm::EdDSA => ed25519_dalek::SigningKey::generate(random).to_pkcs8_pem(LineEnding::LF),
        other => return Err(format!("{} has no private key", algorithm_name(other))),
    };
    Ok(pem.map_err(|error| error.to_string())?.to_string())
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

/// The header of a token, unverified.
pub fn header_of(token: &str) -> Option<Value> {
    decode(token.split('.').next()?)
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
            claims: json!({"uid": "{{user}}", "roles": ["user"]})
                .as_object()
                .cloned()
                .unwrap(),
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
        assert_eq!(header_of(&token).unwrap()["alg"], "HS256");
        assert_eq!(
            (&claims["uid"], &claims["roles"]),
            (&json!("u1"), &json!(["user"]))
        );
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

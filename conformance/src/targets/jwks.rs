//! Serving the public half of the kit's key, to a target that asks a URL for it.

use axum::Router;
use axum::routing::get;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use thiserror::Error;
use tokio::task::JoinHandle;

use super::jwt::Minter;

/// A URL at which the key is, until this is dropped.
#[derive(Debug)]
pub struct Jwks {
    /// Address of the key set.
    pub url: String,
    serving: JoinHandle<()>,
}

/// Why the public keys cannot be served.
#[derive(Debug, Error)]
pub enum JwksError {
    /// No port could be opened.
    #[error("the public keys cannot be served: {0}")]
    System(#[from] std::io::Error),
    /// The private key is none.
    #[error("the public keys cannot be served: {0}")]
    Key(String),
}

impl Jwks {
    /// Serves the public half of the minter's key on a free port.
    pub async fn serve(minter: &Minter) -> Result<Self, JwksError> {
        let key: Jwk = minter
            .public_key()
            .map_err(|mismatch| JwksError::Key(mismatch.to_string()))?;
        let set = axum::Json(JwkSet { keys: vec![key] });
        let routes = Router::new().route("/jwks.json", get(async move || set));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/jwks.json", listener.local_addr()?);
        let serving = tokio::spawn(async move {
            // It goes on until it is aborted.
            axum::serve(listener, routes).await.ok();
        });
        Ok(Self { url, serving })
    }
}

impl Drop for Jwks {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, Validation};
    use serde_json::Value;

    use super::*;
    use crate::targets::jwt::new_private_key;
    use crate::targets::profile::Auth;

    #[tokio::test]
    async fn what_is_served_verifies_what_is_minted() {
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            let auth = Auth {
                algorithm,
                jwks_env: Some("JWKS_URL".to_owned()),
                private_key: Some(new_private_key(algorithm).unwrap()),
                ..Auth::default()
            };
            let minter = Minter::new(&auth).unwrap();
            let jwks = Jwks::serve(&minter).await.unwrap();
            let set: JwkSet = reqwest::get(&jwks.url).await.unwrap().json().await.unwrap();
            let token = minter.sign(&minter.claims("u1")).unwrap();
            let header = jsonwebtoken::decode_header(&token).unwrap();
            let key = set.find(&header.kid.unwrap()).unwrap();
            let verified = jsonwebtoken::decode::<Value>(
                &token,
                &DecodingKey::from_jwk(key).unwrap(),
                &Validation::new(algorithm),
            );
            assert_eq!(verified.unwrap().claims["sub"], "u1", "{algorithm:?}");
        }
    }
}

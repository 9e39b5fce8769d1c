//! Whose token is this: access tokens (JWT) and session tokens, for REST and for the socket alike (contract §2).

mod keys;
mod password;
mod token;

pub use keys::{KeyError, KeyOptions, Keys};
pub use password::{PasswordCost, Passwords};
pub use token::{Refused, TokenKind};

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, Timestamp};
use crate::ids::UserId;
use crate::model::{Credentials, NewUser, Session, TokenHash, User};
use crate::store::{Store, StoreError};

/// Why a token identifies nobody.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// It is not valid; the reason is for the log, never for the client (AUTH-14).
    #[error("the token is refused: {0}")]
    Refused(#[from] Refused),
    /// The session could not be looked up.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new session: the token for its owner, and when it ends.
#[derive(Clone, Debug)]
pub struct OpenedSession {
    /// The token; only its hash is kept.
    pub token: String,
    /// When it stops being valid.
    pub expires_at: Timestamp,
}

/// Issues tokens and says whose they are. Share it behind an [`Arc`].
pub struct Authenticator {
    keys: Keys,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    session_ms: u64,
}

impl Authenticator {
    /// An authenticator whose sessions last `session_seconds`.
    pub fn new(keys: Keys, store: Arc<dyn Store>, clock: Arc<dyn Clock>, session_seconds: u64) -> Self {
        Self {
            keys,
            store,
            clock,
            session_ms: session_seconds.saturating_mul(1_000),
        }
    }

    /// The user whose token this is.
    pub async fn authenticate(&self, token: &str) -> Result<UserId, AuthError> {
        match TokenKind::of(token) {
            TokenKind::Jwt => Ok(self.keys.verify(token)?),
            TokenKind::Session => self.session_owner(token).await,
        }
    }

    async fn session_owner(&self, token: &str) -> Result<UserId, AuthError> {
        let session = self
            .store
            .session(hash(token))
            .await?
            .ok_or(Refused::UnknownSession)?;
        if session.expires_at <= self.clock.now() {
            return Err(Refused::Expired.into());
        }
        Ok(session.user)
    }

    /// Registers a user; `None` when the e-mail address is taken.
    pub async fn register(&self, user: NewUser) -> Result<Option<User>, StoreError> {
        self.store.create_user(user).await
    }

    /// What a login with this e-mail address is checked against.
    pub async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError> {
        self.store.credentials(email).await
    }

    /// A new access token for `user`.
    pub fn access_token(&self, user: UserId) -> Result<String, KeyError> {
        self.keys.sign(user, self.clock.now())
    }

    /// Opens a session for `user`.
    pub async fn open_session(&self, user: UserId) -> Result<OpenedSession, StoreError> {
        let mut secret = [0; 32];
        rand::fill(&mut secret);
        let token = URL_SAFE_NO_PAD.encode(secret);
        let expires_at = self.clock.now().plus_millis(self.session_ms);
        self.store
            .create_session(Session {
                token: hash(&token),
                user,
                expires_at,
            })
            .await?;
        Ok(OpenedSession { token, expires_at })
    }

    /// Ends the session of a session token. An access token has none: it ends by itself, soon.
    pub async fn log_out(&self, token: &str) -> Result<(), StoreError> {
        if TokenKind::of(token) == TokenKind::Session {
            self.store.revoke_session(hash(token)).await?;
        }
        Ok(())
    }

    /// The public keys, as a JWKS.
    pub fn jwks(&self) -> serde_json::Value {
        self.keys.jwks()
    }
}

fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests;

//! Which token belongs to which user.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::provision::Account;

/// Tokens and the users they belong to: whoever makes users registers them, and a proxy looks them up. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<String, String>>>);

impl Tokens {
    /// Records that the tokens of this account belong to its user.
    pub fn register(&self, account: &Account) {
        let mut users = self.0.lock();
        for token in std::iter::once(&account.access_token).chain(&account.session_token) {
            users.insert(token.clone(), account.id.clone());
        }
    }

    /// The id of the user with this token, if it has been registered.
    pub fn user_of(&self, token: &str) -> Option<String> {
        let users = self.0.lock();
        users.get(token).cloned()
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(***)")
    }
}

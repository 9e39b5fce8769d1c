//! Whose tokens are whose.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::provision::Account;

/// Tokens and the users who have them: whoever makes users tells, and whoever sees a token may ask. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<HashMap<String, String>>>);

impl Tokens {
    /// The tokens of this account are this user's.
    pub fn register(&self, account: &Account) {
        let mut users = self.0.lock();
        for token in std::iter::once(&account.access_token).chain(&account.session_token) {
            users.insert(token.clone(), account.id.clone());
        }
    }

    /// Whose it is, where that has been told.
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

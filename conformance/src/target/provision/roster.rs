//! Users that are there already, with their tokens, in a file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use thiserror::Error;

use super::{Account, Lack};
use crate::target::profile::Private;

/// The users of a file, each of whom is given away once: what one scenario does must not show in another. For the same reason
/// a file serves one run: afterwards its users share chats, and some of their sessions have ended.
#[derive(Debug)]
pub struct Roster {
    file: PathBuf,
    users: Vec<Listed>,
    given: AtomicUsize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: Vec<Listed>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    id: String,
    access_token: Private<String>,
    session_token: Option<Private<String>>,
}

/// What is wrong with a file of users.
#[derive(Debug, Error)]
pub enum RosterError {
    /// It cannot be read.
    #[error("file of users {path}: {source}")]
    Read {
        /// Which file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It is none.
    #[error("file of users {path} is not valid:\n{why}")]
    Invalid {
        /// Which file.
        path: String,
        /// The line and what is wrong in it.
        why: String,
    },
}

impl Roster {
    /// Reads a file: `[[users]]` with `id`, `access_token` and perhaps `session_token`.
    pub fn read(path: &Path) -> Result<Self, RosterError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| RosterError::Read {
            path: shown.clone(),
            source,
        })?;
        let File { users } = toml::from_str(&text).map_err(|error| RosterError::Invalid {
            path: shown.clone(),
            why: error.to_string().trim_end().to_owned(),
        })?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = users.iter().find(|user| !seen.insert(&user.id)) {
            return Err(RosterError::Invalid {
                path: shown,
                why: format!("the user {} is listed twice", twice.id),
            });
        }
        Ok(Self {
            file: path.to_owned(),
            users,
            given: AtomicUsize::new(0),
        })
    }

    /// The next user that nobody has had.
    pub fn next(&self) -> Result<Account, Lack> {
        let next = self.users.get(self.given.fetch_add(1, Ordering::Relaxed));
        let listed = next.ok_or_else(|| {
            Lack::NotHad(format!(
                "all {} users of {} have been used, and none is used twice: list more of them, or select fewer scenarios \
                 with --only",
                self.users.len(),
                self.file.display()
            ))
        })?;
        Ok(Account {
            id: listed.id.clone(),
            access_token: listed.access_token.0.clone(),
            session_token: listed.session_token.as_ref().map(|token| token.0.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_is_given_away_once() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[[users]]\nid = 'u1'\naccess_token = 't1'\n").unwrap();
        let roster = Roster::read(file.path()).unwrap();
        assert_eq!(roster.next().unwrap().id, "u1");
        let told = roster.next().unwrap_err().to_string();
        assert!(told.contains("all 1 users") && told.contains("--only"), "{told}");
    }

    #[test]
    fn mistakes_are_told_with_the_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[[users]]\nid = 'u1'\ntoken = 't1'\n").unwrap();
        let told = Roster::read(file.path()).unwrap_err().to_string();
        assert!(told.contains("line 3") && told.contains("token"), "{told}");
        assert!(Roster::read(Path::new("/no/such/file")).is_err());
        let user = "[[users]]\nid = 'u1'\naccess_token = 't1'\n";
        std::fs::write(file.path(), user.repeat(2)).unwrap();
        assert!(
            Roster::read(file.path())
                .unwrap_err()
                .to_string()
                .contains("twice")
        );
    }
}

//! Fields that are valid by their type: whoever holds one need not check it again.

use std::sync::Arc;

use crate::ids::UserId;

/// How long a `clientId` may be, in bytes of UTF-8 (MSG-17).
const CLIENT_ID_MAX_BYTES: usize = 256;
/// How long a title may be, in characters (contract §13).
const TITLE_MAX_CHARS: usize = 200;
/// How many members a group may have (contract §13).
pub const GROUP_MAX_MEMBERS: usize = 1_000;

/// The limits on a command's fields that can be configured.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a message may be, in bytes of UTF-8 (MSG-12).
    pub body_max_bytes: usize,
}

/// The text of a message: not empty, within the limit. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(Arc<str>);

impl Body {
    /// Takes `text` if it is a valid body; otherwise says what is wrong.
    pub fn new(text: &str, limits: Limits) -> Result<Self, String> {
        match text.len() {
            0 => Err("must not be empty".into()),
            bytes if bytes > limits.body_max_bytes => Err(format!(
                "must be at most {} bytes of UTF-8, is {bytes}",
                limits.body_max_bytes
            )),
            _ => Ok(Self(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

/// A client's own name for a message: 1 to 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Takes `text` if it is a valid client id; otherwise says what is wrong.
    pub fn new(text: String) -> Result<Self, String> {
        match text.len() {
            0 => Err("must not be empty".into()),
            bytes if bytes > CLIENT_ID_MAX_BYTES => {
                Err(format!("must be at most {CLIENT_ID_MAX_BYTES} bytes, is {bytes}"))
            }
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A group's name: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    /// Takes `text` if it is a valid title; otherwise says what is wrong.
    pub fn new(text: String) -> Result<Self, String> {
        match text.chars().count() {
            0 => Err("must not be empty".into()),
            chars if chars > TITLE_MAX_CHARS => Err(format!(
                "must be at most {TITLE_MAX_CHARS} characters, is {chars}"
            )),
            _ => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Users named in a request: at least one, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberList(Vec<UserId>);

impl MemberList {
    /// Takes `users` if they are a valid list; otherwise says what is wrong.
    pub fn new(users: Vec<UserId>) -> Result<Self, String> {
        if users.is_empty() {
            return Err("must name at least one user".into());
        }
        if users.len() > GROUP_MAX_MEMBERS {
            return Err(format!("must name at most {GROUP_MAX_MEMBERS} users"));
        }
        let mut seen = std::collections::HashSet::with_capacity(users.len());
        match users.iter().find(|user| !seen.insert(**user)) {
            Some(twice) => Err(format!("names {twice} twice")),
            None => Ok(Self(users)),
        }
    }

    /// The users, in the order given.
    pub fn as_slice(&self) -> &[UserId] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        body_max_bytes: 100_000,
    };

    #[test]
    fn a_body_is_measured_in_bytes_not_characters() {
        assert!(Body::new(&"a".repeat(100_000), LIMITS).is_ok());
        assert!(Body::new(&"a".repeat(100_001), LIMITS).is_err());
        assert!(Body::new(&"é".repeat(50_000), LIMITS).is_ok());
        assert!(Body::new(&format!("{}a", "é".repeat(50_000)), LIMITS).is_err());
        assert!(Body::new("", LIMITS).is_err());
    }

    #[test]
    fn a_client_id_has_1_to_256_bytes() {
        assert!(ClientId::new("x".repeat(256)).is_ok());
        assert!(ClientId::new("x".repeat(257)).is_err());
        assert!(ClientId::new(String::new()).is_err());
    }

    #[test]
    fn a_title_has_1_to_200_characters() {
        assert!(Title::new("é".repeat(200)).is_ok());
        assert!(Title::new("é".repeat(201)).is_err());
        assert!(Title::new(String::new()).is_err());
    }

    #[test]
    fn a_member_list_names_somebody_and_nobody_twice() {
        let (one, two) = ("65f0c0ffee0123456789abcd", "65f0c0ffee0123456789abce");
        let list = |ids: &[&str]| MemberList::new(ids.iter().map(|id| id.parse().unwrap()).collect());
        assert!(list(&[one, two]).is_ok());
        assert!(list(&[]).is_err());
        assert!(list(&[one, two, one]).unwrap_err().contains(one));
    }
}

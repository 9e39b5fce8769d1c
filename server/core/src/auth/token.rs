//! Which kind of token a text is, and why a token is refused.

/// The two kinds of token (contract §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Three base64url segments.
    Jwt,
    /// Anything else.
    Session,
}

impl TokenKind {
    /// Tells by the form alone.
    pub fn of(token: &str) -> Self {
        let segment = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let segments: Vec<_> = token.splitn(4, '.').collect();
        if segments.len() == 3 && segments.into_iter().all(segment) {
            Self::Jwt
        } else {
            Self::Session
        }
    }
}

/// Why a token is refused; for the log.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// No token came.
    #[error("there is none")]
    Missing,
    /// Algorithm, signature, time, issuer or audience is wrong.
    #[error("{0}")]
    Jwt(#[from] jsonwebtoken::errors::Error),
    /// The subject is no user id.
    #[error("its subject is no user id")]
    Subject,
    /// No session has this token.
    #[error("no session has it")]
    UnknownSession,
    /// The session has ended.
    #[error("its session has ended")]
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_base64url_segments_are_a_jwt_and_nothing_else_is() {
        for jwt in ["a.b.c", "eyJ0.eyJz-_.sig"] {
            assert_eq!(TokenKind::of(jwt), TokenKind::Jwt, "{jwt}");
        }
        for session in [
            "", "abc", "a.b", "a.b.c.d", "a..c", "a.b.", ".b.c", "a.b.c=", "a.b+.c", "é.b.c",
        ] {
            assert_eq!(TokenKind::of(session), TokenKind::Session, "{session}");
        }
    }
}

//! One error type for whatever a request can come to: its code, its HTTP status and the sentence people read.

use std::error::Error;

use axum::http::StatusCode;
use uuid::Uuid;

use crate::command::Invalid;
use crate::policy::Denied;
use crate::store::StoreError;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// No valid token came with the request.
    #[error("authentication is required")]
    Unauthorized,
    /// The actor may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The request is not one that the protocol knows; the text names the field.
    #[error("{0}")]
    Validation(String),
    /// The actor has sent as much as the window allows.
    #[error("too many messages; try again in {retry_after_ms} ms")]
    RateLimited {
        /// Milliseconds until the next message would be accepted.
        retry_after_ms: u64,
    },
    /// The chat does not exist. Over the socket this must not show (ROOM-07).
    #[error("there is no such chat")]
    NoSuchChat,
    /// What the request names does not exist.
    #[error("{0}")]
    NotFound(&'static str),
    /// The e-mail address belongs to somebody already.
    #[error("this e-mail address is registered already")]
    EmailTaken,
    /// Something failed that is no fault of the request's; the cause is in the log, under this id.
    #[error("something went wrong on our side; quote the correlation id when you report it")]
    Internal {
        /// What the log entry carries as well.
        correlation_id: Uuid,
    },
}

impl ChatError {
    /// A request whose field does not meet the contract: `field` and what is wrong with it.
    pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::Validation(format!("{field}: {problem}"))
    }

    /// Logs `cause` under a new correlation id and keeps nothing of it but the id.
    pub fn internal(cause: &dyn Error) -> Self {
        let correlation_id = Uuid::new_v4();
        let mut chain = cause.to_string();
        let mut next = cause.source();
        while let Some(source) = next {
            chain = format!("{chain}: {source}");
            next = source.source();
        }
        tracing::error!(%correlation_id, error = chain, "request failed");
        Self::Internal { correlation_id }
    }

    /// The code that clients branch on (contract §3); a taken e-mail is a validation error there.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::Validation(_) | Self::EmailTaken => "VALIDATION_ERROR",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::NoSuchChat | Self::NotFound(_) => "NOT_FOUND",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    /// The HTTP status of the code (contract §13).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Validation(_) => StatusCode::BAD_REQUEST,
            Self::EmailTaken => StatusCode::CONFLICT,
            Self::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoSuchChat | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The id under which the log holds the cause; only internal errors have one.
    pub fn correlation_id(&self) -> Option<Uuid> {
        match self {
            Self::Internal { correlation_id } => Some(*correlation_id),
            _ => None,
        }
    }
}

impl From<Invalid> for ChatError {
    fn from(invalid: Invalid) -> Self {
        Self::Validation(invalid.to_string())
    }
}

impl From<StoreError> for ChatError {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}

impl From<Denied> for ChatError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NoSuchChat => Self::NoSuchChat,
            Denied::NotMember => Self::Forbidden("you are not a member of this chat"),
            Denied::NotAdmin => Self::Forbidden("only an admin of this chat may do this"),
            Denied::DirectChat => {
                Self::Validation("chat: a direct chat has two fixed members and no title".into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_the_code_and_status_of_the_contract() {
        let internal = ChatError::internal(&std::io::Error::other("disk on fire"));
        let table = [
            (ChatError::Unauthorized, "UNAUTHORIZED", 401),
            (ChatError::Forbidden("no"), "FORBIDDEN", 403),
            (ChatError::invalid("body", "is empty"), "VALIDATION_ERROR", 400),
            (ChatError::EmailTaken, "VALIDATION_ERROR", 409),
            (ChatError::RateLimited { retry_after_ms: 1 }, "RATE_LIMITED", 429),
            (ChatError::NoSuchChat, "NOT_FOUND", 404),
            (ChatError::NotFound("none"), "NOT_FOUND", 404),
            (internal, "INTERNAL", 500),
        ];
        for (error, code, status) in table {
            assert_eq!((error.code(), error.status().as_u16()), (code, status));
            assert!(!error.to_string().is_empty());
            assert_eq!(error.correlation_id().is_some(), code == "INTERNAL");
        }
    }

    #[test]
    fn an_internal_error_says_nothing_of_its_cause_and_has_an_id_of_its_own() {
        let cause = std::io::Error::other("/var/lib/secret.db is locked");
        let (one, two) = (ChatError::internal(&cause), ChatError::internal(&cause));
        assert!(!one.to_string().contains("secret"));
        assert_ne!(one.correlation_id(), two.correlation_id());
    }

    #[test]
    fn each_denial_becomes_the_status_of_the_contract() {
        let table = [
            (Denied::NoSuchChat, 404),
            (Denied::NotMember, 403),
            (Denied::NotAdmin, 403),
            (Denied::DirectChat, 400),
        ];
        for (denied, status) in table {
            assert_eq!(ChatError::from(denied).status().as_u16(), status, "{denied:?}");
        }
    }
}

//! What comes with a request: who asks, the path, the query, the body.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde_json::Value;

use super::RestState;
use crate::auth::AuthError;
use crate::command::Fields;
use crate::error::ChatError;
use crate::ids::UserId;

/// The user whose token came as `Authorization: Bearer …`. As the first argument of a handler it makes 401 come before
/// any other check.
pub(super) struct Actor(pub(super) UserId);

impl FromRequestParts<RestState> for Actor {
    type Rejection = ChatError;

    async fn from_request_parts(parts: &mut Parts, state: &RestState) -> Result<Self, ChatError> {
        let Bearer(token) = Bearer::from_request_parts(parts, state).await?;
        match state.auth.authenticate(&token).await {
            Ok(user) => Ok(Self(user)),
            Err(AuthError::Refused(reason)) => {
                tracing::debug!(%reason, "request refused");
                Err(ChatError::Unauthorized)
            }
            Err(AuthError::Store(error)) => Err(error.into()),
        }
    }
}

/// The token itself, not yet checked.
pub(super) struct Bearer(pub(super) String);

impl FromRequestParts<RestState> for Bearer {
    type Rejection = ChatError;

    async fn from_request_parts(parts: &mut Parts, _: &RestState) -> Result<Self, ChatError> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(ChatError::Unauthorized)?;
        let text = header.to_str().map_err(|_| ChatError::Unauthorized)?;
        let (scheme, token) = text.split_once(' ').ok_or(ChatError::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ChatError::Unauthorized);
        }
        Ok(Self(token.trim().to_owned()))
    }
}

/// The JSON body, whatever its content type says.
pub(super) struct Body(Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ChatError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ChatError> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| match rejection {
                BytesRejection::FailedToBufferBody(_) => {
                    ChatError::invalid("body", "is too large or broke off")
                }
                _ => ChatError::invalid("body", "cannot be read"),
            })?;
        let value = serde_json::from_slice(&bytes);
        value
            .map(Self)
            .map_err(|error| ChatError::invalid("body", format_args!("is no valid JSON: {error}")))
    }
}

impl Body {
    /// The fields of the body, which must be an object.
    pub(super) fn fields(&self) -> Result<Fields<'_>, ChatError> {
        Ok(Fields::of(Some(&self.0))?)
    }
}

/// The query string.
pub(super) struct Params(HashMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ChatError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ChatError> {
        let query = Query::try_from_uri(&parts.uri);
        let Query(params) = query.map_err(|_| ChatError::invalid("query", "is malformed"))?;
        Ok(Self(params))
    }
}

impl Params {
    /// The value of `name`, if it was given.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of `name` as what it should be, if it was given.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, ChatError> {
        let parse = |text: &str| text.parse().map_err(|problem| ChatError::invalid(name, problem));
        self.text(name).map(parse).transpose()
    }

    /// How many rows to list: 1 to `max`.
    pub(super) fn limit(&self, default: u32, max: u32) -> Result<u32, ChatError> {
        match self.parsed("limit")? {
            None => Ok(default),
            Some(limit) if (1..=max).contains(&limit) => Ok(limit),
            Some(_) => Err(ChatError::invalid(
                "limit",
                format_args!("must be from 1 to {max}"),
            )),
        }
    }
}

/// An id in the path.
pub(super) fn path_id<T: FromStr<Err: Display>>(name: &'static str, text: &str) -> Result<T, ChatError> {
    text.parse().map_err(|problem| ChatError::invalid(name, problem))
}

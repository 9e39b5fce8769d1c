//! The HTTP API (contract §13), one file per resource.
//!
//! A handler decodes, and hands a command to the same [`Service`] that the socket uses; what it returns or what went
//! wrong becomes the answer. Who is asking is settled before anything else is looked at.

mod chats;
mod extract;
mod members;
mod messages;
mod search;
mod sessions;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::{Authenticator, Passwords};
use crate::chat::Service;
use crate::command::Limits;
use crate::error::ChatError;

/// What every handler works with.
#[derive(Clone)]
pub struct RestState {
    /// The use-cases.
    pub service: Arc<Service>,
    /// Whose token is this.
    pub auth: Arc<Authenticator>,
    /// Hashing and checking passwords.
    pub passwords: Passwords,
    /// The limits on fields.
    pub limits: Limits,
    /// Largest request body, in bytes.
    pub body_limit: usize,
}

/// All routes below `/v1`, and clear answers for those that do not exist.
pub fn router(state: RestState) -> Router {
    let limit = DefaultBodyLimit::max(state.body_limit);
    Router::new()
        .merge(sessions::router())
        .merge(chats::router())
        .merge(members::router())
        .merge(messages::router())
        .merge(search::router())
        .fallback(async || ChatError::NotFound("there is no such route"))
        .method_not_allowed_fallback(method_not_allowed)
        .layer(limit)
        .with_state(state)
}

async fn method_not_allowed() -> Response {
    let body = json!({"error": "this route does not know this method", "code": "VALIDATION_ERROR"});
    (StatusCode::METHOD_NOT_ALLOWED, Json(body)).into_response()
}

impl IntoResponse for ChatError {
    fn into_response(self) -> Response {
        let mut body = json!({"error": self.to_string(), "code": self.code()});
        if let Some(id) = self.correlation_id() {
            body["correlationId"] = json!(id.to_string());
        }
        let mut response = (self.status(), Json(body)).into_response();
        match self {
            ChatError::Unauthorized => {
                response.headers_mut().insert(
                    header::WWW_AUTHENTICATE,
                    header::HeaderValue::from_static("Bearer"),
                );
            }
            ChatError::RateLimited { retry_after_ms } => {
                let seconds = retry_after_ms.div_ceil(1_000);
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests;

//! `/v1/chats/{chatId}/messages` and `/read-cursor`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};

use super::RestState;
use super::extract::{Actor, Body, Params, path_id};
use crate::command::{Body as Text, ClientId, ListMessages, MarkRead, SendMessage};
use crate::error::ChatError;
use crate::model::{Membership, MessagePage, Window};

pub(super) fn router() -> Router<RestState> {
    Router::new()
        .route("/v1/chats/{chat}/messages", get(list).post(send))
        .route("/v1/chats/{chat}/read-cursor", put(mark_read))
}

async fn send(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path(chat): Path<String>,
    body: Body,
) -> Result<Response, ChatError> {
    let chat = path_id("chatId", &chat)?;
    let fields = body.fields()?;
    let text = Text::new(fields.text("body")?, state.limits);
    let text = text.map_err(|problem| ChatError::invalid("body", problem))?;
    let client_id = fields
        .optional_text("clientId")?
        .map(|text| ClientId::new(text.to_owned()))
        .transpose();
    let client_id = client_id.map_err(|problem| ChatError::invalid("clientId", problem))?;
    let command = SendMessage {
        chat,
        client_id,
        body: text,
        rate_limited: false,
    };
    let sent = state.service.perform(actor, command).await?;
    let status = if sent.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(sent.message)).into_response())
}

async fn list(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path(chat): Path<String>,
    params: Params,
) -> Result<Json<MessagePage>, ChatError> {
    let chat = path_id("chatId", &chat)?;
    let limit = params.limit(50, 200)?;
    let window = match (params.parsed("before")?, params.parsed("after")?) {
        (None, None) => Window::Newest,
        (Some(before), None) => Window::Before(before),
        (None, Some(after)) => Window::After(after),
        (Some(_), Some(_)) => return Err(ChatError::invalid("query", "give before or after, not both")),
    };
    let list = ListMessages { chat, window, limit };
    Ok(Json(state.service.read(actor, list).await?))
}

async fn mark_read(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path(chat): Path<String>,
    body: Body,
) -> Result<Json<Membership>, ChatError> {
    let chat = path_id("chatId", &chat)?;
    let message = body.fields()?.id("messageId")?;
    Ok(Json(
        state
            .service
            .perform(actor, MarkRead { chat, message })
            .await?
            .membership,
    ))
}

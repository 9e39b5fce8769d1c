//! `/v1/chats/{chatId}/members`: add, remove.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, post};
use axum::{Json, Router};

use super::RestState;
use super::extract::{Actor, Body, path_id};
use crate::command::{AddMembers, MemberList, RemoveMember};
use crate::error::ChatError;
use crate::model::Chat;

pub(super) fn router() -> Router<RestState> {
    Router::new()
        .route("/v1/chats/{chat}/members", post(add))
        .route("/v1/chats/{chat}/members/{user}", delete(remove))
}

async fn add(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path(chat): Path<String>,
    body: Body,
) -> Result<Json<Chat>, ChatError> {
    let chat = path_id("chatId", &chat)?;
    let users = MemberList::new(body.fields()?.ids("userIds")?);
    let users = users.map_err(|problem| ChatError::invalid("userIds", problem))?;
    Ok(Json(
        state.service.perform(actor, AddMembers { chat, users }).await?,
    ))
}

async fn remove(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path((chat, user)): Path<(String, String)>,
) -> Result<StatusCode, ChatError> {
    let (chat, user) = (path_id("chatId", &chat)?, path_id("userId", &user)?);
    state.service.perform(actor, RemoveMember { chat, user }).await?;
    Ok(StatusCode::NO_CONTENT)
}

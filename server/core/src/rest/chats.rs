//! `/v1/chats`: create, list, read, rename.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::RestState;
use super::extract::{Actor, Body, Params, path_id};
use crate::command::{
    CreateGroup, GROUP_MAX_MEMBERS, ListChats, MemberList, OpenDirect, ReadChat, Rename, Title,
};
use crate::error::ChatError;
use crate::ids::UserId;
use crate::model::{Chat, ChatPage};
use crate::policy::membership::has_room;

pub(super) fn router() -> Router<RestState> {
    Router::new()
        .route("/v1/chats", get(list).post(create))
        .route("/v1/chats/{chat}", get(read).patch(rename))
}

async fn create(
    State(state): State<RestState>,
    Actor(actor): Actor,
    body: Body,
) -> Result<Response, ChatError> {
    let fields = body.fields()?;
    let others = others(fields.ids("memberIds")?, actor)?;
    let title = fields.optional_text("title")?.map(title).transpose()?;
    let (chat, created) = match (fields.text("type")?, others.as_slice()) {
        ("dm", _) if title.is_some() => return Err(ChatError::invalid("title", "a direct chat has none")),
        ("dm", &[peer]) => state.service.perform(actor, OpenDirect { peer }).await?,
        ("dm", _) => {
            return Err(ChatError::invalid(
                "memberIds",
                "a direct chat takes one other user",
            ));
        }
        ("group", _) => {
            state
                .service
                .perform(actor, CreateGroup { others, title })
                .await?
        }
        _ => return Err(ChatError::invalid("type", "must be dm or group")),
    };
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(chat)).into_response())
}

/// The members beside the creator, who may be named or not.
fn others(named: Vec<UserId>, creator: UserId) -> Result<MemberList, ChatError> {
    let refused = |problem: String| ChatError::invalid("memberIds", problem);
    let mut others = MemberList::new(named).map_err(refused)?.as_slice().to_vec();
    others.retain(|user| *user != creator);
    if !has_room(1, others.len()) {
        return Err(refused(format!(
            "a group has at most {GROUP_MAX_MEMBERS} members, its creator included"
        )));
    }
    MemberList::new(others).map_err(|_| refused("must name at least one other user".into()))
}

fn title(text: &str) -> Result<Title, ChatError> {
    Title::new(text.to_owned()).map_err(|problem| ChatError::invalid("title", problem))
}

async fn list(
    State(state): State<RestState>,
    Actor(actor): Actor,
    params: Params,
) -> Result<Json<ChatPage>, ChatError> {
    let limit = params.limit(20, 100)?;
    let after = params.parsed("cursor")?;
    Ok(Json(state.service.read(actor, ListChats { after, limit }).await?))
}

async fn read(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path(chat): Path<String>,
) -> Result<Json<Chat>, ChatError> {
    let chat = path_id("chatId", &chat)?;
    Ok(Json(state.service.read(actor, ReadChat { chat }).await?))
}

async fn rename(
    State(state): State<RestState>,
    Actor(actor): Actor,
    Path(chat): Path<String>,
    body: Body,
) -> Result<Json<Chat>, ChatError> {
    let chat = path_id("chatId", &chat)?;
    let title = title(body.fields()?.text("title")?)?;
    Ok(Json(state.service.perform(actor, Rename { chat, title }).await?))
}

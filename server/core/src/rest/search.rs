//! `/v1/search/messages`.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};

use super::RestState;
use super::extract::{Actor, Params};
use crate::command::Search;
use crate::error::ChatError;
use crate::model::MessagePage;

/// How long a query may be, in characters.
const QUERY_CHARS: std::ops::RangeInclusive<usize> = 1..=200;

pub(super) fn router() -> Router<RestState> {
    Router::new().route("/v1/search/messages", get(search))
}

async fn search(
    State(state): State<RestState>,
    Actor(actor): Actor,
    params: Params,
) -> Result<Json<MessagePage>, ChatError> {
    let query = params
        .text("q")
        .ok_or_else(|| ChatError::invalid("q", "is missing"))?;
    if !QUERY_CHARS.contains(&query.chars().count()) {
        return Err(ChatError::invalid("q", "must have 1 to 200 characters"));
    }
    let limit = params.limit(20, 100)?;
    let search = Search {
        query: query.to_owned(),
        chat: params.parsed("chatId")?,
        before: params.parsed("cursor")?,
        limit,
    };
    Ok(Json(state.service.read(actor, search).await?))
}

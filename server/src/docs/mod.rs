//! `/docs`: what the server speaks, for people and for their tools, and a place to try it.
//!
//! - [`contract`]: the documents in `fixtures/`, with every reference followed
//! - [`schema`]: JSON Schemas as tables of fields; [`values`]: what a value must keep to
//! - [`errors`]: the codes that clients branch on
//! - [`page`]: what every page has: head, policy, the way to the others
//! - [`overview`], [`events`], [`rest`]: the pages about the contract
//! - [`playground`]: two users in two panes, through the official client
//!
//! All of it is a fixed set of files, made when the first is asked for: a path either names one of them or nothing, and no
//! file system is touched. Every page is complete in itself; its content security policy says what it may load.

mod contract;
mod errors;
mod events;
mod overview;
mod page;
mod playground;
mod rest;
mod schema;
mod values;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

use chatspec_server_core::error::ChatError;
use contract::{Contract, ContractError};

/// Every file by its path, or why there are none.
type Files = LazyLock<Result<BTreeMap<String, File>, ContractError>>;

/// What is served under one path.
#[derive(Clone)]
struct File {
    content_type: &'static str,
    /// The content security policy of a page.
    policy: Option<String>,
    body: Bytes,
}

/// All routes below `/docs`.
pub(crate) fn router() -> Router {
    let files: Arc<Files> = Arc::new(LazyLock::new(files));
    Router::new()
        .route("/docs", get(file))
        .route("/docs/", get(async || Redirect::permanent("/docs")))
        .route("/docs/{*path}", get(file))
        .with_state(files)
}

async fn file(State(files): State<Arc<Files>>, OriginalUri(uri): OriginalUri) -> Result<Response, ChatError> {
    let files = LazyLock::force(&files)
        .as_ref()
        .map_err(|error| ChatError::internal(error))?;
    let file = files.get(uri.path()).cloned();
    file.map(IntoResponse::into_response).ok_or(ChatError::NotFound(
        "there is no such page; /docs lists those that are",
    ))
}

impl IntoResponse for File {
    fn into_response(self) -> Response {
        let mut response = ([(header::CONTENT_TYPE, self.content_type)], self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        // A policy is made of what a header can hold; a test sees that every page has one.
        if let Some(Ok(policy)) = self.policy.map(HeaderValue::try_from) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

fn files() -> Result<BTreeMap<String, File>, ContractError> {
    let contract = Contract::load()?;
    let pages = [
        overview::page(&contract)?,
        events::page(&contract)?,
        rest::page(&contract)?,
        playground::page(&contract, playground::CLIENT)?,
    ];
    let documents = contract
        .files()
        .map(|(path, text)| (format!("/docs/{path}"), document(path, text)));
    Ok(pages
        .iter()
        .map(|page| (page.path.to_owned(), page.file()))
        .chain(documents)
        .chain(playground::client(playground::CLIENT))
        .collect())
}

/// A document of the contract, as tools load it.
fn document(path: &str, text: &'static str) -> File {
    let yaml = path.rsplit_once('.').is_some_and(|(_, ending)| ending == "yaml");
    File {
        content_type: if yaml {
            "application/yaml"
        } else {
            "application/json"
        },
        policy: None,
        body: Bytes::from_static(text.as_bytes()),
    }
}

#[cfg(test)]
mod tests;

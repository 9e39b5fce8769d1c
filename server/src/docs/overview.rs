//! The first page: what there is, and where.

use maud::{Markup, html};

use super::contract::{ASYNCAPI, Contract, ContractError, Node, OPENAPI};
use super::page::{Page, Section};

/// The whole page.
pub(super) fn page(contract: &Contract) -> Result<Page, ContractError> {
    let version = |path| {
        Ok(contract
            .document(path)?
            .get("info")
            .map_or("", |info| info.text("version")))
    };
    let (events, routes) = (contract.document(ASYNCAPI)?, contract.document(OPENAPI)?);
    Ok(Page {
        path: "/docs",
        title: "Realtime chat".to_owned(),
        lead: html! {
            p {
                "Chats over Socket.IO, with a REST API beside it: protocol " (version(ASYNCAPI)?) ", as this server keeps it."
            }
        },
        sections: vec![
            Section {
                id: "pages".to_owned(),
                title: "To read and to try".to_owned(),
                body: pages(&counted(events, "operations"), &counted(routes, "paths")),
            },
            Section {
                id: "documents".to_owned(),
                title: "For tools".to_owned(),
                body: documents(),
            },
        ],
        script: None,
    })
}

fn counted(document: Node<'_>, key: &str) -> String {
    document
        .get(key)
        .map_or(0, |all| all.entries().count())
        .to_string()
}

fn pages(events: &str, routes: &str) -> Markup {
    html! {
        dl.cards {
            dt { a href="/docs/events" { "Events" } }
            dd {
                "The socket side: how to connect, and " (events) " events with their fields, acknowledgements and error codes."
            }
            dt { a href="/docs/rest" { "REST" } }
            dd { "The HTTP side: " (routes) " paths with their parameters, bodies, answers and error codes." }
            dt { a href="/docs/playground" { "Playground" } }
            dd { "Two users side by side, through the official client. Every frame is shown, and can be copied." }
        }
    }
}

fn documents() -> Markup {
    html! {
        p {
            "The same as data. Both refer to JSON Schemas, which are served beside them under "
            code { "/docs/schemas/" } "."
        }
        ul {
            li { a href="/docs/asyncapi.yaml" { "asyncapi.yaml" } ": the socket side, as AsyncAPI 3" }
            li { a href="/docs/openapi.yaml" { "openapi.yaml" } ": the HTTP side, as OpenAPI 3.1" }
        }
        p {
            "For operators there are " a href="/healthz" { code { "/healthz" } } ", " a href="/readyz" { code { "/readyz" } }
            " and " a href="/metrics" { code { "/metrics" } } "."
        }
    }
}

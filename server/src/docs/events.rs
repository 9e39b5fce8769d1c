//! The socket side: `asyncapi.yaml` as a page.

use maud::{Markup, html};

use super::contract::{ASYNCAPI, Contract, ContractError, Node};
use super::errors;
use super::page::{Page, Section, paragraphs, prose};
use super::schema::{Types, example};

/// The whole page.
pub(super) fn page(contract: &Contract) -> Result<Page, ContractError> {
    let document = contract.document(ASYNCAPI)?;
    let mut types = Types::new(contract);
    let section = |id: &str, title: &str, body| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        body,
    };
    let info = document.get("info");
    Ok(Page {
        path: "/docs/events",
        title: info.map_or("", |info| info.text("title")).to_owned(),
        lead: html! {
            (paragraphs(info.map_or("", |info| info.text("description"))))
            p { "The same for tools: " a href="/docs/asyncapi.yaml" { "asyncapi.yaml" } }
        },
        sections: vec![
            section("connecting", "Connecting", connecting(document)),
            section(
                "sent",
                "What a client sends",
                events(document, "receive", &mut types),
            ),
            section(
                "received",
                "What a client receives",
                events(document, "send", &mut types),
            ),
            section("codes", "Error codes", errors::table()),
            section("types", "Types", types.tell()),
        ],
        script: None,
    })
}

fn connecting(document: Node<'_>) -> Markup {
    let servers = document.get("servers").into_iter().flat_map(Node::entries);
    let schemes = document
        .get("components")
        .and_then(|components| components.get("securitySchemes"));
    html! {
        dl.facts {
            @for (_, server) in servers {
                div {
                    dt { "Address" }
                    dd { code { (server.text("host")) (server.text("pathname")) } ", or wherever this page is from" }
                }
                div { dt { "Carries" } dd { (prose(server.text("description"))) } }
            }
            @for (name, scheme) in schemes.into_iter().flat_map(Node::entries) {
                div { dt { code { (name) } } dd { (prose(scheme.text("description"))) } }
            }
        }
        p { "With the official client for JavaScript:" }
        pre { code { (CONNECT) } }
    }
}

const CONNECT: &str = r#"const socket = io("http://localhost:4000", { auth: { token } });
socket.on("message:new", ({ message }) => console.log(message.body));
const ack = await socket.emitWithAck("room:join", { chatId });"#;

/// The events of one direction, in the order of the document.
fn events(document: Node<'_>, action: &str, types: &mut Types<'_>) -> Markup {
    let operations = document.get("operations").into_iter().flat_map(Node::entries);
    html! {
        @for (_, operation) in operations.filter(|(_, operation)| operation.text("action") == action) {
            @for message in messages(operation) { (event(operation, message, types)) }
        }
    }
}

/// The messages of an operation, or of its reply.
fn messages(operation: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let all = operation.get("messages").into_iter().flat_map(Node::items);
    all.map(Node::followed)
}

fn event(operation: Node<'_>, message: Node<'_>, types: &mut Types<'_>) -> Markup {
    let name = message.text("name");
    let payload = schema(message);
    let reply = operation
        .get("reply")
        .map(|reply| messages(reply).collect::<Vec<_>>());
    html! {
        article {
            h3 #{ "event-" (name.to_lowercase().replace(':', "-")) } { code { (name) } }
            p.statement { (prose(payload.map_or("", |schema| schema.text("description")))) }
            @if let Some(payload) = payload {
                h4 { "Payload" }
                (types.object(&format!("Payload of {name}"), payload))
                (example("Example of a payload", payload))
            }
            @if operation.text("action") == "receive" {
                h4 { "Acknowledgement" }
                @for schema in reply.iter().flatten().filter_map(|ack| schema(*ack)) {
                    p { (prose(schema.text("description"))) }
                    (types.object(&format!("Acknowledgement of {name}"), schema))
                    (example("Example of an acknowledgement", schema))
                }
                @if reply.is_none() { p { "None: nothing comes back, be it refused." } }
            }
        }
    }
}

/// What the payload of a message must keep to.
fn schema(message: Node<'_>) -> Option<Node<'_>> {
    message.get("payload")?.get("schema")
}

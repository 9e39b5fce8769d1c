//! Two users in two panes, through the official client for browsers, and all that goes over the wire.

use axum::body::Bytes;
use maud::{Markup, html};

use super::File;
use super::contract::{ASYNCAPI, Contract, ContractError, Node};
use super::page::{Page, Script, Section};
use super::values::pretty;

/// The official client, as `build.rs` has found it: empty where it was not installed.
pub(super) const CLIENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/socket.io.min.js"));

const CLIENT_PATH: &str = "/docs/socket.io.min.js";
const SCRIPT: &str = include_str!("playground.js");

/// The client as it is served, if there is one.
pub(super) fn client(client: &'static [u8]) -> Option<(String, File)> {
    let file = File {
        content_type: "text/javascript; charset=utf-8",
        policy: None,
        body: Bytes::from_static(client),
    };
    (!client.is_empty()).then(|| (CLIENT_PATH.to_owned(), file))
}

/// The whole page, or what to do so that there is one.
pub(super) fn page(contract: &Contract, client: &[u8]) -> Result<Page, ContractError> {
    let there = !client.is_empty();
    let events = sendable(contract.document(ASYNCAPI)?);
    Ok(Page {
        path: "/docs/playground",
        title: "Playground".to_owned(),
        lead: html! {
            p {
                "Two users, each with a connection of its own through the official client for browsers. Below each chat \
                 stands what goes over the wire."
            }
            @if !there {
                p.remark {
                    strong { "This server was built without the client:" } " run " code { "scripts/playground.sh" }
                    ", and build the server again."
                }
            }
        },
        sections: if there { sections(&events) } else { Vec::new() },
        script: there.then_some(Script {
            needs: CLIENT_PATH,
            text: SCRIPT,
        }),
    })
}

/// An event that a client can send.
struct Sendable<'a> {
    name: &'a str,
    /// A payload that keeps to its schema; the ids in it are made up.
    payload: String,
    acknowledged: bool,
}

fn sendable(document: Node<'_>) -> Vec<Sendable<'_>> {
    let operations = document.get("operations").into_iter().flat_map(Node::entries);
    let received = operations.filter(|(_, operation)| operation.text("action") == "receive");
    received.filter_map(|(_, operation)| event(operation)).collect()
}

fn event(operation: Node<'_>) -> Option<Sendable<'_>> {
    let message = operation.get("messages")?.items().next()?.followed();
    let schema = message.get("payload")?.get("schema")?;
    let example = schema.get("examples")?.items().next()?;
    Some(Sendable {
        name: message.text("name"),
        payload: pretty(example.value()),
        acknowledged: operation.written("reply").is_some(),
    })
}

fn sections(events: &[Sendable<'_>]) -> Vec<Section> {
    let section = |id: &str, title: &str, body| Section {
        id: id.to_owned(),
        title: title.to_owned(),
        body,
    };
    vec![
        section("start", "Two users", start()),
        section(
            "panes",
            "Side by side",
            html! { div.panes { (pane("first", "First user", events)) (pane("second", "Second user", events)) } },
        ),
        section("copied", "Copied", copied()),
    ]
}

fn start() -> Markup {
    html! {
        form #begin {
            p { label for="first-user" { "First user" } input #first-user value="Ann" required maxlength="40" autocomplete="off"; }
            p { label for="second-user" { "Second user" } input #second-user value="Ben" required maxlength="40" autocomplete="off"; }
            p {
                label for="transport" { "Transport" }
                select #transport {
                    option value="" { "polling, then WebSocket" }
                    option value="websocket" { "WebSocket only" }
                    option value="polling" { "polling only" }
                }
            }
            p { button.main { "Register both and open a chat" } }
        }
        p #status role="status" { "This page needs JavaScript." }
    }
}

/// One user's side. The script fills it.
fn pane(id: &str, name: &str, events: &[Sendable<'_>]) -> Markup {
    let part = |name: &str| format!("{id}-{name}");
    html! {
        article.pane #(id) aria-labelledby=(part("name")) {
            div.who {
                h3.name #(part("name")) { (name) }
                span.state role="status" { "not connected" }
                button.connection type="button" disabled { "Connect" }
            }
            p.presence role="status" { "The other one: nothing heard yet" }
            div.messages role="log" aria-label=(format!("{name}: messages")) tabindex="0" { ol {} }
            p.typing role="status" {}
            fieldset disabled {
                legend.unseen { (name) ": what can be done" }
                form.send {
                    label.unseen for=(part("body")) { "Message" }
                    input.body #(part("body")) placeholder="Message" autocomplete="off";
                    button { "Send" }
                }
                p.actions {
                    button.read type="button" { "Mark as read" } " "
                    button.ping type="button" { "Ping" }
                }
                details.any {
                    summary { "Send any event, right or wrong" }
                    (any(&part, events))
                }
            }
            p.trouble role="alert" {}
            div.who {
                h4 { "Frames" }
                button.clear type="button" { "Clear" }
                button.copy-all type="button" { "Copy all" }
            }
            div.frames role="group" aria-label=(format!("{name}: frames")) tabindex="0" { ol {} }
        }
    }
}

/// A form for what the other buttons never send.
fn any(part: &impl Fn(&str) -> String, events: &[Sendable<'_>]) -> Markup {
    html! {
        form.any {
            p {
                label for=(part("event")) { "Event" }
                select.event #(part("event")) {
                    @for Sendable { name, payload, acknowledged } in events {
                        option data-payload=(payload) data-acknowledged[*acknowledged] { (name) }
                    }
                }
            }
            p {
                label for=(part("payload")) { "Payload" }
                textarea.payload #(part("payload")) rows="5" spellcheck="false" {}
            }
            p {
                label for=(part("times")) { "Times" }
                input.times #(part("times")) type="number" value="1" min="1" max="50" required;
                " "
                label { input.ack type="checkbox" checked; " wants an acknowledgement" }
            }
            p { button { "Send event" } }
        }
    }
}

fn copied() -> Markup {
    html! {
        p #how role="status" { "Nothing yet. " b { "Copy" } " stands beside every exchange; what is secret is left out." }
        textarea #text aria-label="Copied text" rows="8" readonly hidden {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_client_the_page_says_what_to_do() {
        let contract = Contract::load().unwrap();
        let page = page(&contract, b"").unwrap();
        let lead = page.lead.clone().into_string();
        assert!(
            lead.contains("run <code>scripts/playground.sh</code>, and build the server again."),
            "{lead}"
        );
        assert!(page.script.is_none() && page.sections.is_empty());
        assert!(client(b"").is_none());
    }

    #[test]
    fn with_the_client_there_are_two_panes_and_its_script() {
        let contract = Contract::load().unwrap();
        let page = page(&contract, b"client").unwrap();
        assert!(!page.lead.clone().into_string().contains("remark"));
        assert_eq!(page.script.as_ref().map(|script| script.needs), Some(CLIENT_PATH));
        let (path, file) = client(b"client").unwrap();
        assert_eq!((&*path, &*file.body), (CLIENT_PATH, &b"client"[..]));
        let panes = page
            .sections
            .iter()
            .find(|section| section.id == "panes")
            .unwrap();
        let markup = panes.body.clone().into_string();
        assert_eq!(markup.matches("class=\"pane\"").count(), 2);
    }

    #[test]
    fn every_event_that_a_client_may_send_can_be_sent() {
        let contract = Contract::load().unwrap();
        let events = sendable(contract.document(ASYNCAPI).unwrap());
        let names: Vec<_> = events
            .iter()
            .map(|event| (event.name, event.acknowledged))
            .collect();
        assert_eq!(
            names,
            [
                ("message:send", true),
                ("room:join", true),
                ("room:leave", true),
                ("receipt:read", true),
                ("presence:ping", true),
                ("typing:start", false),
                ("typing:stop", false),
            ]
        );
        assert!(
            events[0].payload.contains("\"clientId\""),
            "{}",
            events[0].payload
        );
    }
}

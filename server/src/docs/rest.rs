//! The HTTP side: `openapi.yaml` as a page.

use maud::{Markup, html};

use super::contract::{Contract, ContractError, Node, OPENAPI};
use super::errors;
use super::page::{Page, Section, paragraphs, prose, scrolling};
use super::schema::{Types, example};
use super::values::limits;

/// The keys of an OpenAPI path that are operations; its other keys are not.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The whole page.
pub(super) fn page(contract: &Contract) -> Result<Page, ContractError> {
    let document = contract.document(OPENAPI)?;
    let mut types = Types::new(contract);
    let info = document.get("info");
    let tags = document.get("tags").into_iter().flat_map(Node::items);
    let mut sections = vec![Section {
        id: "calling".to_owned(),
        title: "Calling".to_owned(),
        body: calling(document),
    }];
    sections.extend(tags.map(|tag| Section {
        id: format!("tag-{}", tag.text("name")),
        title: tag.text("description").to_owned(),
        body: routes(document, tag.text("name"), &mut types),
    }));
    sections.push(Section {
        id: "codes".to_owned(),
        title: "Error codes".to_owned(),
        body: errors::table(),
    });
    sections.push(Section {
        id: "types".to_owned(),
        title: "Types".to_owned(),
        body: types.tell(),
    });
    Ok(Page {
        path: "/docs/rest",
        title: info.map_or("", |info| info.text("title")).to_owned(),
        lead: html! {
            (paragraphs(info.map_or("", |info| info.text("description"))))
            p { "The same for tools: " a href="/docs/openapi.yaml" { "openapi.yaml" } }
        },
        sections,
        script: None,
    })
}

fn calling(document: Node<'_>) -> Markup {
    let servers = document.get("servers").into_iter().flat_map(Node::items);
    let schemes = document
        .get("components")
        .and_then(|components| components.get("securitySchemes"));
    html! {
        dl.facts {
            @for server in servers {
                div { dt { "Address" } dd { code { (server.text("url")) } ", or wherever this page is from" } }
            }
            @for (_, scheme) in schemes.into_iter().flat_map(Node::entries) {
                div {
                    dt { "Token" }
                    dd {
                        code { "Authorization: Bearer …" } ". " (prose(scheme.text("description"))) "."
                    }
                }
            }
        }
    }
}

/// The routes with a tag, in the order of the document.
fn routes(document: Node<'_>, tag: &str, types: &mut Types<'_>) -> Markup {
    let paths = document.get("paths").into_iter().flat_map(Node::entries);
    let operations = paths.flat_map(|(path, item)| {
        let own = item.entries().filter(|(method, _)| METHODS.contains(method));
        own.map(move |(method, operation)| (path, item, method, operation))
    });
    html! {
        @for (path, item, method, operation) in operations.filter(|(.., operation)| operation.texts("tags").contains(&tag)) {
            (route(&Route { document, path, item, method, operation }, types))
        }
    }
}

struct Route<'a> {
    document: Node<'a>,
    path: &'a str,
    item: Node<'a>,
    method: &'a str,
    operation: Node<'a>,
}

impl<'a> Route<'a> {
    /// Whether it takes a token: as it says itself, or as the document says of all.
    fn needs_a_token(&self) -> bool {
        let schemes = [self.operation, self.document].map(|node| node.get("security"));
        schemes
            .into_iter()
            .flatten()
            .next()
            .is_some_and(|all| all.items().next().is_some())
    }

    /// Those of the path, and its own.
    fn parameters(&self) -> Vec<Node<'a>> {
        let lists = [self.item, self.operation]
            .into_iter()
            .filter_map(|node| node.get("parameters"));
        lists.flat_map(Node::items).map(Node::followed).collect()
    }
}

fn route(route: &Route<'_>, types: &mut Types<'_>) -> Markup {
    let Route { path, operation, .. } = *route;
    let method = route.method.to_uppercase();
    let name = format!("{method} {path}");
    let (parameters, body) = (route.parameters(), operation.get("requestBody").and_then(schema));
    html! {
        article {
            h3 #(operation.text("operationId")) { code { b { (method) } " " (path) } }
            p.statement { (prose(operation.text("summary"))) "." @if !route.needs_a_token() { " No token is needed." } }
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                (parameter_table(&name, &parameters, types))
            }
            @if let Some(body) = body {
                h4 { "Body" }
                (types.object(&format!("Body of {name}"), body.followed()))
                (example("Example of a body", body.followed()))
            }
            h4 { "Answers" }
            (answers(&name, operation, types))
        }
    }
}

fn parameter_table(name: &str, parameters: &[Node<'_>], types: &mut Types<'_>) -> Markup {
    let label = format!("Parameters of {name}");
    let table = html! {
        table.fields {
            caption.unseen { (label) }
            thead { tr { th scope="col" { "Parameter" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
            tbody {
                @for parameter in parameters {
                    tr {
                        th scope="row" {
                            code { (parameter.text("name")) } " "
                            small { (parameter.text("in")) @if !parameter.is("required") { ", optional" } }
                        }
                        td {
                            @if let Some(schema) = parameter.written("schema") {
                                (types.kind(schema))
                                @if let Some(limits) = limits(schema) { small { (limits) } }
                            }
                        }
                        td { (prose(parameter.text("description"))) }
                    }
                }
            }
        }
    };
    scrolling(&label, &table)
}

fn answers(name: &str, operation: Node<'_>, types: &mut Types<'_>) -> Markup {
    let label = format!("Answers of {name}");
    let responses = operation.get("responses").into_iter().flat_map(Node::entries);
    let table = html! {
        table.answers {
            caption.unseen { (label) }
            thead { tr { th scope="col" { "Status" } th scope="col" { "Body" } th scope="col" { "Meaning" } } }
            tbody {
                @for (status, response) in responses {
                    tr {
                        th scope="row" { code { (status) } }
                        td {
                            @match schema(response.followed()) {
                                Some(body) => (types.kind(body)),
                                None => small { "none" },
                            }
                        }
                        td { (prose(response.followed().text("description"))) }
                    }
                }
            }
        }
    };
    scrolling(&label, &table)
}

/// What a body must keep to, of whichever media type it is.
fn schema(body: Node<'_>) -> Option<Node<'_>> {
    let (_, content) = body.get("content")?.entries().next()?;
    content.written("schema")
}

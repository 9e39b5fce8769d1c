//! File by file: what is served, as what, and to which limits. The router is called without a socket.

use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

use super::*;

const PAGES: [&str; 4] = ["/docs", "/docs/events", "/docs/rest", "/docs/playground"];

static ROUTER: LazyLock<Router> = LazyLock::new(router);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(method: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    let response = ROUTER.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

#[tokio::test]
async fn every_page_is_html_with_a_policy_and_stands_alone() {
    for path in PAGES {
        let page = ask("GET", path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        let policy = page.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'; "), "{path}: {policy}");
        assert!(
            page.body.starts_with("<!DOCTYPE html><html lang=\"en\">"),
            "{path}"
        );
        // Addresses are told as text; nothing is loaded from elsewhere.
        for part in [
            "src=\"http",
            "href=\"http",
            "src=\"//",
            "href=\"//",
            "url(",
            "@import",
        ] {
            assert!(!page.body.contains(part), "{part} in {path}");
        }
        assert!(page.body.len() < 100_000, "{path} has {} bytes", page.body.len());
    }
}

#[tokio::test]
async fn only_the_playground_runs_a_script() {
    for path in PAGES {
        let page = ask("GET", path).await;
        let runs = path == "/docs/playground" && !playground::CLIENT.is_empty();
        assert_eq!(page.body.contains("<script"), runs, "{path}");
    }
}

#[tokio::test]
async fn every_link_leads_somewhere() {
    for path in PAGES {
        let page = ask("GET", path).await;
        let links = page
            .body
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next());
        for link in links.filter(|link| !link.starts_with("data:")) {
            match link.strip_prefix('#') {
                Some(id) => assert!(page.body.contains(&format!(" id=\"{id}\"")), "{link} in {path}"),
                None if link.starts_with("/docs") => {
                    assert_eq!(ask("GET", link).await.status, StatusCode::OK, "{link} in {path}");
                }
                None => assert!(
                    ["/healthz", "/readyz", "/metrics"].contains(&link),
                    "{link} in {path}"
                ),
            }
        }
    }
}

#[tokio::test]
async fn no_id_is_given_twice() {
    for path in PAGES {
        let page = ask("GET", path).await;
        let mut seen = BTreeSet::new();
        for id in page
            .body
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            assert!(seen.insert(id), "{id} in {path}");
        }
    }
}

#[tokio::test]
async fn the_documents_are_served_as_they_are_with_all_that_they_refer_to() {
    let contract = Contract::load().unwrap();
    for (path, text) in contract.files() {
        let answer = ask("GET", &format!("/docs/{path}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.body, text, "{path}");
        let expected = if path.ends_with("yaml") {
            "application/yaml"
        } else {
            "application/json"
        };
        assert_eq!(answer.header(header::CONTENT_TYPE), expected);
    }
}

#[tokio::test]
async fn every_event_and_every_route_is_on_its_page() {
    let events = ask("GET", "/docs/events").await.body;
    for name in ["message:send", "typing:stop", "presence:update", "CONNECT_ERROR"] {
        assert!(events.contains(&format!("<code>{name}</code></h3>")), "{name}");
    }
    assert_eq!(events.matches("<h4>Acknowledgement</h4>").count(), 7);
    assert_eq!(events.matches("None: nothing comes back").count(), 2);
    let rest = ask("GET", "/docs/rest").await.body;
    for route in [
        "<b>POST</b> /v1/auth/register",
        "<b>DELETE</b> /v1/chats/{chatId}/members/{userId}",
        "<b>GET</b> /metrics",
    ] {
        assert!(rest.contains(route), "{route}");
    }
    for code in [
        "UNAUTHORIZED",
        "FORBIDDEN",
        "VALIDATION_ERROR",
        "RATE_LIMITED",
        "NOT_FOUND",
        "INTERNAL",
    ] {
        let row = format!("<th scope=\"row\"><code>{code}</code></th>");
        assert!(events.contains(&row) && rest.contains(&row), "{code}");
    }
}

#[tokio::test]
async fn every_field_has_a_type_and_a_meaning() {
    for path in ["/docs/events", "/docs/rest"] {
        let page = ask("GET", path).await.body;
        assert!(page.matches("<tr>").count() > 50, "{path}");
        assert!(!page.contains("<td></td>"), "{path}: {page}");
    }
}

#[tokio::test]
async fn whoever_asks_for_the_head_alone_gets_no_body() {
    for path in ["/docs", "/docs/rest", "/docs/openapi.yaml"] {
        let (head, whole) = (ask("HEAD", path).await, ask("GET", path).await);
        assert_eq!((head.status, &*head.body), (StatusCode::OK, ""), "{path}");
        assert_eq!(
            head.header(header::CONTENT_TYPE),
            whole.header(header::CONTENT_TYPE)
        );
        assert_eq!(head.header(header::CONTENT_LENGTH), whole.body.len().to_string());
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_as_elsewhere() {
    for path in [
        "/docs/nothing",
        "/docs/schemas/",
        "/docs/events/",
        "/docs/schemas/target.json",
    ] {
        let answer = ask("GET", path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.contains("\"code\":\"NOT_FOUND\""), "{}", answer.body);
    }
    assert_eq!(ask("POST", "/docs").await.status, StatusCode::METHOD_NOT_ALLOWED);
    let slash = ask("GET", "/docs/").await;
    assert_eq!(
        (slash.status, slash.header(header::LOCATION)),
        (StatusCode::PERMANENT_REDIRECT, "/docs")
    );
}

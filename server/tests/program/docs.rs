//! The pages beside the protocol, and none where they are switched off.

use std::io::{Read, Write};

use crate::process::Server;

const PATHS: [&str; 4] = ["/docs", "/docs/events", "/docs/asyncapi.yaml", "/docs/playground"];

#[test]
fn there_are_docs_unless_they_are_switched_off() {
    let server = Server::start(&["--in-memory"]);
    for path in PATHS {
        let answer = server.get(path);
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    let server = Server::start(&["--in-memory", "--no-docs"]);
    for path in PATHS {
        let answer = server.get(path);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
        assert!(answer.contains(r#""code":"NOT_FOUND""#), "{path}: {answer}");
    }
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn no_path_leads_out_of_the_docs() {
    let server = Server::start(&["--in-memory"]);
    for path in [
        "/docs/../Cargo.toml",
        "/docs/..%2f..%2fCargo.toml",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs/schemas/../../../etc/passwd",
        "/docs//etc/passwd",
        "/docs/schemas/dto",
        "/docs/schemas/report.json",
    ] {
        let answer = server.get(path);
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
}

#[test]
fn the_protocol_is_as_it_was_beside_the_docs() {
    let server = Server::start(&["--in-memory", "--cors-origin", "https://app.example"]);
    let ask = |method: &str, path: &str, origin: &str| {
        let mut stream = server.connect();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\norigin: {origin}\r\nconnection: close\r\n\r\n",
            server.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    for (path, status) in [
        ("/v1/chats", "401"),
        ("/v1/nothing", "404"),
        ("/nothing", "404"),
        ("/healthz", "200"),
    ] {
        assert!(
            ask("GET", path, "null").starts_with(&format!("HTTP/1.1 {status}")),
            "{path}"
        );
    }
    let handshake = ask("GET", "/socket.io/?EIO=4&transport=polling", "null");
    assert!(handshake.contains("\r\n\r\n0{\"sid\":"), "{handshake}");
    // What the docs answer to other origins is what everything does.
    let allowed = "access-control-allow-origin: https://app.example";
    for path in ["/docs/openapi.yaml", "/healthz"] {
        assert!(
            ask("GET", path, "https://app.example").contains(allowed),
            "{path}"
        );
        assert!(
            !ask("GET", path, "https://other.example").contains("access-control-allow-origin"),
            "{path}"
        );
    }
}

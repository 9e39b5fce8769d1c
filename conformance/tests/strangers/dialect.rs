//! A REST API of its own before the reference server: another word for everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chatspec::targets::profile::Profile;
use chatspec::targets::reference::{self, Running};
use serde_json::{Map, Value, json};

/// The contract's words, and the stranger's.
const WORDS: &[(&str, &str)] = &[
    ("email", "post"),
    ("password", "phrase"),
    ("name", "called"),
    ("user", "person"),
    ("id", "key"),
    ("_id", "key"),
    ("accessToken", "jwt"),
    ("sessionToken", "pass"),
    ("type", "shape"),
    ("memberIds", "folk"),
    ("userIds", "folk"),
    ("title", "label"),
    ("updatedAt", "stirred"),
    ("messages", "notes"),
    ("chats", "circles"),
    ("body", "words"),
    ("clientId", "mark"),
    ("senderId", "author"),
    ("createdAt", "written"),
    ("unreadCount", "fresh"),
];

/// The reference server, spoken to in another dialect.
pub(crate) struct Stranger {
    profile: Profile,
    rest: String,
    heard_the_contract: Arc<AtomicBool>,
    _running: Running,
}

struct Behind {
    url: String,
    client: reqwest::Client,
    heard_the_contract: Arc<AtomicBool>,
}

impl Stranger {
    pub(crate) async fn start() -> Self {
        let (profile, running) = reference::start(None).await.unwrap();
        let heard_the_contract = Arc::new(AtomicBool::new(false));
        let behind = Arc::new(Behind {
            url: profile.urls[0].clone(),
            client: reqwest::Client::new(),
            heard_the_contract: heard_the_contract.clone(),
        });
        let routes = Router::new().fallback(translate).with_state(behind);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rest = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self {
            profile,
            rest,
            heard_the_contract,
            _running: running,
        }
    }

    /// Whether a request had the contract's path or header.
    pub(crate) fn heard_the_contract(&self) -> bool {
        self.heard_the_contract.load(Ordering::Relaxed)
    }

    /// The target file that describes it.
    pub(crate) fn target_file(&self) -> String {
        let auth = &self.profile.auth;
        TARGET
            .replace("URL", &self.profile.urls[0])
            .replace("REST", &self.rest)
            .replace("SECRET", auth.jwt_secret.as_deref().unwrap())
            .replace("ISSUER", auth.issuer.as_deref().unwrap())
            .replace("AUDIENCE", auth.audience.as_deref().unwrap())
    }
}

const TARGET: &str = r#"
urls = ["URL"]

[handshake]
path = "/socket.io/"
token_field = "token"

[auth]
jwt_secret = "SECRET"
issuer = "ISSUER"
audience = "AUDIENCE"

[rest]
url = "REST"
auth = "x-key: key={{token}}"

[rest.register]
request = "POST /v9/people"
body = { post = "{{email}}", phrase = "{{password}}", called = "{{name}}" }
status = [203] # register
reply = { sessionToken = "/payload/pass", userId = "/payload/person/key", accessToken = "/payload/jwt" }

[rest.logout]
request = "PUT /v9/farewell"
status = [205]

[rest.create_chat]
request = "POST /v9/circles"
body = { shape = "{{kind}}", folk = "{{members}}", label = "{{title}}" }
values = { kind = { dm = "pair", group = "crowd" } }
status = [203, 202]
reply = { _id = "/payload/key" }

[rest.get_chat]
request = "PUT /v9/circles/{{chat}}/look"
status = [202]
reply = { updatedAt = "/payload/stirred" }

[rest.rename]
request = "PUT /v9/circles/{{chat}}/label"
body = { label = "{{title}}" }
status = [202]

[rest.add_member]
request = "PUT /v9/circles/{{chat}}/folk"
body = { folk = ["{{user}}"] }
status = [202]

[rest.remove_member]
request = "PUT /v9/circles/{{chat}}/farewell"
query = { who = "{{user}}" }
status = [205]

[rest.post_message]
request = "PUT /v9/circles/{{chat}}/notes"
body = { words = "{{body}}" }
status = [203]
reply = { _id = "/payload/key" }

[rest.list_messages]
request = "POST /v9/circles/{{chat}}/notes/look"
query = { most = "{{limit}}", older = "{{before}}", younger = "{{after}}" }
status = [202]
items = "/payload/notes"
reply = { _id = "/key", body = "/words", clientId = "/mark", senderId = "/author", createdAt = "/written" }

[rest.list_chats]
request = "POST /v9/circles/look"
query = { most = "{{limit}}" }
status = [202]
items = "/payload/circles"
reply = { _id = "/key", unreadCount = "/fresh" }

[rest.search]
request = "POST /v9/notes/look"
query = { wanted = "{{text}}", most = "{{limit}}" }
status = [202]
items = "/payload/notes"
reply = { _id = "/key" }
"#;

/// Method and path of the contract for those of the dialect.
fn counterpart(method: &str, path: &str, who: &str) -> Option<(&'static str, String)> {
    let parts: Vec<&str> = path.trim_start_matches("/v9/").split('/').collect();
    Some(match (method, parts.as_slice()) {
        ("POST", ["people"]) => ("POST", "/v1/auth/register".to_owned()),
        ("PUT", ["farewell"]) => ("POST", "/v1/auth/logout".to_owned()),
        ("POST", ["circles"]) => ("POST", "/v1/chats".to_owned()),
        ("POST", ["circles", "look"]) => ("GET", "/v1/chats".to_owned()),
        ("PUT", ["circles", id, "look"]) => ("GET", format!("/v1/chats/{id}")),
        ("PUT", ["circles", id, "label"]) => ("PATCH", format!("/v1/chats/{id}")),
        ("PUT", ["circles", id, "folk"]) => ("POST", format!("/v1/chats/{id}/members")),
        ("PUT", ["circles", id, "farewell"]) => ("DELETE", format!("/v1/chats/{id}/members/{who}")),
        ("PUT", ["circles", id, "notes"]) => ("POST", format!("/v1/chats/{id}/messages")),
        ("POST", ["notes", "look"]) => ("GET", "/v1/search/messages".to_owned()),
        ("POST", ["circles", id, "notes", "look"]) => ("GET", format!("/v1/chats/{id}/messages")),
        _ => return None,
    })
}

async fn translate(State(behind): State<Arc<Behind>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.uri.path().starts_with("/v1/") || parts.headers.contains_key("authorization") {
        behind.heard_the_contract.store(true, Ordering::Relaxed);
    }
    let query: Vec<(String, String)> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let asked = |name: &str| {
        query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let found = counterpart(
        parts.method.as_str(),
        parts.uri.path(),
        asked("who").unwrap_or_default(),
    );
    let Some((method, path)) = found else {
        return (StatusCode::NOT_FOUND, "nothing here").into_response();
    };
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let sent: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut request = behind
        .client
        .request(method.parse().unwrap(), format!("{}{path}", behind.url))
        .query(&[
            ("limit", asked("most")),
            ("before", asked("older")),
            ("after", asked("younger")),
            ("q", asked("wanted")),
        ]);
    if let Some(token) = token(&parts.headers) {
        request = request.bearer_auth(token);
    }
    if !sent.is_null() {
        request = request.json(&into_contract(sent, &path));
    }
    let answer = request.send().await.unwrap();
    let status = match answer.status().as_u16() {
        200 => 202,
        201 => 203,
        204 => 205,
        other => other,
    };
    let told: Value = answer.json().await.unwrap_or_default();
    let payload = json!({"payload": renamed(told, &|word| foreign(word))});
    (StatusCode::from_u16(status).unwrap(), axum::Json(payload)).into_response()
}

fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-key")?.to_str().ok()?;
    Some(value.strip_prefix("key=")?.to_owned())
}

fn foreign(word: &str) -> String {
    let known = WORDS.iter().find(|(ours, _)| *ours == word);
    known.map_or(word, |(_, theirs)| theirs).to_owned()
}

fn into_contract(sent: Value, path: &str) -> Value {
    let members = if path.ends_with("/members") {
        "userIds"
    } else {
        "memberIds"
    };
    let mut sent = renamed(sent, &|word| match word {
        "folk" => members.to_owned(),
        word => {
            let known = WORDS.iter().find(|(_, theirs)| *theirs == word);
            // A word of the contract is none of the dialect's.
            known.map_or_else(|| format!("unknown {word}"), |(ours, _)| (*ours).to_owned())
        }
    });
    if let Some(kind) = sent.get_mut("type") {
        *kind = match kind.as_str() {
            Some("pair") => json!("dm"),
            Some("crowd") => json!("group"),
            _ => json!("unknown"),
        };
    }
    sent
}

fn renamed(value: Value, rename: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (rename(&name), renamed(value, rename)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| renamed(item, rename)).collect(),
        other => other,
    }
}

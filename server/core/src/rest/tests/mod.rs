//! Route by route: who may, what goes in, what comes out. The router is called without a socket.

mod chats;
mod messages;
mod sessions;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{RestState, router};
use crate::auth::{Authenticator, Keys, Passwords};
use crate::chat::{Context, Service};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::ids::Ids;
use crate::publish::{Outbound, Publish};
use crate::rate_limit::RateLimiter;
use crate::store::{EmbeddedStore, Location, Store};

/// Nobody listens here.
struct Nobody;

#[async_trait]
impl Publish for Nobody {
    async fn publish(&self, _: Outbound) {}
}

struct Api {
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

#[derive(Clone)]
struct User {
    id: String,
    email: String,
    access: String,
    session: String,
}

impl Api {
    fn new() -> Self {
        let mut config = Config::default();
        // The cheapest hash that is one: these tests are not about passwords.
        (config.password_memory_kib, config.password_passes) = (8, 1);
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        let store: Arc<dyn Store> =
            Arc::new(EmbeddedStore::open(Location::Memory, ids, clock.clone()).unwrap());
        let keys = Keys::open(config.key_options()).unwrap();
        let auth = Authenticator::new(keys, store.clone(), clock.clone(), config.session_seconds);
        let context = Context {
            store,
            rate_limiter: RateLimiter::new(config.rate()),
            clock,
            patience: None,
        };
        let router = router(RestState {
            service: Arc::new(Service::new(context, Arc::new(Nobody))),
            auth: Arc::new(auth),
            passwords: Passwords::new(config.password_cost()).unwrap(),
            limits: config.limits(),
            body_limit: 1_000_000,
        });
        Self { router }
    }

    async fn raw(&self, method: &str, path: &str, token: Option<&str>, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = self
            .router
            .clone()
            .oneshot(request.body(Body::from(body)).unwrap())
            .await
            .unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    async fn call(&self, method: &str, path: &str, user: &User, body: Value) -> Answer {
        self.raw(method, path, Some(&user.access), body.to_string().into())
            .await
    }

    async fn get(&self, path: &str, user: &User) -> Answer {
        self.raw("GET", path, Some(&user.access), Vec::new()).await
    }

    async fn open(&self, path: &str, body: Value) -> Answer {
        self.raw("POST", path, None, body.to_string().into()).await
    }

    async fn user(&self, name: &str) -> User {
        let email = format!("{name}@example.org");
        let body = json!({"email": email, "password": "correct horse", "name": name});
        let answer = self.open("/v1/auth/register", body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let text = |pointer: &str| answer.body.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        User {
            id: text("/user/id"),
            email,
            access: text("/accessToken"),
            session: text("/sessionToken"),
        }
    }

    async fn users<const N: usize>(&self, names: [&str; N]) -> [User; N] {
        let mut users = Vec::new();
        for name in names {
            users.push(self.user(name).await);
        }
        users.try_into().ok().unwrap()
    }

    async fn group(&self, admin: &User, others: &[&User]) -> String {
        let ids: Vec<&str> = others.iter().map(|user| user.id.as_str()).collect();
        let answer = self
            .call(
                "POST",
                "/v1/chats",
                admin,
                json!({"type": "group", "memberIds": ids}),
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.id()
    }

    async fn post(&self, user: &User, chat: &str, body: &str) -> String {
        let path = format!("/v1/chats/{chat}/messages");
        let answer = self.call("POST", &path, user, json!({"body": body})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.id()
    }
}

impl Answer {
    fn id(&self) -> String {
        self.body["_id"].as_str().unwrap().to_owned()
    }

    /// An error of the contract: status and code belong together, and there is a text.
    #[track_caller]
    fn is(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status.as_u16(), self.body["code"].as_str()),
            (status, Some(code)),
            "{}",
            self.body
        );
        assert!(self.body["error"].as_str().is_some_and(|text| !text.is_empty()));
    }

    #[track_caller]
    fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }
}

const NO_ONE: &str = "0123456789abcdef01234567";

#[tokio::test]
async fn every_route_but_the_open_ones_asks_for_a_token_first() {
    let api = Api::new();
    for (method, path) in [
        ("POST", "/v1/auth/logout"),
        ("POST", "/v1/chats"),
        ("GET", "/v1/chats?limit=nonsense"),
        ("GET", "/v1/chats/nonsense"),
        ("PATCH", "/v1/chats/nonsense"),
        ("POST", "/v1/chats/nonsense/members"),
        ("DELETE", "/v1/chats/nonsense/members/nonsense"),
        ("POST", "/v1/chats/nonsense/messages"),
        ("GET", "/v1/chats/nonsense/messages?limit=0"),
        ("PUT", "/v1/chats/nonsense/read-cursor"),
        ("GET", "/v1/search/messages"),
    ] {
        for token in [None, Some(""), Some("nonsense"), Some("a.b.c")] {
            let answer = api.raw(method, path, token, b"{".to_vec()).await;
            answer.is(401, "UNAUTHORIZED");
            assert_eq!(answer.headers["www-authenticate"], "Bearer", "{method} {path}");
        }
    }
}

#[tokio::test]
async fn what_does_not_exist_is_told_as_json() {
    let api = Api::new();
    let ann = api.user("ann").await;
    api.get("/v1/nothing", &ann).await.is(404, "NOT_FOUND");
    let answer = api.call("DELETE", "/v1/chats", &ann, Value::Null).await;
    answer.is(405, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let api = Api::new();
    let ann = api.user("ann").await;
    let huge = json!({"type": "group", "memberIds": [], "title": "x".repeat(1_100_000)});
    api.call("POST", "/v1/chats", &ann, huge)
        .await
        .is(400, "VALIDATION_ERROR");
}

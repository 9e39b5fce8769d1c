//! Route by route: who may, what goes in, what comes out. The router is called without a socket.

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
        let mut config = Config::in_memory();
        // The cheapest hash that is one: these tests are not about passwords.
        (config.password_memory_kib, config.password_passes) = (8, 1);
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        let store: Arc<dyn Store> =
            Arc::new(EmbeddedStore::open(Location::Memory, ids, clock.clone()).unwrap());
        let keys = Keys::from_config(&config).unwrap();
        let auth = Authenticator::new(keys, store.clone(), clock.clone(), config.session_seconds);
        let context = Context {
            store,
            rate_limiter: RateLimiter::new(config.rate()),
            clock,
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
async fn registration_gives_tokens_that_both_work() {
    let api = Api::new();
    let body = json!({"email": " Ann@Example.org ", "password": "correct horse", "name": "Ann", "birthdate": "2001-02-03"});
    let answer = api.open("/v1/auth/register", body.clone()).await;
    assert_eq!(answer.headers["cache-control"], "no-store");
    let session = answer.ok(201);
    assert_eq!(session["user"]["email"], "ann@example.org");
    assert_eq!(session["user"]["birthdate"], "2001-02-03");
    assert!(session["session"]["expiresAt"].is_string());
    assert!(!session.to_string().contains("argon2"));
    for key in ["accessToken", "sessionToken"] {
        let token = session[key].as_str().unwrap();
        api.raw("GET", "/v1/chats", Some(token), Vec::new()).await.ok(200);
    }
    api.open("/v1/auth/register", body)
        .await
        .is(409, "VALIDATION_ERROR");
    for wrong in [
        json!({}),
        json!([]),
        json!({"email": "x", "password": "correct horse", "name": "x"}),
        json!({"email": "x@example.org", "password": "short", "name": "x"}),
        json!({"email": "x@example.org", "password": "x".repeat(129), "name": "x"}),
        json!({"email": "x@example.org", "password": 12_345_678, "name": "x"}),
        json!({"email": "x@example.org", "password": "correct horse"}),
        json!({"email": "x@example.org", "password": "correct horse", "name": "x", "birthdate": "soon"}),
    ] {
        api.open("/v1/auth/register", wrong)
            .await
            .is(400, "VALIDATION_ERROR");
    }
    api.raw("POST", "/v1/auth/register", None, b"{".to_vec())
        .await
        .is(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn login_tells_nobody_which_of_the_two_was_wrong() {
    let api = Api::new();
    let ann = api.user("ann").await;
    let login = |email: &str, password: &str| json!({"email": email, "password": password});
    let session = api
        .open("/v1/auth/login", login("ANN@example.org", "correct horse"))
        .await;
    assert_eq!(session.ok(200)["user"]["id"], ann.id.as_str());
    let wrong_password = api.open("/v1/auth/login", login(&ann.email, "wrong horse")).await;
    let no_user = api
        .open("/v1/auth/login", login("none@example.org", "correct horse"))
        .await;
    wrong_password.is(401, "UNAUTHORIZED");
    no_user.is(401, "UNAUTHORIZED");
    assert_eq!(wrong_password.body, no_user.body);
    api.open("/v1/auth/login", json!({"email": ann.email}))
        .await
        .is(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn logout_revokes_the_session_token_and_no_other() {
    let api = Api::new();
    let ann = api.user("ann").await;
    let other = api
        .open(
            "/v1/auth/login",
            json!({"email": ann.email, "password": "correct horse"}),
        )
        .await;
    let other = other.body["sessionToken"].as_str().unwrap().to_owned();
    let logout = api
        .raw("POST", "/v1/auth/logout", Some(&ann.session), Vec::new())
        .await;
    assert_eq!(logout.status, 204);
    api.raw("GET", "/v1/chats", Some(&ann.session), Vec::new())
        .await
        .is(401, "UNAUTHORIZED");
    api.raw("GET", "/v1/chats", Some(&other), Vec::new())
        .await
        .ok(200);
}

#[tokio::test]
async fn the_key_set_has_no_symmetric_key() {
    let api = Api::new();
    let keys = api.raw("GET", "/v1/auth/jwks", None, Vec::new()).await.ok(200);
    assert_eq!(keys, json!({"keys": []}));
}

#[tokio::test]
async fn a_direct_chat_exists_once_per_pair() {
    let api = Api::new();
    let [ann, bob] = api.users(["ann", "bob"]).await;
    let open = |from: &User, with: &User| {
        let (api, from, body) = (&api, from.clone(), json!({"type": "dm", "memberIds": [with.id]}));
        async move { api.call("POST", "/v1/chats", &from, body).await }
    };
    let first = open(&ann, &bob).await;
    let dm = first.id();
    let dto = first.ok(201);
    assert_eq!((&dto["type"], &dto["title"]), (&json!("dm"), &Value::Null));
    assert_eq!(dto["memberIds"].as_array().unwrap().len(), 2);
    for again in [open(&ann, &bob).await, open(&bob, &ann).await] {
        assert_eq!(again.id(), dm);
        again.ok(200);
    }
    let members = format!("/v1/chats/{dm}/members");
    let carol = api.user("carol").await;
    api.call("POST", &members, &ann, json!({"userIds": [carol.id]}))
        .await
        .is(400, "VALIDATION_ERROR");
    api.call("DELETE", &format!("{members}/{}", bob.id), &ann, Value::Null)
        .await
        .is(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn chats_that_make_no_sense_are_refused() {
    let api = Api::new();
    let [ann, bob, carol] = api.users(["ann", "bob", "carol"]).await;
    for wrong in [
        json!({}),
        json!({"type": "group"}),
        json!({"type": "room", "memberIds": [bob.id]}),
        json!({"type": "group", "memberIds": []}),
        json!({"type": "group", "memberIds": [ann.id]}),
        json!({"type": "group", "memberIds": [bob.id, bob.id]}),
        json!({"type": "group", "memberIds": [NO_ONE]}),
        json!({"type": "group", "memberIds": ["nonsense"]}),
        json!({"type": "group", "memberIds": {"$ne": null}}),
        json!({"type": "group", "memberIds": [bob.id], "title": ""}),
        json!({"type": "group", "memberIds": [bob.id], "title": "x".repeat(201)}),
        json!({"type": "dm", "memberIds": [bob.id, carol.id]}),
        json!({"type": "dm", "memberIds": [ann.id]}),
        json!({"type": "dm", "memberIds": [bob.id], "title": "x"}),
    ] {
        let answer = api.call("POST", "/v1/chats", &ann, wrong.clone()).await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
        answer.is(400, "VALIDATION_ERROR");
    }
    let listed = api.get("/v1/chats", &ann).await.ok(200);
    assert_eq!(listed, json!({"chats": []}));
}

#[tokio::test]
async fn a_group_is_read_by_members_and_renamed_by_its_admin() {
    let api = Api::new();
    let [ann, bob, eve] = api.users(["ann", "bob", "eve"]).await;
    let chat = api.group(&ann, &[&bob]).await;
    let path = format!("/v1/chats/{chat}");
    assert_eq!(api.get(&path, &bob).await.ok(200)["createdBy"], ann.id.as_str());
    api.get(&path, &eve).await.is(403, "FORBIDDEN");
    api.get(&format!("/v1/chats/{NO_ONE}"), &ann)
        .await
        .is(404, "NOT_FOUND");
    api.get("/v1/chats/nonsense", &ann)
        .await
        .is(400, "VALIDATION_ERROR");
    let title = |text: &str| json!({"title": text});
    let renamed = api.call("PATCH", &path, &ann, title("Plans")).await.ok(200);
    assert_eq!(renamed["title"], "Plans");
    api.call("PATCH", &path, &bob, title("Mine"))
        .await
        .is(403, "FORBIDDEN");
    for wrong in [json!({}), title(""), json!({"title": null}), json!({"title": 7})] {
        api.call("PATCH", &path, &ann, wrong)
            .await
            .is(400, "VALIDATION_ERROR");
    }
    assert_eq!(api.get(&path, &bob).await.ok(200)["title"], "Plans");
}

#[tokio::test]
async fn members_come_and_go() {
    let api = Api::new();
    let [ann, bob, carol] = api.users(["ann", "bob", "carol"]).await;
    let chat = api.group(&ann, &[&bob]).await;
    let path = format!("/v1/chats/{chat}/members");
    let add = |user: &User| json!({"userIds": [user.id]});
    api.call("POST", &path, &bob, add(&carol))
        .await
        .is(403, "FORBIDDEN");
    let grown = api.call("POST", &path, &ann, add(&carol)).await.ok(200);
    assert_eq!(grown["memberIds"], json!([ann.id, bob.id, carol.id]));
    for wrong in [
        add(&bob),
        json!({"userIds": []}),
        json!({"userIds": [NO_ONE]}),
        json!({}),
    ] {
        api.call("POST", &path, &ann, wrong)
            .await
            .is(400, "VALIDATION_ERROR");
    }
    let remove = async |who: &User, actor: &User| {
        api.call("DELETE", &format!("{path}/{}", who.id), actor, Value::Null)
            .await
    };
    remove(&carol, &bob).await.is(403, "FORBIDDEN");
    assert_eq!(remove(&carol, &carol).await.status, 204);
    remove(&carol, &ann).await.is(404, "NOT_FOUND");
    // The last admin goes: who is left and has been there longest is admin now.
    assert_eq!(remove(&ann, &ann).await.status, 204);
    api.call("POST", &path, &bob, add(&carol)).await.ok(200);
}

#[tokio::test]
async fn a_repeated_client_id_is_the_same_message() {
    let api = Api::new();
    let [ann, bob, eve] = api.users(["ann", "bob", "eve"]).await;
    let chat = api.group(&ann, &[&bob]).await;
    let path = format!("/v1/chats/{chat}/messages");
    let body = json!({"body": "hello", "clientId": "c-1"});
    let first = api.call("POST", &path, &ann, body.clone()).await.ok(201);
    let again = api.call("POST", &path, &ann, body.clone()).await.ok(200);
    assert_eq!(first, again);
    let other = api.call("POST", &path, &bob, body.clone()).await.ok(201);
    assert_ne!(first["_id"], other["_id"]);
    api.call("POST", &path, &eve, body).await.is(403, "FORBIDDEN");
    for wrong in [
        json!({}),
        json!({"body": ""}),
        json!({"body": 7}),
        json!({"body": "x".repeat(100_001)}),
        json!({"body": "x", "clientId": ""}),
        json!({"body": "x", "clientId": "x".repeat(257)}),
    ] {
        api.call("POST", &path, &ann, wrong)
            .await
            .is(400, "VALIDATION_ERROR");
    }
    api.call("POST", &path, &ann, json!({"body": "x".repeat(100_000)}))
        .await
        .ok(201);
    // There is no rate limit here.
    for _ in 0..20 {
        api.post(&ann, &chat, "again").await;
    }
}

#[tokio::test]
async fn messages_are_paged_both_ways() {
    let api = Api::new();
    let [ann, bob, eve] = api.users(["ann", "bob", "eve"]).await;
    let chat = api.group(&ann, &[&bob]).await;
    let mut ids = Vec::new();
    for i in 0..5 {
        ids.push(api.post(&ann, &chat, &format!("m{i}")).await);
    }
    let path = format!("/v1/chats/{chat}/messages");
    let page = async |query: &str| {
        let page = api.get(&format!("{path}?{query}"), &bob).await.ok(200);
        let found: Vec<String> = page["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["_id"].as_str().unwrap().to_owned())
            .collect();
        (found, page["nextCursor"].as_str().map(str::to_owned))
    };
    let (newest, next) = page("limit=2").await;
    assert_eq!(newest, [&*ids[4], &*ids[3]]);
    let (older, next) = page(&format!("limit=3&before={}", next.unwrap())).await;
    assert_eq!(
        (older, next),
        (vec![ids[2].clone(), ids[1].clone(), ids[0].clone()], None)
    );
    let (newer, next) = page(&format!("limit=2&after={}", ids[0])).await;
    assert_eq!(newer, [&*ids[1], &*ids[2]]);
    let (rest, next) = page(&format!("limit=2&after={}", next.unwrap())).await;
    assert_eq!((rest, next), (vec![ids[3].clone(), ids[4].clone()], None));

    for wrong in [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=-1",
        "before=x",
        "after=x",
        &format!("before={0}&after={0}", ids[0]),
    ] {
        api.get(&format!("{path}?{wrong}"), &bob)
            .await
            .is(400, "VALIDATION_ERROR");
    }
    api.get(&path, &eve).await.is(403, "FORBIDDEN");
    api.get(&format!("/v1/chats/{NO_ONE}/messages"), &bob)
        .await
        .is(404, "NOT_FOUND");
}

#[tokio::test]
async fn the_listing_has_the_latest_first_with_what_is_unread() {
    let api = Api::new();
    let [ann, bob] = api.users(["ann", "bob"]).await;
    let quiet = api.group(&ann, &[&bob]).await;
    let busy = api.group(&ann, &[&bob]).await;
    api.post(&ann, &quiet, "first").await;
    let long = "ü".repeat(150);
    let read = api.post(&ann, &busy, "second").await;
    api.post(&ann, &busy, &long).await;
    let cursor = format!("/v1/chats/{busy}/read-cursor");
    api.call("PUT", &cursor, &bob, json!({"messageId": read}))
        .await
        .ok(200);
    let listed = api.get("/v1/chats", &bob).await.ok(200);
    let rows = listed["chats"].as_array().unwrap();
    assert_eq!(rows[0]["_id"], busy.as_str());
    assert_eq!(
        (&rows[0]["unreadCount"], &rows[1]["unreadCount"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(rows[0]["lastMessage"]["body"], "ü".repeat(100));
    let first = api.get("/v1/chats?limit=1", &bob).await.ok(200);
    let next = first["nextCursor"].as_str().unwrap();
    let second = api
        .get(&format!("/v1/chats?limit=1&cursor={next}"), &bob)
        .await
        .ok(200);
    assert_eq!(second["chats"][0]["_id"], quiet.as_str());
    assert!(second.get("nextCursor").is_none());
    for wrong in ["limit=0", "limit=101", "limit=x", "cursor=nonsense"] {
        api.get(&format!("/v1/chats?{wrong}"), &bob)
            .await
            .is(400, "VALIDATION_ERROR");
    }
}

#[tokio::test]
async fn the_read_cursor_never_goes_back() {
    let api = Api::new();
    let [ann, bob, eve] = api.users(["ann", "bob", "eve"]).await;
    let chat = api.group(&ann, &[&bob]).await;
    let other = api.group(&ann, &[&eve]).await;
    let older = api.post(&ann, &chat, "older").await;
    let newer = api.post(&ann, &chat, "newer").await;
    let elsewhere = api.post(&ann, &other, "elsewhere").await;
    let path = format!("/v1/chats/{chat}/read-cursor");
    let put = async |user: &User, id: &str| api.call("PUT", &path, user, json!({"messageId": id})).await;
    let moved = put(&bob, &newer).await.ok(200);
    assert_eq!(
        (&moved["lastReadMessageId"], &moved["role"]),
        (&json!(newer), &json!("member"))
    );
    assert_eq!(put(&bob, &older).await.ok(200), moved);
    put(&eve, &newer).await.is(403, "FORBIDDEN");
    put(&bob, NO_ONE).await.is(404, "NOT_FOUND");
    put(&bob, &elsewhere).await.is(400, "VALIDATION_ERROR");
    put(&bob, "nonsense").await.is(400, "VALIDATION_ERROR");
}

#[tokio::test]
async fn search_finds_every_word_in_ones_own_chats_only() {
    let api = Api::new();
    let [ann, bob, eve] = api.users(["ann", "bob", "eve"]).await;
    let chat = api.group(&ann, &[&bob]).await;
    let other = api.group(&ann, &[&bob]).await;
    let first = api.post(&ann, &chat, "The quick brown FOX").await;
    let second = api.post(&ann, &other, "fox, quick!").await;
    api.post(&ann, &chat, "only a fox").await;
    let find = async |user: &User, query: &str| -> Vec<String> {
        let path = format!("/v1/search/messages?{query}");
        let page = api.get(&path, user).await.ok(200);
        page["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(find(&bob, "q=Quick%20fox").await, [&*second, &*first]);
    assert_eq!(find(&bob, &format!("q=quick&chatId={chat}")).await, [&*first]);
    assert!(find(&eve, "q=fox").await.is_empty());
    assert!(find(&bob, "q=%22%20OR%20%2A").await.is_empty());
    let page = api.get("/v1/search/messages?q=quick&limit=1", &bob).await.ok(200);
    let next = page["nextCursor"].as_str().unwrap();
    assert_eq!(
        find(&bob, &format!("q=quick&limit=1&cursor={next}")).await,
        [&*first]
    );
    let long = format!("q={}", "x".repeat(201));
    for wrong in [
        "",
        "q=",
        &long,
        "q=x&limit=0",
        "q=x&limit=101",
        "q=x&chatId=nonsense",
        "q=x&cursor=nonsense",
    ] {
        api.get(&format!("/v1/search/messages?{wrong}"), &bob)
            .await
            .is(400, "VALIDATION_ERROR");
    }
    api.get(&format!("/v1/search/messages?q=x&chatId={chat}"), &eve)
        .await
        .is(403, "FORBIDDEN");
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

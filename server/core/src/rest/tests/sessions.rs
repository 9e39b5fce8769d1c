//! `/v1/auth`.

use serde_json::json;

use super::Api;

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

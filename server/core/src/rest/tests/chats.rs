//! `/v1/chats` and the members of a chat.

use serde_json::{Value, json};

use super::{Api, NO_ONE, User};

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

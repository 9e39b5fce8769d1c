//! Messages, cursors and search.

use serde_json::json;

use super::{Api, NO_ONE, User};

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

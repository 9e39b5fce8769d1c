//! A server that only broadcasts: it keeps nothing, and lets everybody do everything. No server on this library can be faster,
//! so `chatspec load` of it tells how much of the reference server's time goes into keeping its promises.
//!
//! Usage: `bare [ADDR:PORT]`, by default a free port of 127.0.0.1; it prints its address. Then, in another terminal,
//! `chatspec load --url ADDRESS --pid PID --repeat 0`: it knows no repeats.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef, TryData};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:0");
    let (layer, io) = SocketIo::builder().max_buffer_size(1024).build_layer();
    io.ns("/", connect);
    let register = || async {
        let id = next_id();
        Json(json!({"user": {"id": id}, "accessToken": id, "sessionToken": id}))
    };
    let rest = Router::new()
        .route(
            "/v1/auth/register",
            post(async move || (axum::http::StatusCode::CREATED, register().await)),
        )
        .route("/v1/chats", post(async || Json(json!({"_id": next_id()}))))
        .layer(layer);
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, rest).await?;
    Ok(())
}

fn next_id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(1);
    format!("{:024x}", LAST.fetch_add(1, Ordering::Relaxed))
}

/// The token is the user.
#[derive(Clone)]
struct User(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    chat_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    chat_id: String,
    client_id: String,
    body: String,
}

async fn connect(socket: SocketRef, TryData(auth): TryData<Value>) {
    let token = auth
        .ok()
        .and_then(|auth| Some(auth.get("token")?.as_str()?.to_owned()));
    socket.extensions.insert(User(token.unwrap_or_default()));
    socket.on(
        "room:join",
        async |socket: SocketRef, Data(chat): Data<Chat>, ack: AckSender| {
            socket.join(chat.chat_id);
            ack.send(&json!({"ok": true})).ok();
        },
    );
    socket.on("message:send", send);
}

async fn send(socket: SocketRef, Data(sent): Data<Message>, ack: AckSender) {
    let (id, sender) = (next_id(), socket.extensions.get::<User>());
    let message = json!({"message": {
        "_id": id, "chatId": sent.chat_id, "clientId": sent.client_id, "body": sent.body,
        "senderId": sender.map(|user| user.0), "createdAt": OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
    }});
    socket
        .within(sent.chat_id)
        .emit("message:new", &message)
        .await
        .ok();
    ack.send(&json!({"ok": true, "data": {"clientId": sent.client_id, "serverId": id}}))
        .ok();
}

//! What scenarios of several areas do alike.

use serde_json::{Value, json};

use crate::client::Client;
use crate::expect::{Found, ack, that};
use crate::scene::chats::Chat;
use crate::scene::people::User;
use crate::scene::{Scene, Stop};

/// Twenty-four hex characters that no store has given to anything.
pub(super) const NOWHERE: &str = "000000000000000000000000";

/// The data of an ack that must be a success.
pub(super) fn accepted(reply: Found<Value>) -> Found<Value> {
    reply.and_then(|reply| ack::ok(&reply).cloned())
}

/// An ack that must be this refusal.
pub(super) fn refused(reply: Found<Value>, code: &str) -> Found {
    reply.and_then(|reply| ack::error(&reply, &[code]))
}

/// A `message:send` as a client that means well sends it.
pub(super) fn message(chat: &Chat, client_id: &str, body: &str) -> Value {
    json!({"chatId": chat.id, "clientId": client_id, "body": body})
}

/// The socket still works: what was refused or ignored before has harmed nothing.
pub(super) async fn still_works(client: &Client) -> Found {
    accepted(client.request("presence:ping", json!({})).await).map(drop)
}

/// Every event that a server may send.
const SERVER_EVENTS: [&str; 5] = [
    "message:new",
    "typing:update",
    "receipt:update",
    "presence:update",
    "chat:update",
];

/// Nothing has come that the protocol does not know, as an `error` or an `exception` would be.
pub(super) fn no_complaint(client: &Client) -> Found {
    let events = client.all_events();
    let odd = events
        .iter()
        .find(|event| !SERVER_EVENTS.contains(&event.name.as_str()));
    that(
        odd.is_none(),
        "no event that the protocol does not know",
        format_args!("{odd:?}"),
    )
}

/// Connects each user and joins the chat's room.
pub(super) async fn joined<const N: usize>(
    scene: &Scene,
    chat: &Chat,
    users: [&User; N],
) -> Result<[Client; N], Stop> {
    let clients = users.map(async |user| {
        let client = scene.connect(user).await?;
        scene.join(&client, chat).await?;
        Ok::<_, Stop>(client)
    });
    let clients = futures_util::future::try_join_all(clients).await?;
    clients
        .try_into()
        .map_err(|_| Stop::Harness("as many clients as users".to_owned()))
}

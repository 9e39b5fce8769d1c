//! What scenarios of several areas do alike.

use serde_json::{Value, json};

use crate::client::Client;
use crate::event::Mark;
use crate::expect::{Found, Mismatch, Words, ack, that};
use crate::scene::chats::Chat;
use crate::scene::people::User;
use crate::scene::{Scene, Stop};

/// Twenty-four hex characters that no store has given to anything. Not all zeros, which some libraries take for no id.
pub(crate) const NOWHERE: &str = "0c7a9e5b3d2f4a6088776655";

/// The data of an ack that must be a success.
pub(super) fn accepted(reply: Found<Value>) -> Found<Value> {
    reply.and_then(|reply| ack::ok(&reply).cloned())
}

/// An ack that must be this refusal.
pub(super) fn refused(reply: Found<Value>, code: &str) -> Found {
    reply.and_then(|reply| ack::error(&reply, &[code]))
}

/// A `message:send` as a client that means well sends it.
pub(crate) fn message(chat: &Chat, client_id: &str, body: &str) -> Value {
    json!({"chatId": chat.id, "clientId": client_id, "body": body})
}

/// The socket still works: what was refused or ignored before has harmed nothing.
pub(super) async fn still_works(client: &Client) -> Found {
    accepted(client.request("presence:ping", json!({})).await).map(drop)
}

/// Nothing has come since `mark` that complains, as an event named `error` or `exception` would. Other events that the
/// protocol does not know are no complaint.
pub(super) fn no_complaint(client: &Client, mark: Mark) -> Found {
    let tells_of_one = |name: &str| {
        ["error", "exception"]
            .iter()
            .any(|word| name.to_lowercase().contains(word))
    };
    let events = client.all_events();
    let complaint = events
        .iter()
        .find(|event| event.is_after(mark) && tells_of_one(&event.name));
    that(
        complaint.is_none(),
        "no event that tells of an error",
        complaint.map(ToString::to_string).unwrap_or_default(),
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

/// How many messages the listing counts as unread for this user.
pub(super) async fn unread(scene: &Scene, user: &User, chat: &Chat) -> Result<Found<u64>, Stop> {
    let chats = scene.chats(user).await?;
    let row = chats.iter().find(|row| row["_id"] == chat.id.as_str());
    let count = row.and_then(|row| row["unreadCount"].as_u64());
    let shown = row.map_or_else(|| Words::from("no such row"), Words::from);
    Ok(count.ok_or_else(|| Mismatch::new("the chat in the listing, with its unreadCount", shown)))
}

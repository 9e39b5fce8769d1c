//! How the target uses what MSG-18 leaves open, and what no requirement speaks of; never a verdict.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::expect::ack;
use crate::scenarios::steps::{accepted, joined, message};
use crate::scene::chats::Chat;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene};
use crate::targets::provision::ProvisionError;
use crate::text::show;

/// What the contract's MessageDTO has.
const FIELDS: [&str; 8] = [
    "_id",
    "chatId",
    "senderId",
    "body",
    "clientId",
    "createdAt",
    "editedAt",
    "deleted",
];

/// Whether sending takes having joined: `outside` has not.
pub(super) async fn not_joined(scene: &Scene, outside: &Client, chat: &Chat) {
    let payload = message(chat, &scene.unique("client"), &scene.unique("not joined"));
    // Whatever is answered is allowed; where nothing is, there is nothing to tell.
    if let Ok(reply) = outside.request("message:send", payload).await {
        let freedom = if ack::ok(&reply).is_ok() {
            "sending does not take having joined the room".to_owned()
        } else {
            let error = show(&reply["error"]);
            format!("sending without having joined the room is refused: {error}")
        };
        scene.note("MSG-18", freedom);
    }
}

/// Whether `message:new` carries more than it must.
pub(super) fn further_fields(scene: &Scene, message_new: &Value) {
    let keys = |value: &Value| -> Vec<String> {
        let object = value.as_object();
        object
            .map(|object| object.keys().cloned().collect())
            .unwrap_or_default()
    };
    let mut further: Vec<String> = keys(message_new)
        .into_iter()
        .filter(|key| key != "message")
        .collect();
    let of_message = keys(&message_new["message"]).into_iter();
    further.extend(
        of_message
            .filter(|key| !FIELDS.contains(&key.as_str()))
            .map(|key| format!("message.{key}")),
    );
    let freedom = if further.is_empty() {
        "message:new has no further fields".to_owned()
    } else {
        format!("message:new has further fields: {}", further.join(", "))
    };
    scene.note("MSG-18", freedom);
}

/// Whether repeats count against the rate limit: with one message and repeats of it up to the limit, is there a place
/// left? `user` has sent nothing yet.
pub(super) async fn repeats_count(scene: &Scene, user: &User, chat: &Chat) -> Outcome {
    /// A limit beyond this is not worth the flood.
    const MOST: usize = 50;
    let max = scene.profile().limits.rate_max;
    if max > MOST {
        return Ok(());
    }
    let [client] = joined(scene, chat, [user]).await?;
    let first = message(chat, &scene.unique("client"), &scene.unique("repeated"));
    for _ in 0..max {
        accepted(client.request("message:send", first.clone()).await)?;
    }
    let another = message(chat, &scene.unique("client"), &scene.unique("not repeated"));
    let reply = client.request("message:send", another).await?;
    scene.note(
        "MSG-18",
        if ack::ok(&reply).is_ok() {
            "repeats do not count against the rate limit"
        } else {
            "repeats count against the rate limit"
        },
    );
    Ok(())
}

/// What a search makes of a message that has been acknowledged, for a member and for somebody outside. No requirement speaks
/// of it, and an index may lag behind.
pub(super) async fn search(scene: &Scene, sender: &Client, chat: &Chat, users: [&User; 2]) -> Outcome {
    let body = scene.unique("sought");
    let id = scene.send(sender, chat, &body).await?;
    let told = match searched(scene, users, chat, &id, &body).await {
        Ok(told) => told,
        Err(lack @ ProvisionError::NotOffered { .. }) => lack.to_string(),
        Err(lack) => format!("a search does not work: {lack}"),
    };
    scene.note("MSG-16", told);
    Ok(())
}

async fn searched(
    scene: &Scene,
    [member, outsider]: [&User; 2],
    chat: &Chat,
    id: &str,
    body: &str,
) -> Result<String, ProvisionError> {
    const PACE: Duration = Duration::from_millis(100);
    let acknowledged = Instant::now();
    let finds = async |user| {
        Ok::<_, ProvisionError>(
            scene
                .search(user, chat, body)
                .await?
                .iter()
                .any(|found| found == id),
        )
    };
    while !finds(member).await? {
        if acknowledged.elapsed() > scene.timing().deadline() {
            return Ok("a search does not find the message".to_owned());
        }
        scene.sleep(PACE).await;
    }
    let took = acknowledged.elapsed().as_millis();
    // To be refused is as good as to find nothing.
    let leaks = finds(outsider).await.unwrap_or(false);
    Ok(if leaks {
        "a search finds the message even for who is not in the chat; the protocol's section 13 says own chats only".to_owned()
    } else {
        format!("a search finds the message, {took} ms after its ack, and for members only")
    })
}

//! What a message must have, and how long its parts may be.

use serde_json::{Value, json};

use crate::client::Client;
use crate::expect::event::event;
use crate::scenarios::steps::{accepted, joined, message, refused};
use crate::scene::chats::Chat;
use crate::scene::{Outcome, Scene, Stop};
use crate::text::show;

/// Alice's next incarnation: whether what is refused counts against the rate limit, RATE-08 leaves to a warning, and a
/// limited user would be told of the limit instead of the mistake.
async fn fresh(scene: &Scene) -> Result<(Chat, Client), Stop> {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let [client] = joined(scene, &chat, [&alice]).await?;
    Ok((chat, client))
}

pub(super) async fn invalid(scene: &Scene) -> Outcome {
    let with = |chat: &Chat, field: &str, value: Option<Value>| {
        let mut payload = message(chat, &scene.unique("client"), &scene.unique("body"));
        if let Some(fields) = payload.as_object_mut() {
            match value {
                Some(value) => fields.insert(field.to_owned(), value),
                None => fields.remove(field),
            };
        }
        payload
    };
    for (requirement, field) in [("MSG-10", "clientId"), ("MSG-11", "body")] {
        let (chat, client) = fresh(scene).await?;
        scene.send(&client, &chat, &scene.unique("a valid one")).await?;
        let bad = [
            None,
            Some(json!("")),
            Some(json!(null)),
            Some(json!(7)),
            Some(json!(true)),
        ];
        for value in bad
            .into_iter()
            .chain([Some(json!(["x"])), Some(json!({"$gt": ""}))])
        {
            let payload = with(&chat, field, value);
            let at = format!(
                "{field} {}",
                payload.get(field).map_or("missing".to_owned(), show)
            );
            let reply = refused(client.request("message:send", payload).await, "VALIDATION_ERROR");
            scene.check(requirement, reply.map_err(|mismatch| mismatch.at(&at)));
        }
    }
    let (chat, client) = fresh(scene).await?;
    // 256 bytes are within any reading of the limit that the contract sets, 257 beyond it.
    let longest = with(&chat, "clientId", Some(json!("c".repeat(256))));
    scene.require("MSG-17", accepted(client.request("message:send", longest).await))?;
    let too_long = with(&chat, "clientId", Some(json!("c".repeat(257))));
    scene.check(
        "MSG-17",
        refused(client.request("message:send", too_long).await, "VALIDATION_ERROR"),
    );
    Ok(())
}

pub(super) async fn size(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let client = scene.connect_raw(&alice).await?;
    scene.join(&client, &chat).await?;
    let max = scene.profile().limits.body_max_bytes;
    let ascii = |bytes: usize| "a".repeat(bytes);
    // Four bytes a character, and plain letters to make up the rest.
    let emoji = |bytes: usize| format!("{}{}", "😀".repeat(bytes / 4), "a".repeat(bytes % 4));
    for (why, body) in [("ASCII", ascii(max)), ("emoji", emoji(max))] {
        let at = format!("{max} bytes of {why}");
        let payload = message(&chat, &scene.unique("client"), &body);
        let reply = accepted(client.request("message:send", payload).await);
        scene.require("MSG-12", reply.map_err(|mismatch| mismatch.at(&at)))?;
        let heard = client
            .expect(&event("message:new").at("/message/body", body.as_str()))
            .await;
        scene.check("MSG-12", heard.map_err(|mismatch| mismatch.at(&at)));
    }
    for (why, body) in [("ASCII", ascii(max + 1)), ("emoji", emoji(max + 1))] {
        let at = format!("{} bytes of {why}", max + 1);
        let payload = message(&chat, &scene.unique("client"), &body);
        let reply = refused(client.request("message:send", payload).await, "VALIDATION_ERROR");
        scene.check("MSG-12", reply.map_err(|mismatch| mismatch.at(&at)));
    }
    Ok(())
}

//! Messages: sending, the broadcast, and what is in it.

use serde_json::json;

use super::{Scenario, run};
use crate::expect::event::event;
use crate::expect::{ack, all, equal, has, is_id, text, that, utc_time};
use crate::scene::fence::Fence;
use crate::scene::{Outcome, Scene};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "messages/send-and-broadcast",
    "A message is acknowledged and reaches every socket in the room once, as the server made it",
    &["MSG-01", "MSG-02", "MSG-03", "MSG-04"],
    run!(send_and_broadcast),
)];

async fn send_and_broadcast(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let sender = scene.connect(&alice).await?;
    let second_device = scene.connect(&alice).await?;
    let receiver = scene.connect(&bob).await?;
    for client in [&sender, &second_device, &receiver] {
        scene.join(client, &chat).await?;
    }

    // What a client claims about sender and time is no business of its.
    let client_id = scene.unique("client");
    let body = scene.unique("hello");
    let payload = json!({
        "chatId": chat.id, "clientId": client_id, "body": body,
        "senderId": bob.id, "createdAt": "2001-01-01T00:00:00.000Z",
    });
    let before = time::OffsetDateTime::now_utc();
    let reply = scene.require("MSG-01", sender.request("message:send", payload).await)?;
    let data = scene.require("MSG-01", ack::ok(&reply))?;
    scene.check("MSG-01", has(data, "/clientId", client_id.as_str()));
    let server_id = scene.require("MSG-01", text(data, "/serverId"))?;
    scene.check(
        "MSG-01",
        that(is_id(server_id), "serverId of 24 hex characters", server_id),
    );

    let pattern = event("message:new").at("/message/body", body.as_str());
    for client in [&sender, &second_device, &receiver] {
        let Some(arrived) = scene.check("MSG-02", client.expect(&pattern).await) else {
            continue;
        };
        let once = scene.exactly(1, client, &pattern, Fence::Room(&chat)).await?;
        scene.check("MSG-02", once);
        scene.check(
            "MSG-03",
            scene.schema("events/server/message-new", arrived.data()),
        );
        scene.check("MSG-03", has(arrived.data(), "/message/_id", server_id));

        let message = &arrived.data()["message"];
        scene.check(
            "MSG-04",
            equal("senderId", &message["senderId"], &json!(alice.id)),
        );
        let off = utc_time(&message["createdAt"]).map(|created| (created - before).abs());
        let near = off.and_then(|off| {
            that(
                off < time::Duration::minutes(5),
                "createdAt by the server's clock",
                off,
            )
        });
        scene.check("MSG-04", near);
    }

    // The same through REST: the claims have not been stored either.
    let stored = scene.messages(&bob, &chat).await?;
    let stored = stored
        .iter()
        .find(|message| message["_id"] == server_id)
        .cloned()
        .unwrap_or_default();
    scene.check(
        "MSG-04",
        all([
            has(&stored, "/senderId", alice.id.as_str()),
            that(
                stored["createdAt"] != "2001-01-01T00:00:00.000Z",
                "createdAt by the server",
                &stored["createdAt"],
            ),
        ]),
    );
    Ok(())
}

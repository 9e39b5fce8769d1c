//! Messages: sending, the broadcast, and what is in it.

mod freedoms;
mod limits;
mod repeats;

use std::time::Duration;

use serde_json::{Value, json};

use super::steps::{accepted, joined, message, refused};
use super::{Scenario, run};
use crate::expect::event::event;
use crate::expect::{Found, Mismatch, Words, ack, all, equal, has, is_id, text, that, utc_time, varying};
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "messages/send-and-broadcast",
        "A message is acknowledged and reaches every socket in the room once, as the server made it",
        &["MSG-01", "MSG-02", "MSG-03", "MSG-04"],
        run!(send_and_broadcast),
    ),
    Scenario::new(
        "messages/repeats",
        "A message sent again, with another body or after a reconnect, stays the one it was",
        &["MSG-05", "MSG-06", "MSG-08", "MSG-09", "MSG-19"],
        run!(repeats::again),
    ),
    Scenario::new(
        "messages/race",
        "Sent from several sockets at the same time under one clientId, it is one message",
        &["MSG-07"],
        run!(repeats::race),
    ),
    Scenario::new(
        "messages/ack-lost",
        "Whatever gets lost when a connection breaks off, the message that is sent again is there once",
        &["MSG-09"],
        run!(repeats::ack_lost),
    ),
    Scenario::new(
        "messages/invalid",
        "A message without a proper clientId or body, or too long, is a validation error",
        &["MSG-10", "MSG-11", "MSG-17"],
        run!(limits::invalid),
    ),
    Scenario::new(
        "messages/size",
        "The limit of a body is in bytes, exactly",
        &["MSG-12"],
        run!(limits::size),
    ),
    Scenario::new(
        "messages/stranger",
        "Who does not belong to a chat cannot write into it",
        &["MSG-13"],
        run!(stranger),
    ),
    Scenario::new(
        "messages/every-script",
        "Bodies come back code point for code point, live and listed",
        &["MSG-14"],
        run!(every_script),
    ),
    Scenario::new(
        "messages/order",
        "Messages arrive and are listed in the order of sending, and every ack is of its own message",
        &["MSG-01", "MSG-15", "MSG-20"],
        run!(order),
    ),
    Scenario::new(
        "messages/durable-at-ack",
        "At the ack the message is listed and the chat has moved",
        &["MSG-16"],
        run!(durable_at_ack),
    ),
];

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
        scene.check("MSG-03", has(arrived.data(), "/message/chatId", chat.id.as_str()));

        if client.name() == receiver.name() {
            freedoms::further_fields(scene, arrived.data());
        }
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
                varying(format!("{off} away")),
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

    let outside = scene.connect(&alice).await?;
    freedoms::not_joined(scene, &outside, &chat).await;
    Ok(())
}

/// How often the listing, without the kit's own messages, holds this body.
async fn stored(scene: &Scene, user: &User, chat: &Chat, body: &str) -> Result<usize, Stop> {
    Ok(scene
        .messages(user, chat)
        .await?
        .iter()
        .filter(|message| message["body"] == body)
        .count())
}

async fn stranger(scene: &Scene) -> Outcome {
    let [alice, mallory] = scene.users(["alice", "mallory"]).await?;
    let (chat, own) = (scene.group(&alice, &[]).await?, scene.group(&mallory, &[]).await?);
    let [insider] = joined(scene, &chat, [&alice]).await?;
    let [outsider] = joined(scene, &own, [&mallory]).await?;
    scene.send(&outsider, &own, &scene.unique("at home")).await?;
    let body = scene.unique("from outside");
    let reply = outsider
        .request("message:send", message(&chat, &scene.unique("client"), &body))
        .await;
    scene.check("MSG-13", refused(reply, "FORBIDDEN"));
    let heard = event("message:new").at("/message/body", body.as_str());
    let silence = scene.absent(&insider, &heard, Fence::Room(&chat)).await?;
    scene.check("MSG-13", silence);
    scene.check(
        "MSG-13",
        equal("messages stored", &stored(scene, &alice, &chat, &body).await?, &0),
    );
    Ok(())
}

async fn every_script(scene: &Scene) -> Outcome {
    let bodies = &scene.contract().corpus.bodies;
    if bodies.is_empty() {
        return Err(Stop::Harness("the corpus holds no bodies".to_owned()));
    }
    // A user for each few, since the rate limit is the user's.
    for some in bodies.chunks(scene.profile().limits.rate_max.clamp(1, 8)) {
        let [alice, bob] = scene.users(["alice", "bob"]).await?;
        let chat = scene.group(&alice, &[&bob]).await?;
        let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
        for sample in some {
            let reply = a
                .request(
                    "message:send",
                    message(&chat, &scene.unique("client"), &sample.body),
                )
                .await;
            let at = |mismatch: Mismatch| mismatch.at(&sample.name);
            let Some(data) = scene.check("MSG-14", accepted(reply).map_err(at)) else {
                continue;
            };
            let id = text(&data, "/serverId")?;
            let heard = b.expect(&event("message:new").at("/message/_id", id)).await;
            let exact = |message: &Value| has(message, "/body", sample.body.as_str());
            scene.check(
                "MSG-14",
                heard
                    .and_then(|event| exact(&event.data()["message"]))
                    .map_err(at),
            );
            let listed = scene.messages(&bob, &chat).await?;
            let listed = listed
                .iter()
                .find(|message| message["_id"] == id)
                .cloned()
                .unwrap_or_default();
            scene.check("MSG-14", exact(&listed).map_err(at));
        }
    }
    Ok(())
}

async fn order(scene: &Scene) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let chat = scene.group(&alice, &[&bob, &carol]).await?;
    let [client, listener] = joined(scene, &chat, [&alice, &bob]).await?;
    let hasty = scene.connect_raw(&carol).await?;
    scene.join(&hasty, &chat).await?;
    let count = scene.profile().limits.rate_max.clamp(2, 10);
    let bodies = |who: &str| {
        (0..count)
            .map(|n| scene.unique(&format!("{who} {n}")))
            .collect::<Vec<_>>()
    };
    let (awaited, pipelined) = (bodies("awaited"), bodies("pipelined"));

    for body in &awaited {
        scene.send(&client, &chat, body).await?;
    }
    let mut pending = Vec::new();
    for body in &pipelined {
        let client_id = scene.unique("client");
        let payload = message(&chat, &client_id, body);
        pending.push((client_id, hasty.start("message:send", vec![payload])?));
    }
    for (client_id, pending) in pending {
        let data = accepted(pending.ack(scene.timing().deadline()).await)?;
        scene.check("MSG-01", has(&data, "/clientId", client_id));
    }
    // All of them have to come, if perhaps later than the fence.
    for body in awaited.iter().chain(&pipelined) {
        let _ = listener
            .expect(&event("message:new").at("/message/body", body.as_str()))
            .await;
    }
    scene.fence_room(&chat, &[&listener]).await?;
    let mut listed = scene.messages(&bob, &chat).await?;
    listed.reverse();
    for (requirement, sent) in [("MSG-15", &awaited), ("MSG-20", &pipelined)] {
        let of_these = |body: &Value| sent.iter().any(|sent| body == sent.as_str());
        let live: Vec<Value> = listener
            .events(&event("message:new"))
            .iter()
            .map(|event| event.data()["message"].clone())
            .filter(|message| of_these(&message["body"]))
            .collect();
        let stored: Vec<Value> = listed
            .iter()
            .filter(|message| of_these(&message["body"]))
            .cloned()
            .collect();
        for (where_to, messages) in [("as delivered", live), ("as listed", stored)] {
            let order: Vec<_> = messages
                .iter()
                .filter_map(|message| message["body"].as_str())
                .collect();
            scene.check(
                requirement,
                equal(
                    &format!("messages {where_to}"),
                    &order,
                    &sent.iter().map(String::as_str).collect(),
                ),
            );
            if requirement == "MSG-15" {
                let grows = non_decreasing(&messages);
                scene.check(requirement, grows.map_err(|mismatch| mismatch.at(where_to)));
            }
        }
    }
    Ok(())
}

/// `(createdAt, _id)` never falls.
fn non_decreasing(messages: &[Value]) -> Found {
    let mut keys = Vec::new();
    for message in messages {
        keys.push((utc_time(&message["createdAt"])?, text(message, "/_id")?));
    }
    let fallen = keys.windows(2).find(|pair| pair[0] > pair[1]);
    let shown = |pair: &[_]| {
        let pair: Vec<String> = pair.iter().map(|(at, id)| format!("({at}, {id})")).collect();
        varying(pair.join(" before "))
    };
    that(
        fallen.is_none(),
        "non-decreasing (createdAt, _id)",
        fallen.map(shown).unwrap_or_default(),
    )
}

/// What the target's clock may tell apart, to judge by a time of it.
fn tick_of(at: time::OffsetDateTime) -> Duration {
    Duration::from_millis(if at.nanosecond() == 0 { 1_100 } else { 5 })
}

async fn durable_at_ack(scene: &Scene) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let [client] = joined(scene, &chat, [&alice]).await?;
    let updated_at = async || {
        let shown = scene.chat(&bob, &chat).await?;
        Ok::<_, Stop>(utc_time(&shown["updatedAt"]))
    };
    for n in 0..3 {
        let before = updated_at().await??;
        // A clock that tells whole seconds, or milliseconds, must have gone on to show that anything has moved.
        scene.sleep(tick_of(before)).await;
        let body = scene.unique(&format!("durable {n}"));
        scene.send(&client, &chat, &body).await?;
        scene.check(
            "MSG-16",
            equal(
                "messages listed at the ack",
                &stored(scene, &bob, &chat, &body).await?,
                &1,
            ),
        );
        let after = scene.require("MSG-16", updated_at().await?)?;
        scene.check(
            "MSG-16",
            that(
                after > before,
                Words::from("updatedAt after ").varying(before),
                varying(after),
            ),
        );
    }
    scene
        .aside(freedoms::search(scene, &client, &chat, [&bob, &carol]))
        .await
}

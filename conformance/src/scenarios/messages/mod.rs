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
    )
    .steps(&[
        "Alice makes a group with Bob; two connections of Alice and one of Bob join the room.",
        "Alice sends message:send with Bob's id as senderId and a createdAt of 2001 beside what \
         belongs there.",
        "The ack is {ok:true} with her clientId and a serverId of 24 lower-case hex characters  [MSG-01]",
        "message:new with her body arrives at each of the three connections within the deadline  \
         [MSG-02]",
        "A later message into the room arrives at each of them, and Alice's message exactly once \
         before it  [MSG-02]",
        "Each message:new fits its schema, and its message has the ack's serverId as _id and the \
         group's id as chatId  [MSG-03]",
        "Each has Alice's id as senderId, and a createdAt less than 5 minutes from the kit's clock  \
         [MSG-04]",
        "The listing, as Bob reads it through REST, has it with Alice's id and another createdAt than \
         hers  [MSG-04]",
    ]),
    Scenario::new(
        "messages/repeats",
        "A message sent again, with another body or after a reconnect, stays the one it was",
        &["MSG-05", "MSG-06", "MSG-08", "MSG-09", "MSG-19"],
        run!(repeats::again),
    )
    .steps(&[
        "Alice makes two groups with Bob; both join the first room, and Alice sends a message there.",
        "Alice sends it again, same clientId and body: {ok:true} with the first serverId  [MSG-05]",
        "Alice sends another body under the same clientId: {ok:true} with the first serverId  [MSG-08]",
        "After a later message Bob has got the first body exactly once, and the listing has it once  \
         [MSG-05]",
        "After another one he has not got the other body, and the listing does not have it  [MSG-08]",
        "Alice joins the second room and sends under the same clientId there: {ok:true}, another \
         serverId  [MSG-06]",
        "Bob sends a body of his own under Alice's clientId in the first chat: another serverId, and \
         listed once  [MSG-19]",
        "Alice closes, connects, joins, and sends the first message again: {ok:true} with the first \
         serverId  [MSG-09]",
        "After a later message Bob has still got the first body once, and the listing has it once  \
         [MSG-09]",
    ]),
    Scenario::new(
        "messages/race",
        "Sent from several sockets at the same time under one clientId, it is one message",
        &["MSG-07"],
        run!(repeats::race),
    )
    .steps(&[
        "There are 8 rounds, each with an Alice and a Bob of its own, and a group of the two.",
        "In each round Bob joins the room, and so do five connections of Alice.",
        "All five send the same message:send, same clientId and body, without waiting for each other.",
        "Each of the five is acknowledged {ok:true} with a serverId, whatever arrives first  [MSG-07]",
        "The five acks have one and the same serverId  [MSG-07]",
        "A later message into the room arrives at Bob, and this message exactly once before it  [MSG-07]",
        "The listing, as Alice reads it through REST, has it exactly once  [MSG-07]",
    ]),
    Scenario::new(
        "messages/ack-lost",
        "Whatever gets lost when a connection breaks off, the message that is sent again is there once",
        &["MSG-09"],
        run!(repeats::ack_lost),
    )
    .steps(&[
        "Alice makes a group with Bob, who joins the room.",
        "Three times, Alice joins over a line that fails as she sends a message: the request is lost \
         and the connection cut;",
        "or the ack is lost and the connection cut; or the ack is lost and the connection ends for \
         her, but not for the server.",
        "She finds it closed. Where it was the ack, message:new has arrived at Bob.",
        "Alice connects again, joins, and sends the same once more. The twin: where it was the \
         request, that is a success.",
        "Where it was the ack, it is a success as well; its serverId is judged by messages/repeats  \
         [MSG-09]",
        "A later message arrives at Bob, and message:new with this body has arrived once; the listing \
         has it once  [MSG-09]",
    ]),
    Scenario::new(
        "messages/invalid",
        "A message without a proper clientId or body, or too long, is a validation error",
        &["MSG-10", "MSG-11", "MSG-17"],
        run!(limits::invalid),
    )
    .steps(&[
        "Alice makes a group, connects and joins the room; a new Alice takes her place before each of \
         the steps MSG-11 and MSG-17.",
        "The twin of each: a valid message that is accepted.",
        "message:send with the clientId missing, \"\", null, 7, true, [\"x\"] or an object gets \
         VALIDATION_ERROR  [MSG-10]",
        "message:send with the body missing, \"\", null, 7, true, [\"x\"] or an object gets \
         VALIDATION_ERROR  [MSG-11]",
        "message:send with a clientId of 256 bytes is acknowledged {ok:true}  [MSG-17]",
        "message:send with a clientId of 257 bytes gets VALIDATION_ERROR  [MSG-17]",
    ]),
    Scenario::new(
        "messages/size",
        "The limit of a body is in bytes, exactly",
        &["MSG-12"],
        run!(limits::size),
    )
    .steps(&[
        "Alice makes a group, connects and joins the room; the limit is the target file's, 100,000 \
         bytes by default.",
        "She sends a body of exactly that many bytes of ASCII, and is acknowledged {ok:true}  [MSG-12]",
        "message:new with exactly this body arrives at her own connection  [MSG-12]",
        "She does the same with emoji of four bytes each, a quarter of the characters: {ok:true}, and \
         it arrives  [MSG-12]",
        "One byte more, in ASCII, gets VALIDATION_ERROR  [MSG-12]",
        "One byte more, in emoji and one letter, gets VALIDATION_ERROR  [MSG-12]",
    ]),
    Scenario::new(
        "messages/stranger",
        "Who does not belong to a chat cannot write into it",
        &["MSG-13"],
        run!(stranger),
    )
    .steps(&[
        "Alice makes a group, Mallory another one; each connects and joins the room of her own.",
        "The twin: Mallory sends a message into her own chat, which is accepted.",
        "Mallory sends message:send into Alice's chat and gets FORBIDDEN  [MSG-13]",
        "A later message into Alice's room arrives at Alice, and not Mallory's before it  [MSG-13]",
        "The listing of Alice's chat, as she reads it through REST, does not have it  [MSG-13]",
    ]),
    Scenario::new(
        "messages/every-script",
        "Bodies come back code point for code point, live and listed",
        &["MSG-14"],
        run!(every_script),
    )
    .steps(&[
        "The bodies of the corpus are taken in lots of 8, each with a new Alice, Bob and group; \
         both join the room.",
        "Among them are emoji, joined emoji, right-to-left text, combining marks, NUL, control \
         characters and markup.",
        "Alice sends each body and is acknowledged {ok:true}  [MSG-14]",
        "message:new with the ack's serverId arrives at Bob, its body the same code point for code \
         point  [MSG-14]",
        "The listing, as Bob reads it through REST, has the message with the same body  [MSG-14]",
    ]),
    Scenario::new(
        "messages/order",
        "Messages arrive and are listed in the order of sending, and every ack is of its own message",
        &["MSG-01", "MSG-15", "MSG-20"],
        run!(order),
    )
    .steps(&[
        "Alice makes a group with Bob and Carol; all three connect and join the room.",
        "Alice sends as many messages as the rate limit allows, at most ten, each after the ack of the \
         one before.",
        "Carol sends as many on one connection without waiting; then all her acks must be {ok:true}.",
        "Each of Carol's acks has the clientId of the message that it is of  [MSG-01]",
        "All these messages arrive at Bob, a later one after them, and Bob reads the listing through \
         REST.",
        "Alice's messages are in the order of sending, as they arrived at Bob and as listed, none \
         missing  [MSG-15]",
        "Their (createdAt, _id) never falls, as they arrived and as listed  [MSG-15]",
        "Carol's messages are in the order of sending, as they arrived at Bob and as listed, none \
         missing  [MSG-20]",
    ]),
    Scenario::new(
        "messages/durable-at-ack",
        "At the ack the message is listed and the chat has moved",
        &["MSG-16"],
        run!(durable_at_ack),
    )
    .steps(&[
        "Alice makes a plain group with Bob, connects and joins the room; the steps below are taken \
         three times.",
        "Bob reads the chat's updatedAt by GET /v1/chats/{chatId}; 5 ms pass, or 1.1 s where it tells \
         whole seconds.",
        "Alice sends a message and waits for the ack.",
        "At once Bob reads the listing through REST: the message is there, once  [MSG-16]",
        "Bob reads the chat's updatedAt again: it is later than before, and not the same  [MSG-16]",
        "Then Alice sends one more, and Bob searches for it until the deadline; when he has found it, \
         Carol does, who is not in the",
        "chat. What they find is noted; nothing is judged by it.",
    ]),
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

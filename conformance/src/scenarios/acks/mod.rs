//! Acknowledgements and errors: their shape, their number, and requests without either.
//!
//! - [`failures`]: what the target says when it fails itself

mod failures;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::steps::{NOWHERE, joined, message, refused};
use super::{Cost, Scenario, run};
use crate::client::Client;
use crate::client::raw::RawClient;
use crate::expect::event::event;
use crate::expect::leak::nothing_internal;
use crate::expect::{Found, ack, equal, text, that};
use crate::scene::chats::Chat;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "acks/shape",
        "Every request is acknowledged once, with a success or an error of the agreed shape",
        &["ACK-01", "ACK-02", "ACK-03", "ACK-05", "ACK-06"],
        run!(shape),
    )
        .steps(&[
            "Alice makes a group, connects, joins the room and sends a message.",
            "She sends five good requests: room:join, message:send, receipt:read, presence:ping and \
            room:leave.",
            "Each of the five is acknowledged {ok:true} without an error, in the shape that its schema \
            gives  [ACK-01]",
            "She sends nine bad ones: ids that are unknown, malformed, missing, an object, a path or SQL, \
            and an empty body.",
            "Each of the nine is acknowledged {ok:false} with one of the six codes as error, and without \
            data  [ACK-02]",
            "Each of the nine acks has a message that is not empty  [ACK-03]",
            "None of these messages shows a stack, a path, a query, a driver or a host  [ACK-06]",
            "Behind each of the fourteen goes a presence:ping: when it is answered and settled, there is \
            one ack  [ACK-05]",
            "Where an ack of the fourteen has a correlationId, it is a UUID  [ACK-05]",
        ]),
    Scenario::new(
        "acks/not-asked-for",
        "A request that asks for no ack is carried out all the same",
        &["ACK-07"],
        run!(not_asked_for),
    )
        .steps(&[
            "Alice makes a group with Bob; she connects and joins the room.",
            "Bob connects and sends room:join without asking for an ack.",
            "Alice posts messages through REST, one every 100 ms up to the deadline, until one of them \
            arrives at Bob  [ACK-07]",
            "Bob sends message:send without asking for an ack.",
            "message:new with his body arrives at Alice within the deadline  [ACK-07]",
        ]),
    Scenario::new(
        "acks/no-payload",
        "A request without a payload is answered, not left waiting",
        &["ACK-08"],
        run!(no_payload),
    )
        .steps(&[
            "The twins: Alice makes a group, joins, sends a message, marks it as read and leaves, all \
            acknowledged {ok:true}.",
            "She sends room:join, room:leave, message:send and receipt:read, each with an ack but without \
            any payload.",
            "Each of the four is acknowledged {ok:false} with VALIDATION_ERROR within the deadline  [ACK-08]",
            "She sends presence:ping likewise: {ok:true}, or {ok:false} with VALIDATION_ERROR  [ACK-08]",
        ]),
    Scenario::new(
        "acks/internal-error",
        "A failure of the server is acknowledged with a correlation id of its own, and gives nothing else away",
        &["ACK-04", "ACK-06"],
        run!(failures::rehearsed),
    )
        .steps(&[
            "The message body that makes the target fail is faults.internal_body of the target file; else \
            nothing is judged.",
            "The twin: Alice makes a group, connects, joins, and sends a message that is accepted.",
            "She sends message:send with the failing body twice, under two clientIds.",
            "Each must be acknowledged {ok:false} with INTERNAL; if not, nothing more is judged.",
            "Each of these acks has a correlationId that is a UUID  [ACK-04]",
            "The two have different correlationIds  [ACK-04]",
            "The message of each shows no stack, path, query, driver or host  [ACK-06]",
            "The twin: on the same connection another message is accepted.",
        ]),
    Scenario::new(
        "acks/store-away",
        "While the target's store is away, what it cannot do is acknowledged as its own failure, and works again afterwards",
        &["ACK-04", "ACK-06"],
        run!(failures::store_away),
    )
        .steps(&[
            "Alice makes a group and opens six connections, which join the room; the first sends a message.",
            "The store is stopped, by hooks.store_down or by the kit where it is the kit's; else nothing \
            is judged.",
            "room:join, message:send and receipt:read go out twice, each on its own connection; an ack is \
            waited for 35 s.",
            "When all six have an ack or have waited in vain, the store is brought back.",
            "Each ack with INTERNAL has a correlationId that is a UUID  [ACK-04]",
            "No two of them have the same correlationId  [ACK-04]",
            "The message of each shows no stack, path, query, driver or host  [ACK-06]",
            "Other acks, and missing ones, are only noted; if none has INTERNAL, nothing is judged.",
            "The twin: within 40 s a new connection, tried every 200 ms, joins and sends a message that is \
            accepted.",
        ])
    .cost(Cost::Seconds(80))
    .disruptive(),
];

/// The one ack of a request, after a later request of the same connection has been answered: a second ack of the first
/// would have come by then.
async fn the_one_ack(
    scene: &Scene,
    client: &RawClient,
    event: &str,
    payload: Value,
) -> Result<Option<Value>, Stop> {
    let pending = client.start(event, vec![payload])?;
    let id = pending.id();
    let Some(reply) = scene.check("ACK-05", pending.ack(scene.timing().deadline()).await) else {
        return Ok(None);
    };
    scene.step(client, "presence:ping", json!({})).await?;
    scene.sleep(scene.timing().settle()).await;
    scene.check(
        "ACK-05",
        equal(&format!("acks of one {event}"), &client.acks(id).len(), &1),
    );
    if let Some(correlation) = reply.get("correlationId") {
        let is_uuid = correlation
            .as_str()
            .is_some_and(|text| uuid::Uuid::parse_str(text).is_ok());
        scene.check("ACK-05", that(is_uuid, "a UUID as correlationId", correlation));
    }
    Ok(Some(reply))
}

async fn shape(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let client = scene.connect_raw(&alice).await?;
    scene.join(&client, &chat).await?;
    let id = scene.send(&client, &chat, &scene.unique("to be read")).await?;
    let in_chat = json!({"chatId": chat.id});
    let successes = [
        ("room:join", in_chat.clone()),
        (
            "message:send",
            message(&chat, &scene.unique("client"), &scene.unique("hello")),
        ),
        ("receipt:read", json!({"chatId": chat.id, "messageId": id})),
        ("presence:ping", json!({})),
        ("room:leave", in_chat),
    ];
    for (event, payload) in successes {
        if let Some(reply) = the_one_ack(scene, &client, event, payload).await? {
            scene.check("ACK-01", ack::ok(&reply));
            scene.check(
                "ACK-01",
                scene.schema(&format!("acks/{}", event.replace(':', "-")), &reply),
            );
        }
    }
    // Each asks for what a twin above is given.
    let nowhere = json!({"chatId": NOWHERE});
    let bodyless = message(&chat, &scene.unique("client"), "");
    let refusals = [
        ("room:join", nowhere),
        ("room:join", json!({"chatId": "short"})),
        ("room:leave", json!({})),
        ("message:send", bodyless),
        ("receipt:read", json!({"chatId": chat.id, "messageId": NOWHERE})),
        ("receipt:read", json!({"chatId": chat.id, "messageId": 7})),
        // What makes databases, paths and parsers speak, where they are asked at all.
        ("room:join", json!({"chatId": {"$ne": null}})),
        ("room:join", json!({"chatId": "../../../../etc/passwd"})),
        (
            "receipt:read",
            json!({"chatId": "'; SELECT 1; --", "messageId": {"$gt": ""}}),
        ),
    ];
    for (event, payload) in refusals {
        if let Some(reply) = the_one_ack(scene, &client, event, payload).await? {
            // Which code it is, its own area judges; here it is any of the closed set.
            scene.check("ACK-02", ack::any_error(&reply));
            scene.check(
                "ACK-02",
                that(reply.get("data").is_none(), "no data beside an error", &reply),
            );
            let spoken = text(&reply, "/message");
            if let Ok(text) = &spoken {
                scene.check("ACK-06", nothing_internal(text));
            }
            scene.check(
                "ACK-03",
                spoken.and_then(|text| that(!text.trim().is_empty(), "a message", &reply)),
            );
        }
    }
    Ok(())
}

async fn not_asked_for(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [sender] = joined(scene, &chat, [&alice]).await?;
    let silent = scene.connect_raw(&bob).await?;
    silent.emit("room:join", json!({"chatId": chat.id})).await?;
    scene.check("ACK-07", hears_in_the_end(scene, &silent, &alice, &chat).await?);
    let body = scene.unique("from the silent one");
    silent
        .emit("message:send", message(&chat, &scene.unique("client"), &body))
        .await?;
    let heard = sender
        .expect(&event("message:new").at("/message/body", body.as_str()))
        .await;
    scene.check("ACK-07", heard);
    Ok(())
}

/// A join without an ack is confirmed by nothing but what follows from it: so messages are posted until one is heard,
/// whichever it is.
async fn hears_in_the_end(scene: &Scene, client: &Client, poster: &User, chat: &Chat) -> Result<Found, Stop> {
    const PACE: Duration = Duration::from_millis(100);
    let began = Instant::now();
    let in_chat = event("message:new").at("/message/chatId", chat.id.as_str());
    loop {
        scene
            .post_message(poster, chat, &scene.unique("to the silent one"))
            .await?;
        let heard = client.expect_within(&in_chat, PACE).await.map(drop);
        if heard.is_ok() || began.elapsed() > scene.timing().deadline() {
            return Ok(heard);
        }
    }
}

async fn no_payload(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let client = scene.connect_raw(&alice).await?;
    // The twins: with a payload, each of them succeeds.
    scene.join(&client, &chat).await?;
    let id = scene
        .send(&client, &chat, &scene.unique("with a payload"))
        .await?;
    scene.read(&client, &chat, &id).await?;
    scene.leave(&client, &chat).await?;
    for event in ["room:join", "room:leave", "message:send", "receipt:read"] {
        let reply = client.request_args(event, Vec::new()).await;
        scene.check(
            "ACK-08",
            refused(reply, "VALIDATION_ERROR").map_err(|mismatch| mismatch.at(event)),
        );
    }
    let reply = client.request_args("presence:ping", Vec::new()).await;
    let either = reply.and_then(|reply| match ack::ok(&reply) {
        Ok(_) => Ok(()),
        Err(_) => ack::error(&reply, &["VALIDATION_ERROR"]),
    });
    scene.check("ACK-08", either.map_err(|mismatch| mismatch.at("presence:ping")));
    Ok(())
}

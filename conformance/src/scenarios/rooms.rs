//! Rooms: who may join, and who gets the events.

use serde_json::json;

use super::steps::{NOWHERE, accepted, joined, message, refused, still_works};
use super::{Scenario, run};
use crate::expect::ack;
use crate::expect::event::event;
use crate::scene::fence::Fence;
use crate::scene::{Outcome, Scene};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "rooms/join-and-leave",
        "A member joins, hears and leaves; a non-member is refused and hears nothing",
        &["ROOM-01", "ROOM-02", "ROOM-04"],
        run!(join_and_leave),
    )
    .steps(&[
        "Alice makes a group with Bob; Alice, Bob and Mallory, who is no member, connect; Alice joins \
         the room.",
        "Bob sends room:join and is acknowledged {ok:true}  [ROOM-01]",
        "Alice sends a message, and message:new with its body arrives at Bob  [ROOM-01]",
        "Mallory sends the same room:join and is acknowledged {ok:false} with FORBIDDEN  [ROOM-02]",
        "Alice sends a second message.",
        "A later message arrives at Bob, then a chat:update at Mallory, and no message:new at her \
         before it  [ROOM-02]",
        "Bob sends room:leave and is acknowledged {ok:true}  [ROOM-04]",
        "Alice sends a third message.",
        "A later message arrives at Alice, then a chat:update at Bob, and not the third message before \
         it  [ROOM-04]",
    ]),
    Scenario::new(
        "rooms/bad-ids",
        "An id that is none is a validation error; one of no chat looks like one of others",
        &["ROOM-03", "ROOM-07"],
        run!(bad_ids),
    )
    .steps(&[
        "Alice makes a group, Bob another one; Alice connects.",
        "The twin: room:join, and then room:leave, with the id of Alice's chat are acknowledged \
         {ok:true}.",
        "Alice sends both with 11 bad chatIds: missing, null, 7, true, an array, an object, empty, and \
         wrong lengths or letters.",
        "Each of the 22 is acknowledged {ok:false} with VALIDATION_ERROR  [ROOM-03]",
        "Alice sends presence:ping and is acknowledged {ok:true}  [ROOM-03]",
        "room:join with 24 hex characters that are no chat's id gets FORBIDDEN  [ROOM-07]",
        "room:join with the id of Bob's chat gets FORBIDDEN as well  [ROOM-07]",
    ]),
    Scenario::new(
        "rooms/repeats",
        "Leaving where one is not and joining where one is are fine, and events still come once",
        &["ROOM-05", "ROOM-06"],
        run!(repeats),
    )
    .steps(&[
        "Alice makes a group with Bob; both connect, and Alice joins the room.",
        "Bob, who has not joined, sends room:leave and is acknowledged {ok:true}  [ROOM-05]",
        "Bob joins the room.",
        "Bob sends room:join once more and is acknowledged {ok:true}  [ROOM-06]",
        "Alice sends a message.",
        "A later message into the room arrives at Bob, and Alice's message exactly once before it  \
         [ROOM-06]",
        "Bob leaves the room.",
        "Bob sends room:leave once more and is acknowledged {ok:true}  [ROOM-05]",
    ]),
    Scenario::new(
        "rooms/two-chats",
        "What happens in one chat is not heard in another",
        &["ROOM-08"],
        run!(two_chats),
    )
    .steps(&[
        "Alice makes two groups with Bob; Alice and Bob join the first room.",
        "Bob connects a second time, and this connection joins only the second room.",
        "In the first chat Alice sends a message and types (typing:start); Bob sends one, and Alice \
         marks it as read.",
        "The twin: message:new, typing:update and receipt:update arrive at Bob's first connection.",
        "A later message into the second room arrives at Bob's second connection, and not Alice's \
         message  [ROOM-08]",
        "After another later message there, it has got no typing:update  [ROOM-08]",
        "After a third one there, it has got no receipt:update  [ROOM-08]",
    ]),
    Scenario::new(
        "rooms/removed",
        "A removed member hears nothing more, and is refused",
        &["ROOM-09", "ROOM-10"],
        run!(removed),
    )
    .steps(&[
        "Alice makes a group with Bob; both connect and join the room.",
        "The twin: Bob, still a member, sends a message, marks it as read, and gets message:new.",
        "Alice removes Bob through REST, waits for the 204, and then sends a message.",
        "A later message arrives at Alice, then a chat:update at Bob, and not Alice's message before \
         it  [ROOM-09]",
        "Bob sends room:join and gets FORBIDDEN  [ROOM-10]",
        "Bob sends message:send and gets FORBIDDEN  [ROOM-10]",
        "Bob sends receipt:read for Alice's message and gets FORBIDDEN  [ROOM-10]",
    ]),
];

async fn join_and_leave(scene: &Scene) -> Outcome {
    let [alice, bob, mallory] = scene.users(["alice", "bob", "mallory"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let alice_client = scene.connect(&alice).await?;
    let bob_client = scene.connect(&bob).await?;
    let mallory_client = scene.connect(&mallory).await?;
    scene.join(&alice_client, &chat).await?;

    // A member joins, and hears.
    let join = json!({"chatId": chat.id});
    let joined = bob_client.request("room:join", join.clone()).await;
    scene.require("ROOM-01", joined.and_then(|reply| ack::ok(&reply).map(|_| ())))?;
    let first = scene.unique("first");
    scene.send(&alice_client, &chat, &first).await?;
    let heard = bob_client
        .expect(&event("message:new").at("/message/body", first.as_str()))
        .await;
    scene.check("ROOM-01", heard);

    // The same steps without being a member are refused, and silent: bob above is the positive twin.
    let refused = mallory_client.request("room:join", join.clone()).await;
    scene.check(
        "ROOM-02",
        refused.and_then(|reply| ack::error(&reply, &["FORBIDDEN"])),
    );
    let second = scene.unique("second");
    scene.send(&alice_client, &chat, &second).await?;
    let outside = Fence::Outside {
        chat: &chat,
        insider: &bob_client,
    };
    let silence = scene
        .absent(&mallory_client, &event("message:new"), outside)
        .await?;
    scene.check("ROOM-02", silence);

    // Leaving is confirmed, and events stop while others still get them.
    let left = bob_client.request("room:leave", join).await;
    scene.require("ROOM-04", left.and_then(|reply| ack::ok(&reply).map(|_| ())))?;
    let third = scene.unique("third");
    scene.send(&alice_client, &chat, &third).await?;
    let outside = Fence::Outside {
        chat: &chat,
        insider: &alice_client,
    };
    let pattern = event("message:new").at("/message/body", third.as_str());
    let silence = scene.absent(&bob_client, &pattern, outside).await?;
    scene.check("ROOM-04", silence);
    Ok(())
}

async fn bad_ids(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let bob = scene.user("bob").await?;
    let (chat, others) = (scene.group(&alice, &[]).await?, scene.group(&bob, &[]).await?);
    let client = scene.connect(&alice).await?;
    for event in ["room:join", "room:leave"] {
        scene.step(&client, event, json!({"chatId": chat.id})).await?;
        for (why, payload) in [
            ("no chatId", json!({})),
            ("null", json!({"chatId": null})),
            ("a number", json!({"chatId": 7})),
            ("true", json!({"chatId": true})),
            ("an array", json!({"chatId": [chat.id]})),
            ("an object", json!({"chatId": {"$ne": null}})),
            ("an empty text", json!({"chatId": ""})),
            ("23 characters", json!({"chatId": &chat.id[1..]})),
            ("25 characters", json!({"chatId": format!("{}0", chat.id)})),
            (
                "24 characters that are not hex",
                json!({"chatId": "z".repeat(24)}),
            ),
            ("24 bytes in 12 characters", json!({"chatId": "é".repeat(12)})),
        ] {
            let reply = refused(client.request(event, payload).await, "VALIDATION_ERROR");
            scene.check(
                "ROOM-03",
                reply.map_err(|mismatch| mismatch.at(&format!("{event}, {why}"))),
            );
        }
    }
    scene.check("ROOM-03", still_works(&client).await);

    let nowhere = client.request("room:join", json!({"chatId": NOWHERE})).await;
    let elsewhere = client.request("room:join", json!({"chatId": others.id})).await;
    scene.check("ROOM-07", refused(nowhere, "FORBIDDEN"));
    scene.check(
        "ROOM-07",
        refused(elsewhere, "FORBIDDEN").map_err(|mismatch| mismatch.at("a chat of others")),
    );
    Ok(())
}

async fn repeats(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [sender] = joined(scene, &chat, [&alice]).await?;
    let client = scene.connect(&bob).await?;
    let in_chat = json!({"chatId": chat.id});
    scene.check(
        "ROOM-05",
        accepted(client.request("room:leave", in_chat.clone()).await),
    );
    scene.join(&client, &chat).await?;
    scene.check(
        "ROOM-06",
        accepted(client.request("room:join", in_chat.clone()).await),
    );
    let body = scene.unique("once");
    scene.send(&sender, &chat, &body).await?;
    let heard = event("message:new").at("/message/body", body.as_str());
    let once = scene.exactly(1, &client, &heard, Fence::Room(&chat)).await?;
    scene.check("ROOM-06", once);
    scene.leave(&client, &chat).await?;
    scene.check("ROOM-05", accepted(client.request("room:leave", in_chat).await));
    Ok(())
}

async fn two_chats(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let (here, there) = (
        scene.group(&alice, &[&bob]).await?,
        scene.group(&alice, &[&bob]).await?,
    );
    let [a, b] = joined(scene, &here, [&alice, &bob]).await?;
    let [elsewhere] = joined(scene, &there, [&bob]).await?;
    let body = scene.unique("here");
    scene.send(&a, &here, &body).await?;
    a.emit("typing:start", json!({"chatId": here.id})).await?;
    // Not one's own message: whether sending moves the sender's cursor, the contract leaves open.
    let id = scene.send(&b, &here, &scene.unique("to be read")).await?;
    scene.read(&a, &here, &id).await?;
    let heard = event("message:new").at("/message/body", body.as_str());
    b.expect(&heard).await?;
    b.expect(&event("typing:update")).await?;
    b.expect(&event("receipt:update")).await?;

    // The other socket is of the same user, a member of both, and in the room of the other chat alone.
    for pattern in [heard, event("typing:update"), event("receipt:update")] {
        let silence = scene.absent(&elsewhere, &pattern, Fence::Room(&there)).await?;
        scene.check("ROOM-08", silence);
    }
    Ok(())
}

async fn removed(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
    let id = scene.send(&b, &chat, &scene.unique("while a member")).await?;
    scene.read(&b, &chat, &id).await?;
    b.expect(&event("message:new")).await?;

    scene.remove_member(&chat, &bob).await?;
    let body = scene.unique("without bob");
    let newer = scene.send(&a, &chat, &body).await?;
    let heard = event("message:new").at("/message/body", body.as_str());
    let silence = scene
        .absent(
            &b,
            &heard,
            Fence::Outside {
                chat: &chat,
                insider: &a,
            },
        )
        .await?;
    scene.check("ROOM-09", silence);

    let payloads = [
        ("room:join", json!({"chatId": chat.id})),
        (
            "message:send",
            message(&chat, &scene.unique("client"), &scene.unique("from outside")),
        ),
        ("receipt:read", json!({"chatId": chat.id, "messageId": newer})),
    ];
    for (event, payload) in payloads {
        let reply = refused(b.request(event, payload).await, "FORBIDDEN");
        scene.check("ROOM-10", reply.map_err(|mismatch| mismatch.at(event)));
    }
    Ok(())
}

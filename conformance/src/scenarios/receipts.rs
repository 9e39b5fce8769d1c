//! Read receipts: the cursor that only moves forward.

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::steps::{NOWHERE, accepted, joined, refused, still_works, unread};
use super::{Scenario, run};
use crate::expect::event::event;
use crate::expect::{Found, equal, has, utc_time};
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "receipts/forward",
        "A receipt is confirmed and told to the others; an older one, or the same again, is not told",
        &["RCPT-01", "RCPT-02", "RCPT-03"],
        run!(forward),
    )
    .steps(&[
        "Alice makes a plain group with Bob; both connect and join the room, and Alice sends two \
         messages.",
        "Bob sends receipt:read for the newer one and is acknowledged {ok:true}  [RCPT-01]",
        "receipt:update arrives at Alice: it fits its schema, with Bob's id, the chat's, and an ISO \
         readAt in UTC  [RCPT-01]",
        "Bob reads his unreadCount by GET /v1/chats.",
        "Bob sends receipt:read for the older one and is acknowledged {ok:true}  [RCPT-02]",
        "A later message into the room arrives at Alice, and no receipt:update before it  [RCPT-02]",
        "Bob's unreadCount has grown by just one, for this later message counts too  [RCPT-02]",
        "Bob sends receipt:read for the newer one again and is acknowledged {ok:true}  [RCPT-03]",
        "A later message into the room arrives at Alice, and no receipt:update before it  [RCPT-03]",
    ]),
    Scenario::new(
        "receipts/refused",
        "A receipt for no message, another chat's message, a malformed id, or by a stranger is refused",
        &["RCPT-04", "RCPT-05", "RCPT-06", "RCPT-07"],
        run!(refusals),
    )
    .steps(&[
        "Alice makes two groups with Bob, joins both rooms and sends a message in each; Mallory, no \
         member, connects.",
        "The twin: Alice sends receipt:read for each of the two in its own chat, and is acknowledged \
         {ok:true}.",
        "Alice sends receipt:read for 24 hex characters that are no message's id, and gets NOT_FOUND  \
         [RCPT-04]",
        "Alice sends it with the first chat and the second chat's message, and gets VALIDATION_ERROR  \
         [RCPT-05]",
        "Five bad messageIds, three bad chatIds, and either one missing get VALIDATION_ERROR, all ten  \
         [RCPT-06]",
        "Alice sends presence:ping and is acknowledged {ok:true}  [RCPT-06]",
        "Mallory sends receipt:read for the message of the first chat and gets FORBIDDEN  [RCPT-07]",
    ]),
    Scenario::new(
        "receipts/own-cursor",
        "The cursor is the reader's own, and shows in the unread count",
        &["RCPT-08"],
        run!(own_cursor),
    )
    .steps(&[
        "Alice makes a plain group with Bob and Carol; Alice and Bob join the room, and Alice sends \
         three messages.",
        "unreadCount, as GET /v1/chats gives it, is 3 for Bob and 3 for Carol  [RCPT-08]",
        "Bob marks the second message as read: unreadCount is 1 for Bob and still 3 for Carol  [RCPT-08]",
        "Bob marks the third message as read: unreadCount is 0 for Bob and still 3 for Carol  [RCPT-08]",
    ]),
    Scenario::new(
        "receipts/race",
        "Receipts at the same time, in any order, end at the newest message",
        &["RCPT-09"],
        run!(race),
    )
    .steps(&[
        "There are 5 rounds, each with an Alice, a Bob and a plain group of its own; two connections \
         of Alice join.",
        "Alice sends eight messages, or as many as the rate limit allows.",
        "Four connections of Bob send receipt:read for all of them, the newest first, without waiting \
         for acks.",
        "Each receipt:read is acknowledged {ok:true}  [RCPT-09]",
        "When all are acknowledged, Bob's unreadCount in GET /v1/chats is 0  [RCPT-09]",
        "A later message arrives at Alice's second connection, and one receipt:update for the newest \
         before it  [RCPT-09]",
    ]),
];

fn receipt(chat: &Chat, message_id: &str) -> Value {
    json!({"chatId": chat.id, "messageId": message_id})
}

async fn forward(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
    let older = scene.send(&a, &chat, &scene.unique("older")).await?;
    let newer = scene.send(&a, &chat, &scene.unique("newer")).await?;

    scene.require(
        "RCPT-01",
        accepted(b.request("receipt:read", receipt(&chat, &newer)).await),
    )?;
    let told = event("receipt:update").at("/messageId", newer.as_str());
    let seen = scene.require("RCPT-01", a.expect(&told).await)?;
    scene.check(
        "RCPT-01",
        scene.schema("events/server/receipt-update", seen.data()),
    );
    scene.check("RCPT-01", has(seen.data(), "/userId", bob.id.as_str()));
    scene.check("RCPT-01", has(seen.data(), "/chatId", chat.id.as_str()));
    scene.check("RCPT-01", utc_time(&seen.data()["readAt"]));
    scene.fence_room(&chat, &[&b]).await?;
    let own = if b.events(&told).is_empty() {
        "the reader's own socket gets no receipt:update"
    } else {
        "the reader's own socket gets receipt:update as well"
    };
    scene.note("RCPT-10", own);
    let before = unread(scene, &bob, &chat).await??;

    let mark = a.mark();
    scene.check(
        "RCPT-02",
        accepted(b.request("receipt:read", receipt(&chat, &older)).await),
    );
    let silence = scene
        .absent(&a, &event("receipt:update").after(mark), Fence::Room(&chat))
        .await?;
    scene.check("RCPT-02", silence);
    // The fence is a message of its own in this chat, which counts for one more.
    scene.check(
        "RCPT-02",
        equal("unreadCount", &unread(scene, &bob, &chat).await??, &(before + 1)),
    );

    let mark = a.mark();
    scene.check(
        "RCPT-03",
        accepted(b.request("receipt:read", receipt(&chat, &newer)).await),
    );
    let silence = scene
        .absent(&a, &event("receipt:update").after(mark), Fence::Room(&chat))
        .await?;
    scene.check("RCPT-03", silence);
    Ok(())
}

async fn refusals(scene: &Scene) -> Outcome {
    let [alice, bob, mallory] = scene.users(["alice", "bob", "mallory"]).await?;
    let (chat, other) = (
        scene.group(&alice, &[&bob]).await?,
        scene.group(&alice, &[&bob]).await?,
    );
    let [client] = joined(scene, &chat, [&alice]).await?;
    let stranger = scene.connect(&mallory).await?;
    let here = scene.send(&client, &chat, &scene.unique("here")).await?;
    scene.join(&client, &other).await?;
    let there = scene.send(&client, &other, &scene.unique("there")).await?;
    scene.read(&client, &chat, &here).await?;
    scene.read(&client, &other, &there).await?;

    let ask = async |payload: Value, code: &str| refused(client.request("receipt:read", payload).await, code);
    scene.check("RCPT-04", ask(receipt(&chat, NOWHERE), "NOT_FOUND").await);
    scene.check("RCPT-05", ask(receipt(&chat, &there), "VALIDATION_ERROR").await);
    for (chat_id, message_id) in [
        (json!(chat.id), json!("short")),
        (json!(chat.id), json!(null)),
        (json!(chat.id), json!(7)),
        (json!(chat.id), json!({"$gt": ""})),
        (json!(chat.id), json!("z".repeat(24))),
        (json!("short"), json!(here)),
        (json!(null), json!(here)),
        (json!({"$ne": null}), json!(here)),
    ] {
        let payload = json!({"chatId": chat_id, "messageId": message_id});
        let at = payload.to_string();
        scene.check(
            "RCPT-06",
            ask(payload, "VALIDATION_ERROR")
                .await
                .map_err(|mismatch| mismatch.at(&at)),
        );
    }
    for payload in [json!({"chatId": chat.id}), json!({"messageId": here})] {
        scene.check("RCPT-06", ask(payload, "VALIDATION_ERROR").await);
    }
    scene.check("RCPT-06", still_works(&client).await);
    let reply = stranger.request("receipt:read", receipt(&chat, &here)).await;
    scene.check("RCPT-07", refused(reply, "FORBIDDEN"));
    Ok(())
}

async fn own_cursor(scene: &Scene) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let chat = scene.plain_group(&alice, &[&bob, &carol]).await?;
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(
            scene
                .send(&a, &chat, &scene.unique(&format!("message {n}")))
                .await?,
        );
    }
    let counts = async || {
        let of_each = [
            unread(scene, &bob, &chat).await?,
            unread(scene, &carol, &chat).await?,
        ];
        let [bobs, carols] = of_each.map(|count| scene.require("RCPT-08", count));
        Ok::<_, Stop>((bobs?, carols?))
    };
    scene.check(
        "RCPT-08",
        equal("unread of bob and carol before", &counts().await?, &(3, 3)),
    );
    scene.read(&b, &chat, &ids[1]).await?;
    scene.check(
        "RCPT-08",
        equal("after bob read the second", &counts().await?, &(1, 3)),
    );
    scene.read(&b, &chat, &ids[2]).await?;
    scene.check(
        "RCPT-08",
        equal("after bob read the third", &counts().await?, &(0, 3)),
    );
    Ok(())
}

/// Rounds of the race, each in a chat of its own.
const ROUNDS: usize = 5;
/// Messages read at once in each round.
const MESSAGES: usize = 8;

async fn race(scene: &Scene) -> Outcome {
    for round in 1..=ROUNDS {
        let [alice, bob] = scene.users(["alice", "bob"]).await?;
        let chat = scene.plain_group(&alice, &[&bob]).await?;
        let [a, witness] = joined(scene, &chat, [&alice, &alice]).await?;
        let mut ids = Vec::new();
        for n in 0..MESSAGES.min(scene.profile().limits.rate_max) {
            ids.push(
                scene
                    .send(&a, &chat, &scene.unique(&format!("message {n}")))
                    .await?,
            );
        }
        let readers = try_join_all((0..4).map(|_| scene.connect_raw(&bob))).await?;
        // From the newest to the oldest, spread over the sockets: a write that only comes last must not win.
        let started = ids
            .iter()
            .rev()
            .enumerate()
            .map(|(n, id)| readers[n % readers.len()].start("receipt:read", vec![receipt(&chat, id)]));
        let started = started.collect::<Found<Vec<_>>>()?;
        let at = format!("round {round} of {ROUNDS}");
        for pending in started {
            let reply = accepted(pending.ack(scene.timing().deadline()).await);
            scene.check("RCPT-09", reply.map_err(|mismatch| mismatch.at(&at)));
        }
        let left = equal(
            "unread after reading the newest",
            &unread(scene, &bob, &chat).await??,
            &0,
        );
        scene.check("RCPT-09", left.map_err(|mismatch| mismatch.at(&at)));

        // In which order the others were told, and which of them, is open: each of them may have been overtaken.
        let newest = ids.last().map(String::as_str).unwrap_or_default();
        let told = event("receipt:update").at("/messageId", newest);
        let once = scene.exactly(1, &witness, &told, Fence::Room(&chat)).await?;
        scene.check("RCPT-09", once.map_err(|mismatch| mismatch.at(&at)));
    }
    scene.counted("RCPT-09", "rounds of a race", ROUNDS);
    Ok(())
}

//! Idempotency: one message per key, however often and from wherever it is sent.

use std::collections::HashSet;

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{freedoms, stored};
use crate::expect::event::event;
use crate::expect::{Found, equal, has, text, that};
use crate::scenarios::steps::{accepted, joined, message};
use crate::scene::fence::Fence;
use crate::scene::{Outcome, Scene, Step as _};

pub(super) async fn again(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let (chat, other) = (
        scene.group(&alice, &[&bob]).await?,
        scene.group(&alice, &[&bob]).await?,
    );
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
    let (client_id, body, changed) = (
        scene.unique("client"),
        scene.unique("first"),
        scene.unique("changed"),
    );
    let first = scene
        .step(&a, "message:send", message(&chat, &client_id, &body))
        .await?;
    let server_id = text(&first, "/serverId")?.to_owned();
    let same =
        |reply: Found<Value>| accepted(reply).and_then(|data| has(&data, "/serverId", server_id.as_str()));

    // Again, and again with another body.
    scene.check(
        "MSG-05",
        same(a.request("message:send", message(&chat, &client_id, &body)).await),
    );
    scene.check(
        "MSG-08",
        same(
            a.request("message:send", message(&chat, &client_id, &changed))
                .await,
        ),
    );
    let of = |body: &str| event("message:new").at("/message/body", body);
    let once = scene.exactly(1, &b, &of(&body), Fence::Room(&chat)).await?;
    scene.check("MSG-05", once);
    scene.check(
        "MSG-05",
        equal("messages stored", &stored(scene, &alice, &chat, &body).await?, &1),
    );
    let silence = scene.absent(&b, &of(&changed), Fence::Room(&chat)).await?;
    scene.check("MSG-08", silence);
    scene.check(
        "MSG-08",
        equal(
            "messages stored",
            &stored(scene, &alice, &chat, &changed).await?,
            &0,
        ),
    );

    // In another chat it is another message. Whether sending takes having joined, the contract leaves open.
    scene.join(&a, &other).await?;
    let elsewhere = accepted(
        a.request("message:send", message(&other, &client_id, &body))
            .await,
    );
    scene.check(
        "MSG-06",
        elsewhere.and_then(|data| {
            let id = text(&data, "/serverId")?;
            that(id != server_id, "another serverId in another chat", id)
        }),
    );

    // Of another member it is another message, and nobody's is lost.
    let others = scene.unique("of bob");
    let bobs = accepted(
        b.request("message:send", message(&chat, &client_id, &others))
            .await,
    );
    scene.check(
        "MSG-19",
        bobs.and_then(|data| {
            let id = text(&data, "/serverId")?;
            that(id != server_id, "a serverId of one's own", id)
        }),
    );
    scene.check(
        "MSG-19",
        equal(
            "messages stored",
            &stored(scene, &alice, &chat, &others).await?,
            &1,
        ),
    );

    // After a reconnect it is still the same message.
    a.close().await;
    let [again] = joined(scene, &chat, [&alice]).await?;
    scene.check(
        "MSG-09",
        same(
            again
                .request("message:send", message(&chat, &client_id, &body))
                .await,
        ),
    );
    let once = scene.exactly(1, &b, &of(&body), Fence::Room(&chat)).await?;
    scene.check("MSG-09", once);
    scene.check(
        "MSG-09",
        equal("messages stored", &stored(scene, &alice, &chat, &body).await?, &1),
    );

    let carol = scene.user("carol").await?;
    let apart = scene.group(&carol, &[]).await?;
    scene.aside(freedoms::repeats_count(scene, &carol, &apart)).await
}

/// What may become of a request when the network fails: of all these, the client sees the same.
const MISHAPS: [(&str, Kept, &str); 3] = [
    ("the request is lost", Kept::No, "cut"),
    ("the ack is lost", Kept::Yes, "cut"),
    (
        "the ack is lost, and the server keeps the connection",
        Kept::Yes,
        "half_open",
    ),
];

/// Whether the server has got the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    No,
    Yes,
}

pub(super) async fn ack_lost(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [listener] = joined(scene, &chat, [&bob]).await?;
    for (mishap, kept, end) in MISHAPS {
        let lost = if kept == Kept::Yes { "ack" } else { "request" };
        let line = scene
            .line(json!({"on": {lost: "message:send"}, "do": ["drop", end]}))
            .await?;
        let first = scene.connect_over(&line, &alice).await?;
        scene.join(&first, &chat).await?;
        let (client_id, body) = (scene.unique("client"), scene.unique(mishap));
        let payload = message(&chat, &client_id, &body);
        let heard = event("message:new").at("/message/body", body.as_str());
        first.start("message:send", vec![payload.clone()])?;
        first.wait_closed(scene.timing().deadline()).await.step(mishap)?;
        if kept == Kept::Yes {
            listener.expect(&heard).await.step(mishap)?;
        }

        let [again] = joined(scene, &chat, [&alice]).await?;
        let retried = accepted(again.request("message:send", payload).await);
        if kept == Kept::Yes {
            // Which serverId it has is judged where the first ack has arrived.
            scene.check("MSG-09", retried.map_err(|mismatch| mismatch.at(mishap)));
        } else {
            retried.step(mishap)?;
        }
        let once = scene.exactly(1, &listener, &heard, Fence::Room(&chat)).await?;
        scene.check("MSG-09", once.map_err(|mismatch| mismatch.at(mishap)));
        let listed = stored(scene, &alice, &chat, &body).await?;
        scene.check(
            "MSG-09",
            equal("messages stored", &listed, &1).map_err(|mismatch| mismatch.at(mishap)),
        );
    }
    Ok(())
}

/// Rounds in which the race is run: a look-up before an insert loses one of the first few.
const ROUNDS: usize = 8;
/// Sockets that send at once; the repeats may count against the rate limit, which MSG-18 leaves open.
const RACERS: usize = 5;

pub(super) async fn race(scene: &Scene) -> Outcome {
    for round in 1..=ROUNDS {
        // A user per round, so that the rate limit of one does not end the race.
        let [alice, bob] = scene.users(["alice", "bob"]).await?;
        let chat = scene.group(&alice, &[&bob]).await?;
        let [listener] = joined(scene, &chat, [&bob]).await?;
        let racers = try_join_all((0..RACERS).map(|_| scene.connect_raw(&alice))).await?;
        for racer in &racers {
            scene.join(racer, &chat).await?;
        }
        let (client_id, body) = (scene.unique("client"), scene.unique("race"));
        let payload = message(&chat, &client_id, &body);
        let sent: Vec<_> = racers
            .iter()
            .map(|racer| racer.start("message:send", vec![payload.clone()]))
            .collect();
        let mut ids = HashSet::new();
        for pending in sent {
            let reply = accepted(pending?.ack(scene.timing().deadline()).await);
            let id = reply.and_then(|data| text(&data, "/serverId").map(str::to_owned));
            let at = format!("round {round} of {ROUNDS}");
            ids.extend(scene.check("MSG-07", id.map_err(|mismatch| mismatch.at(&at))));
        }
        scene.check("MSG-07", equal("different serverIds", &ids.len(), &1));
        let heard = event("message:new").at("/message/body", body.as_str());
        let once = scene.exactly(1, &listener, &heard, Fence::Room(&chat)).await?;
        scene.check("MSG-07", once);
        scene.check(
            "MSG-07",
            equal("messages stored", &stored(scene, &alice, &chat, &body).await?, &1),
        );
    }
    scene.counted("MSG-07", "rounds of a race", ROUNDS);
    scene.counted("MSG-07", "sockets that sent at once in each", RACERS);
    Ok(())
}

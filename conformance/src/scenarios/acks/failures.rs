//! What the target says when it fails itself: because it was asked to, or because its store is away.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::raw::RawClient;
use crate::expect::leak::nothing_internal;
use crate::expect::{Mismatch, ack, text, that, varying};
use crate::scenarios::steps::message;
use crate::scene::chats::Chat;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};
use crate::text::show;

/// Failures seen so far, by their correlation ids.
#[derive(Default)]
struct Failures(HashSet<String>);

impl Failures {
    /// Judges an ack with INTERNAL.
    fn judge(&mut self, scene: &Scene, reply: &Value) {
        let id = text(reply, "/correlationId").and_then(|id| {
            uuid::Uuid::parse_str(id).map_err(|_| Mismatch::new("a UUID as correlationId", reply))
        });
        if let Some(id) = scene.check("ACK-04", id) {
            let another = self.0.insert(id.to_string());
            scene.check(
                "ACK-04",
                that(another, "another correlationId for another failure", varying(id)),
            );
        }
        scene.check("ACK-06", text(reply, "/message").and_then(nothing_internal));
    }
}

/// Failing on request: the body that the target fails on is in its profile.
pub(super) async fn rehearsed(scene: &Scene) -> Outcome {
    let Some(body) = scene.profile().faults.internal_body.clone() else {
        return Err(Stop::Unverified(
            "how the target can be made to fail is not known: give faults.internal_body in the target file"
                .to_owned(),
        ));
    };
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let client = scene.connect_raw(&alice).await?;
    scene.join(&client, &chat).await?;
    scene.send(&client, &chat, &scene.unique("nothing fails")).await?;
    let mut failures = Failures::default();
    for _ in 0..2 {
        let payload = message(&chat, &scene.unique("client"), &body);
        let reply = client.request("message:send", payload).await?;
        ack::error(&reply, &["INTERNAL"]).map_err(|_| {
            Stop::Unverified(format!(
                "the message of faults.internal_body did not make the target fail: {}",
                show(&reply)
            ))
        })?;
        failures.judge(scene, &reply);
    }
    // The server has failed, and lives.
    scene.send(&client, &chat, &scene.unique("nothing fails")).await?;
    Ok(())
}

/// How long a server may wait for its store before it gives up: drivers wait half a minute by default.
const GIVES_UP_WITHIN: Duration = Duration::from_secs(35);
/// How long a server may take to find its store again.
const RECOVERS_WITHIN: Duration = Duration::from_secs(40);

/// Failing for a reason: every request that needs the store, twice, each on a connection of its own, since a server may
/// answer a connection's requests one after the other.
pub(super) async fn store_away(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let mut clients = Vec::new();
    for _ in 0..6 {
        let client = scene.connect_raw(&alice).await?;
        scene.join(&client, &chat).await?;
        clients.push(client);
    }
    let read = scene.send(&clients[0], &chat, &scene.unique("before")).await?;
    let requests = |scene: &Scene| {
        [
            ("room:join", json!({"chatId": chat.id})),
            (
                "message:send",
                message(&chat, &scene.unique("client"), &scene.unique("away")),
            ),
            ("receipt:read", json!({"chatId": chat.id, "messageId": read})),
        ]
    };
    scene.begin_outage().await?;
    let asked = requests(scene).into_iter().chain(requests(scene));
    let asking = clients.iter().zip(asked).map(async |(client, (event, payload))| {
        // That an ack comes at all while the store is away is more than the contract says.
        let reply = match client.start(event, vec![payload]) {
            Ok(pending) => pending.ack(GIVES_UP_WITHIN).await,
            Err(closed) => Err(closed),
        };
        (event, reply)
    });
    let replies = join_all(asking).await;
    scene.end_outage().await?;

    let mut failures = Failures::default();
    for (event, reply) in replies {
        match reply {
            Ok(reply) if ack::error(&reply, &["INTERNAL"]).is_ok() => failures.judge(scene, &reply),
            Ok(reply) => scene.note("ACK-04", format!("{event} without a store: {}", show(&reply))),
            Err(_) => scene.note("ACK-04", format!("{event} without a store is not acknowledged")),
        }
    }
    recovers(scene, &alice, &chat).await?;
    if failures.0.is_empty() && scene.recorded().checks.is_empty() {
        return Err(Stop::Unverified(
            "no request failed with INTERNAL while the target's store was away".to_owned(),
        ));
    }
    Ok(())
}

/// The twin of the failures: with its store, the target does again what it did before.
async fn recovers(scene: &Scene, user: &User, chat: &Chat) -> Outcome {
    const PACE: Duration = Duration::from_millis(200);
    let began = Instant::now();
    loop {
        let sent = match scene.connect_raw(user).await {
            Ok(client) => join_and_send(scene, &client, chat).await,
            Err(stop) => Err(stop),
        };
        match sent {
            Err(Stop::Blocked(_)) if began.elapsed() < RECOVERS_WITHIN => scene.sleep(PACE).await,
            sent => return sent,
        }
    }
}

async fn join_and_send(scene: &Scene, client: &RawClient, chat: &Chat) -> Outcome {
    scene.join(client, chat).await?;
    scene.send(client, chat, &scene.unique("after")).await.map(drop)
}

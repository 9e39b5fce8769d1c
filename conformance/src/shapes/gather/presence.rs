//! Saying that one is there, and hearing who is.

use std::time::Duration;

use serde_json::json;

use super::ask::{Asking, Listening};
use crate::scenarios::steps::NOWHERE;
use crate::scene::{Outcome, Scene};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::{OK, PING, PRESENCE};

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let witness = scene.connect_raw(&bob).await?;
    let pinging = Asking::new(scene, collector, &PING);
    pinging.ask(OK, "a ping", &witness, json!({})).await;
    pinging.cannot_fail();
    pinging.ask_invalid(&bob, &chat, NOWHERE).await?;

    // What a throttle holds back comes when the window has passed.
    let window = Duration::from_millis(scene.profile().limits.presence_window_ms);
    let patience = window + scene.timing().deadline();
    let listening = Listening::begin(scene, collector, &PRESENCE, [&witness]);
    let client = scene.connect_raw(&alice).await?;
    let cause = "a contact connects";
    listening.hear_within("online", cause, &alice.id, patience).await;
    let listening = Listening::begin(scene, collector, &PRESENCE, [&witness]);
    client.close().await;
    let cause = "a contact closes the only connection";
    listening.hear_within("offline", cause, &alice.id, patience).await;
    Ok(())
}

//! Hearing that somebody types.

use serde_json::json;

use super::ask::{Listening, enter};
use crate::scene::{Outcome, Scene};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::TYPING;

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let (a, b) = (
        enter(scene, &alice, &chat).await?,
        enter(scene, &bob, &chat).await?,
    );
    for (case, name, cause) in [
        ("start", "typing:start", "a member begins to type"),
        ("stop", "typing:stop", "a member stops typing"),
    ] {
        let listening = Listening::begin(scene, collector, &TYPING, [&b]);
        // On a connection that the target has closed nothing is heard either.
        let _ = a.emit(name, json!({"chatId": chat.id})).await;
        listening.hear(case, cause, &alice.id).await;
    }
    Ok(())
}

//! Entering and leaving rooms.

use serde_json::json;

use super::ask::Asking;
use crate::scenarios::steps::NOWHERE;
use crate::scene::{Outcome, Scene};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::{JOIN, LEAVE, OK};

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let [alice, bob, mallory] = scene.users(["alice", "bob", "mallory"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let (member, stranger) = (
        scene.connect_raw(&alice).await?,
        scene.connect_raw(&mallory).await?,
    );
    let [joining, leaving] = [&JOIN, &LEAVE].map(|subject| Asking::new(scene, collector, subject));
    let here = json!({"chatId": chat.id});
    for how in ["a member joins", "a member joins again"] {
        joining.ask(OK, how, &member, here.clone()).await;
    }
    joining
        .ask("FORBIDDEN", "a stranger joins", &stranger, here.clone())
        .await;
    let nowhere = json!({"chatId": NOWHERE});
    joining
        .ask("FORBIDDEN", "a member of no chat joins", &member, nowhere)
        .await;
    for how in ["a member leaves", "a member leaves again"] {
        leaving.ask(OK, how, &member, here.clone()).await;
    }
    for asking in [joining, leaving] {
        asking.ask_invalid(&bob, &chat, NOWHERE).await?;
        asking.cannot_fail();
    }
    Ok(())
}

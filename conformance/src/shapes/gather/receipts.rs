//! Reading messages, and hearing that somebody has.

use serde_json::{Value, json};

use super::ask::{Asking, Listening, enter};
use crate::client::raw::RawClient;
use crate::scenarios::steps::NOWHERE;
use crate::scene::chats::Chat;
use crate::scene::{Outcome, Scene, Stop};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::{OK, READ, RECEIPT};

fn receipt(chat: &Chat, message_id: &str) -> Value {
    json!({"chatId": chat.id, "messageId": message_id})
}

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let [alice, bob, mallory] = scene.users(["alice", "bob", "mallory"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let other = scene.plain_group(&alice, &[&bob]).await?;
    let (a, b) = (
        enter(scene, &alice, &chat).await?,
        enter(scene, &bob, &chat).await?,
    );
    let elsewhere = enter(scene, &alice, &other).await?;
    let reading = Asking::new(scene, collector, &READ);
    reading.cannot_fail();
    reading
        .ask(
            "NOT_FOUND",
            "a receipt for no message",
            &b,
            receipt(&chat, NOWHERE),
        )
        .await;

    let older = message(scene, &a, &chat).await?;
    let newer = message(scene, &a, &chat).await?;
    let foreign = message(scene, &elsewhere, &other).await?;
    let (Some(older), Some(newer), Some(foreign)) = (older, newer, foreign) else {
        let why = "no message could be made whose id is told";
        for (subject, case) in [(&READ, OK), (&READ, "FORBIDDEN"), (&RECEIPT, "read")] {
            collector.record_missing(subject, case, why);
        }
        return reading.ask_invalid(&bob, &chat, NOWHERE).await;
    };
    let listening = Listening::begin(scene, collector, &RECEIPT, [&a]);
    reading
        .ask(OK, "a member reads", &b, receipt(&chat, &newer))
        .await;
    listening.hear("read", "a member reads", &newer).await;
    reading
        .ask(OK, "a member reads an older message", &b, receipt(&chat, &older))
        .await;
    reading
        .ask(OK, "a member reads the same again", &b, receipt(&chat, &newer))
        .await;
    let of_another_chat = receipt(&chat, &foreign);
    reading
        .ask(
            "VALIDATION_ERROR",
            "a receipt for a message of another chat",
            &b,
            of_another_chat,
        )
        .await;
    let stranger = scene.connect_raw(&mallory).await?;
    reading
        .ask("FORBIDDEN", "a stranger reads", &stranger, receipt(&chat, &newer))
        .await;
    reading.ask_invalid(&bob, &chat, &older).await
}

/// Sends a message; gives its id, if the ack tells it. Otherwise it is posted by REST, where that is offered.
async fn message(scene: &Scene, client: &RawClient, chat: &Chat) -> Result<Option<String>, Stop> {
    match scene.send(client, chat, &scene.unique("to be read")).await {
        Ok(id) => return Ok(Some(id)),
        Err(Stop::Blocked(_)) => {}
        Err(stop) => return Err(stop),
    }
    match scene
        .post_message(&chat.admin, chat, &scene.unique("to be read"))
        .await
    {
        Ok(posted) => Ok(posted["_id"].as_str().map(str::to_owned)),
        Err(Stop::Unverified(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

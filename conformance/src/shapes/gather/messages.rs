//! Sending messages, up to the rate limit, and hearing of them.

use serde_json::Value;

use super::ask::{Asking, Listening, enter};
use crate::packet::Args;
use crate::scenarios::steps::{NOWHERE, message};
use crate::scene::chats::Chat;
use crate::scene::{Outcome, Scene, Stop};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::{MESSAGE, OK, SEND};

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let [alice, bob, mallory] = scene.users(["alice", "bob", "mallory"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let (a, b) = (
        enter(scene, &alice, &chat).await?,
        enter(scene, &bob, &chat).await?,
    );
    let sending = Asking::new(scene, collector, &SEND);
    let listening = Listening::begin(scene, collector, &MESSAGE, [&a, &b]);
    let body = scene.unique("hello");
    let payload = with_body(scene, &chat, &body);
    sending.ask(OK, "a member sends", &a, payload.clone()).await;
    listening.hear("sent by socket", "a member sends", &body).await;
    sending
        .ask(OK, "a member sends the same again", &a, payload)
        .await;

    let listening = Listening::begin(scene, collector, &MESSAGE, [&a, &b]);
    let body = scene.unique("hello");
    match scene.post_message(&alice, &chat, &body).await {
        Ok(_) => listening.hear("posted by REST", "a member posts", &body).await,
        Err(Stop::Unverified(why)) => collector.record_missing(&MESSAGE, "posted by REST", why),
        Err(stop) => return Err(stop),
    }

    let stranger = scene.connect_raw(&mallory).await?;
    let payload = with_body(scene, &chat, &scene.unique("hello"));
    sending
        .ask("FORBIDDEN", "a stranger sends", &stranger, payload)
        .await;
    sending.ask_invalid(&bob, &chat, NOWHERE).await
}

/// Messages that the target cannot take: because there are too many, and because it fails.
pub(super) async fn limits(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    // Each sends nothing else: also what is not accepted may count.
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let (a, b) = (
        enter(scene, &alice, &chat).await?,
        enter(scene, &bob, &chat).await?,
    );
    let sending = Asking::new(scene, collector, &SEND);
    let many = scene.profile().limits.rate_max + 1;
    let how = format!("{many} messages at once");
    let payloads = (0..many).map(|_| Args::from(with_body(scene, &chat, &scene.unique("one of many"))));
    sending.ask_at_once("RATE_LIMITED", &how, &a, payloads).await;

    let Some(fault) = &scene.profile().faults.internal_body else {
        let why =
            "how the target can be made to fail is not known: give faults.internal_body in the target file";
        collector.record_missing(&SEND, "INTERNAL", why);
        return Ok(());
    };
    for _ in 0..2 {
        let payload = with_body(scene, &chat, fault);
        sending
            .ask("INTERNAL", "the body of faults.internal_body", &b, payload)
            .await;
    }
    Ok(())
}

/// A message that is none of those before. Its `clientId` is text, so that a UUID where it comes back is the target's.
fn with_body(scene: &Scene, chat: &Chat, body: &str) -> Value {
    message(chat, &scene.unique("client"), body)
}

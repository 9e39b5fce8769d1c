//! Hearing that a chat is new, or has changed.

use super::ask::Listening;
use crate::scene::{Outcome, Scene, Stop};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::CHAT;

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let (a, b, c) = (
        scene.connect_raw(&alice).await?,
        scene.connect_raw(&bob).await?,
        scene.connect_raw(&carol).await?,
    );
    let members = || Listening::begin(scene, collector, &CHAT, [&a, &b]);

    let listening = members();
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    listening.hear("group created", "a group is made", &chat.id).await;

    let listening = members();
    if let Some(dm) = offered(collector, "DM created", scene.dm(&alice, &bob).await)? {
        listening.hear("DM created", "a DM is made", &dm.id).await;
    }

    let listening = members();
    if offered(
        collector,
        "renamed",
        scene.rename(&chat, &scene.unique("Plans")).await,
    )?
    .is_some()
    {
        listening.hear("renamed", "the title is changed", &chat.id).await;
    }

    let listening = Listening::begin(scene, collector, &CHAT, [&a, &b, &c]);
    let added = offered(collector, "member added", scene.add_member(&chat, &carol).await)?;
    if added.is_none() {
        collector.record_missing(
            &CHAT,
            "member removed",
            "nobody could be added who could be removed",
        );
        return Ok(());
    }
    listening
        .hear("member added", "a member is added", &chat.id)
        .await;

    let listening = members();
    if offered(
        collector,
        "member removed",
        scene.remove_member(&chat, &carol).await,
    )?
    .is_some()
    {
        listening
            .hear("member removed", "a member is removed", &chat.id)
            .await;
    }
    Ok(())
}

/// What could be done; where the target does not offer it, that is why the case was not seen.
fn offered<T>(
    collector: &ShapeCollector<'_>,
    case: &'static str,
    done: Result<T, Stop>,
) -> Result<Option<T>, Stop> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(Stop::Unverified(why)) => {
            collector.record_missing(&CHAT, case, why);
            Ok(None)
        }
        Err(stop) => Err(stop),
    }
}

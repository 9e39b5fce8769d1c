//! Rooms: who may join, and who gets the events.

use serde_json::json;

use super::{Scenario, run};
use crate::expect::ack;
use crate::expect::event::event;
use crate::scene::fence::Fence;
use crate::scene::{Outcome, Scene};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "rooms/join-and-leave",
    "A member joins, hears and leaves; a non-member is refused and hears nothing",
    &["ROOM-01", "ROOM-02", "ROOM-04"],
    run!(join_and_leave),
)];

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

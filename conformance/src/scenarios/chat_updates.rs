//! Chat updates: what members are told when the chat changes.

use serde_json::{Value, json};

use super::{Scenario, run};
use crate::client::Client;
use crate::event::Mark;
use crate::expect::event::{Pattern, event};
use crate::expect::has;
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "chat-updates/members",
        "Members learn who joins and who goes; nobody else does",
        &["CHAT-01", "CHAT-02", "CHAT-03", "CHAT-04", "CHAT-05"],
        run!(members),
    )
    .steps(&[
        "Alice makes a plain group with Bob; Alice, Bob, Carol and an outsider connect, and nobody \
         joins a room.",
        "Alice adds Carol by POST /v1/chats/{chatId}/members.",
        "chat:update with Carol among memberIds arrives at Alice, at Bob and at Carol  [CHAT-01]",
        "Each fits its schema and has Alice's id as createdBy  [CHAT-05]",
        "Alice removes Carol by DELETE /v1/chats/{chatId}/members/{userId}.",
        "chat:update without Carol among memberIds arrives at Alice and at Bob  [CHAT-02]",
        "It arrives at Carol as well  [CHAT-03]",
        "Each of these fits its schema too  [CHAT-05]",
        "A later chat:update about another chat arrives at the outsider, and none about this one \
         before it  [CHAT-04]",
    ]),
    Scenario::new(
        "chat-updates/title",
        "Members learn of a new title",
        &["CHAT-04", "CHAT-06"],
        run!(title),
    )
    .steps(&[
        "Alice makes a plain group with Bob; both and an outsider connect and join no room.",
        "Alice changes the title by PATCH /v1/chats/{chatId}.",
        "chat:update with this chat's _id and the new title arrives at Alice and at Bob  [CHAT-06]",
        "A later chat:update about another chat arrives at the outsider, and none about this one \
         before it  [CHAT-04]",
    ]),
    Scenario::new(
        "chat-updates/created",
        "Members learn of a new chat",
        &["CHAT-04", "CHAT-07"],
        run!(created),
    )
    .steps(&[
        "Alice, Bob and Carol connect; they have no chat.",
        "Alice makes a plain group with Bob and Carol by POST /v1/chats.",
        "chat:update with its _id arrives at Alice, at Bob and at Carol  [CHAT-07]",
        "Bob opens a DM with Carol by POST /v1/chats.",
        "chat:update with its _id and null as title arrives at Bob and at Carol  [CHAT-07]",
        "A later chat:update about another chat arrives at Alice, and none about the DM before it  \
         [CHAT-04]",
    ]),
];

/// `chat:update` about this chat after `mark`, in which `user` is a member or is not.
fn update(chat: &Chat, mark: Mark, user: &User, member: bool) -> Pattern {
    let id = user.id.clone();
    let described = format!("{} {} memberIds", user.name, if member { "in" } else { "not in" });
    event("chat:update")
        .at("/chat/_id", chat.id.as_str())
        .after(mark)
        .that(&described, move |data| {
            let ids = data.pointer("/chat/memberIds").and_then(Value::as_array);
            ids.is_some_and(|ids| ids.iter().any(|listed| listed == id.as_str()) == member)
        })
}

async fn connect<const N: usize>(scene: &Scene, users: [&User; N]) -> Result<[Client; N], Stop> {
    let clients = futures_util::future::try_join_all(users.map(|user| scene.connect(user))).await?;
    clients
        .try_into()
        .map_err(|_| Stop::Harness("as many clients as users".to_owned()))
}

async fn members(scene: &Scene) -> Outcome {
    let [alice, bob, carol, outsider] = scene.users(["alice", "bob", "carol", "outsider"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let [a, b, c, o] = connect(scene, [&alice, &bob, &carol, &outsider]).await?;

    let marks = [&a, &b, &c].map(|client| (client, client.mark()));
    scene.add_member(&chat, &carol).await?;
    for (client, mark) in marks {
        let told = client.expect(&update(&chat, mark, &carol, true)).await;
        let Some(told) = scene.check("CHAT-01", told) else {
            continue;
        };
        scene.check("CHAT-05", scene.schema("events/server/chat-update", told.data()));
        scene.check("CHAT-05", has(told.data(), "/chat/createdBy", alice.id.as_str()));
    }

    let marks =
        [(&a, "CHAT-02"), (&b, "CHAT-02"), (&c, "CHAT-03")].map(|(client, id)| (client, client.mark(), id));
    scene.remove_member(&chat, &carol).await?;
    for (client, mark, requirement) in marks {
        let told = client.expect(&update(&chat, mark, &carol, false)).await;
        if let Some(told) = scene.check(requirement, told) {
            scene.check("CHAT-05", scene.schema("events/server/chat-update", told.data()));
        }
    }
    keeps_out(scene, &o, &chat).await
}

/// The outsider has not been told of the chat, and will not be (CHAT-04).
async fn keeps_out(scene: &Scene, outsider: &Client, chat: &Chat) -> Outcome {
    let about = event("chat:update").at("/chat/_id", chat.id.as_str());
    let silence = scene.absent(outsider, &about, Fence::User).await?;
    scene.check("CHAT-04", silence);
    Ok(())
}

async fn title(scene: &Scene) -> Outcome {
    let [alice, bob, outsider] = scene.users(["alice", "bob", "outsider"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let [a, b, o] = connect(scene, [&alice, &bob, &outsider]).await?;
    let title = scene.unique("Plans");
    scene.rename(&chat, &title).await?;
    let told = event("chat:update")
        .at("/chat/_id", chat.id.as_str())
        .at("/chat/title", title.as_str());
    for client in [&a, &b] {
        scene.check("CHAT-06", client.expect(&told).await);
    }
    keeps_out(scene, &o, &chat).await
}

async fn created(scene: &Scene) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let clients @ [a, b, c] = &connect(scene, [&alice, &bob, &carol]).await?;
    let chat = scene.plain_group(&alice, &[&bob, &carol]).await?;
    let told = event("chat:update").at("/chat/_id", chat.id.as_str());
    for client in clients {
        scene.check("CHAT-07", client.expect(&told).await);
    }
    let Some(dm) = scene.offered("CHAT-07", scene.dm(&bob, &carol).await)? else {
        return scene
            .offered(
                "CHAT-04",
                Err::<(), _>(Stop::Unverified("no DM could be made".to_owned())),
            )
            .map(drop);
    };
    let told = event("chat:update")
        .at("/chat/_id", dm.id.as_str())
        .at("/chat/title", json!(null));
    for client in [b, c] {
        scene.check("CHAT-07", client.expect(&told).await);
    }
    keeps_out(scene, a, &dm).await
}

//! Typing indicators: who sees them, and who does not.

use serde_json::{Value, json};

use super::steps::{joined, no_complaint, still_works};
use super::{Scenario, run};
use crate::client::Client;
use crate::expect::event::event;
use crate::expect::has;
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "typing/start-and-stop",
        "The others in the room see start and stop; the one who types does not",
        &["TYPE-01", "TYPE-02", "TYPE-03"],
        run!(start_and_stop),
    )
    .steps(&[
        "Alice makes a group with Bob and Carol; all three connect and join the room.",
        "Alice sends typing:start; typing:update with state start arrives at Bob and at Carol  [TYPE-01]",
        "Each fits its schema and has Alice's id as userId and the chat's as chatId  [TYPE-01]",
        "A later message into the room arrives at Alice, and no typing:update with state start before \
         it  [TYPE-03]",
        "Alice sends typing:stop; typing:update with state stop arrives at Bob and at Carol, with the \
         same ids  [TYPE-02]",
        "A later message into the room arrives at Alice, and no typing:update with state stop before \
         it  [TYPE-03]",
    ]),
    Scenario::new(
        "typing/ignored",
        "Typing of a non-member, or with an invalid payload, is silently ignored",
        &["TYPE-04", "TYPE-05"],
        run!(ignored),
    )
    .steps(&[
        "Alice makes a group with Bob; both connect and join the room; Mallory, who is no member, \
         connects.",
        "The twin: Bob sends typing:start, and typing:update with his id arrives at Alice.",
        "Mallory sends typing:start and typing:stop for this chat, then presence:ping, which is \
         acknowledged  [TYPE-04]",
        "A later message into the room arrives at Alice, and no typing:update with Mallory's id before \
         it  [TYPE-04]",
        "Mallory has got no event since whose name has error or exception in it  [TYPE-04]",
        "Bob sends typing:start and typing:stop, each with seven bad payloads and once without any.",
        "They are {}, null, a text, an array, and a chatId that is null, \"short\" or an object.",
        "Bob sends presence:ping and is acknowledged {ok:true}  [TYPE-05]",
        "A later message into the room arrives at Alice, no typing:update since the first bad payload, \
         and Bob no error  [TYPE-05]",
    ]),
];

async fn start_and_stop(scene: &Scene) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let chat = scene.group(&alice, &[&bob, &carol]).await?;
    let [typist, b, c] = joined(scene, &chat, [&alice, &bob, &carol]).await?;
    for (requirement, name, state) in [
        ("TYPE-01", "typing:start", "start"),
        ("TYPE-02", "typing:stop", "stop"),
    ] {
        typist.emit(name, json!({"chatId": chat.id})).await?;
        let update = event("typing:update").at("/state", state);
        for client in [&b, &c] {
            let Some(seen) = scene.check(requirement, client.expect(&update).await) else {
                continue;
            };
            scene.check(
                requirement,
                scene.schema("events/server/typing-update", seen.data()),
            );
            scene.check(requirement, has(seen.data(), "/userId", alice.id.as_str()));
            scene.check(requirement, has(seen.data(), "/chatId", chat.id.as_str()));
        }
        let own = scene.absent(&typist, &update, Fence::Room(&chat)).await?;
        scene.check("TYPE-03", own);
    }
    scene.aside(freedoms(scene, &alice, &chat, &typist, &b)).await
}

/// How the target uses what TYPE-06 and TYPE-07 leave open; never a verdict. `witness` belongs to another member.
async fn freedoms(scene: &Scene, user: &User, chat: &Chat, typist: &Client, witness: &Client) -> Outcome {
    let either = |requirement: &str, seen: bool, yes: &str, no: &str| {
        scene.note(requirement, if seen { yes } else { no });
    };
    let starts = || {
        event("typing:update")
            .at("/state", "start")
            .at("/userId", user.id.as_str())
    };
    // A second socket of the typist, which has not joined and asks for an ack.
    let second = scene.connect_raw(user).await?;
    let mark = witness.mark();
    let request = second.start("typing:start", vec![json!({"chatId": chat.id})])?;
    scene.step(&second, "presence:ping", json!({})).await?;
    scene.fence_room(chat, &[witness]).await?;
    let seen = !witness.events(&starts().after(mark)).is_empty();
    either(
        "TYPE-07",
        seen,
        "typing does not take having joined the room",
        "typing takes having joined the room",
    );
    let acked = !second.acks(request.id()).is_empty();
    either(
        "TYPE-07",
        acked,
        "typing is acknowledged, if asked for",
        "typing is not acknowledged, even if asked for",
    );

    scene.join(&second, chat).await?;
    let mark = second.mark();
    typist.emit("typing:start", json!({"chatId": chat.id})).await?;
    still_works(typist).await?;
    scene.fence_room(chat, &[&second]).await?;
    let seen = !second.events(&starts().after(mark)).is_empty();
    let (yes, no) = (
        "the typist's other sockets are told",
        "the typist's other sockets are not told",
    );
    either("TYPE-07", seen, yes, no);

    let mark = witness.mark();
    typist.close().await;
    // A goodbye has no answer that could be waited for: this is the time that a server may take to notice it.
    scene.sleep(scene.timing().margin()).await;
    scene.fence_room(chat, &[witness]).await?;
    let stops = event("typing:update")
        .at("/state", "stop")
        .at("/userId", user.id.as_str());
    let seen = !witness.events(&stops.after(mark)).is_empty();
    let (yes, no) = (
        "a socket that disconnects while typing produces a stop",
        "a socket that disconnects while typing produces no stop",
    );
    either("TYPE-06", seen, yes, no);
    Ok(())
}

async fn ignored(scene: &Scene) -> Outcome {
    let [alice, bob, mallory] = scene.users(["alice", "bob", "mallory"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
    let stranger = scene.connect(&mallory).await?;
    // The twin: a member's typing is seen.
    b.emit("typing:start", json!({"chatId": chat.id})).await?;
    a.expect(&event("typing:update").at("/userId", bob.id.as_str()))
        .await?;

    let quiet = stranger.mark();
    for name in ["typing:start", "typing:stop"] {
        stranger.emit(name, json!({"chatId": chat.id})).await?;
    }
    // The ping behind them says that they were worked off.
    scene.check("TYPE-04", still_works(&stranger).await);
    let strangers = event("typing:update").at("/userId", mallory.id.as_str());
    let silence = scene.absent(&a, &strangers, Fence::Room(&chat)).await?;
    scene.check("TYPE-04", silence);
    scene.check("TYPE-04", no_complaint(&stranger, quiet));

    let (mark, calm) = (a.mark(), b.mark());
    for name in ["typing:start", "typing:stop"] {
        let invalid: [Value; 7] = [
            json!({}),
            json!(null),
            json!("text"),
            json!({"chatId": null}),
            json!({"chatId": "short"}),
            json!({"chatId": {"$ne": null}}),
            json!([chat.id]),
        ];
        for payload in invalid {
            b.emit(name, payload).await?;
        }
        b.emit_args(name, Vec::new()).await?;
    }
    scene.check("TYPE-05", still_works(&b).await);
    let silence = scene
        .absent(&a, &event("typing:update").after(mark), Fence::Room(&chat))
        .await?;
    scene.check("TYPE-05", silence);
    scene.check("TYPE-05", no_complaint(&b, calm));
    Ok(())
}

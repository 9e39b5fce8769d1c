//! Presence: who is online, and who is told.

mod vanished;

use std::time::{Duration, Instant};

use serde_json::json;
use time::OffsetDateTime;

use super::{Cost, Scenario, run};
use crate::client::Client;
use crate::event::{Event, Mark};
use crate::expect::event::{Pattern, event};
use crate::expect::timing::{at_least, at_most};
use crate::expect::{ack, equal, field, that, utc_time, varying};
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "presence/devices",
        "Contacts hear of the first connection and of the end of the last, of none between, and strangers of nothing",
        &["PRES-01", "PRES-02", "PRES-03", "PRES-04"],
        run!(devices),
    )
        .steps(&[
            "Alice makes a plain group with Bob and a former member; Bob, the former member and a stranger \
            connect.",
            "Alice removes the former member through REST, and shares no chat with either of these two.",
            "Alice connects; presence:update with her id and status online arrives at Bob and fits its \
            schema  [PRES-01]",
            "The presence window (2 s by default) and the margin pass, so that an update would not be held \
            back.",
            "Alice connects a second device; a later chat:update arrives at Bob, and nothing about her \
            before it  [PRES-03]",
            "The second device closes, and the presence window and the margin pass, in which the server \
            may notice.",
            "A later chat:update arrives at Bob, and still nothing about Alice before it  [PRES-03]",
            "The first device closes; status offline arrives at Bob within the presence window and the \
            deadline  [PRES-02]",
            "A later chat:update arrives at the stranger, and nothing about Alice since the stranger \
            connected  [PRES-04]",
            "The same holds for the former member  [PRES-04]",
        ])
    .cost(Cost::Seconds(6)),
    Scenario::new(
        "presence/ping",
        "A ping is answered with the server's time",
        &["PRES-05"],
        run!(ping),
    )
        .steps(&[
            "Alice connects.",
            "Alice sends presence:ping with {} and is acknowledged {ok:true}  [PRES-05]",
            "The ack's data.serverTime is an ISO time in UTC, not more than 5 s from the kit's clock  \
            [PRES-05]",
        ]),
    Scenario::new(
        "presence/flapping-ends-offline",
        "Under flapping, updates keep their distance, and the last one is the final state",
        &["PRES-06", "PRES-07"],
        run!(flapping_ends_offline),
    )
        .steps(&[
            "Alice makes a plain group with Bob; Bob connects, then Alice, and status online arrives at Bob.",
            "The presence window (2 s by default) and the margin pass; then Alice closes.",
            "For one and a quarter presence windows (2.5 s by default) she connects, pings and closes, \
            again and again.",
            "Two presence windows and two margins pass, then a later chat:update arrives at Bob.",
            "Any two updates about Alice that follow each other are a presence window apart  [PRES-06]",
            "A distance within the margin below it, after half a margin for the network, is inconclusive.",
            "The last update about Alice has status offline  [PRES-07]",
            "It came no later than one presence window and the margin after her last close  [PRES-07]",
        ])
    .cost(Cost::Seconds(9)),
    Scenario::new(
        "presence/flapping-ends-online",
        "Flapping within a window that ends online after online was told is told to nobody",
        &["PRES-08"],
        run!(flapping_ends_online),
    )
        .steps(&[
            "Alice makes a plain group with Bob; Bob connects, then Alice, and status online arrives at Bob.",
            "Alice closes, connects and closes twice more, and then connects and stays, all as fast as it \
            goes.",
            "If that took longer than the presence window (2 s by default), less the margin, it is \
            inconclusive.",
            "The presence window and the margin pass, in which an update that was held back would come.",
            "A later chat:update arrives at Bob, and nothing about Alice since the first online  [PRES-08]",
        ])
    .cost(Cost::Seconds(5)),
    Scenario::new(
        "presence/vanished",
        "A connection that vanishes without a goodbye is offline when its ping has timed out",
        &["PRES-09"],
        run!(vanished::silently),
    )
        .steps(&[
            "Alice makes a plain group with Bob; Bob connects, then Alice.",
            "The limit is pingInterval + pingTimeout of Alice's handshake, or those of the target file's \
            limits, + the presence window;",
            "over limits.wait_max_ms of the target file, by default 10 s, nothing is judged.",
            "The twin: status online arrives at Bob.",
            "Alice falls silent: the TCP connection stays, but she reads nothing and answers no ping.",
            "presence:update with her id and status offline arrives at Bob, within the limit and the \
            deadline  [PRES-09]",
            "It came within the limit and the margin; up to one more margin is inconclusive  [PRES-09]",
        ])
    .cost(Cost::Seconds(8)),
    Scenario::new(
        "presence/vanished-in-upgrade",
        "A session that vanishes while a WebSocket takes it over from long-polling is offline when its ping has timed out",
        &["PRES-09"],
        run!(vanished::in_upgrade),
    )
        .steps(&[
            "Alice makes a plain group with Bob; Bob connects, then Alice over long-polling.",
            "A WebSocket asks for her session with 2probe and is answered with 3probe. Where that cannot \
            be had, nothing is judged.",
            "The limit is that of presence/vanished. The twin: status online arrives at Bob.",
            "The WebSocket is cut, and nobody polls any more: the upgrade is neither done nor given up.",
            "presence:update with her id and status offline arrives at Bob, within the limit and the \
            deadline  [PRES-09]",
            "It came within the limit and the margin; up to one more margin is inconclusive  [PRES-09]",
        ])
    .cost(Cost::Seconds(8)),
    Scenario::new(
        "presence/left-behind",
        "A connection that vanished and was replaced by another times out without a word to anybody",
        &["PRES-03"],
        run!(vanished::left_behind),
    )
        .steps(&[
            "Alice makes a plain group with Bob; Bob connects, then Alice. The twin: status online arrives \
            at Bob.",
            "Alice falls silent: the TCP connection stays, but she reads nothing and answers no ping. She \
            connects anew at once.",
            "The limit of presence/vanished passes, and the margin: the server has given up the first \
            connection.",
            "A later chat:update arrives at Bob, and nothing about her since she fell silent  [PRES-03]",
        ])
    .cost(Cost::Seconds(9)),
];

/// What contacts are told about `user`.
fn about(user: &User) -> Pattern {
    event("presence:update").at("/userId", user.id.as_str())
}

fn window(scene: &Scene) -> Duration {
    Duration::from_millis(scene.profile().limits.presence_window_ms)
}

/// Waits until an update that was throttled before has certainly come.
async fn window_passes(scene: &Scene) {
    scene.sleep(window(scene) + scene.timing().margin()).await;
}

async fn devices(scene: &Scene) -> Outcome {
    let [alice, bob, former, stranger] = scene.users(["alice", "bob", "former", "stranger"]).await?;
    let chat = scene.plain_group(&alice, &[&bob, &former]).await?;
    let (b, s) = (scene.connect(&bob).await?, scene.connect(&stranger).await?);
    // Contacts are who share a chat now.
    let f = scene.connect(&former).await?;
    let removed = scene.remove_member(&chat, &former).await;
    let removed = scene.offered("PRES-04", removed)?;

    let first = scene.connect(&alice).await?;
    let online = b.expect(&about(&alice).at("/status", "online")).await;
    let online = scene.require("PRES-01", online)?;
    scene.check(
        "PRES-01",
        scene.schema("events/server/presence-update", online.data()),
    );

    // Behind the window, where a needless update would come at once instead of being held back.
    window_passes(scene).await;
    let mark = b.mark();
    let second = scene.connect(&alice).await?;
    let silence = scene.absent(&b, &about(&alice).after(mark), Fence::User).await?;
    scene.check(
        "PRES-03",
        silence.map_err(|mismatch| mismatch.at("a second device opens")),
    );
    second.close().await;
    // Also what a throttle holds back for a while has come by then.
    window_passes(scene).await;
    let silence = scene.absent(&b, &about(&alice).after(mark), Fence::User).await?;
    scene.check(
        "PRES-03",
        silence.map_err(|mismatch| mismatch.at("one of two devices closes")),
    );

    scene.fence_user(&[&first]).await?;
    let own = if second.events(&about(&alice)).is_empty() && first.events(&about(&alice)).is_empty() {
        "a user's own sockets are not told of the user's presence"
    } else {
        "a user's own sockets are told of the user's presence"
    };
    scene.note("PRES-10", own);

    let mark = b.mark();
    first.close().await;
    let offline = b
        .expect_within(
            &about(&alice).at("/status", "offline").after(mark),
            patience(scene),
        )
        .await;
    scene.check("PRES-02", offline);
    let former = removed.map(|()| (&f, "who no longer shares a chat"));
    for (client, who) in [(&s, "who never shared a chat")].into_iter().chain(former) {
        let silence = scene.absent(client, &about(&alice), Fence::User).await?;
        scene.check("PRES-04", silence.map_err(|mismatch| mismatch.at(who)));
    }

    scene.aside(new_contact(scene, &bob, &stranger, &s)).await
}

/// Whether somebody who is online is made known to a new contact (PRES-10); never a verdict.
async fn new_contact(scene: &Scene, online: &User, other: &User, others: &Client) -> Outcome {
    let mark = others.mark();
    scene.plain_group(online, &[other]).await?;
    scene.fence_user(&[others]).await?;
    let freedom = if others.events(&about(online).after(mark)).is_empty() {
        "a new contact is not told who is online"
    } else {
        "a new contact is told who is online"
    };
    scene.note("PRES-10", freedom);
    Ok(())
}

/// How long to wait for an update that the throttle may hold back.
fn patience(scene: &Scene) -> Duration {
    window(scene) + scene.timing().deadline()
}

/// Connects and closes a few times, each for a moment.
async fn flap(scene: &Scene, user: &User, times: usize) -> Result<(), Stop> {
    for _ in 0..times {
        let client = scene.connect_raw(user).await?;
        scene.step(&client, "presence:ping", json!({})).await?;
        client.close().await;
    }
    Ok(())
}

/// No two updates come closer than the window. What the network may have done to either is allowed for.
fn keep_their_distance(scene: &Scene, updates: &[Event]) -> crate::expect::Found {
    let jitter = scene.timing().margin() / 2;
    for pair in updates.windows(2) {
        let gap = pair[1].at.saturating_duration_since(pair[0].at);
        at_least(
            "the next update about one user",
            gap + jitter,
            window(scene),
            scene.timing().margin(),
        )?;
    }
    Ok(())
}

/// Flapping that goes on for more than a window, so that a throttle has to hold back more than once.
async fn flapping_ends_offline(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    scene.plain_group(&alice, &[&bob]).await?;
    let b = scene.connect(&bob).await?;
    // Known to be online first: of flapping that ends where it began, nothing need be told (PRES-08).
    let first = scene.connect_raw(&alice).await?;
    b.expect(&about(&alice).at("/status", "online")).await?;
    window_passes(scene).await;
    first.close().await;
    let began = Instant::now();
    while began.elapsed() < window(scene) + window(scene) / 4 {
        flap(scene, &alice, 1).await?;
        // A pace, not a wait: without it the loop would flood the target with handshakes.
        scene.sleep(Duration::from_millis(40)).await;
    }
    let ended = Instant::now();

    // One window for the final state, and another in which nothing may follow it.
    window_passes(scene).await;
    window_passes(scene).await;
    scene.fence_user(&[&b]).await?;
    let updates = b.events(&about(&alice));
    scene.counted(
        "PRES-06",
        "updates that a contact got under flapping",
        updates.len(),
    );
    let distances = updates
        .windows(2)
        .map(|pair| pair[1].at.saturating_duration_since(pair[0].at));
    if let Some(least) = distances.min() {
        scene.measured("PRES-06", "least distance between two of them", least);
    }
    scene.check("PRES-06", keep_their_distance(scene, &updates));
    let Some(last) = updates.last() else { return Ok(()) };
    scene.check(
        "PRES-07",
        equal("the last status told", &last.data()["status"], &json!("offline")),
    );
    let took = last.at.saturating_duration_since(ended);
    scene.measured("PRES-07", "final state after the end of the flapping", took);
    scene.check(
        "PRES-07",
        at_most(
            "the final state",
            took,
            window(scene) + scene.timing().margin(),
            scene.timing().margin(),
        ),
    );
    Ok(())
}

async fn flapping_ends_online(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    scene.plain_group(&alice, &[&bob]).await?;
    let b = scene.connect(&bob).await?;
    let first = scene.connect_raw(&alice).await?;
    let online = b.expect(&about(&alice).at("/status", "online")).await?;
    let mark = b.mark();
    first.close().await;
    flap(scene, &alice, 2).await?;
    let stays = scene.connect_raw(&alice).await?;
    scene.step(&stays, "presence:ping", json!({})).await?;
    if online.at.elapsed() + scene.timing().margin() >= window(scene) {
        let late = crate::expect::Mismatch::inconclusive("the flapping took longer than the window");
        scene.check("PRES-08", Err::<(), _>(late));
        return Ok(());
    }
    window_passes(scene).await;
    let silence = nothing_since(scene, &b, &alice, mark).await?;
    scene.check("PRES-08", silence);
    Ok(())
}

async fn nothing_since(
    scene: &Scene,
    client: &Client,
    user: &User,
    mark: Mark,
) -> Result<crate::expect::Found, Stop> {
    scene.absent(client, &about(user).after(mark), Fence::User).await
}

async fn ping(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let client = scene.connect(&alice).await?;
    let reply = scene.require("PRES-05", client.request("presence:ping", json!({})).await)?;
    let data = scene.require("PRES-05", ack::ok(&reply))?;
    let server_time = field(data, "/serverTime").and_then(utc_time);
    let off = server_time.map(|at| (OffsetDateTime::now_utc() - at).abs());
    // "A few seconds": machines that keep time are closer, and one without a clock is further off.
    let near = off.and_then(|off| {
        that(
            off <= time::Duration::seconds(5),
            "serverTime within 5 s of ours",
            varying(format!("{off} away")),
        )
    });
    scene.check("PRES-05", near);
    Ok(())
}

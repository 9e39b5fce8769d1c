//! Connections that vanish: the server is not told, and finds out by its pings.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{about, window};
use crate::client::Client;
use crate::client::raw::RawClient;
use crate::event::Mark;
use crate::expect::timing::at_most;
use crate::expect::{field, that};
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

/// How long a connection that has vanished may count as online (PRES-09), by its Engine.IO handshake, unless the target
/// file says otherwise. What is longer than a run waits is not looked at.
fn time_to_be_missed(scene: &Scene, handshake: &Value) -> Result<Duration, Stop> {
    let limits = &scene.profile().limits;
    let announced = |pointer| field(handshake, pointer).map(|ms| ms.as_u64().unwrap_or(u64::MAX / 4));
    let interval = limits
        .ping_interval_ms
        .map_or_else(|| announced("/pingInterval"), Ok)?;
    let timeout = limits
        .ping_timeout_ms
        .map_or_else(|| announced("/pingTimeout"), Ok)?;
    let limit = Duration::from_millis(interval.saturating_add(timeout)).saturating_add(window(scene));
    let longest = Duration::from_millis(limits.wait_max_ms);
    if limit > longest {
        return Err(Stop::Unverified(format!(
            "pingInterval, pingTimeout and the presence window add up to {} s, more than the {} s that a run waits; \
             start the target with shorter ones, or raise limits.wait_max_ms in the target file",
            limit.as_secs(),
            longest.as_secs()
        )));
    }
    Ok(limit)
}

/// Whether the contact hears in time that the user, who vanished just now, is offline.
async fn missed_in_time(scene: &Scene, contact: &Client, user: &User, mark: Mark, limit: Duration) {
    let vanished = Instant::now();
    let offline = about(user).at("/status", "offline").after(mark);
    let offline = contact
        .expect_within(&offline, limit + scene.timing().deadline())
        .await;
    let Some(offline) = scene.check("PRES-09", offline) else {
        return;
    };
    let took = offline.at.saturating_duration_since(vanished);
    scene.measured("PRES-09", "offline after the connection vanished", took);
    scene.measured("PRES-09", "latest that was allowed", limit);
    let margin = scene.timing().margin();
    scene.check("PRES-09", at_most("offline", took, limit + margin, margin));
}

pub(super) async fn silently(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    scene.plain_group(&alice, &[&bob]).await?;
    let b = scene.connect(&bob).await?;
    let client = scene.connect_raw(&alice).await?;
    let limit = time_to_be_missed(scene, &client.handshake())?;
    b.expect(&about(&alice).at("/status", "online")).await?;
    let mark = b.mark();
    client.fall_silent();
    missed_in_time(scene, &b, &alice, mark, limit).await;
    Ok(())
}

/// The session is neither here nor there: nobody polls any more, and the WebSocket that was to take it over is gone.
pub(super) async fn in_upgrade(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    scene.plain_group(&alice, &[&bob]).await?;
    let b = scene.connect(&bob).await?;
    // Long-polling is a SHOULD of its own (TRANS-02): who does not offer it keeps PRES-09 without it.
    let half_way = half_upgraded(scene, &alice).await;
    let half_way =
        half_way.map_err(|stop| Stop::Unverified(format!("an upgrade from long-polling: {}", stop.why())));
    let Some((websocket, handshake)) = scene.offered("PRES-09", half_way)? else {
        return Ok(());
    };
    let limit = time_to_be_missed(scene, &handshake)?;
    b.expect(&about(&alice).at("/status", "online")).await?;
    let mark = b.mark();
    websocket.drop_transport();
    missed_in_time(scene, &b, &alice, mark, limit).await;
    Ok(())
}

/// A session over long-polling, and a WebSocket that has asked whether it may take it over, and been told that it may.
async fn half_upgraded(scene: &Scene, user: &User) -> Result<(RawClient, Value), Stop> {
    let mut session = scene.polling().await?;
    session
        .send(&format!("40{}", json!({"token": user.access_token})))
        .await?;
    let connected = session.receive(&["40", "44"]).await?;
    that(connected.starts_with("40"), "CONNECT to be accepted", connected)?;
    let websocket = scene.take_over(&session, &user.name).await?;
    websocket.send_text("2probe")?;
    websocket.wait_frame("3probe", scene.timing().deadline()).await?;
    Ok((websocket, session.handshake().clone()))
}

pub(super) async fn left_behind(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    scene.plain_group(&alice, &[&bob]).await?;
    let b = scene.connect(&bob).await?;
    let old = scene.connect_raw(&alice).await?;
    let limit = time_to_be_missed(scene, &old.handshake())?;
    b.expect(&about(&alice).at("/status", "online")).await?;
    let mark = b.mark();
    old.fall_silent();
    let _new = scene.connect(&alice).await?;
    scene.sleep(limit + scene.timing().margin()).await;
    let silence = scene.absent(&b, &about(&alice).after(mark), Fence::User).await?;
    scene.check(
        "PRES-03",
        silence.map_err(|mismatch| mismatch.at("one of two devices times out")),
    );
    Ok(())
}

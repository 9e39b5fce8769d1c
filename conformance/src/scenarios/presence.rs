//! Presence: who is online, and who is told.

use serde_json::json;
use time::OffsetDateTime;

use super::{Scenario, run};
use crate::expect::{ack, field, that, utc_time};
use crate::scene::{Outcome, Scene};

pub(super) const SCENARIOS: &[Scenario] = &[Scenario::new(
    "presence/ping",
    "A ping is answered with the server's time",
    &["PRES-05"],
    run!(ping),
)];

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
            off,
        )
    });
    scene.check("PRES-05", near);
    Ok(())
}

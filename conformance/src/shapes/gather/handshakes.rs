//! Being refused a connection.

use futures_util::future::join_all;
use time::OffsetDateTime;

use crate::scene::connect::{Answer, Handshake};
use crate::scene::{Outcome, Scene, Stop};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::REFUSAL;

const CASE: &str = REFUSAL.cases[0];

pub(super) async fn play(scene: &Scene, collector: &ShapeCollector<'_>) -> Outcome {
    let mut handshakes = vec![("no token", Handshake::bare())];
    handshakes.extend(
        scene
            .contract()
            .corpus
            .tokens
            .iter()
            .map(|token| (token.name.as_str(), Handshake::bare().auth(token.payload.clone()))),
    );
    if let Some(token) = expired(scene).await? {
        handshakes.push(("an expired token", Handshake::token(token)));
    }
    let attempts = handshakes
        .iter()
        .map(async |(what, handshake)| (what, scene.attempt("guest", handshake).await));
    for (what, answer) in join_all(attempts).await {
        let instead = match answer? {
            Answer::Refused(payload, _) => {
                collector.record(&REFUSAL, CASE, &payload);
                continue;
            }
            Answer::Accepted(_) => "accepted",
            Answer::Silence(_) => "no answer",
            Answer::Closed(_) => "the connection is closed without an answer",
        };
        collector.record_missing(&REFUSAL, CASE, format!("{what}: {instead}"));
    }
    Ok(())
}

/// A token of somebody that was good an hour ago, where the target's key is known.
async fn expired(scene: &Scene) -> Result<Option<String>, Stop> {
    let minter = match scene.minter() {
        Err(Stop::Unverified(_)) => return Ok(None),
        minter => minter?,
    };
    let alice = scene.user("alice").await?;
    let mut claims = minter.claims(&alice.id);
    claims["exp"] = (OffsetDateTime::now_utc().unix_timestamp() - 3_600).into();
    Ok(Some(minter.sign(&claims)?))
}

//! Transport: the WebSocket, origins, namespaces.

use serde_json::json;

use super::steps::{accepted, still_works};
use super::{Scenario, run};
use crate::expect::{all, field, text, that};
use crate::scene::connect::Handshake;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "transport/websocket",
        "A direct WebSocket handshake leads to a connection that works",
        &["TRANS-01"],
        run!(websocket),
    ),
    Scenario::new(
        "transport/origins",
        "A configured origin may call from a browser, another may not",
        &["TRANS-03"],
        run!(origins),
    ),
    Scenario::new(
        "transport/unknown-namespace",
        "A namespace that does not exist is refused, and the connection to / is unharmed",
        &["TRANS-04"],
        run!(unknown_namespace),
    ),
];

async fn websocket(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let answer = scene
        .attempt("alice", &Handshake::token(alice.access_token.as_str()))
        .await?;
    let client = scene.require("TRANS-01", answer.accepted())?;
    let handshake = client.handshake();
    let announced = ["/pingInterval", "/pingTimeout", "/maxPayload"].map(|pointer| {
        let value = field(&handshake, pointer)?;
        that(
            value.is_u64(),
            format!("a whole number at {pointer} of the handshake"),
            value,
        )
    });
    scene.check(
        "TRANS-01",
        all(announced.into_iter().chain([text(&handshake, "/sid").map(drop)])),
    );
    scene.check(
        "TRANS-01",
        accepted(client.request("presence:ping", json!({})).await),
    );
    Ok(())
}

async fn origins(scene: &Scene) -> Outcome {
    const ALLOW: &str = "access-control-allow-origin";
    let cors = &scene.profile().cors;
    let (Some(allowed), Some(denied)) = (cors.allowed_origin.clone(), cors.denied_origin.clone()) else {
        return Err(Stop::Unverified(
            "the target's origins are not known: give cors.allowed_origin and cors.denied_origin in the target file"
                .to_owned(),
        ));
    };
    let alice = scene.user("alice").await?;
    let seen = async |origin: &str| {
        let reply = scene
            .rest(&alice)
            .header("origin", origin)
            .get("/v1/chats")
            .await?;
        Ok::<_, Stop>(reply.header(ALLOW).map(str::to_owned))
    };
    let to_allowed = seen(&allowed).await?;
    let shown = to_allowed.as_deref().unwrap_or("no such header");
    scene.require(
        "TRANS-03",
        that(
            shown == allowed || shown == "*",
            format!("{ALLOW}: {allowed}"),
            shown,
        ),
    )?;
    let to_denied = seen(&denied).await?;
    let shown = to_denied.as_deref().unwrap_or("no such header");
    let silent = to_denied
        .as_deref()
        .is_none_or(|origin| origin != denied && origin != "*");
    scene.check(
        "TRANS-03",
        that(silent, format!("no {ALLOW} for {denied}"), shown),
    );
    Ok(())
}

async fn unknown_namespace(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let client = scene.connect_raw(&alice).await?;
    client.connect("/no-such-namespace", Some(&json!({"token": alice.access_token})))?;
    let answer = client
        .answer("/no-such-namespace", scene.timing().deadline())
        .await;
    let refused = answer.and_then(|answer| {
        that(
            answer.is_err(),
            "CONNECT_ERROR for /no-such-namespace",
            "CONNECT was accepted",
        )
    });
    scene.check("TRANS-04", refused);
    scene.check("TRANS-04", still_works(&client).await);
    Ok(())
}

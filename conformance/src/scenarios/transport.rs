//! Transport: the WebSocket, origins, namespaces.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::steps::{accepted, still_works};
use super::{Cost, Scenario, run};
use crate::expect::{Found, Mismatch, MismatchKind, ack, all, field, text, that, varying};
use crate::scene::connect::Handshake;
use crate::scene::{Outcome, Scene, Stop};
use crate::text::shorten;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "transport/websocket",
        "A direct WebSocket handshake leads to a connection that works",
        &["TRANS-01"],
        run!(websocket),
    )
    .steps(&[
        "Alice opens a WebSocket straight away (EIO=4, transport=websocket) and sends CONNECT with her \
         access token.",
        "CONNECT is accepted within the deadline  [TRANS-01]",
        "The handshake has a text as sid and whole numbers as pingInterval and pingTimeout  [TRANS-01]",
        "Alice sends presence:ping and is acknowledged {ok:true}  [TRANS-01]",
    ]),
    Scenario::new(
        "transport/origins",
        "A configured origin may call from a browser, another may not",
        &["TRANS-03"],
        run!(origins),
    )
    .steps(&[
        "The allowed and the denied origin come from the target file; without both nothing is judged.",
        "Alice sends GET /v1/chats with the allowed origin in the Origin header.",
        "The answer has Access-Control-Allow-Origin with this origin, or *; else the scenario ends  \
         [TRANS-03]",
        "Alice sends GET /v1/chats with the denied origin in the Origin header.",
        "The answer's Access-Control-Allow-Origin, if there is one, is neither this origin nor *  \
         [TRANS-03]",
    ]),
    Scenario::new(
        "transport/unknown-namespace",
        "A namespace that does not exist is refused, and the connection to / is unharmed",
        &["TRANS-04"],
        run!(unknown_namespace),
    )
    .steps(&[
        "Alice connects to / with her access token.",
        "On the same WebSocket she sends CONNECT to /no-such-namespace, with the same token.",
        "It is answered with CONNECT_ERROR for /no-such-namespace within the deadline  [TRANS-04]",
        "Alice sends presence:ping in / and is acknowledged {ok:true}  [TRANS-04]",
    ]),
    Scenario::new(
        "transport/polling-and-upgrade",
        "A session over long-polling works, and a WebSocket takes it over",
        &["TRANS-02"],
        run!(polling_and_upgrade),
    )
    .steps(&[
        "Alice opens a session by GET with transport=polling: HTTP 200 and a handshake with a sid  \
         [TRANS-02]",
        "She posts CONNECT with her access token, polls, and CONNECT is accepted  [TRANS-02]",
        "She posts presence:ping, polls, and is acknowledged {ok:true}  [TRANS-02]",
        "A WebSocket with the sid of this session can be opened  [TRANS-02]",
        "She sends the frame 2probe on the WebSocket, and 3probe comes back within the deadline  \
         [TRANS-02]",
        "She polls once more, whatever that brings, and sends the frame 5 on the WebSocket.",
        "Alice sends presence:ping on the WebSocket and is acknowledged {ok:true}  [TRANS-02]",
    ]),
    Scenario::new(
        "transport/never-connects",
        "A transport that sends no CONNECT is closed, while one that did stays open",
        &["TRANS-05"],
        run!(never_connects),
    )
    .steps(&[
        "Alice connects with her access token and stays.",
        "A second WebSocket gets as far as the handshake; it answers every ping, and never sends \
         CONNECT.",
        "The second one is watched for limits.wait_max_ms of the target file, by default 10 s; if it \
         is still open then, nothing is judged: the contract names no bound.",
        "Once it has been closed, Alice sends presence:ping on the first one and is acknowledged \
         {ok:true}  [TRANS-05]",
    ])
    .cost(Cost::Seconds(9)),
];

async fn websocket(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let answer = scene
        .attempt("alice", &Handshake::token(alice.access_token.as_str()))
        .await?;
    let client = scene.require("TRANS-01", answer.accepted())?;
    let handshake = client.handshake();
    let announced = ["/pingInterval", "/pingTimeout"].map(|pointer| {
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
        let reply = scene.as_page_of(origin, &alice).await?;
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

async fn polling_and_upgrade(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let mut session = scene.require("TRANS-02", scene.polling().await)?;
    session
        .send(&format!("40{}", json!({"token": alice.access_token})))
        .await?;
    let connected = session.receive(&["40", "44"]).await.and_then(|packet| {
        that(
            packet.starts_with("40"),
            "CONNECT to be accepted",
            shorten(&packet),
        )
    });
    scene.require("TRANS-02", connected)?;
    session.send(r#"420["presence:ping",{}]"#).await?;
    let pong = session.receive(&["430"]).await;
    scene.require("TRANS-02", pong.and_then(|packet| is_success(&packet)))?;

    let websocket = scene.take_over(&session, "alice").await;
    let websocket = scene.require("TRANS-02", websocket.map_err(not_upgraded))?;
    websocket.send_text("2probe")?;
    let probed = websocket.wait_frame("3probe", scene.timing().deadline()).await;
    scene.require("TRANS-02", probed)?;
    // The last poll is let go with a packet that says nothing; whether it is, the contract leaves open.
    session.poll().await.ok();
    websocket.send_text("5")?;
    scene.check("TRANS-02", still_works(&websocket).await);
    Ok(())
}

fn not_upgraded(stop: Stop) -> Mismatch {
    match stop {
        Stop::Harness(why) => Mismatch::fault(why),
        stop => Mismatch::of(
            MismatchKind::Connection,
            ["a WebSocket for the session"],
            varying(stop.why()),
        ),
    }
}

/// An ack packet with a success in it.
fn is_success(packet: &str) -> Found {
    let args: Value =
        serde_json::from_str(packet.trim_start_matches(|c: char| c.is_ascii_digit())).map_err(|error| {
            Mismatch::of(
                MismatchKind::Ack,
                ["an ack packet"],
                format!("{} ({error})", shorten(packet)),
            )
        })?;
    ack::ok(&args[0]).map(drop)
}

async fn never_connects(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let connected = scene.connect_raw(&alice).await?;
    let idle = scene.raw("idle").await?;
    let began = Instant::now();
    // The contract names no bound: one that is open for longer is not called wrong.
    let longest = Duration::from_millis(scene.profile().limits.wait_max_ms);
    if idle.wait_closed(longest).await.is_err() {
        return Err(Stop::Unverified(format!(
            "a transport without CONNECT was open for longer than {} s, and the contract names no bound; \
            limits.wait_max_ms in the target file lets the run wait longer",
            longest.as_secs()
        )));
    }
    let took = began.elapsed();
    // What was closed was closed for the missing CONNECT, and not for being idle.
    scene.check("TRANS-05", still_works(&connected).await);
    scene.measured("TRANS-05", "closed without a CONNECT after", took);
    Ok(())
}

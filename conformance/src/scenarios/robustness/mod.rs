//! Robustness: whatever one client sends, the others are served as before.

mod corpus;

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::steps::{joined, still_works};
use super::{Scenario, run};
use crate::client::Client;
use crate::expect::event::event;
use crate::expect::timing::at_most;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "robustness/unknown-event",
        "An event that the protocol does not know is ignored",
        &["ROB-01"],
        run!(unknown_event),
    )
    .steps(&[
        "Alice makes a group with Bob; both connect and join the room.",
        "Alice sends eight events that the protocol does not know, each without and with an ack, which \
         need not come.",
        "They are no:such:event, message:delete, room, message, error, toString, __proto__ and the \
         empty name.",
        "After each name Alice sends presence:ping and is acknowledged {ok:true}  [ROB-01]",
        "Alice sends a message, and message:new with its body arrives at Bob  [ROB-01]",
    ]),
    Scenario::new(
        "robustness/corpus-room-join",
        "room:join survives every payload of the corpus",
        &["ROB-02", "ROB-03", "ROOM-03", "ACK-08"],
        run!(corpus::room_join),
    )
    .steps(&[
        "An attacker makes a group with Bob and sends a message; both join the room.",
        "The twin: room:join with the right chatId is acknowledged {ok:true}; then come the payloads \
         of the corpus.",
        "Operator objects and prototype keys as chatId get VALIDATION_ERROR  [ROB-03]",
        "Other payloads that are no object, and chatIds that are no id, get VALIDATION_ERROR  [ROOM-03]",
        "Depth 10,000, 1 MB and an id in upper case may get any answer but INTERNAL, or none  [ROOM-03]",
        "room:join without a payload gets VALIDATION_ERROR  [ACK-08]",
        "The valid one gets {ok:true}, a binary chatId VALIDATION_ERROR, further fields either of the \
         two  [ROB-02]",
        "After each payload whose answer is given here, the attacker's own presence:ping is \
         acknowledged  [ROB-02]",
        "After each payload Bob's presence:ping is acknowledged; a closed attacker connects and joins \
         anew  [ROB-02]",
        "At the end the attacker's ping is acknowledged, and a message that it posts through REST \
         reaches Bob  [ROB-02]",
    ]),
    Scenario::new(
        "robustness/corpus-room-leave",
        "room:leave survives every payload of the corpus",
        &["ROB-02", "ROB-03", "ROOM-03", "ACK-08"],
        run!(corpus::room_leave),
    )
    .steps(&[
        "An attacker makes a group with Bob and sends a message; both join the room.",
        "The twin: room:leave with the right chatId is acknowledged {ok:true}; then come the payloads \
         of the corpus.",
        "Operator objects and prototype keys as chatId get VALIDATION_ERROR  [ROB-03]",
        "Other payloads that are no object, and chatIds that are no id, get VALIDATION_ERROR  [ROOM-03]",
        "Depth 10,000, 1 MB and an id in upper case may get any answer but INTERNAL, or none  [ROOM-03]",
        "room:leave without a payload gets VALIDATION_ERROR  [ACK-08]",
        "The valid one gets {ok:true}, a binary chatId VALIDATION_ERROR, further fields either of the \
         two  [ROB-02]",
        "After each payload whose answer is given here, the attacker's own presence:ping is \
         acknowledged  [ROB-02]",
        "After each payload Bob's presence:ping is acknowledged; a closed attacker connects and joins \
         anew  [ROB-02]",
        "At the end the attacker's ping is acknowledged, and a message that it posts through REST \
         reaches Bob  [ROB-02]",
    ]),
    Scenario::new(
        "robustness/corpus-message-send",
        "message:send survives every payload of the corpus",
        &[
            "ROB-02", "ROB-03", "MSG-10", "MSG-11", "MSG-12", "MSG-17", "AUTH-13", "ACK-08",
        ],
        run!(corpus::message_send),
    )
    .steps(&[
        "An attacker makes a group with Bob, both join, and it sends a message; a new one takes over \
         before the rate limit.",
        "It sends message:send with the payloads of the corpus, one after the other, each under a \
         clientId of its own.",
        "Operator objects and prototype keys as chatId, clientId or body get VALIDATION_ERROR  [ROB-03]",
        "A clientId that is missing, empty or no text gets VALIDATION_ERROR; one of 257 bytes too, one \
         of 256 {ok:true}  [MSG-10, MSG-17]",
        "Payloads that are no object, and a body that is missing, empty or no text, get \
         VALIDATION_ERROR  [MSG-11]",
        "A body of 100,001 bytes gets VALIDATION_ERROR, one of 100,000 bytes {ok:true}  [MSG-12]",
        "No payload gets VALIDATION_ERROR; userId, senderId and createdAt beside a good message get \
         {ok:true}  [ACK-08, AUTH-13]",
        "Bad chatIds get VALIDATION_ERROR, further fields that or {ok:true}, what is huge or deep \
         anything but INTERNAL  [ROB-02]",
        "Payloads about the size of a body are left out where the target file declares another limit \
         than the contract's.",
        "After each payload whose answer is given here, the attacker's own presence:ping is \
         acknowledged  [ROB-02]",
        "After each Bob's presence:ping is acknowledged, and at the end a message posted through REST \
         reaches him  [ROB-02]",
    ]),
    Scenario::new(
        "robustness/corpus-typing",
        "typing:start and typing:stop survive every payload of the corpus, and broadcast none that is invalid",
        &["ROB-02", "TYPE-05"],
        run!(corpus::typing),
    )
    .steps(&[
        "An attacker makes a group with Bob and sends a message; both join the room.",
        "The twin: the attacker sends typing:start, and typing:update arrives at Bob.",
        "It sends typing:start with each payload of the corpus, and then typing:stop with each.",
        "After each that is to be ignored, the attacker's presence:ping is acknowledged {ok:true}  \
         [TYPE-05]",
        "After each Bob's presence:ping is acknowledged; an attacker that was closed connects and \
         joins anew  [ROB-02]",
        "After each that may be broadcast, a later message arrives at Bob, and no typing:update of the \
         ignored ones  [TYPE-05]",
        "At the end of either event, a later message arrives at Bob, and no typing:update of the \
         ignored ones  [TYPE-05]",
    ]),
    Scenario::new(
        "robustness/corpus-receipt-read",
        "receipt:read survives every payload of the corpus",
        &["ROB-02", "ROB-03", "RCPT-06", "ACK-08"],
        run!(corpus::receipt_read),
    )
    .steps(&[
        "An attacker makes a group with Bob and sends a message; both join the room.",
        "The twin: receipt:read for this message is acknowledged {ok:true}; then come the payloads \
         of the corpus.",
        "Operator objects and prototype keys as chatId or messageId get VALIDATION_ERROR  [ROB-03]",
        "Other payloads that are no object, and ids that are none or missing, get VALIDATION_ERROR  \
         [RCPT-06]",
        "Depth 10,000, 1 MB and ids in upper case may get any answer but INTERNAL, or none  [RCPT-06]",
        "receipt:read without a payload gets VALIDATION_ERROR  [ACK-08]",
        "The valid one gets {ok:true}, a binary id VALIDATION_ERROR, further fields either of the two  \
         [ROB-02]",
        "After each payload whose answer is given here, the attacker's own presence:ping is \
         acknowledged  [ROB-02]",
        "After each payload Bob's presence:ping is acknowledged; a closed attacker connects and joins \
         anew  [ROB-02]",
        "At the end the attacker's ping is acknowledged, and a message that it posts through REST \
         reaches Bob  [ROB-02]",
    ]),
    Scenario::new(
        "robustness/corpus-presence-ping",
        "presence:ping survives every payload of the corpus",
        &["ROB-02", "ACK-08"],
        run!(corpus::presence_ping),
    )
    .steps(&[
        "An attacker makes a group with Bob and sends a message; both join the room.",
        "The twin: presence:ping is acknowledged {ok:true}; then come the payloads of the corpus.",
        "presence:ping without a payload gets {ok:true} or VALIDATION_ERROR  [ACK-08]",
        "{} gets {ok:true}, and null, texts, numbers, arrays, binary or further fields {ok:true} or \
         VALIDATION_ERROR  [ROB-02]",
        "After each of these, the attacker's own presence:ping is acknowledged  [ROB-02]",
        "Depth 10,000, 1 MB and further arguments may get any answer but INTERNAL, or none  [ROB-02]",
        "After each payload Bob's presence:ping is acknowledged; a closed attacker connects and joins \
         anew  [ROB-02]",
        "At the end the attacker's ping is acknowledged, and a message that it posts through REST \
         reaches Bob  [ROB-02]",
    ]),
    Scenario::new(
        "robustness/malformed-packets",
        "A packet that is none closes at most its own connection",
        &["ROB-04"],
        run!(malformed_packets),
    )
    .steps(&[
        "Bob makes a group, connects and joins the room.",
        "There are 32 frames that are broken or out of place, as in \"42[\", \"42{}\", \"43-1[]\", \
         \"451-[\"a\"]\", \"41\", \"x\" and \"\".",
        "For each Alice connects anew, sends the frame and then presence:ping, whose answer is waited \
         for, 1 s at most.",
        "After each Bob sends presence:ping and is acknowledged {ok:true}  [ROB-04]",
        "At the end Alice connects once more, sends presence:ping and is acknowledged {ok:true}  \
         [ROB-04]",
    ]),
    Scenario::new(
        "robustness/oversize-frame",
        "A frame beyond the announced maxPayload closes at most its own connection",
        &["ROB-05"],
        run!(oversize_frame),
    )
    .steps(&[
        "Bob makes a group, connects and joins the room; Alice connects.",
        "If the handshake announces no maxPayload, or one over 32,000,000 bytes, nothing is judged.",
        "Alice sends a presence:ping that is a good 1,000 bytes longer than maxPayload, in one frame.",
        "Bob sends presence:ping five times, 20 ms apart, and each is acknowledged {ok:true}  [ROB-05]",
        "When Alice has an ack or is closed, or after a second, Bob sends another one: {ok:true}  \
         [ROB-05]",
        "Alice connects once more, sends presence:ping and is acknowledged {ok:true}  [ROB-05]",
    ]),
    Scenario::new(
        "robustness/invalid-utf-8",
        "A text frame that is no UTF-8 closes at most its own connection",
        &["ROB-06"],
        run!(invalid_utf8),
    )
    .steps(&[
        "Bob makes a group, connects and joins the room.",
        "There are four text frames that are no UTF-8: FF FE, a lone 80, a surrogate and an overlong \
         slash.",
        "For each Alice connects anew, sends the frame and then presence:ping, whose answer is waited \
         for, 1 s at most.",
        "After each Bob sends presence:ping and is acknowledged {ok:true}  [ROB-06]",
        "At the end Alice connects once more, sends presence:ping and is acknowledged {ok:true}  \
         [ROB-06]",
    ]),
    Scenario::new(
        "robustness/flood",
        "While one connection floods the server, another is answered in bounded time",
        &["ROB-07"],
        run!(flood),
    )
    .steps(&[
        "This scenario runs alone, after those that run side by side.",
        "Bob makes a group, connects and joins the room; Alice connects, and Bob's presence:ping is \
         acknowledged.",
        "Alice sends 250 times presence:ping without waiting for acks, eight times over, 2,000 in all.",
        "Right after each lot Bob sends presence:ping and is acknowledged {ok:true}  [ROB-07]",
        "The slowest of Bob's acks took no more than a quarter of the deadline: 1.25 s, more for a \
         slow target  [ROB-07]",
        "Up to one margin more is inconclusive; a server may close Alice's connection to end the flood.",
    ])
    .exclusive(),
];

async fn unknown_event(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [bystander] = joined(scene, &chat, [&bob]).await?;
    let client = scene.connect_raw(&alice).await?;
    scene.join(&client, &chat).await?;
    for name in [
        "no:such:event",
        "message:delete",
        "room",
        "message",
        "error",
        "toString",
        "__proto__",
        "",
    ] {
        client.emit(name, json!({"chatId": chat.id})).await?;
        // Whether there is an answer to it, the contract leaves open.
        let _ = client.start(name, vec![json!({"chatId": chat.id})])?;
        scene.check(
            "ROB-01",
            still_works(&client)
                .await
                .map_err(|mismatch| mismatch.at(&format!("after {name:?}"))),
        );
    }
    let body = scene.unique("as before");
    scene.send(&client, &chat, &body).await?;
    let heard = bystander
        .expect(&event("message:new").at("/message/body", body.as_str()))
        .await;
    scene.check("ROB-01", heard);
    Ok(())
}

/// A bystander who is served, and what others are sent while it is.
async fn bystander(scene: &Scene) -> Result<(User, Client), Stop> {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&bob, &[]).await?;
    let [client] = joined(scene, &chat, [&bob]).await?;
    Ok((alice, client))
}

/// Waits for what was sent last to be dealt with: the ping behind it is answered, or the connection cut off, or, where
/// the ping was taken for a part of it, nothing happens for a while.
async fn dealt_with(client: &Client) {
    const A_WHILE: Duration = Duration::from_secs(1);
    tokio::time::timeout(A_WHILE, still_works(client)).await.ok();
}

async fn malformed_packets(scene: &Scene) -> Outcome {
    let (alice, bystander) = bystander(scene).await?;
    for packet in [
        "",
        "4",
        "42",
        "42[",
        "42{}",
        "42[]",
        "42[7]",
        "42[null]",
        "42[\"a\"",
        "421",
        "42-1[\"a\"]",
        "4299999999999999999999[\"a\"]",
        "40[",
        "41",
        "43",
        "43[]",
        "43-1[]",
        "44",
        "45",
        "451-[\"a\"]",
        "4599999-[\"a\"]",
        "46",
        "49",
        "7",
        "9",
        "x",
        "2probe",
        "3probe",
        "5",
        "42/no-such,[\"a\"]",
        "42[\"\\ud800\"]",
        "42[\"message:send\",{\"_placeholder\":true,\"num\":9}]",
    ] {
        let client = scene.connect_raw(&alice).await?;
        client.send_text(packet)?;
        dealt_with(&client).await;
        scene.check(
            "ROB-04",
            still_works(&bystander)
                .await
                .map_err(|mismatch| mismatch.at(&format!("{packet:?}"))),
        );
        client.close().await;
    }
    let fresh = scene.connect_raw(&alice).await?;
    scene.check("ROB-04", still_works(&fresh).await);
    Ok(())
}

async fn oversize_frame(scene: &Scene) -> Outcome {
    /// More than this the kit does not send, whatever a target announces.
    const MOST: u64 = 32_000_000;
    let (alice, bystander) = bystander(scene).await?;
    let client = scene.connect_raw(&alice).await?;
    let announced = client.handshake()["maxPayload"].as_u64().unwrap_or(MOST + 1);
    let Some(bytes) = usize::try_from(announced).ok().filter(|_| announced <= MOST) else {
        return Err(Stop::Unverified(format!(
            "the announced maxPayload of {announced} bytes is more than the kit sends"
        )));
    };
    client.send_text(&format!(
        "42[\"presence:ping\",\"{}\"]",
        "x".repeat(bytes + 1_000)
    ))?;
    for _ in 0..5 {
        scene.check("ROB-05", still_works(&bystander).await);
        // The frame is still being read or thrown away: spread over that time, not all before it.
        scene.sleep(Duration::from_millis(20)).await;
    }
    dealt_with(&client).await;
    scene.check("ROB-05", still_works(&bystander).await);
    let fresh = scene.connect_raw(&alice).await?;
    scene.check("ROB-05", still_works(&fresh).await);
    Ok(())
}

async fn invalid_utf8(scene: &Scene) -> Outcome {
    let (alice, bystander) = bystander(scene).await?;
    for bytes in [
        &b"42[\"\xff\xfe\"]"[..],
        b"\x80",
        b"42[\"\xed\xa0\x80\"]",
        b"42[\"\xc0\xaf\"]",
    ] {
        let client = scene.connect_raw(&alice).await?;
        client.send_frame(Frame::message(bytes.to_vec(), OpCode::Data(Data::Text), true))?;
        dealt_with(&client).await;
        scene.check("ROB-06", still_works(&bystander).await);
        client.close().await;
    }
    let fresh = scene.connect_raw(&alice).await?;
    scene.check("ROB-06", still_works(&fresh).await);
    Ok(())
}

async fn flood(scene: &Scene) -> Outcome {
    /// Requests that the flooding connection has outstanding at once, and how often it renews them.
    const BURST: usize = 250;
    const BURSTS: usize = 8;
    /// "Bounded" is for the contract to say and it does not: a quarter of the time that a client waits for an ack.
    const SHARE_OF_DEADLINE: u32 = 4;
    let (alice, bystander) = bystander(scene).await?;
    let flooder = scene.connect_raw(&alice).await?;
    still_works(&bystander).await?;
    let bound = scene.timing().deadline() / SHARE_OF_DEADLINE;
    let mut slowest = Duration::ZERO;
    for _ in 0..BURSTS {
        for _ in 0..BURST {
            // A server may close the flooding connection: then the flood is over, which is fine.
            let _ = flooder.start("presence:ping", json!({}));
        }
        let began = Instant::now();
        scene.check("ROB-07", still_works(&bystander).await);
        slowest = slowest.max(began.elapsed());
    }
    scene.counted("ROB-07", "requests of the flood", BURST * BURSTS);
    scene.measured("ROB-07", "slowest ack beside the flood", slowest);
    scene.check(
        "ROB-07",
        at_most("an ack beside a flood", slowest, bound, scene.timing().margin()),
    );
    Ok(())
}

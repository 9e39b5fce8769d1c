//! Robustness: whatever one client sends, the others are served as before.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::steps::{joined, still_works};
use super::{Scenario, run};
use crate::client::Client;
use crate::client::raw::RawClient;
use crate::contract::corpus::{Entry, Fill};
use crate::expect::event::event;
use crate::expect::{Found, Mismatch, ack, that};
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "robustness/unknown-event",
        "An event that the protocol does not know is ignored",
        &["ROB-01"],
        run!(unknown_event),
    ),
    Scenario::new(
        "robustness/corpus-room-join",
        "room:join survives every payload of the corpus",
        &["ROB-02", "ROB-03", "ROOM-03", "ACK-08"],
        run!(corpus_room_join),
    ),
    Scenario::new(
        "robustness/corpus-room-leave",
        "room:leave survives every payload of the corpus",
        &["ROB-02", "ROB-03", "ROOM-03", "ACK-08"],
        run!(corpus_room_leave),
    ),
    Scenario::new(
        "robustness/corpus-message-send",
        "message:send survives every payload of the corpus",
        &[
            "ROB-02", "ROB-03", "MSG-10", "MSG-11", "MSG-12", "MSG-17", "AUTH-13", "ACK-08",
        ],
        run!(corpus_message_send),
    ),
    Scenario::new(
        "robustness/corpus-typing",
        "typing:start and typing:stop survive every payload of the corpus, and broadcast none that is invalid",
        &["ROB-02", "TYPE-05"],
        run!(corpus_typing),
    ),
    Scenario::new(
        "robustness/corpus-receipt-read",
        "receipt:read survives every payload of the corpus",
        &["ROB-02", "ROB-03", "RCPT-06", "ACK-08"],
        run!(corpus_receipt_read),
    ),
    Scenario::new(
        "robustness/corpus-presence-ping",
        "presence:ping survives every payload of the corpus",
        &["ROB-02", "ACK-08"],
        run!(corpus_presence_ping),
    ),
    Scenario::new(
        "robustness/malformed-packets",
        "A packet that is none closes at most its own connection",
        &["ROB-04"],
        run!(malformed_packets),
    ),
    Scenario::new(
        "robustness/oversize-frame",
        "A frame beyond the announced maxPayload closes at most its own connection",
        &["ROB-05"],
        run!(oversize_frame),
    ),
    Scenario::new(
        "robustness/invalid-utf-8",
        "A text frame that is no UTF-8 closes at most its own connection",
        &["ROB-06"],
        run!(invalid_utf8),
    ),
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

/// One who sends the corpus, and the chat in which it is done.
struct Attacker<'a> {
    scene: &'a Scene,
    user: User,
    chat: Chat,
    fill: Fill,
    client: RawClient,
    /// Messages that may have been accepted so far.
    spent: usize,
}

impl<'a> Attacker<'a> {
    async fn enter(scene: &'a Scene, others: &[&User]) -> Result<Self, Stop> {
        let user = scene.user("attacker").await?;
        let chat = scene.group(&user, others).await?;
        let client = scene.connect_raw(&user).await?;
        scene.join(&client, &chat).await?;
        let message_id = scene.send(&client, &chat, &scene.unique("to be read")).await?;
        let fill = Fill {
            chat_id: chat.id.clone(),
            message_id,
            user_id: user.id.clone(),
        };
        Ok(Self {
            scene,
            user,
            chat,
            fill,
            client,
            spent: 1,
        })
    }

    /// Opens a new connection where the last payload has closed the old one.
    async fn reopen(&mut self) -> Outcome {
        if self.client.closed().is_some() {
            self.client = self.scene.connect_raw(&self.user).await?;
            self.scene.join(&self.client, &self.chat).await?;
        }
        Ok(())
    }

    /// Sends an entry as a request, and judges what comes back by what the entry allows.
    async fn request(&self, event: &str, entry: &Entry) -> Found {
        let anything = entry.expect.iter().any(|outcome| outcome == "any");
        let reply = match self.client.start(event, entry.args(&self.fill)) {
            Ok(pending) => pending.ack(self.scene.timing().deadline()).await,
            Err(mismatch) => Err(mismatch),
        };
        match reply {
            Ok(reply) => judge(&reply, entry),
            // No answer, or no connection any more: allowed where anything is, as long as others are served.
            Err(_) if anything => Ok(()),
            Err(mismatch) => Err(mismatch),
        }
    }
}

/// Whether an ack is among the outcomes that the entry allows.
fn judge(reply: &Value, entry: &Entry) -> Found {
    let code = match ack::ok(reply) {
        Ok(_) => "ok",
        Err(_) => reply["error"].as_str().unwrap_or_default(),
    };
    if code != "ok" {
        ack::any_error(reply)?;
    }
    if code == "INTERNAL" {
        return Err(Mismatch::one_of(entry.expect.iter(), reply));
    }
    let allowed = entry
        .expect
        .iter()
        .any(|outcome| outcome == code || outcome == "any");
    if allowed {
        Ok(())
    } else {
        Err(Mismatch::one_of(entry.expect.iter(), reply))
    }
}

/// Sends every entry of an event's corpus as a request; a bystander in the same room is served all the while.
async fn corpus(scene: &Scene, name: &str, prerequisite: Option<(&str, &str)>) -> Outcome {
    let entries = scene.contract().corpus.of(name);
    if entries.is_empty() {
        return Err(Stop::Harness(format!("the corpus holds nothing for {name}")));
    }
    let bob = scene.user("bob").await?;
    let mut attacker = Attacker::enter(scene, &[&bob]).await?;
    let mut bystander = joined(scene, &attacker.chat, [&bob]).await?;
    // The twin: the same request with nothing wrong in it succeeds, or every refusal below means nothing.
    let twin = match prerequisite {
        Some((pointer, value)) => {
            json!({"chatId": attacker.chat.id, pointer: value.replace("{{messageId}}", &attacker.fill.message_id)})
        }
        None => json!({"chatId": attacker.chat.id}),
    };
    if name != "message:send" {
        scene.step(&attacker.client, name, twin).await?;
    }
    for entry in entries {
        let may_pass = entry
            .expect
            .iter()
            .any(|outcome| outcome == "ok" || outcome == "any");
        if name == "message:send" && may_pass {
            if attacker.spent + 1 >= scene.profile().limits.rate_max {
                attacker = Attacker::enter(scene, &[&bob]).await?;
                bystander = joined(scene, &attacker.chat, [&bob]).await?;
            }
            attacker.spent += 1;
        }
        let judged = attacker
            .request(name, entry)
            .await
            .map_err(|mismatch| mismatch.at(&entry.name));
        let requirement = entry.requirement.as_str();
        scene.check(requirement, judged);
        let [bystander] = &bystander;
        scene.check(
            "ROB-02",
            still_works(bystander)
                .await
                .map_err(|mismatch| mismatch.at(&entry.name)),
        );
        attacker.reopen().await?;
    }
    scene.check("ROB-02", still_works(&attacker.client).await);
    served_as_before(scene, &attacker, &bystander[0]).await
}

/// The room still carries messages, from the one who sent all that to the one who did not.
async fn served_as_before(scene: &Scene, attacker: &Attacker<'_>, bystander: &Client) -> Outcome {
    let body = scene.unique("as before");
    scene.post_message(&attacker.user, &attacker.chat, &body).await?;
    let heard = bystander
        .expect(&event("message:new").at("/message/body", body.as_str()))
        .await;
    scene.check("ROB-02", heard);
    Ok(())
}

async fn corpus_room_join(scene: &Scene) -> Outcome {
    corpus(scene, "room:join", None).await
}

async fn corpus_room_leave(scene: &Scene) -> Outcome {
    corpus(scene, "room:leave", None).await
}

async fn corpus_message_send(scene: &Scene) -> Outcome {
    corpus(scene, "message:send", None).await
}

async fn corpus_receipt_read(scene: &Scene) -> Outcome {
    corpus(scene, "receipt:read", Some(("messageId", "{{messageId}}"))).await
}

async fn corpus_presence_ping(scene: &Scene) -> Outcome {
    corpus(scene, "presence:ping", None).await
}

/// Typing has no ack: what an entry may cause shows at the bystander.
async fn corpus_typing(scene: &Scene) -> Outcome {
    let bob = scene.user("bob").await?;
    let mut attacker = Attacker::enter(scene, &[&bob]).await?;
    let [bystander] = joined(scene, &attacker.chat, [&bob]).await?;
    attacker
        .client
        .emit("typing:start", json!({"chatId": attacker.chat.id}))
        .await?;
    bystander.expect(&event("typing:update")).await?;

    for name in ["typing:start", "typing:stop"] {
        let entries = scene.contract().corpus.of(name);
        if entries.is_empty() {
            return Err(Stop::Harness(format!("the corpus holds nothing for {name}")));
        }
        let mut ignored_before = bystander.mark();
        for entry in entries {
            let ignored = entry.expect.iter().all(|outcome| outcome == "ignored");
            let before = bystander.mark();
            // A closed connection shows below, at the ping.
            let _ = attacker.client.emit_raw(name, entry.args(&attacker.fill));
            let works = still_works(&attacker.client)
                .await
                .map_err(|mismatch| mismatch.at(&entry.name));
            if ignored {
                scene.check("TYPE-05", works);
            } else {
                // What it may have broadcast is not to be taken for an ignored one's.
                scene.fence_room(&attacker.chat, &[&bystander]).await?;
                let seen = event("typing:update").after(ignored_before);
                let seen = bystander
                    .events(&seen)
                    .iter()
                    .filter(|event| !event.is_after(before))
                    .count();
                scene.check(
                    "TYPE-05",
                    that(seen == 0, "no typing:update for an ignored payload", seen),
                );
                ignored_before = bystander.mark();
            }
            scene.check(
                "ROB-02",
                still_works(&bystander)
                    .await
                    .map_err(|mismatch| mismatch.at(&entry.name)),
            );
            attacker.reopen().await?;
        }
        let pattern = event("typing:update").after(ignored_before);
        let silence = scene
            .absent(&bystander, &pattern, Fence::Room(&attacker.chat))
            .await?;
        scene.check("TYPE-05", silence);
    }
    Ok(())
}

/// A bystander who is served, and what others are sent while it is.
async fn bystander(scene: &Scene) -> Result<(User, Client), Stop> {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&bob, &[]).await?;
    let [client] = joined(scene, &chat, [&bob]).await?;
    Ok((alice, client))
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
        // Behind it a ping: answered or cut off, it has been dealt with.
        let _ = still_works(&client).await;
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
        scene.sleep(Duration::from_millis(20)).await;
    }
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
        scene.check("ROB-06", still_works(&bystander).await);
        client.close().await;
    }
    let fresh = scene.connect_raw(&alice).await?;
    scene.check("ROB-06", still_works(&fresh).await);
    Ok(())
}

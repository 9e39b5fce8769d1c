//! Every payload of the corpus, sent to its event, judged by what the corpus allows.

use serde_json::{Value, json};

use crate::client::Client;
use crate::client::raw::RawClient;
use crate::contract::corpus::{Entry, Fill};
use crate::expect::event::event;
use crate::expect::{Found, Mismatch, MismatchKind, ack, that, varying};
use crate::scenarios::steps::{joined, still_works};
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};
use crate::targets::profile::Limits;

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
        let anything = entry.allows_anything();
        let timing = self.scene.timing();
        let reply = match self.client.start(event, entry.args(&self.fill)) {
            // It need not be answered: the ping behind it tells when it has been dealt with.
            Ok(pending) if anything => {
                let _ = still_works(&self.client).await;
                pending.ack(timing.settle()).await
            }
            Ok(pending) => pending.ack(timing.deadline()).await,
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
    // Also where anything is allowed: a failure of its own is no answer to bad input.
    if code == "INTERNAL" {
        return Err(Mismatch::of(
            MismatchKind::Ack,
            entry.expect.iter().map(String::as_str),
            reply,
        ));
    }
    let allowed = entry
        .expect
        .iter()
        .any(|outcome| outcome == code || outcome == "any");
    if allowed {
        Ok(())
    } else {
        Err(Mismatch::of(
            MismatchKind::Ack,
            entry.expect.iter().map(String::as_str),
            reply,
        ))
    }
}

/// Bodies about the contract's limit say nothing about a target that declares another.
fn supposes_another_limit(scene: &Scene, entry: &Entry) -> bool {
    let default = Limits::default().body_max_bytes;
    entry.requirement == "MSG-12" && scene.profile().limits.body_max_bytes != default
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
        if name == "message:send" {
            if supposes_another_limit(scene, entry) {
                continue;
            }
            // What is refused may count as well: RATE-08 is another requirement.
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
        let answered = judged.is_ok() && !entry.allows_anything();
        scene.check(requirement, judged);
        if answered {
            // Where the contract says what is answered, the connection lives on.
            let works = still_works(&attacker.client).await;
            scene.check("ROB-02", works.map_err(|mismatch| mismatch.at(&entry.name)));
        }
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

pub(super) async fn room_join(scene: &Scene) -> Outcome {
    corpus(scene, "room:join", None).await
}

pub(super) async fn room_leave(scene: &Scene) -> Outcome {
    corpus(scene, "room:leave", None).await
}

pub(super) async fn message_send(scene: &Scene) -> Outcome {
    corpus(scene, "message:send", None).await
}

pub(super) async fn receipt_read(scene: &Scene) -> Outcome {
    corpus(scene, "receipt:read", Some(("messageId", "{{messageId}}"))).await
}

pub(super) async fn presence_ping(scene: &Scene) -> Outcome {
    corpus(scene, "presence:ping", None).await
}

/// Typing has no ack: what an entry may cause shows at the bystander.
pub(super) async fn typing(scene: &Scene) -> Outcome {
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
                    that(
                        seen == 0,
                        "no typing:update for an ignored payload",
                        varying(seen),
                    ),
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

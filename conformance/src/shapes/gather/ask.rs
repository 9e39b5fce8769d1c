//! What the stories have in common: asking in many ways, listening in several places.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::Client;
use crate::client::raw::RawClient;
use crate::contract::corpus::{Entry, Fill};
use crate::event::Mark;
use crate::expect::Found;
use crate::expect::event::{Pattern, event};
use crate::packet::Args;
use crate::scene::chats::Chat;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};
use crate::shapes::collector::ShapeCollector;
use crate::shapes::subjects::Subject;

/// What most refusals are asked for with.
const INVALID: &str = "VALIDATION_ERROR";

/// Opens a connection and asks to be let into the chat's room. What comes of that shows in what is heard there.
pub(super) async fn enter(scene: &Scene, user: &User, chat: &Chat) -> Result<RawClient, Stop> {
    let client = scene.connect_raw(user).await?;
    let _ = client.request("room:join", json!({"chatId": chat.id})).await;
    Ok(client)
}

/// One who asks for the acknowledgements of one event.
pub(super) struct Asking<'a> {
    scene: &'a Scene,
    collector: &'a ShapeCollector<'a>,
    subject: &'static Subject,
}

impl<'a> Asking<'a> {
    pub(super) const fn new(
        scene: &'a Scene,
        collector: &'a ShapeCollector<'a>,
        subject: &'static Subject,
    ) -> Self {
        Self {
            scene,
            collector,
            subject,
        }
    }

    /// Sends a request that should be answered with `case`; `how` says what is asked for, and is the same each time.
    pub(super) async fn ask(&self, case: &'static str, how: &str, client: &RawClient, payload: Value) {
        self.ask_at_once(case, how, client, [Args::from(payload)]).await;
    }

    /// Sends many requests at once of which one at least should be answered with `case`.
    pub(super) async fn ask_at_once(
        &self,
        case: &'static str,
        how: &str,
        client: &RawClient,
        payloads: impl IntoIterator<Item = Args>,
    ) {
        let deadline = self.scene.timing().deadline();
        let sent: Vec<_> = payloads
            .into_iter()
            .map(|payload| client.start(self.subject.event, payload))
            .collect();
        let answers = sent
            .into_iter()
            .map(async |sent| -> Found<Value> { sent?.ack(deadline).await });
        let mut answered: Vec<&str> = join_all(answers)
            .await
            .iter()
            .map(|answer| match answer {
                Ok(ack) => self.collector.record_ack(self.subject, ack),
                Err(_) => "nothing",
            })
            .collect();
        if !answered.contains(&case) {
            answered.sort_unstable();
            answered.dedup();
            let why = format!("{how}: answered with {}", answered.join(", "));
            self.collector.record_missing(self.subject, case, why);
        }
    }

    /// Sends what the corpus has of invalid payloads, over a connection of its own, which may not survive it.
    pub(super) async fn ask_invalid(&self, user: &User, chat: &Chat, message_id: &str) -> Outcome {
        let client = enter(self.scene, user, chat).await?;
        let fill = Fill {
            chat_id: chat.id.clone(),
            message_id: message_id.to_owned(),
            user_id: user.id.clone(),
        };
        let corpus = self.scene.contract().corpus.of(self.subject.event);
        let must = |entry: &&Entry| entry.expect == [INVALID];
        let may = |entry: &&Entry| entry.expect.iter().any(|outcome| outcome == INVALID);
        // Where everything may be accepted, something may be refused all the same.
        let mut invalid: Vec<_> = corpus.iter().filter(must).collect();
        if invalid.is_empty() {
            invalid = corpus.iter().filter(may).collect();
        }
        let payloads = invalid.into_iter().map(|entry| entry.args(&fill));
        self.ask_at_once(INVALID, "invalid payloads", &client, payloads)
            .await;
        Ok(())
    }

    /// Writes down that there is no way to have this request fail: the body on which a target does is a message's.
    pub(super) fn cannot_fail(&self) {
        let why = "only message:send can be made to fail, by the body that faults.internal_body names";
        self.collector.record_missing(self.subject, "INTERNAL", why);
    }
}

/// Those who should hear of something, from now on.
pub(super) struct Listening<'a> {
    scene: &'a Scene,
    collector: &'a ShapeCollector<'a>,
    subject: &'static Subject,
    listeners: Vec<(&'a Client, Mark)>,
}

impl<'a> Listening<'a> {
    /// Everybody who should hear the event, before what causes it is done.
    pub(super) fn begin<const N: usize>(
        scene: &'a Scene,
        collector: &'a ShapeCollector<'a>,
        subject: &'static Subject,
        clients: [&'a RawClient; N],
    ) -> Self {
        Self {
            scene,
            collector,
            subject,
            listeners: clients.map(|client| (&**client, client.mark())).to_vec(),
        }
    }

    /// Waits until each of them has heard the event, and writes it down. `how` says what caused it, and is the same each time;
    /// `about` is an id or a text in it, wherever that is.
    pub(super) async fn hear(self, case: &'static str, how: &str, about: &str) {
        let deadline = self.scene.timing().deadline();
        self.hear_within(case, how, about, deadline).await;
    }

    /// Like [`Listening::hear`], with a time limit of its own.
    pub(super) async fn hear_within(self, case: &'static str, how: &str, about: &str, within: Duration) {
        let heard = self.listeners.iter().map(async |(client, mark)| {
            let wanted = self.wanted(*mark, about);
            client.expect_within(&wanted, within).await.is_ok()
        });
        if join_all(heard).await.contains(&false) {
            let why = format!("{how}: no {} came", self.subject.event);
            self.collector.record_missing(self.subject, case, why);
        }
        // Some tell a thing more than once.
        self.scene.sleep(self.scene.timing().settle()).await;
        for (client, mark) in &self.listeners {
            for event in client.events(&self.wanted(*mark, about)) {
                self.collector.record(self.subject, case, event.data());
            }
        }
    }

    fn wanted(&self, mark: Mark, about: &str) -> Pattern {
        let text = about.to_owned();
        event(self.subject.event)
            .after(mark)
            .that(about, move |data| mentions(data, &text))
    }
}

/// Whether the text is a value anywhere in it: what a target calls the key is for the shape to tell.
fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found == text,
        Value::Array(elements) => elements.iter().any(|element| mentions(element, text)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, text)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_is_but_only_as_a_whole() {
        for value in [json!("x"), json!({"a": {"b": [1, "x"]}}), json!([["x"]])] {
            assert!(mentions(&value, "x"), "{value}");
        }
        for value in [json!({"x": "y"}), json!("xx"), json!(null), json!([])] {
            assert!(!mentions(&value, "x"), "{value}");
        }
    }
}

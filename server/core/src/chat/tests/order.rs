//! What may begin while something else is under way, and in which order it is told.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use super::*;
use crate::chat::{Begun, UseCase};
use crate::model::Facts;
use crate::policy::{Denied, Permit, Rule, authorize};
use crate::publish::Committed;
use crate::store::{Append, Pending};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_has_its_place_when_it_has_begun_whoever_is_awaited_first() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture_on(Location::Folder(folder.path().to_owned()), None).await;
    let context = &fixture.service.0.context;
    let facts = fixture.store.facts(fixture.chat, fixture.alice).await.unwrap();
    let begun: Vec<_> = (0..10)
        .map(|n| {
            let permit = authorize(fixture.alice, fixture.message(&n.to_string(), "x"), facts).unwrap();
            SendMessage::begin(permit, context)
        })
        .collect();
    assert!(begun.iter().all(|begun| begun.next_may_begin));
    let mut sent = Vec::new();
    for begun in begun.into_iter().rev() {
        sent.push(
            begun
                .outcome
                .await
                .unwrap()
                .publish(&*fixture.recorder)
                .await
                .message
                .id,
        );
    }
    assert_eq!(sent, fixture.listed().await, "the last to begin is the newest");
}

/// A command whose write ends when it is let through.
#[derive(Clone)]
struct Gated {
    chat: ChatId,
    has_place: bool,
    begun: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Rule for Gated {
    fn chat(&self) -> Option<ChatId> {
        Some(self.chat)
    }

    fn decide(&self, _: UserId, _: Option<Facts>) -> Result<(), Denied> {
        Ok(())
    }
}

impl UseCase for Gated {
    type Reply = usize;

    fn begin(permit: Permit<Self>, _: &Context) -> Begun<'_, usize> {
        let Self {
            has_place,
            begun,
            gate,
            ..
        } = permit.command().clone();
        let number = begun.fetch_add(1, Ordering::SeqCst);
        let write = async move {
            // The first to begin takes its time; the second is let through at once.
            if number == 0 {
                gate.acquire().await.unwrap().forget();
            }
            Ok(Append::NotMember)
        };
        let pending = if has_place {
            Pending::Queued(write.boxed())
        } else {
            Pending::Unplaced(write.boxed())
        };
        Begun::writing(pending, move |_| Ok(Committed::silent(number)))
    }
}

/// Asks for two commands on one chat; gives how many have begun while the first is under way, and checks that the second does
/// not end before it.
async fn begun_beside_the_first(has_place: bool) -> usize {
    let fixture = fixture().await;
    let command = Gated {
        chat: fixture.chat,
        has_place,
        begun: Arc::default(),
        gate: Arc::new(Semaphore::new(0)),
    };
    let ask = || {
        let (service, alice, command) = (fixture.service.clone(), fixture.alice, command.clone());
        tokio::spawn(async move { service.perform(alice, command).await.unwrap() })
    };
    let first = ask();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let second = ask();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begun = command.begun.load(Ordering::SeqCst);
    assert!(!second.is_finished(), "it would be told before the first");
    command.gate.add_permits(1);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (0, 1));
    begun
}

#[tokio::test(start_paused = true)]
async fn the_next_begins_beside_a_write_that_has_its_place_and_waits_for_any_other() {
    assert_eq!(begun_beside_the_first(true).await, 2);
    assert_eq!(begun_beside_the_first(false).await, 1);
}

//! The embedded store keeps the promises of every store: in memory, and on disk.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::sync::Arc;

use async_trait::async_trait;
use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::command::ReadChat;
use chatspec_server_core::ids::Ids;
use chatspec_server_core::model::Window;
use chatspec_server_core::store::{
    Append, EmbeddedStore, FaultyStore, Location, Pending, Store, StoreSwitch,
};
use chatspec_store_suite::{Place, group, message, page, permit, reopening, user};
use tempfile::TempDir;

fn open(location: Location) -> Arc<dyn Store> {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    Arc::new(EmbeddedStore::open(location, ids, clock).unwrap())
}

struct Memory;

#[async_trait]
impl Place for Memory {
    fn new() -> Self {
        Self
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(Location::Memory)
    }

    async fn clear(self) {}
}

struct Disk(TempDir);

#[async_trait]
impl Place for Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> Arc<dyn Store> {
        open(Location::Folder(self.0.path().to_owned()))
    }

    async fn clear(self) {}
}

mod memory {
    chatspec_store_suite::suite!(super::Memory);
}

mod disk {
    chatspec_store_suite::suite!(super::Disk);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_reopened() {
    reopening::<Disk>().await;
}

/// Messages are stored in the order of the calls, whichever is awaited first, and whether one is awaited at all.
async fn places_are_those_of_the_calls<P: Place>() {
    let place = P::new();
    let store = place.open().await;
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let mut permits = Vec::new();
    for number in 0..100 {
        permits.push(permit(&store, ann, message(chat, None, &number.to_string())).await);
    }
    let mut pending: Vec<_> = permits.iter().map(|permit| store.append(permit)).collect();
    let placed = |pending: &Pending<'_, Append>| !matches!(pending, Pending::Unplaced(_));
    assert!(pending.iter().all(placed));
    drop(pending.remove(50));
    for pending in pending.into_iter().rev() {
        assert!(matches!(pending.await.unwrap(), Append::Stored(_)));
    }
    let page = page(&store, ann, chat, Window::Newest, 200).await;
    let bodies: Vec<String> = page
        .messages
        .iter()
        .rev()
        .map(|message| message.body.to_string())
        .collect();
    let numbers: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(bodies, numbers);
    place.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_in_memory_are_those_of_the_calls() {
    places_are_those_of_the_calls::<Memory>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_on_disk_are_those_of_the_calls() {
    places_are_those_of_the_calls::<Disk>().await;
}

#[tokio::test]
async fn a_store_that_is_taken_down_fails_and_is_as_it_was_when_it_is_brought_up() {
    let switch = StoreSwitch::default();
    let store: Arc<dyn Store> = Arc::new(FaultyStore::switched(open(Location::Memory), switch.clone()));
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await;
    let ready = permit(&store, ann, message(chat.id, Some("key"), "x")).await;
    let read = permit(&store, ann, ReadChat { chat: chat.id }).await;
    switch.take_down();
    assert!(store.ping().await.is_err());
    assert!(store.chat(&read).await.is_err());
    assert!(store.append(&ready).await.is_err());
    switch.bring_up();
    assert!(store.ping().await.is_ok());
    assert_eq!(store.chat(&read).await.unwrap(), Some(chat));
    assert!(matches!(store.append(&ready).await.unwrap(), Append::Stored(_)));
}

//! The embedded store keeps the promises of every store: in memory, and on disk.

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]

use std::sync::Arc;

use async_trait::async_trait;
use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::ids::Ids;
use chatspec_server_core::store::{EmbeddedStore, Location, Store, StoreSwitch};
use chatspec_store_suite::{Place, reopening, switching};
use tempfile::TempDir;

fn open(location: Location, switch: StoreSwitch) -> Arc<dyn Store> {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    Arc::new(EmbeddedStore::open_switched(location, ids, clock, switch).unwrap())
}

struct Memory;

#[async_trait]
impl Place for Memory {
    fn new() -> Self {
        Self
    }

    async fn open(&self, switch: StoreSwitch) -> Arc<dyn Store> {
        open(Location::Memory, switch)
    }

    async fn clear(self) {}
}

struct Disk(TempDir);

#[async_trait]
impl Place for Disk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self, switch: StoreSwitch) -> Arc<dyn Store> {
        open(Location::Folder(self.0.path().to_owned()), switch)
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
async fn it_is_switched() {
    switching::<Memory>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_reopened() {
    reopening::<Disk>().await;
}

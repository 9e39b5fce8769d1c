//! One lane per chat: commands on the same chat wait for each other, those on different chats do not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as Lane, OwnedMutexGuard};

use crate::ids::ChatId;

/// The lanes in use; a lane exists while somebody is in it or waits for it.
#[derive(Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<ChatId, Arc<Lane<()>>>>>);

/// A turn in a lane; it ends when dropped.
pub(super) struct Turn {
    chat: ChatId,
    lanes: Lanes,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Lanes {
    /// Waits for a turn in `chat`'s lane; turns come in the order of asking.
    pub(super) async fn enter(&self, chat: ChatId) -> Turn {
        let lane = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(chat)
            .or_default()
            .clone();
        // The turn stands before the wait, so that a caller who gives up waiting cleans up as well.
        let mut turn = Turn {
            chat,
            lanes: self.clone(),
            guard: None,
        };
        turn.guard = Some(lane.lock_owned().await);
        turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut lanes = self.lanes.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        if lanes
            .get(&self.chat)
            .is_some_and(|lane| Arc::strong_count(lane) == 1)
        {
            lanes.remove(&self.chat);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::Ids;

    #[tokio::test(start_paused = true)]
    async fn one_chat_waits_another_does_not_and_nothing_is_left() {
        let ids = Ids::new(Arc::new(SystemClock));
        let (here, there) = (ids.next(), ids.next());
        let lanes = Lanes::default();
        let turn = lanes.enter(here).await;
        let waited = tokio::time::timeout(Duration::from_secs(1), lanes.enter(here)).await;
        assert!(waited.is_err(), "a second turn while the first lasts");
        drop(lanes.enter(there).await);
        drop(turn);
        drop(lanes.enter(here).await);
        assert!(lanes.0.lock().unwrap().is_empty());
    }
}

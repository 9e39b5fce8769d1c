//! One lane per chat: commands on the same chat wait for each other, those on different chats do not.
//!
//! Turns begin one after the other, in the order of asking. A turn may let the next begin before it has ended itself, as when a
//! message waits for the disk. Each turn then waits for its predecessor before it publishes, so that is done in order:
//!
//! ```text
//! A begins ── lets B begin ── waits for the disk ── publishes, ends
//!             B begins ── lets C begin ── waits for the disk ── waits for A ── publishes, ends
//!                         C begins ── waits for the disk ── waits for B ── publishes, ends
//! ```
//!
//! A turn may end before its predecessor, when its command was refused. It then hands its predecessor on: had B ended early, C
//! would go on to wait for A.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use crate::ids::ChatId;

/// The lanes in use; a lane exists while somebody is in it or waits for it.
#[derive(Clone, Default)]
pub(super) struct Lanes(Arc<Mutex<HashMap<ChatId, Arc<Lane>>>>);

/// Locked by the turn that is beginning. It holds the turn that began last, which is the next one's predecessor.
type Lane = AsyncMutex<Option<Predecessor>>;

/// An earlier turn to wait for. When it ends, it sends its own predecessor, if it has not waited for that.
struct Predecessor(oneshot::Receiver<Option<Predecessor>>);

/// A turn in a lane; it ends when dropped.
pub(super) struct Turn {
    chat: ChatId,
    lanes: Lanes,
    /// Keeps the lane in use; `None` once the turn ends.
    lane: Option<Arc<Lane>>,
    /// Keeps the next turn from beginning; `None` once it may.
    beginning: Option<OwnedMutexGuard<Option<Predecessor>>>,
    /// `None` once all earlier turns have ended.
    predecessor: Option<Predecessor>,
    /// Tells the next turn that this one has ended.
    ended: Option<oneshot::Sender<Option<Predecessor>>>,
}

impl Lanes {
    /// Waits until no other turn is beginning in `chat`'s lane; turns come in the order of asking.
    pub(super) async fn enter(&self, chat: ChatId) -> Turn {
        let lane = self.0.lock().entry(chat).or_default().clone();
        // Made before the wait, so that a caller who gives up waiting cleans up as well.
        let mut turn = Turn {
            chat,
            lanes: self.clone(),
            lane: Some(lane.clone()),
            beginning: None,
            predecessor: None,
            ended: None,
        };
        let mut beginning = lane.lock_owned().await;
        let (ended, until_ended) = oneshot::channel();
        turn.ended = Some(ended);
        turn.predecessor = beginning.replace(Predecessor(until_ended));
        turn.beginning = Some(beginning);
        turn
    }
}

impl Turn {
    /// Lets the next turn begin while this one goes on.
    pub(super) fn let_next_begin(&mut self) {
        self.beginning = None;
    }

    /// Waits until all turns before this one have ended.
    pub(super) async fn reach_the_front(&mut self) {
        while let Some(Predecessor(ended)) = &mut self.predecessor {
            // A turn that is dropped before it began has no predecessor to hand on.
            self.predecessor = ended.await.ok().flatten();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            // Where no turn follows, nobody listens.
            let _ = ended.send(self.predecessor.take());
        }
        // Under the lock of all lanes, so that of two turns that end at once the second sees that it is the last.
        let mut lanes = self.lanes.0.lock();
        self.beginning = None;
        self.lane = None;
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

    /// Whether it is done within a second, in which everything else has been.
    async fn soon(work: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::from_secs(1), work).await.is_ok()
    }

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
        assert!(lanes.0.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_that_overlap_reach_the_front_in_their_order() {
        let here = Ids::new(Arc::new(SystemClock)).next();
        let lanes = Lanes::default();
        let mut turns = Vec::new();
        for _ in 0..3 {
            let mut turn = lanes.enter(here).await;
            turn.let_next_begin();
            turns.push(turn);
        }
        let [mut first, second, mut third] = <[Turn; 3]>::try_from(turns).ok().unwrap();
        assert!(soon(first.reach_the_front()).await);
        // One that ends before its time makes room for nobody.
        drop(second);
        assert!(!soon(third.reach_the_front()).await, "the first has not ended");
        drop(first);
        assert!(soon(third.reach_the_front()).await);
        drop(third);
        assert!(lanes.0.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_begins_after_all_have_ended_is_at_the_front() {
        let here = Ids::new(Arc::new(SystemClock)).next();
        let lanes = Lanes::default();
        let mut first = lanes.enter(here).await;
        first.let_next_begin();
        let mut second = lanes.enter(here).await;
        drop(first);
        assert!(soon(second.reach_the_front()).await);
        assert!(soon(second.reach_the_front()).await, "and stays there");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn nothing_is_left_when_many_end_at_once() {
        let here = Ids::new(Arc::new(SystemClock)).next();
        let lanes = Lanes::default();
        for _ in 0..500 {
            let turns = (0..16).map(|_| {
                let lanes = lanes.clone();
                tokio::spawn(async move { lanes.enter(here).await.let_next_begin() })
            });
            for turn in turns.collect::<Vec<_>>() {
                turn.await.unwrap();
            }
            assert!(lanes.0.lock().is_empty());
        }
    }
}

//! A row of the ledger: one message.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// What became of a message so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    Planned,
    Sent,
    Acked,
    /// Refused for good: it must not arrive.
    Refused,
    /// An error that leaves open what was done.
    Failed,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Planned,
        Self::Sent,
        Self::Acked,
        Self::Refused,
        Self::Failed,
    ];
}

#[derive(Debug, Default)]
pub(super) struct Row {
    /// What stands for its id, once it is known; 0 until then.
    pub(super) id: AtomicU64,
    /// The first of the sender's messages that had no ack when this one went out.
    pub(super) answered_before: AtomicU32,
    state: AtomicU8,
}

impl Row {
    pub(super) fn state(&self) -> State {
        let state = self.state.load(Ordering::Acquire);
        State::ALL
            .get(usize::from(state))
            .copied()
            .unwrap_or(State::Planned)
    }

    pub(super) fn becomes(&self, from: State, to: State) -> bool {
        self.state
            .compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Takes the id as the message's, if it has none yet; tells whether it is the message's now.
    pub(super) fn has_id(&self, id: &str) -> bool {
        let id = fingerprint(id);
        let before = self
            .id
            .compare_exchange(0, id, Ordering::AcqRel, Ordering::Acquire);
        before.is_ok() || before == Err(id)
    }
}

/// What stands for an id; never 0.
fn fingerprint(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() | 1
}

//! One connection at the presence desk: there once, gone once, in whatever order its handlers run.

use std::sync::{Arc, Mutex, PoisonError};

use super::PresenceDesk;
use crate::ids::UserId;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Expected,
    Here,
    Gone,
}

/// Whether a connection has arrived and left. A connection may break before its arrival was noted; then the arrival,
/// when it comes, no longer counts.
#[derive(Clone, Debug, Default)]
pub struct Attendance(Arc<Mutex<Stage>>);

impl Attendance {
    /// Signs the connection in; `false` when it is gone already.
    pub(crate) fn arrive(&self, desk: &PresenceDesk, user: UserId) -> bool {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *stage != Stage::Expected {
            return false;
        }
        *stage = Stage::Here;
        desk.sign_in(user);
        true
    }

    /// Signs the connection out; `false` when it had not arrived, or has left before.
    pub(crate) fn leave(&self, desk: &PresenceDesk, user: UserId) -> bool {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_here = *stage == Stage::Here;
        *stage = Stage::Gone;
        if was_here {
            desk.sign_out(user);
        }
        was_here
    }
}

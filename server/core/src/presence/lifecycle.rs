//! One connection's life as presence sees it: connected once and disconnected once, in whatever order its handlers run.

use std::sync::Arc;

use parking_lot::Mutex;

use super::PresenceRegistry;
use crate::ids::UserId;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Pending,
    Connected,
    Closed,
}

/// Where a connection is in its life. It may close before it was noted as connected; then it never counts as connected.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle(Arc<Mutex<Stage>>);

impl Lifecycle {
    /// Counts the connection; `false` when it is closed already.
    pub(crate) fn connect(&self, registry: &PresenceRegistry, user: UserId) -> bool {
        let mut stage = self.0.lock();
        if *stage != Stage::Pending {
            return false;
        }
        *stage = Stage::Connected;
        registry.connected(user);
        true
    }

    /// Counts the connection no longer; `false` when it was not counted.
    pub(crate) fn close(&self, registry: &PresenceRegistry, user: UserId) -> bool {
        let mut stage = self.0.lock();
        let was_connected = *stage == Stage::Connected;
        *stage = Stage::Closed;
        if was_connected {
            registry.disconnected(user);
        }
        was_connected
    }
}

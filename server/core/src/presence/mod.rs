//! Who is online, and telling their contacts (contract §9).
//!
//! A user is online while they have a connection. One task per changing user announces the changes, so updates about one user
//! can neither overtake each other nor come closer than the window.

mod lifecycle;
#[cfg(test)]
mod tests;
mod throttle;

pub use lifecycle::Lifecycle;
pub use throttle::{Step, Throttle};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::ids::UserId;
use crate::publish::{Audience, Outbound, Presence, Publish, ServerEvent};
use crate::store::{Result, Store};

/// Tells a user's contacts of a change; a trait, so that tests can listen.
#[async_trait]
pub trait ContactNotifier: Send + Sync + 'static {
    /// Tells everyone who shares a chat with `user` now.
    async fn notify(&self, user: UserId, state: Presence) -> Result<()>;
}

/// Looks the contacts up in the store, and publishes to them.
pub struct Contacts {
    /// Knows who shares a chat with whom.
    pub store: Arc<dyn Store>,
    /// Delivers to their connections.
    pub publisher: Arc<dyn Publish>,
}

#[async_trait]
impl ContactNotifier for Contacts {
    async fn notify(&self, user: UserId, state: Presence) -> Result<()> {
        let contacts = self.store.contacts_of(user).await?;
        if !contacts.is_empty() {
            let event = ServerEvent::PresenceUpdate {
                user_id: user,
                status: state,
            };
            self.publisher
                .publish(Outbound::Event(Audience::Users(contacts), event))
                .await;
        }
        Ok(())
    }
}

/// How many connections each user has; announces the changes. Cheap to clone.
#[derive(Clone)]
pub struct PresenceRegistry(Arc<Registry>);

struct Registry {
    notifier: Arc<dyn ContactNotifier>,
    window: Duration,
    /// Held for a few instructions, never across an await.
    users: Mutex<HashMap<UserId, Entry>>,
}

#[derive(Default)]
struct Entry {
    connections: usize,
    throttle: Throttle,
    /// Whether a task announces this user's changes.
    has_task: bool,
}

impl Entry {
    fn state(&self) -> Presence {
        if self.connections > 0 {
            Presence::Online
        } else {
            Presence::Offline
        }
    }
}

impl PresenceRegistry {
    /// A registry without connections. Contacts hear of a user at most once in `window`.
    pub fn new(notifier: Arc<dyn ContactNotifier>, window: Duration) -> Self {
        Self(Arc::new(Registry {
            notifier,
            window,
            users: Mutex::default(),
        }))
    }

    /// `user` has one connection more.
    pub(crate) fn connected(&self, user: UserId) {
        self.change(user, |entry| entry.connections += 1);
    }

    /// `user` has one connection less.
    pub(crate) fn disconnected(&self, user: UserId) {
        self.change(user, |entry| {
            entry.connections = entry.connections.saturating_sub(1);
        });
    }

    fn change(&self, user: UserId, change: impl FnOnce(&mut Entry)) {
        let mut users = self.0.users.lock();
        let entry = users.entry(user).or_default();
        change(entry);
        if !entry.has_task {
            entry.has_task = true;
            tokio::spawn(self.0.clone().announce(user));
        }
    }
}

impl Registry {
    /// Announces the changes of `user` until there is none left.
    async fn announce(self: Arc<Self>, user: UserId) {
        loop {
            match self.next_step(user) {
                Step::Idle => return,
                Step::Wait(until) => tokio::time::sleep_until(until.into()).await,
                Step::Announce(state) => {
                    let notified = self.notifier.notify(user, state).await;
                    if let Err(error) = &notified {
                        tracing::error!(%user, %error, "contacts could not be told of a presence; trying again");
                    }
                    if let Some(entry) = self.users.lock().get_mut(&user) {
                        let now = Instant::now().into_std();
                        match notified {
                            Ok(()) => entry.throttle.announced(state, now),
                            Err(_) => entry.throttle.failed(now),
                        }
                    }
                }
            }
        }
    }

    /// The next step. `Idle` ends the task, and forgets a user without connections.
    fn next_step(&self, user: UserId) -> Step {
        let mut users = self.users.lock();
        let Some(entry) = users.get_mut(&user) else {
            return Step::Idle;
        };
        let step = entry
            .throttle
            .step(entry.state(), Instant::now().into_std(), self.window);
        if step == Step::Idle {
            entry.has_task = false;
            if entry.connections == 0 {
                users.remove(&user);
            }
        }
        step
    }
}

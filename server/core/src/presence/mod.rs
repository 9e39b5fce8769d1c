//! Who is online, and telling their contacts (contract §9).
//!
//! A user is online while one of their connections stands. Per user who changes, one task tells: so updates about one
//! user can neither overtake each other nor come closer than the window.

mod attendance;
#[cfg(test)]
mod tests;
mod throttle;

pub use attendance::Attendance;
pub use throttle::{Step, Throttle};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::ids::UserId;
use crate::publish::{Audience, Outbound, Presence, Publish, ServerEvent};
use crate::store::{Result, Store};

/// Tells a user's contacts; apart from the desk, so that tests can listen in.
#[async_trait]
pub trait Messenger: Send + Sync + 'static {
    /// Tells everyone who shares a chat with `user` now.
    async fn tell(&self, user: UserId, state: Presence) -> Result<()>;
}

/// Tells through the store, which knows the contacts, and the publisher, which knows their sockets.
pub struct Contacts {
    /// Where the contacts are.
    pub store: Arc<dyn Store>,
    /// Where the sockets are.
    pub publisher: Arc<dyn Publish>,
}

#[async_trait]
impl Messenger for Contacts {
    async fn tell(&self, user: UserId, state: Presence) -> Result<()> {
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

/// Where connections are signed in and out. Cheap to clone.
#[derive(Clone)]
pub struct PresenceDesk(Arc<Desk>);

struct Desk {
    messenger: Arc<dyn Messenger>,
    window: Duration,
    /// Held for a few instructions, never across an await.
    users: Mutex<HashMap<UserId, Entry>>,
}

#[derive(Default)]
struct Entry {
    connections: usize,
    throttle: Throttle,
    /// Whether a task tells about this user.
    attended: bool,
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

impl PresenceDesk {
    /// A desk at which nobody is signed in.
    pub fn new(messenger: Arc<dyn Messenger>, window: Duration) -> Self {
        Self(Arc::new(Desk {
            messenger,
            window,
            users: Mutex::default(),
        }))
    }

    /// One more connection of `user` stands.
    pub(crate) fn sign_in(&self, user: UserId) {
        self.change(user, |entry| entry.connections += 1);
    }

    /// One connection of `user` is gone.
    pub(crate) fn sign_out(&self, user: UserId) {
        self.change(user, |entry| {
            entry.connections = entry.connections.saturating_sub(1);
        });
    }

    fn change(&self, user: UserId, change: impl FnOnce(&mut Entry)) {
        let mut users = self.0.lock();
        let entry = users.entry(user).or_default();
        change(entry);
        if !entry.attended {
            entry.attended = true;
            tokio::spawn(self.0.clone().attend(user));
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Entry>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells about `user` until there is nothing left to tell.
    async fn attend(self: Arc<Self>, user: UserId) {
        loop {
            match self.next_step(user) {
                Step::Rest => return,
                Step::Wait(until) => tokio::time::sleep_until(until.into()).await,
                Step::Tell(state) => {
                    let told = self.messenger.tell(user, state).await;
                    if let Err(error) = &told {
                        tracing::error!(%user, %error, "contacts could not be told of a presence; trying again");
                    }
                    if let Some(entry) = self.lock().get_mut(&user) {
                        let now = Instant::now().into_std();
                        match told {
                            Ok(()) => entry.throttle.told(state, now),
                            Err(_) => entry.throttle.failed(now),
                        }
                    }
                }
            }
        }
    }

    /// The next step; with `Rest` the task has given up the user, and a user of whom nothing need be kept is forgotten.
    fn next_step(&self, user: UserId) -> Step {
        let mut users = self.lock();
        let Some(entry) = users.get_mut(&user) else {
            return Step::Rest;
        };
        let step = entry
            .throttle
            .step(entry.state(), Instant::now().into_std(), self.window);
        if step == Step::Rest {
            entry.attended = false;
            if entry.connections == 0 {
                users.remove(&user);
            }
        }
        step
    }
}

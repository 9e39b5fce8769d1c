//! The connections in their rooms: `chat:<id>` for those who have joined, `user:<id>` for all of a user's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use socketioxide::extract::SocketRef;
use socketioxide::operators::BroadcastOperators;
use socketioxide::{BroadcastError, SendError, SocketError, SocketIo};

use crate::ids::{ChatId, ConnectionId, UserId};
use crate::metrics::Metrics;
use crate::publish::{Audience, Outbound, Publish, ServerEvent};

/// How often a slow connection's buffer is tried for the packet that closes it.
const CLOSE_RETRY: Duration = Duration::from_millis(50);

pub(super) fn user_room(user: UserId) -> String {
    format!("user:{user}")
}

fn chat_room(chat: ChatId) -> String {
    format!("chat:{chat}")
}

/// The connections that stand.
pub struct Sockets {
    io: SocketIo,
    metrics: Arc<Metrics>,
    /// Held for single look-ups, never across an await.
    by_id: Mutex<HashMap<ConnectionId, SocketRef>>,
}

impl Sockets {
    /// No connections yet.
    pub fn new(io: SocketIo, metrics: Arc<Metrics>) -> Self {
        Self {
            io,
            metrics,
            by_id: Mutex::default(),
        }
    }

    pub(super) fn add(&self, connection: ConnectionId, socket: SocketRef) {
        self.lock().insert(connection, socket);
    }

    pub(super) fn remove(&self, connection: ConnectionId) {
        self.lock().remove(&connection);
    }

    fn get(&self, connection: ConnectionId) -> Option<SocketRef> {
        self.lock().get(&connection).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, SocketRef>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All connections; nothing once the server is stopping, when timers may still have something to tell.
    fn everyone(&self) -> Option<BroadcastOperators> {
        self.io.of("/")
    }

    async fn tell(&self, audience: Audience, event: &ServerEvent) {
        let rooms = match &audience {
            Audience::Room(chat) | Audience::RoomExcept(chat, _) => vec![chat_room(*chat)],
            Audience::Users(users) => users.iter().copied().map(user_room).collect(),
        };
        let typist = match audience {
            Audience::RoomExcept(_, connection) => self.get(connection),
            _ => None,
        };
        let to = || match &typist {
            Some(socket) => Some(socket.to(rooms.clone())),
            None => self.everyone().map(|all| all.to(rooms.clone())),
        };
        self.broadcast(to, event.name(), event, event.is_volatile()).await;
    }

    /// Sends to all of `to`. The library encodes the payload once, however many they are.
    async fn broadcast(
        &self,
        to: impl Fn() -> Option<BroadcastOperators>,
        name: &'static str,
        payload: &impl Serialize,
        volatile: bool,
    ) {
        let (Some(audience), Some(counted)) = (to(), to()) else {
            return;
        };
        let deliveries = counted.sockets().len();
        let audience = if volatile { audience.volatile() } else { audience };
        let dropped = match audience.emit(name, payload).await {
            Ok(()) => 0,
            Err(BroadcastError::Socket(errors)) => {
                to().map_or(deliveries, |audience| cut_off_the_slow(audience, &errors))
            }
            Err(error) => {
                tracing::error!(event = name, %error, "an event could not be sent");
                deliveries
            }
        };
        self.metrics
            .delivered(name, deliveries.saturating_sub(dropped), dropped);
    }
}

/// What a slow connection has missed it must not miss unknowingly: it is closed, and backfills when it returns.
fn cut_off_the_slow(audience: BroadcastOperators, errors: &[SocketError]) -> usize {
    let is_full = |error: &&SocketError| matches!(error, SocketError::InternalChannelFull);
    let missed = errors.iter().filter(is_full).count();
    if missed > 0 {
        let slow: Vec<_> = audience.sockets().into_iter().filter(buffer_is_full).collect();
        tracing::warn!(
            missed,
            closing = slow.len(),
            "slow connections missed an event and are closed"
        );
        for socket in slow {
            // Out of every room at once; the packet that says goodbye needs a place in the full buffer.
            socket.leave_all();
            tokio::spawn(close_when_possible(socket));
        }
    }
    missed
}

async fn close_when_possible(socket: SocketRef) {
    while socket.connected() && socket.clone().disconnect().is_err() {
        tokio::time::sleep(CLOSE_RETRY).await;
    }
}

/// The library tells how many buffers were full, not whose. An event that cannot be encoded asks without sending: the
/// place in the buffer is taken before the encoding begins.
fn buffer_is_full(socket: &SocketRef) -> bool {
    struct Unsendable;
    impl Serialize for Unsendable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("only asking"))
        }
    }
    let asked = socket.emit("", &Unsendable);
    matches!(asked, Err(SendError::Socket(SocketError::InternalChannelFull)))
}

#[async_trait]
impl Publish for Sockets {
    async fn publish(&self, outbound: Outbound) {
        match outbound {
            Outbound::Event(audience, event) => self.tell(audience, &event).await,
            Outbound::Enter(connection, chat) => {
                if let Some(socket) = self.get(connection) {
                    socket.join(chat_room(chat));
                }
            }
            Outbound::Exit(connection, chat) => {
                if let Some(socket) = self.get(connection) {
                    socket.leave(chat_room(chat));
                }
            }
            Outbound::Evict(user, chat) => {
                if let Some(all) = self.everyone() {
                    // A local adapter cannot fail.
                    let _ = all.within(user_room(user)).leave(chat_room(chat)).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

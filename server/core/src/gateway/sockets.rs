//! The connections in their rooms: `chat:<id>` for those who have joined, `user:<id>` for all of a user's.
//!
//! - `connections`: which there are, and how many are in a room

mod connections;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use socketioxide::extract::SocketRef;
use socketioxide::operators::BroadcastOperators;
use socketioxide::{BroadcastError, SendError, SocketError, SocketIo};

use crate::ids::{ConnectionId, UserId};
use crate::metrics::Metrics;
use crate::publish::{Audience, Outbound, Publish};
use connections::Connections;
pub(super) use connections::Room;

/// How often a slow connection's buffer is tried for the packet that closes it.
const CLOSE_RETRY: Duration = Duration::from_millis(50);

/// The established connections.
pub struct Sockets {
    io: SocketIo,
    metrics: Arc<Metrics>,
    /// Held for single look-ups, never across an await.
    connections: Mutex<Connections<SocketRef>>,
}

impl Sockets {
    /// No connections yet.
    pub fn new(io: SocketIo, metrics: Arc<Metrics>) -> Self {
        Self {
            io,
            metrics,
            connections: Mutex::default(),
        }
    }

    /// An established connection of `user`.
    pub(super) fn add(&self, connection: ConnectionId, user: UserId, socket: SocketRef) {
        socket.extensions.insert(connection);
        self.connections.lock().add(connection, socket);
        self.join(connection, Room::User(user));
    }

    pub(super) fn remove(&self, connection: ConnectionId) {
        self.connections.lock().remove(connection);
    }

    fn join(&self, connection: ConnectionId, room: Room) {
        let joining = self.connections.lock().join(connection, room);
        if let Some(socket) = joining {
            socket.join(room.to_string());
        }
    }

    fn leave(&self, connection: ConnectionId, room: Room) {
        let leaving = self.connections.lock().leave(connection, room);
        if let Some(socket) = leaving {
            socket.leave(room.to_string());
        }
    }

    /// An audience as the library has it, and how many connections it has. `None` once the server is stopping: timers may still
    /// fire then.
    fn audience(&self, audience: &Audience) -> Option<(BroadcastOperators, usize)> {
        let everyone = self.io.of("/")?;
        let (rooms, except) = match audience {
            Audience::Room(chat) => (vec![Room::Chat(*chat)], None),
            Audience::RoomExcept(chat, connection) => (vec![Room::Chat(*chat)], Some(*connection)),
            Audience::Users(users) => (users.iter().copied().map(Room::User).collect(), None),
        };
        let names: Vec<String> = rooms.iter().map(Room::to_string).collect();
        let connections = self.connections.lock();
        let excepted = except.and_then(|connection| connections.get(connection));
        let operators = match excepted {
            Some(socket) => socket.to(names),
            None => everyone.to(names),
        };
        Some((operators, connections.count(&rooms, except)))
    }

    /// Sends to an audience. The library encodes the payload once, however many they are.
    async fn broadcast(&self, to: &Audience, name: &'static str, payload: &impl Serialize, volatile: bool) {
        let Some((audience, count)) = self.audience(to) else {
            return;
        };
        let audience = if volatile { audience.volatile() } else { audience };
        let missed = match audience.emit(name, payload).await {
            Ok(()) => 0,
            Err(BroadcastError::Socket(errors)) => {
                let is_full = |error: &&SocketError| matches!(error, SocketError::InternalChannelFull);
                let missed = errors.iter().filter(is_full).count();
                if missed > 0 {
                    tracing::warn!(
                        event = name,
                        missed,
                        "slow connections missed an event and are closed"
                    );
                    self.close(to, buffer_is_full);
                }
                missed
            }
            Err(error) => {
                tracing::error!(event = name, missed = count, %error, "an event could not be sent; its audience is closed");
                self.close(to, |_| true);
                count
            }
        };
        self.metrics.delivered(name, count.saturating_sub(missed), missed);
    }

    /// Closes the connections of an audience that have missed an event. They must not miss it unknowingly: closed, they
    /// backfill when they return.
    fn close(&self, audience: &Audience, has_missed: fn(&SocketRef) -> bool) {
        let sockets = self.audience(audience).map(|(audience, _)| audience.sockets());
        for socket in sockets.into_iter().flatten().filter(has_missed) {
            // Out of every room at once; the packet that closes it needs a place in the full buffer.
            socket.leave_all();
            if let Some(connection) = socket.extensions.get::<ConnectionId>() {
                self.remove(connection);
            }
            tokio::spawn(close_when_possible(socket));
        }
    }
}

async fn close_when_possible(socket: SocketRef) {
    while socket.connected() && socket.clone().disconnect().is_err() {
        tokio::time::sleep(CLOSE_RETRY).await;
    }
}

/// The library says how many buffers were full, not whose. Sending what cannot be encoded finds out and sends nothing: the
/// library reserves a place in the buffer before it encodes.
fn buffer_is_full(socket: &SocketRef) -> bool {
    let asked = socket.emit("", &Unsendable);
    matches!(asked, Err(SendError::Socket(SocketError::InternalChannelFull)))
}

/// What cannot be encoded.
struct Unsendable;

impl Serialize for Unsendable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("only asking"))
    }
}

#[async_trait]
impl Publish for Sockets {
    async fn publish(&self, outbound: Outbound) {
        match outbound {
            Outbound::Event(audience, event) => {
                self.broadcast(&audience, event.name(), &event, event.is_volatile())
                    .await;
            }
            Outbound::Enter(connection, chat) => self.join(connection, Room::Chat(chat)),
            Outbound::Exit(connection, chat) => self.leave(connection, Room::Chat(chat)),
            Outbound::Evict(user, chat) => {
                let connections = self.connections.lock().members(Room::User(user));
                for connection in connections {
                    self.leave(connection, Room::Chat(chat));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

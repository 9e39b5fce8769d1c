//! Which connections there are, and who is in which room. The library delivers to rooms, but to count one it lists it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::ids::{ChatId, ConnectionId, UserId};

/// A room; its text is the library's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::gateway) enum Room {
    /// Those who have joined a chat.
    Chat(ChatId),
    /// All connections of a user.
    User(UserId),
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chat(chat) => write!(f, "chat:{chat}"),
            Self::User(user) => write!(f, "user:{user}"),
        }
    }
}

/// The connections; `S` is the library's handle of one.
pub(super) struct Connections<S> {
    by_id: HashMap<ConnectionId, (S, HashSet<Room>)>,
    /// None of them is empty.
    rooms: HashMap<Room, HashSet<ConnectionId>>,
}

impl<S> Default for Connections<S> {
    fn default() -> Self {
        Self {
            by_id: HashMap::new(),
            rooms: HashMap::new(),
        }
    }
}

impl<S: Clone> Connections<S> {
    pub(super) fn add(&mut self, connection: ConnectionId, socket: S) {
        self.by_id.insert(connection, (socket, HashSet::new()));
    }

    /// Takes a connection out of all its rooms, and forgets it.
    pub(super) fn remove(&mut self, connection: ConnectionId) {
        let (_, rooms) = self.by_id.remove(&connection).unzip();
        for room in rooms.into_iter().flatten() {
            self.take_out(connection, room);
        }
    }

    pub(super) fn get(&self, connection: ConnectionId) -> Option<S> {
        Some(self.by_id.get(&connection)?.0.clone())
    }

    pub(super) fn join(&mut self, connection: ConnectionId, room: Room) -> Option<S> {
        let (socket, rooms) = self.by_id.get_mut(&connection)?;
        rooms.insert(room);
        self.rooms.entry(room).or_default().insert(connection);
        Some(socket.clone())
    }

    pub(super) fn leave(&mut self, connection: ConnectionId, room: Room) -> Option<S> {
        let (socket, rooms) = self.by_id.get_mut(&connection)?;
        rooms.remove(&room);
        let socket = socket.clone();
        self.take_out(connection, room);
        Some(socket)
    }

    fn take_out(&mut self, connection: ConnectionId, room: Room) {
        if let Some(members) = self.rooms.get_mut(&room) {
            members.remove(&connection);
            if members.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    pub(super) fn members(&self, room: Room) -> Vec<ConnectionId> {
        self.rooms.get(&room).into_iter().flatten().copied().collect()
    }

    /// How many connections are in these rooms, of which none has a connection of another's.
    pub(super) fn count(&self, rooms: &[Room], except: Option<ConnectionId>) -> usize {
        let members = rooms.iter().filter_map(|room| self.rooms.get(room));
        members
            .map(|members| {
                let excepted = except.is_some_and(|connection| members.contains(&connection));
                members.len() - usize::from(excepted)
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(last: u8) -> T {
        format!("65f0c0ffee01234567890{last:03x}").parse().unwrap()
    }

    #[test]
    fn a_room_counts_each_connection_once_until_it_leaves_or_ends() {
        let (here, there, ann) = (Room::Chat(id(1)), Room::Chat(id(2)), Room::User(id(3)));
        let [phone, desktop, bobs] = [1, 2, 3].map(ConnectionId);
        let mut connections = Connections::default();
        for (connection, socket) in [(phone, "phone"), (desktop, "desktop"), (bobs, "bob's")] {
            connections.add(connection, socket);
        }
        for connection in [phone, phone, desktop, bobs] {
            assert!(connections.join(connection, here).is_some());
        }
        connections.join(phone, there);
        connections.join(phone, ann);
        connections.join(desktop, ann);
        assert_eq!(connections.count(&[here], None), 3);
        assert_eq!(connections.count(&[here], Some(bobs)), 2);
        assert_eq!(connections.count(&[there], Some(bobs)), 1);
        assert_eq!(connections.count(&[ann, Room::User(id(4))], None), 2);

        assert_eq!(connections.leave(desktop, here), Some("desktop"));
        connections.leave(desktop, here);
        connections.remove(phone);
        connections.remove(phone);
        assert_eq!(connections.count(&[here], None), 1);
        assert_eq!(connections.count(&[there], None), 0);
        assert_eq!(connections.members(ann), [desktop]);
        assert_eq!(
            (connections.get(phone), connections.join(phone, here)),
            (None, None)
        );
        connections.remove(desktop);
        connections.remove(bobs);
        assert!(connections.by_id.is_empty() && connections.rooms.is_empty());
    }
}

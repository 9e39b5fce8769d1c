//! Which connections there are, and who is in which room. The library delivers to rooms, but to count one it lists it.

use std::collections::{HashMap, HashSet};

use crate::ids::{ChatId, ConnectionId, UserId};
use crate::publish::Audience;

/// The connections; `S` is what the library has for one.
pub(super) struct Connections<S> {
    by_id: HashMap<ConnectionId, Connection<S>>,
    by_user: HashMap<UserId, HashSet<ConnectionId>>,
    /// How many connections are in a chat's room; none that is empty.
    in_chat: HashMap<ChatId, usize>,
}

struct Connection<S> {
    socket: S,
    user: UserId,
    chats: HashSet<ChatId>,
}

impl<S: Clone> Connections<S> {
    pub(super) fn new() -> Self {
        Self {
            by_id: HashMap::new(),
            by_user: HashMap::new(),
            in_chat: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, connection: ConnectionId, user: UserId, socket: S) {
        let chats = HashSet::new();
        self.by_id.insert(connection, Connection { socket, user, chats });
        self.by_user.entry(user).or_default().insert(connection);
    }

    pub(super) fn remove(&mut self, connection: ConnectionId) {
        let Some(Connection { user, chats, .. }) = self.by_id.remove(&connection) else {
            return;
        };
        for chat in chats {
            self.leave(chat);
        }
        if let Some(others) = self.by_user.get_mut(&user) {
            others.remove(&connection);
            if others.is_empty() {
                self.by_user.remove(&user);
            }
        }
    }

    pub(super) fn get(&self, connection: ConnectionId) -> Option<S> {
        Some(self.by_id.get(&connection)?.socket.clone())
    }

    /// Notes that a connection enters a chat's room.
    pub(super) fn enter(&mut self, connection: ConnectionId, chat: ChatId) -> Option<S> {
        let entering = self.by_id.get_mut(&connection)?;
        if entering.chats.insert(chat) {
            *self.in_chat.entry(chat).or_default() += 1;
        }
        Some(entering.socket.clone())
    }

    /// Notes that a connection leaves a chat's room.
    pub(super) fn exit(&mut self, connection: ConnectionId, chat: ChatId) -> Option<S> {
        let leaving = self.by_id.get_mut(&connection)?;
        let (socket, was_in) = (leaving.socket.clone(), leaving.chats.remove(&chat));
        if was_in {
            self.leave(chat);
        }
        Some(socket)
    }

    fn leave(&mut self, chat: ChatId) {
        if let Some(count) = self.in_chat.get_mut(&chat) {
            *count -= 1;
            if *count == 0 {
                self.in_chat.remove(&chat);
            }
        }
    }

    /// All connections of a user.
    pub(super) fn of(&self, user: UserId) -> Vec<ConnectionId> {
        self.by_user.get(&user).into_iter().flatten().copied().collect()
    }

    /// How many connections an event goes to.
    pub(super) fn count(&self, audience: &Audience) -> usize {
        let in_chat = |chat| self.in_chat.get(chat).copied().unwrap_or(0);
        match audience {
            Audience::Room(chat) => in_chat(chat),
            Audience::RoomExcept(chat, connection) => {
                let excepted = self.by_id.get(connection);
                in_chat(chat) - usize::from(excepted.is_some_and(|one| one.chats.contains(chat)))
            }
            Audience::Users(users) => {
                let of_user = |user| self.by_user.get(user).map_or(0, HashSet::len);
                users.iter().map(of_user).sum()
            }
        }
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
        let (here, there): (ChatId, ChatId) = (id(1), id(2));
        let (ann, bob): (UserId, UserId) = (id(3), id(4));
        let [phone, desktop, bobs] = [1, 2, 3].map(ConnectionId);
        let mut connections = Connections::new();
        connections.add(phone, ann, "phone");
        connections.add(desktop, ann, "desktop");
        connections.add(bobs, bob, "bob's");
        for connection in [phone, phone, desktop, bobs] {
            assert!(connections.enter(connection, here).is_some());
        }
        connections.enter(phone, there);
        assert_eq!(connections.count(&Audience::Room(here)), 3);
        assert_eq!(connections.count(&Audience::RoomExcept(here, bobs)), 2);
        assert_eq!(connections.count(&Audience::RoomExcept(there, bobs)), 1);
        assert_eq!(connections.count(&Audience::Users(vec![ann, bob, id(5)])), 3);

        assert_eq!(connections.exit(desktop, here), Some("desktop"));
        connections.exit(desktop, here);
        connections.remove(phone);
        connections.remove(phone);
        assert_eq!(connections.count(&Audience::Room(here)), 1);
        assert_eq!(connections.count(&Audience::Room(there)), 0);
        assert_eq!(connections.of(ann), [desktop]);
        assert_eq!(
            (connections.get(phone), connections.enter(phone, here)),
            (None, None)
        );
        connections.remove(desktop);
        connections.remove(bobs);
        assert!(
            connections.by_id.is_empty() && connections.by_user.is_empty() && connections.in_chat.is_empty()
        );
    }
}

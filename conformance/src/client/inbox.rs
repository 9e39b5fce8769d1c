//! Everything that one connection received, with times, and waiting for what has yet to come.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

use crate::event::{Event, Mark};

/// One thing that a connection received.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// The Engine.IO handshake.
    Opened(Value),
    /// CONNECT was accepted in this namespace.
    Connected {
        /// The namespace, as in `/`.
        namespace: String,
        /// The payload, mostly `{"sid":…}`.
        data: Value,
    },
    /// CONNECT was refused in this namespace.
    Refused {
        /// The namespace, as in `/`.
        namespace: String,
        /// The payload, `{"message":…}`.
        data: Value,
    },
    /// An event.
    Event(Event),
    /// An acknowledgement.
    Ack {
        /// Of the request with this id.
        id: u64,
        /// Its first argument, or null.
        data: Value,
        /// When it arrived.
        at: Instant,
    },
    /// The server sent DISCONNECT for this namespace.
    Disconnected(String),
    /// A frame that is none of these, as it came.
    Other(String),
    /// The transport is gone, and why; the last item.
    Closed(String),
}

/// What a connection received, in order.
#[derive(Debug)]
pub struct Inbox {
    items: Mutex<Vec<Item>>,
    changed: watch::Sender<usize>,
}

impl Default for Inbox {
    fn default() -> Self {
        Self {
            items: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Inbox {
    /// Adds an item; nothing is added after [`Item::Closed`].
    pub fn push(&self, mut item: Item) {
        let mut items = self.items.lock();
        if matches!(items.last(), Some(Item::Closed(_))) {
            return;
        }
        if let Item::Event(event) = &mut item {
            event.position = items.len();
        }
        items.push(item);
        let count = items.len();
        drop(items);
        self.changed.send_replace(count);
    }

    /// Adds an event that arrived now.
    pub fn push_event(&self, namespace: &str, name: &str, args: Vec<Value>) {
        self.push(Item::Event(Event {
            name: name.to_owned(),
            args,
            at: Instant::now(),
            namespace: namespace.to_owned(),
            position: 0,
        }));
    }

    /// The point reached now.
    pub fn mark(&self) -> Mark {
        Mark(self.look(<[Item]>::len))
    }

    /// Looks at everything received so far.
    pub fn look<T>(&self, see: impl FnOnce(&[Item]) -> T) -> T {
        see(&self.items.lock())
    }

    /// Why the connection is closed, if it is.
    pub fn closed(&self) -> Option<String> {
        self.look(|items| match items.last() {
            Some(Item::Closed(why)) => Some(why.clone()),
            _ => None,
        })
    }

    /// Waits until `find` finds something in what was and will be received; `None` when the time is up, or nothing can
    /// come any more because the connection is closed.
    pub async fn wait<T>(&self, within: Duration, find: impl Fn(&[Item]) -> Option<T>) -> Option<T> {
        let mut changed = self.changed.subscribe();
        let search = async {
            loop {
                changed.mark_unchanged();
                let (found, closed) =
                    self.look(|items| (find(items), matches!(items.last(), Some(Item::Closed(_)))));
                if found.is_some() || closed {
                    return found;
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        };
        match tokio::time::timeout(within, search).await {
            Ok(found) => found,
            Err(_) => self.look(find),
        }
    }
}

/// What the kit itself causes for its fences, and what scenarios therefore must not see.
#[derive(Debug, Default)]
pub struct Hidden {
    bodies: Mutex<HashSet<String>>,
    chats: Mutex<HashSet<String>>,
    users: Mutex<HashSet<String>>,
}

impl Hidden {
    /// Hides `message:new` with this body.
    pub fn hide_body(&self, body: &str) {
        insert(&self.bodies, body);
    }

    /// Hides `chat:update` of this chat.
    pub fn hide_chat(&self, id: &str) {
        insert(&self.chats, id);
    }

    /// Hides `presence:update` about this user.
    pub fn hide_user(&self, id: &str) {
        insert(&self.users, id);
    }

    /// Whether a chat of this id is hidden.
    pub fn is_hidden_chat(&self, id: &str) -> bool {
        contains(&self.chats, Some(id))
    }

    /// Whether a message with this body is hidden.
    pub fn is_hidden_body(&self, body: &str) -> bool {
        contains(&self.bodies, Some(body))
    }

    /// Whether this event is hidden.
    pub fn covers(&self, event: &Event) -> bool {
        let text = |pointer: &str| event.data().pointer(pointer).and_then(Value::as_str);
        match event.name.as_str() {
            "message:new" => contains(&self.bodies, text("/message/body")),
            "chat:update" => contains(&self.chats, text("/chat/_id")),
            "presence:update" => contains(&self.users, text("/userId")),
            _ => false,
        }
    }
}

fn insert(set: &Mutex<HashSet<String>>, value: &str) {
    set.lock().insert(value.to_owned());
}

fn contains(set: &Mutex<HashSet<String>>, value: Option<&str>) -> bool {
    value.is_some_and(|value| set.lock().contains(value))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn first_event(items: &[Item]) -> Option<String> {
        items.iter().find_map(|item| match item {
            Item::Event(event) => Some(event.name.clone()),
            _ => None,
        })
    }

    #[tokio::test]
    async fn waiting_finds_what_came_before_and_what_comes_later() {
        let inbox = Arc::new(Inbox::default());
        let later = tokio::spawn({
            let inbox = inbox.clone();
            async move { inbox.wait(Duration::from_secs(5), first_event).await }
        });
        tokio::task::yield_now().await;
        inbox.push_event("/", "a", vec![]);
        assert_eq!(later.await.unwrap(), Some("a".to_owned()));
        assert_eq!(
            inbox.wait(Duration::ZERO, first_event).await,
            Some("a".to_owned())
        );
    }

    #[tokio::test]
    async fn waiting_ends_when_the_connection_does() {
        let inbox = Inbox::default();
        inbox.push(Item::Closed("gone".to_owned()));
        inbox.push_event("/", "late", vec![]);
        assert_eq!(inbox.wait(Duration::from_mins(1), first_event).await, None);
        assert_eq!(inbox.closed(), Some("gone".to_owned()));
    }

    #[test]
    fn what_the_kit_causes_is_hidden() {
        let hidden = Hidden::default();
        hidden.hide_body("fence");
        hidden.hide_user("witness");
        assert!(hidden.covers(&Event::for_test(
            "message:new",
            json!({"message": {"body": "fence"}})
        )));
        assert!(hidden.covers(&Event::for_test("presence:update", json!({"userId": "witness"}))));
        assert!(!hidden.covers(&Event::for_test(
            "message:new",
            json!({"message": {"body": "other"}})
        )));
        assert!(!hidden.covers(&Event::for_test("typing:update", json!({"userId": "witness"}))));
    }
}

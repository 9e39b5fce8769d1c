//! Many messages at once, and what came of each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::chatter::{Person, Socket};

/// Requests under way on each connection.
const AT_ONCE: usize = 8;

/// What a burst shares with whoever watches it.
#[derive(Default)]
pub(crate) struct Burst {
    next: AtomicUsize,
    /// The server's id for each of our keys that was acknowledged.
    acked: Mutex<HashMap<String, String>>,
    /// Keys that were sent, acknowledged or not.
    sent: Mutex<Vec<String>>,
    /// Correlation ids of the failures.
    failures: Mutex<Vec<String>>,
    enough: AtomicBool,
}

impl Burst {
    /// Sends on every socket until [`Burst::end`], or until its connection ends. As a client does that means well, a
    /// message that failed is sent again under its key.
    pub(crate) async fn run(self: &Arc<Self>, sockets: &Arc<Vec<Socket>>, chat: &str) {
        let workers = (0..sockets.len() * AT_ONCE).map(|worker| {
            let (burst, sockets, chat) = (self.clone(), sockets.clone(), chat.to_owned());
            tokio::spawn(async move {
                let socket = &sockets[worker % sockets.len()];
                while !burst.enough.load(Ordering::Relaxed) {
                    if !burst.send_one(socket, &chat).await {
                        return;
                    }
                }
            })
        });
        for worker in join_all(workers).await {
            worker.unwrap();
        }
    }

    /// Sends one message until it is acknowledged; false where the connection ended before.
    async fn send_one(&self, socket: &Socket, chat: &str) -> bool {
        let key = format!("key {}", self.next.fetch_add(1, Ordering::Relaxed));
        self.sent.lock().unwrap().push(key.clone());
        let payload = json!({"chatId": chat, "clientId": key, "body": format!("of {key}")});
        loop {
            let Some(ack) = socket.request("message:send", &payload).await else {
                return false;
            };
            if ack["ok"] == true {
                let id = ack.pointer("/data/serverId").and_then(Value::as_str).unwrap();
                self.acked.lock().unwrap().insert(key, id.to_owned());
                return true;
            }
            assert_eq!(ack["error"], "INTERNAL", "{ack}");
            let id = ack["correlationId"].as_str().unwrap().to_owned();
            self.failures.lock().unwrap().push(id);
            // A client gives a server that fails some rest.
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// No more messages after those under way.
    pub(crate) fn end(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    pub(crate) fn acked(&self) -> HashMap<String, String> {
        self.acked.lock().unwrap().clone()
    }

    pub(crate) fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }

    pub(crate) fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }

    /// Waits until so many are acknowledged.
    pub(crate) async fn until_acked(&self, count: usize) {
        wait_until("acknowledgements", || self.acked.lock().unwrap().len() >= count).await;
    }

    /// Every acknowledged message is in the chat under the id of its ack, and no key is there twice.
    pub(crate) async fn is_kept(&self, reader: &Person, url: &str, chat: &str) {
        let listed = reader.messages(url, chat).await;
        let ids = listed.iter().map(|(_, id)| id);
        assert!(ids.rev().is_sorted(), "the listing is not in the order of ids");
        let kept: HashMap<String, String> = listed.iter().cloned().collect();
        assert_eq!(kept.len(), listed.len(), "a key is there twice");
        for (key, id) in self.acked() {
            assert_eq!(kept.get(&key), Some(&id), "{key} was acknowledged");
        }
    }
}

/// Every message of the chat has been announced to `listener`, which was in the room all the time, once and in order:
/// also those whose senders had been told of a failure before they were stored.
pub(crate) async fn all_were_announced(listener: &Socket, reader: &Person, url: &str, chat: &str) {
    let mut kept: Vec<String> = reader
        .messages(url, chat)
        .await
        .into_iter()
        .map(|(_, id)| id)
        .collect();
    kept.reverse();
    wait_until("announcements", || listener.heard().len() >= kept.len()).await;
    assert_eq!(listener.heard(), kept);
}

/// Waits for what has to come about in the end.
pub(crate) async fn wait_until(what: &str, come: impl Fn() -> bool) {
    const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
    let began = std::time::Instant::now();
    while !come() {
        assert!(began.elapsed() < PATIENCE, "no {what} within {PATIENCE:?}");
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

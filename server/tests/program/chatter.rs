//! People who talk to the server: REST, and Socket.IO frames by hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;

/// Somebody with an account.
#[derive(Clone)]
pub(crate) struct Person {
    http: reqwest::Client,
    pub(crate) id: String,
    token: String,
}

impl Person {
    /// Registers somebody new.
    pub(crate) async fn register(url: &str) -> Self {
        let http = reqwest::Client::new();
        let name = uuid::Uuid::new_v4().simple().to_string();
        let body = json!({"email": format!("{name}@example.org"), "password": "correct horse", "name": name});
        let answer = http.post(format!("{url}/v1/auth/register")).json(&body).send();
        let answer: Value = answer.await.unwrap().json().await.unwrap();
        let text = |pointer| {
            answer
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap()
                .to_owned()
        };
        Self {
            http,
            id: text("/user/id"),
            token: text("/accessToken"),
        }
    }

    /// Makes a group with the other; gives its id.
    pub(crate) async fn group(&self, url: &str, other: &Self) -> String {
        let body = json!({"type": "group", "memberIds": [other.id]});
        let chat = self.post(url, "/v1/chats", &body).await;
        chat["_id"].as_str().unwrap().to_owned()
    }

    /// POSTs, and expects a success.
    pub(crate) async fn post(&self, url: &str, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{url}{path}")).bearer_auth(&self.token);
        let answer = request.json(body).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }

    /// The messages of a chat: pairs of `clientId` and `_id`, newest first.
    pub(crate) async fn messages(&self, url: &str, chat: &str) -> Vec<(String, String)> {
        let mut messages = Vec::new();
        let mut before = String::new();
        loop {
            let page = format!("{url}/v1/chats/{chat}/messages?limit=200{before}");
            let answer = self.http.get(page).bearer_auth(&self.token).send().await.unwrap();
            let page: Value = answer.error_for_status().unwrap().json().await.unwrap();
            let text = |message: &Value, key| message[key].as_str().unwrap().to_owned();
            let found = page["messages"].as_array().unwrap().iter();
            messages.extend(found.map(|message| (text(message, "clientId"), text(message, "_id"))));
            match page["nextCursor"].as_str() {
                Some(next) => before = format!("&before={next}"),
                None => return messages,
            }
        }
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self, url: &str) -> Socket {
        let address = url.replacen("http", "ws", 1);
        let address = format!("{address}/socket.io/?EIO=4&transport=websocket");
        let (stream, _) = tokio_tungstenite::connect_async(address).await.unwrap();
        let (mut sink, mut stream) = stream.split();
        let hello = json!({"token": self.token});
        sink.send(Message::text(format!("40{hello}"))).await.unwrap();
        loop {
            let frame = stream.next().await.unwrap().unwrap();
            let text = frame.to_text().unwrap();
            // The first ping may come before the answer, and wants one of its own.
            if text == "2" {
                sink.send(Message::text("3")).await.unwrap();
            }
            if text.starts_with("40") {
                break;
            }
        }

        let waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>> = Arc::default();
        let (out, mut to_send) = mpsc::unbounded_channel::<String>();
        tokio::spawn(async move {
            while let Some(text) = to_send.recv().await {
                if sink.send(Message::text(text)).await.is_err() {
                    return;
                }
            }
        });
        let (answered, pong) = (waiting.clone(), out.clone());
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hearing = heard.clone();
        let reading = tokio::spawn(async move {
            while let Some(Ok(frame)) = stream.next().await {
                let Ok(text) = frame.to_text() else { continue };
                if text == "2" {
                    pong.send("3".to_owned()).ok();
                }
                if let Some(id) = text.strip_prefix("42").and_then(id_of_new_message) {
                    hearing.lock().unwrap().push(id);
                }
                if let Some((id, ack)) = text.strip_prefix("43").and_then(split_ack)
                    && let Some(waiting) = answered.lock().unwrap().remove(&id)
                {
                    waiting.send(ack).ok();
                }
            }
            // Nobody waits for an ack that cannot come any more.
            answered.lock().unwrap().clear();
        });
        Socket {
            out,
            waiting,
            next: AtomicU64::new(0),
            heard,
            reading,
        }
    }

    /// Opens a connection that is in the room of a chat.
    pub(crate) async fn join(&self, url: &str, chat: &str) -> Socket {
        let socket = self.connect(url).await;
        let joined = socket.request("room:join", &json!({"chatId": chat})).await;
        assert_eq!(joined.unwrap()["ok"], true);
        socket
    }
}

/// The `_id` of the message, if the event is `message:new`.
fn id_of_new_message(event: &str) -> Option<String> {
    let (name, data) = serde_json::from_str::<(String, Value)>(event).ok()?;
    let id = data.pointer("/message/_id")?.as_str()?;
    (name == "message:new").then(|| id.to_owned())
}

/// The id of an ack and its one argument.
fn split_ack(packet: &str) -> Option<(u64, Value)> {
    let (id, arguments) = packet.split_at(packet.find('[')?);
    let [ack] = serde_json::from_str::<[Value; 1]>(arguments).ok()?;
    Some((id.parse().ok()?, ack))
}

/// A connection; any number of requests may be under way on it.
pub(crate) struct Socket {
    out: mpsc::UnboundedSender<String>,
    waiting: Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>,
    next: AtomicU64,
    heard: Arc<Mutex<Vec<String>>>,
    reading: tokio::task::JoinHandle<()>,
}

impl Socket {
    /// Sends a request; gives its ack, or nothing where the connection ended before.
    pub(crate) async fn request(&self, event: &str, payload: &Value) -> Option<Value> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, answer);
        if self.reading.is_finished() {
            return None;
        }
        self.out.send(format!("42{id}{}", json!([event, payload]))).ok()?;
        answered.await.ok()
    }

    /// The ids of the messages that have been announced to it, in the order of arrival.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// Whether the server has not closed it.
    pub(crate) fn is_open(&self) -> bool {
        !self.reading.is_finished()
    }
}

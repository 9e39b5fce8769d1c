//! Broadcasts to connections of whom some are slow, and to nobody.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;
use crate::publish::{Presence, ServerEvent};

/// Packets that a connection may be behind.
const BUFFER: usize = 16;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
    "65f0c0ffee0123456789abcd".parse().unwrap()
}

#[tokio::test]
async fn what_comes_after_the_end_goes_nowhere() {
    let (_layer, io) = SocketIo::new_layer();
    io.ns("/", async || ());
    let sockets = Sockets::new(io.clone(), Arc::new(Metrics::new().unwrap()));
    assert!(sockets.audience(&Audience::Room(id())).is_some());
    io.close().await;
    // Timers of presence still run when the connections are gone.
    let presence = ServerEvent::PresenceUpdate {
        user_id: id(),
        status: Presence::Offline,
    };
    let to_all = Outbound::Event(Audience::Users(vec![id()]), presence);
    sockets.publish(to_all).await;
    sockets.publish(Outbound::Evict(id(), id())).await;
    assert!(sockets.audience(&Audience::Room(id())).is_none());
}

/// A server whose connections are all in one room.
struct Server {
    sockets: Arc<Sockets>,
    address: std::net::SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let (layer, io) = SocketIo::builder().max_buffer_size(BUFFER).build_layer();
        let sockets = Arc::new(Sockets::new(io.clone(), Arc::new(Metrics::new().unwrap())));
        let (all, number) = (sockets.clone(), Arc::new(AtomicU64::new(0)));
        io.ns("/", async move |socket: SocketRef| {
            let connection = ConnectionId(number.fetch_add(1, Ordering::Relaxed));
            all.add(connection, id(), socket);
            all.publish(Outbound::Enter(connection, id())).await;
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = axum::Router::new().layer(layer);
        tokio::spawn(axum::serve(listener, routes).into_future());
        Self { sockets, address }
    }

    /// A client that is in the room; the system holds little for it that it has not read.
    async fn client(&self) -> WebSocketStream<TcpStream> {
        let members = self.sockets.audience(&Audience::Room(id())).unwrap().1;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(self.address).await.unwrap();
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", self.address);
        let (mut client, _) = client_async(url, stream).await.unwrap();
        client.send(Message::text("40")).await.unwrap();
        while !text(&mut client).await.unwrap().starts_with("40") {}
        // The answer comes before the room.
        while self.sockets.audience(&Audience::Room(id())).unwrap().1 == members {
            tokio::task::yield_now().await;
        }
        client
    }

    async fn broadcast(&self, payload: &impl Serialize) {
        let room = Audience::Room(id());
        self.sockets.broadcast(&room, "message:new", payload, false).await;
    }

    fn counted(&self, metric: &str) -> usize {
        let text = self.sockets.metrics.text().unwrap();
        let name = format!("{metric}{{event=\"message:new\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        value.map_or(0, |value| value.parse().unwrap())
    }
}

/// The next packet; nothing when the server has said goodbye, or is gone.
async fn text(client: &mut WebSocketStream<TcpStream>) -> Option<String> {
    match client.next().await? {
        Ok(Message::Text(text)) if text.as_str() != "41" => Some(text.to_string()),
        _ => None,
    }
}

/// The numbers of all messages that come until the connection ends or `last` has come.
async fn numbers(client: &mut WebSocketStream<TcpStream>, last: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        let Some(packet) = text(client).await else { break };
        if let Some(event) = packet.strip_prefix("42") {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            numbers.push(usize::try_from(event[1]["number"].as_u64().unwrap()).unwrap());
        }
    }
    numbers
}

#[tokio::test]
async fn for_many_no_more_is_encoded_than_for_one() {
    /// Its number is how often it has been asked for.
    struct Counted(AtomicUsize);
    impl Serialize for Counted {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            json!({"number": number}).serialize(serializer)
        }
    }
    let server = Server::start().await;
    let mut clients = vec![server.client().await];
    let payload = Counted(AtomicUsize::default());
    server.broadcast(&payload).await;
    // The library also asks once whether it is an array, which ends at its first byte.
    let for_one = payload.0.load(Ordering::Relaxed);
    assert_eq!(numbers(&mut clients[0], for_one - 1).await, [for_one - 1]);

    while clients.len() < 100 {
        clients.push(server.client().await);
    }
    server.broadcast(&payload).await;
    let for_many = payload.0.load(Ordering::Relaxed) - for_one;
    assert_eq!(for_many, for_one);
    for client in &mut clients {
        assert_eq!(numbers(client, 2 * for_one - 1).await, [2 * for_one - 1]);
    }
    assert_eq!(server.counted("chat_deliveries_total"), 101);
}

#[tokio::test]
async fn who_is_too_slow_is_closed_after_the_last_message_without_a_gap() {
    const MESSAGES: usize = 300;
    let server = Server::start().await;
    let (mut quick, mut slow) = (server.client().await, server.client().await);
    for number in 0..MESSAGES {
        server
            .broadcast(&json!({"number": number, "body": "x".repeat(50_000)}))
            .await;
        assert_eq!(numbers(&mut quick, number).await, [number]);
    }
    let got = numbers(&mut slow, MESSAGES - 1).await;
    assert_eq!(got, (0..got.len()).collect::<Vec<_>>(), "no gap");
    assert!(got.len() < MESSAGES, "closed before the end");
    assert_eq!(
        server.counted("chat_drops_total"),
        1,
        "it is out of the room at once"
    );
    assert_eq!(server.counted("chat_deliveries_total"), MESSAGES + got.len());
}

#[tokio::test]
async fn an_event_that_cannot_be_sent_closes_those_who_miss_it() {
    let server = Server::start().await;
    let (mut one, mut other) = (server.client().await, server.client().await);
    server.broadcast(&json!({"number": 0})).await;
    server.broadcast(&Unsendable).await;
    server.broadcast(&json!({"number": 1})).await;
    for client in [&mut one, &mut other] {
        assert_eq!(numbers(client, 1).await, [0], "closed at the gap");
    }
    assert_eq!(server.counted("chat_deliveries_total"), 2);
    assert_eq!(server.counted("chat_drops_total"), 2);
}

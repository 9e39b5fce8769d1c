//! One connection: opened, let in, in its room, then sending what it is told to and taking in what comes. All of it is one
//! task.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::tungstenite::Message;

use super::Shared;
use super::check::{Member, Progress};
use super::frame::{self, Answer, Delivered, Frame};
use super::socket::Socket;
use crate::text::brief;

/// What a connection needs to know before it is opened.
#[derive(Clone)]
pub(super) struct ConnectionSpec {
    /// The WebSocket's address.
    pub(super) url: String,
    /// The CONNECT frame.
    pub(super) connect: String,
    /// The room to join; without one the connection stays idle.
    pub(super) room: Option<RoomMembership>,
}

/// A member of a room, and the chat behind that room.
#[derive(Clone)]
pub(super) struct RoomMembership {
    pub(super) member: Member,
    /// The id of the chat, as JSON.
    pub(super) chat: Arc<str>,
}

/// What a connection reports to the fleet.
#[derive(Debug)]
pub(super) enum ConnectionEvent {
    /// It is open, and in its room.
    Joined,
    /// It could not be opened, or could not join its room; why.
    Failed(String),
    /// It was open, and was lost; why.
    Lost(String),
}

/// Opens the connection and keeps it until there are no more orders to come; an order is the number of a message. The
/// permit is one to be connecting.
pub(super) async fn run_connection(
    spec: ConnectionSpec,
    number: usize,
    shared: Arc<Shared>,
    orders: UnboundedReceiver<u32>,
    events: UnboundedSender<ConnectionEvent>,
    permit: OwnedSemaphorePermit,
) {
    // In a box, since it is large and soon over.
    let came_in = Box::pin(enter(&spec, number, &shared));
    let came_in = tokio::time::timeout(shared.connect_within, came_in).await;
    // The next one may begin.
    drop(permit);
    let late = |_| {
        Err(format!(
            "nothing within {} s",
            shared.connect_within.as_secs_f64()
        ))
    };
    let socket = match came_in.unwrap_or_else(late) {
        Ok(socket) => socket,
        Err(why) => {
            give_up(&spec, &shared);
            events.send(ConnectionEvent::Failed(brief(&why))).ok();
            return;
        }
    };
    events.send(ConnectionEvent::Joined).ok();
    let active = ActiveConnection {
        number,
        socket,
        asked: VecDeque::new(),
        next_id: 1,
        progress: shared.ledger.progress(),
        room: spec.room.clone(),
        shared: shared.clone(),
    };
    if let Err(why) = active.run(orders).await {
        give_up(&spec, &shared);
        events.send(ConnectionEvent::Lost(brief(&why))).ok();
    }
}

fn give_up(spec: &ConnectionSpec, shared: &Shared) {
    if let Some(RoomMembership { member, .. }) = spec.room {
        shared.ledger.gone(member);
    }
}

/// Connects, and joins the room.
async fn enter(spec: &ConnectionSpec, number: usize, shared: &Shared) -> Result<Socket, String> {
    let began = Instant::now();
    let mut socket = Socket::open(&spec.url).await?;
    loop {
        let text = next_text(&mut socket).await?;
        match frame::read(&text) {
            Frame::Opened => socket.send(spec.connect.clone())?,
            Frame::Ping => socket.send("3".to_owned())?,
            Frame::Connected => break,
            Frame::Refused(payload) => return Err(format!("CONNECT_ERROR {payload}")),
            Frame::Disconnected => {
                return Err("the server disconnected instead of answering CONNECT".to_owned());
            }
            _ => {}
        }
    }
    shared.latency.connected(number, began.elapsed());
    let Some(RoomMembership { chat, .. }) = &spec.room else {
        return Ok(socket);
    };
    socket.send(format!(r#"420["room:join",{{"chatId":{chat}}}]"#))?;
    loop {
        let text = next_text(&mut socket).await?;
        match frame::read(&text) {
            Frame::Ping => socket.send("3".to_owned())?,
            Frame::Ack {
                id: 0,
                answer: Answer::Done(_),
            } => return Ok(socket),
            Frame::Ack {
                id: 0,
                answer: Answer::Refused(code),
            } => return Err(format!("room:join is refused: {code}")),
            Frame::Disconnected => return Err("the server disconnected at room:join".to_owned()),
            _ => {}
        }
    }
}

async fn next_text(socket: &mut Socket) -> Result<String, String> {
    loop {
        if let Message::Text(text) = socket.next().await? {
            return Ok(text.as_str().to_owned());
        }
    }
}

/// A request that has no ack yet.
struct Asked {
    id: u64,
    message: u32,
    seq: u32,
    repeat: bool,
}

/// A connection that is open.
struct ActiveConnection {
    /// Number of the connection, from 0 on.
    number: usize,
    socket: Socket,
    /// Oldest first.
    asked: VecDeque<Asked>,
    next_id: u64,
    progress: Progress,
    room: Option<RoomMembership>,
    shared: Arc<Shared>,
}

impl ActiveConnection {
    async fn run(mut self, mut orders: UnboundedReceiver<u32>) -> Result<(), String> {
        loop {
            let message = tokio::select! {
                order = orders.recv() => match order {
                    Some(number) => {
                        self.send(number)?;
                        continue;
                    }
                    None => break,
                },
                message = self.socket.next() => message?,
            };
            if let Message::Text(text) = message {
                self.take(text.as_str())?;
            }
        }
        self.socket.close().await;
        Ok(())
    }

    /// Sends a message of the plan.
    fn send(&mut self, number: u32) -> Result<(), String> {
        let seq = self.shared.plan.place(number).seq;
        let open = self.asked.iter().find(|asked| !asked.repeat);
        let answered_before = open.map_or(seq, |asked| asked.seq);
        self.shared.ledger.sent(number, answered_before);
        let behind = self.shared.since_due(number, Instant::now());
        self.shared.latency.lagged(self.number, behind);
        self.ask(number, seq, false)
    }

    fn ask(&mut self, message: u32, seq: u32, repeat: bool) -> Result<(), String> {
        let Some(RoomMembership { chat, .. }) = &self.room else {
            return Ok(());
        };
        let id = self.next_id;
        self.next_id += 1;
        let (name, body) = (self.shared.plan.name(message), self.shared.plan.body(message));
        self.asked.push_back(Asked {
            id,
            message,
            seq,
            repeat,
        });
        // Nothing in names and bodies has to be escaped.
        self.socket.send(format!(
            r#"42{id}["message:send",{{"chatId":{chat},"clientId":"{name}","body":"{body}"}}]"#
        ))
    }

    fn take(&mut self, text: &str) -> Result<(), String> {
        let now = Instant::now();
        match frame::read(text) {
            Frame::Ping => self.socket.send("3".to_owned()),
            Frame::Disconnected => Err("the server disconnected".to_owned()),
            Frame::Ack { id, answer } => self.answered(id, &answer, now),
            Frame::Message(message) => {
                self.arrived(&message, now);
                Ok(())
            }
            Frame::Opened | Frame::Connected | Frame::Refused(_) | Frame::Other => Ok(()),
        }
    }

    fn answered(&mut self, id: u64, answer: &Answer<'_>, now: Instant) -> Result<(), String> {
        let shared = self.shared.clone();
        let place = self.asked.iter().position(|asked| asked.id == id);
        let Some(asked) = place.and_then(|place| self.asked.remove(place)) else {
            shared.ledger.stray_ack();
            return Ok(());
        };
        let Asked {
            message, seq, repeat, ..
        } = asked;
        match answer {
            Answer::Refused(code) => {
                shared.ledger.refused(message, code);
                Ok(())
            }
            Answer::Done(server_id) => {
                shared.ledger.acked(message, server_id.as_deref());
                if repeat {
                    return Ok(());
                }
                let due = shared.plan.due(message);
                shared
                    .latency
                    .acked(self.number, due, shared.since_due(message, now));
                shared.last_ack.fetch_max(shared.micros(now), Ordering::Relaxed);
                if !shared.plan.is_repeated(message) {
                    return Ok(());
                }
                shared.ledger.repeated();
                self.ask(message, seq, true)
            }
        }
    }

    fn arrived(&mut self, message: &Delivered<'_>, now: Instant) {
        let shared = &self.shared;
        shared.messages.fetch_add(1, Ordering::Relaxed);
        let Some(RoomMembership { member, .. }) = self.room else {
            shared.ledger.astray(self.number, message);
            return;
        };
        let Some(number) = shared.ledger.arrived(member, &mut self.progress, message) else {
            return;
        };
        let took = shared.since_due(number, now);
        shared
            .latency
            .delivered(self.number, shared.plan.due(number), took);
        shared
            .last_delivery
            .fetch_max(shared.micros(now), Ordering::Relaxed);
        if took > shared.plan.wanted.late {
            shared.ledger.late();
        }
    }
}

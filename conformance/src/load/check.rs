//! The ledger: what was sent, what was acknowledged, and who has got what.
//!
//! It is one table with a row for each message of the plan, which all connections write to without waiting for each other. A
//! row takes 16 bytes, and a bit for each member of its room. Judged is what the contract promises:
//!
//! - MSG-02: an acknowledged message reaches every member whose connection lasts, once
//! - MSG-03, MSG-05: it has one id, in the ack, in the acks of repeats, and wherever it arrives; no other message has it
//! - MSG-15: what a member sent when an ack had come arrives behind what that ack was for
//! - nothing arrives that was not sent, was refused, or belongs to another room
//!
//! `judge` does so at the end; what is wrong with a delivery by itself is seen when it arrives.
//!
//! A message whose ack has not come may have been stored or not: it may arrive, and need not.

mod judge;
mod row;
mod tally;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use row::{Row, State};
pub use tally::{Counts, Fault, FaultKind, Faults};

use super::frame::Delivered;
use super::plan::{MessagePosition, Plan};

/// The code of an error that leaves open whether the message was stored.
const INTERNAL: &str = "INTERNAL";

/// A member of a room, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The room.
    pub room: u32,
    /// Its place in the room.
    pub place: u32,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "member {} of room {}", self.place, self.room)
    }
}

/// Who is in a room, as the target calls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The id of the chat.
    pub chat: String,
    /// The ids of the users, by their place.
    pub users: Vec<String>,
}

/// How far a member has got with each of the senders of its room.
#[derive(Debug)]
pub struct Progress(Box<[Heard]>);

#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    /// Every message before this one must have arrived by now.
    floor: u32,
    /// One more than the latest that has arrived.
    next: u32,
}

/// What is still to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Messages without an ack, of senders whose connections last.
    pub unanswered: u64,
    /// Deliveries of acknowledged messages.
    pub missing: u64,
}

/// What was sent, acknowledged and received; see the module.
#[derive(Debug)]
pub struct Ledger {
    plan: Arc<Plan>,
    rooms: Vec<Room>,
    rows: Box<[Row]>,
    /// For each message a bit for each member of its room.
    seen: Box<[AtomicU64]>,
    /// How many `u64` hold the bits of one message in `seen`.
    words: usize,
    /// Whose connection was lost, room by room.
    gone: Box<[AtomicBool]>,
    faults: Mutex<Faults>,
    refused: Mutex<HashMap<String, u64>>,
    sent: AtomicU64,
    acked: AtomicU64,
    repeats: AtomicU64,
    delivered: AtomicU64,
    late: AtomicU64,
    overtaken: AtomicU64,
    stray_acks: AtomicU64,
}

impl Ledger {
    /// An empty one for these rooms.
    pub fn new(plan: Arc<Plan>, rooms: Vec<Room>) -> Self {
        let total = plan.total() as usize;
        let words = (plan.wanted.room_size as usize).div_ceil(64);
        Self {
            rows: std::iter::repeat_with(Row::default).take(total).collect(),
            seen: std::iter::repeat_with(AtomicU64::default)
                .take(total * words)
                .collect(),
            words,
            gone: std::iter::repeat_with(AtomicBool::default)
                .take(plan.members() as usize)
                .collect(),
            plan,
            rooms,
            faults: Mutex::default(),
            refused: Mutex::default(),
            sent: AtomicU64::default(),
            acked: AtomicU64::default(),
            repeats: AtomicU64::default(),
            delivered: AtomicU64::default(),
            late: AtomicU64::default(),
            overtaken: AtomicU64::default(),
            stray_acks: AtomicU64::default(),
        }
    }

    /// Nothing heard yet, for a member.
    pub fn progress(&self) -> Progress {
        Progress(vec![Heard::default(); self.plan.wanted.room_size as usize].into())
    }

    /// The message goes out now; the sender's messages before `answered_before` have had their acks.
    pub fn sent(&self, number: u32, answered_before: u32) {
        if let Some(row) = self.row(number) {
            row.answered_before.store(answered_before, Ordering::Release);
            row.becomes(State::Planned, State::Sent);
            self.sent.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A message is sent a second time.
    pub fn repeated(&self) {
        self.repeats.fetch_add(1, Ordering::Relaxed);
    }

    /// The message, or a repeat of it, was acknowledged with this id.
    pub fn acked(&self, number: u32, id: Option<&str>) {
        let Some(row) = self.row(number) else { return };
        match id {
            Some(id) if row.has_id(id) => {}
            Some(id) => self.fault(FaultKind::Ids, || {
                format!(
                    "{}: its ack says {id}, another id than before",
                    self.named(number)
                )
            }),
            None => self.fault(FaultKind::Ids, || {
                format!("{}: its ack says ok and no serverId", self.named(number))
            }),
        }
        if row.becomes(State::Sent, State::Acked) {
            self.acked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The message, or a repeat of it, was answered with this error code.
    pub fn refused(&self, number: u32, code: &str) {
        /// Codes that a target makes up are not all kept.
        const CODES: usize = 20;
        let Some(row) = self.row(number) else { return };
        let after = if code == INTERNAL {
            State::Failed
        } else {
            State::Refused
        };
        row.becomes(State::Sent, after);
        let mut refused = self.refused.lock();
        let known = refused.len() < CODES || refused.contains_key(code);
        *refused
            .entry(if known { code } else { "others" }.to_owned())
            .or_default() += 1;
    }

    /// An ack came that nothing was waiting for.
    pub fn stray_ack(&self) {
        self.stray_acks.fetch_add(1, Ordering::Relaxed);
    }

    /// The member's connection is lost: what it has not got is not judged.
    pub fn gone(&self, member: Member) {
        if let Some(gone) = self.gone.get(self.index(member)) {
            gone.store(true, Ordering::Release);
        }
    }

    /// A message arrived later than the limit.
    pub fn late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// Something has arrived at a connection that is in no room.
    pub(super) fn astray(&self, connection: usize, message: &Delivered<'_>) {
        self.fault(FaultKind::Invented, || {
            format!("message {} arrives at idle connection {connection}", message.id)
        });
    }

    /// Something has arrived at a member; gives the number of the message where it is the first time.
    pub(super) fn arrived(
        &self,
        at: Member,
        progress: &mut Progress,
        message: &Delivered<'_>,
    ) -> Option<u32> {
        let (place, number) = match self.recognise(at, message) {
            Ok(known) => known,
            Err(why) => {
                self.fault(FaultKind::Invented, || format!("{at}: {why}"));
                return None;
            }
        };
        let row = self.row(number)?;
        if !row.has_id(&message.id) {
            self.fault(FaultKind::Ids, || {
                format!(
                    "{} arrives at {} as {}, another id than before",
                    self.named(number),
                    at,
                    message.id
                )
            });
        }
        let bit = 1 << (at.place % 64);
        if self.word(number, at.place).fetch_or(bit, Ordering::AcqRel) & bit != 0 {
            self.fault(FaultKind::Doubled, || {
                format!("{} arrives at {} once more", self.named(number), at)
            });
            return None;
        }
        self.delivered.fetch_add(1, Ordering::Relaxed);
        self.in_order(at, progress, place, row, number);
        Some(number)
    }

    /// Which message it is; or why it is none that the member should get.
    fn recognise(&self, at: Member, message: &Delivered<'_>) -> Result<(MessagePosition, u32), String> {
        let Some(place) = self.plan.read(&message.body) else {
            return Err(format!("message {} has a body that nobody sent", message.id));
        };
        let number = self.plan.number(place);
        let Some(number) = number.filter(|n| self.row(*n).is_some_and(|row| row.state() != State::Planned))
        else {
            return Err(format!(
                "message {} has a body that nobody has sent yet",
                message.id
            ));
        };
        let room = &self.rooms[at.room as usize];
        if place.room != at.room || message.chat != room.chat {
            return Err(format!("{} is of another room", self.named(number)));
        }
        if room
            .users
            .get(place.sender as usize)
            .is_none_or(|user| *user != message.sender)
        {
            return Err(format!(
                "{} arrives as one of {}",
                self.named(number),
                message.sender
            ));
        }
        Ok((place, number))
    }

    fn in_order(&self, at: Member, progress: &mut Progress, place: MessagePosition, row: &Row, number: u32) {
        let Some(heard) = progress.0.get_mut(place.sender as usize) else {
            return;
        };
        if place.seq < heard.floor {
            // Nobody knows when one that failed was stored, if it was.
            if row.state() != State::Failed {
                self.fault(FaultKind::OutOfOrder, || {
                    format!(
                        "{} arrives at {} behind one that was sent after its ack",
                        self.named(number),
                        at
                    )
                });
            }
        } else if place.seq < heard.next {
            self.overtaken.fetch_add(1, Ordering::Relaxed);
        }
        heard.floor = heard.floor.max(row.answered_before.load(Ordering::Acquire));
        heard.next = heard.next.max(place.seq + 1);
    }

    /// How many have been sent, acknowledged and delivered so far.
    pub fn so_far(&self) -> [u64; 3] {
        [&self.sent, &self.acked, &self.delivered].map(|count| count.load(Ordering::Relaxed))
    }

    fn room_of(&self, number: u32) -> impl Iterator<Item = Member> + use<> {
        let room = self.plan.place(number).room;
        (0..self.plan.wanted.room_size).map(move |place| Member { room, place })
    }

    fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(number as usize)
    }

    fn word(&self, number: u32, place: u32) -> &AtomicU64 {
        &self.seen[number as usize * self.words + place as usize / 64]
    }

    fn has(&self, number: u32, place: u32) -> bool {
        self.word(number, place).load(Ordering::Acquire) & (1 << (place % 64)) != 0
    }

    fn is_gone(&self, member: Member) -> bool {
        self.gone
            .get(self.index(member))
            .is_some_and(|gone| gone.load(Ordering::Acquire))
    }

    fn sender(&self, number: u32) -> Member {
        let MessagePosition { room, sender, .. } = self.plan.place(number);
        Member { room, place: sender }
    }

    fn index(&self, member: Member) -> usize {
        member.room as usize * self.plan.wanted.room_size as usize + member.place as usize
    }

    fn fault(&self, kind: FaultKind, text: impl FnOnce() -> String) {
        self.faults.lock().add(kind, text);
    }

    fn named(&self, number: u32) -> String {
        format!("message {}", self.plan.name(number))
    }
}

#[cfg(test)]
mod tests;

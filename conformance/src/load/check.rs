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
//! A message whose ack has not come may have been stored or not: it may arrive, and need not.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use strum::IntoStaticStr;

use super::frame::Delivered;
use super::plan::{Place, Plan};

/// So many faults are told one by one.
const TOLD: usize = 50;

/// The code of an error that leaves open whether the message was stored.
const INTERNAL: &str = "INTERNAL";

/// What is wrong with a delivery, or with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// It was acknowledged and has not arrived.
    Lost,
    /// It has arrived before.
    Doubled,
    /// It has arrived behind what was sent after its ack.
    OutOfOrder,
    /// Nobody sent it, or not to this room, or it was refused.
    Invented,
    /// It has two ids, or its id is another message's.
    Ids,
}

/// Something that was seen to be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// With which message, and where.
    pub text: String,
}

/// How many faults there are, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Deliveries that are missing at the end.
    pub lost: u64,
    /// Deliveries too many.
    pub doubled: u64,
    /// Deliveries behind others that were sent later.
    pub out_of_order: u64,
    /// Deliveries of what nobody sent.
    pub invented: u64,
    /// Ids that are not the message's.
    pub ids: u64,
    /// The first of them, in words.
    pub told: Vec<Fault>,
}

impl Faults {
    fn add(&mut self, kind: Kind, text: impl FnOnce() -> String) {
        *match kind {
            Kind::Lost => &mut self.lost,
            Kind::Doubled => &mut self.doubled,
            Kind::OutOfOrder => &mut self.out_of_order,
            Kind::Invented => &mut self.invented,
            Kind::Ids => &mut self.ids,
        } += 1;
        if self.told.len() < TOLD {
            self.told.push(Fault { kind, text: text() });
        }
    }

    /// All of them.
    pub const fn sum(&self) -> u64 {
        self.lost + self.doubled + self.out_of_order + self.invented + self.ids
    }
}

/// What came of the messages, without what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages of the plan.
    pub planned: u64,
    /// Those that went out; repeats are not counted.
    pub sent: u64,
    /// Those with an ack of success.
    pub acked: u64,
    /// Those with an error, by its code.
    pub refused: BTreeMap<String, u64>,
    /// Those without any ack, though the connection lasted.
    pub unanswered: u64,
    /// Those without any ack whose connection was lost.
    pub cut_off: u64,
    /// How often one was sent again under its `clientId`.
    pub repeats: u64,
    /// Deliveries of acknowledged messages that are due to connections that lasted.
    pub due: u64,
    /// Of these, those that have arrived.
    pub delivered: u64,
    /// Of these, those that were still missing when the wait for them was cut short: nobody knows whether they are lost.
    pub undecided: u64,
    /// Deliveries that took longer than the limit.
    pub late: u64,
    /// Deliveries behind others that were sent later, but before the ack: the contract leaves that open.
    pub overtaken: u64,
    /// Acks that nothing was waiting for.
    pub stray_acks: u64,
}

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

/// What became of a message so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum State {
    Planned,
    Sent,
    Acked,
    /// Refused for good: it must not arrive.
    Refused,
    /// An error that leaves open what was done.
    Failed,
}

impl State {
    const ALL: [Self; 5] = [
        Self::Planned,
        Self::Sent,
        Self::Acked,
        Self::Refused,
        Self::Failed,
    ];
}

#[derive(Debug, Default)]
struct Row {
    /// What stands for its id, once it is known; 0 until then.
    id: AtomicU64,
    /// The first of the sender's messages that had no ack when this one went out.
    answered_before: AtomicU32,
    state: AtomicU8,
}

impl Row {
    fn state(&self) -> State {
        let state = self.state.load(Ordering::Acquire);
        State::ALL
            .get(usize::from(state))
            .copied()
            .unwrap_or(State::Planned)
    }

    fn becomes(&self, from: State, to: State) -> bool {
        self.state
            .compare_exchange(from as u8, to as u8, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// Takes the id as the message's, if it has none yet; tells whether it is the message's now.
    fn has_id(&self, id: &str) -> bool {
        let id = fingerprint(id);
        let before = self
            .id
            .compare_exchange(0, id, Ordering::AcqRel, Ordering::Acquire);
        before.is_ok() || before == Err(id)
    }
}

/// What stands for an id; never 0.
fn fingerprint(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish() | 1
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
    /// So many words have the bits of one message.
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

    /// It goes out once more.
    pub fn repeated(&self) {
        self.repeats.fetch_add(1, Ordering::Relaxed);
    }

    /// It, or a repeat of it, is acknowledged.
    pub fn acked(&self, number: u32, id: Option<&str>) {
        let Some(row) = self.row(number) else { return };
        match id {
            Some(id) if row.has_id(id) => {}
            Some(id) => self.fault(Kind::Ids, || {
                format!(
                    "{}: its ack says {id}, another id than before",
                    self.named(number)
                )
            }),
            None => self.fault(Kind::Ids, || {
                format!("{}: its ack says ok and no serverId", self.named(number))
            }),
        }
        if row.becomes(State::Sent, State::Acked) {
            self.acked.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// It, or a repeat of it, is refused with this code.
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
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// It arrived later than it should.
    pub fn late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// Something has arrived at a connection that is in no room.
    pub(super) fn astray(&self, connection: usize, message: &Delivered<'_>) {
        self.fault(Kind::Invented, || {
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
                self.fault(Kind::Invented, || format!("{at}: {why}"));
                return None;
            }
        };
        let row = self.row(number)?;
        if !row.has_id(&message.id) {
            self.fault(Kind::Ids, || {
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
            self.fault(Kind::Doubled, || {
                format!("{} arrives at {} once more", self.named(number), at)
            });
            return None;
        }
        self.delivered.fetch_add(1, Ordering::Relaxed);
        self.in_order(at, progress, place, row, number);
        Some(number)
    }

    /// Which message it is; or why it is none that the member should get.
    fn recognise(&self, at: Member, message: &Delivered<'_>) -> Result<(Place, u32), String> {
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

    fn in_order(&self, at: Member, progress: &mut Progress, place: Place, row: &Row, number: u32) {
        let Some(heard) = progress.0.get_mut(place.sender as usize) else {
            return;
        };
        if place.seq < heard.floor {
            // Nobody knows when one that failed was stored, if it was.
            if row.state() != State::Failed {
                self.fault(Kind::OutOfOrder, || {
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

    /// What is still to come.
    pub fn open(&self) -> Open {
        let mut open = Open::default();
        for (number, row) in self.rows_with_numbers() {
            match row.state() {
                State::Sent if !self.is_gone(self.sender(number)) => open.unanswered += 1,
                State::Acked => open.missing += self.missing(number).count() as u64,
                _ => {}
            }
        }
        open
    }

    /// How many have been sent, acknowledged and delivered so far.
    pub fn so_far(&self) -> [u64; 3] {
        [&self.sent, &self.acked, &self.delivered].map(|count| count.load(Ordering::Relaxed))
    }

    /// Looks at all that is there at the end. What is missing now is lost, if it was `waited_for`.
    pub fn judge(&self, waited_for: bool) -> (Counts, Faults) {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut counts = Counts {
            planned: u64::from(self.plan.total()),
            sent: load(&self.sent),
            acked: load(&self.acked),
            refused: refused.into_iter().collect(),
            repeats: load(&self.repeats),
            late: load(&self.late),
            overtaken: load(&self.overtaken),
            stray_acks: load(&self.stray_acks),
            ..Counts::default()
        };
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut owner: HashMap<u64, u32> = HashMap::new();
        for (number, row) in self.rows_with_numbers() {
            match row.state() {
                State::Planned | State::Failed => {}
                State::Sent if self.is_gone(self.sender(number)) => counts.cut_off += 1,
                State::Sent => counts.unanswered += 1,
                State::Refused => {
                    for at in self.room_of(number).filter(|at| self.has(number, at.place)) {
                        faults.add(Kind::Invented, || {
                            format!("{} was refused and arrived at {at}", self.named(number))
                        });
                    }
                }
                State::Acked => {
                    counts.due += self.due_to(number).count() as u64;
                    if !waited_for {
                        counts.undecided += self.missing(number).count() as u64;
                    }
                    for at in self.missing(number).filter(|_| waited_for) {
                        faults.add(Kind::Lost, || {
                            format!(
                                "{} was acknowledged and never arrived at {at}",
                                self.named(number)
                            )
                        });
                    }
                    let id = row.id.load(Ordering::Acquire);
                    if let Some(other) = (id != 0).then(|| owner.insert(id, number)).flatten() {
                        faults.add(Kind::Ids, || {
                            format!("{} has the id of {}", self.named(number), self.named(other))
                        });
                    }
                }
            }
        }
        counts.delivered = counts.due - faults.lost - counts.undecided;
        (counts, faults)
    }

    /// The members of the message's room that have not got it, and whose connections last.
    fn missing(&self, number: u32) -> impl Iterator<Item = Member> {
        self.due_to(number).filter(move |at| !self.has(number, at.place))
    }

    /// The members of the message's room whose connections last.
    fn due_to(&self, number: u32) -> impl Iterator<Item = Member> {
        self.room_of(number).filter(|at| !self.is_gone(*at))
    }

    fn room_of(&self, number: u32) -> impl Iterator<Item = Member> + use<> {
        let room = self.plan.place(number).room;
        (0..self.plan.wanted.room_size).map(move |place| Member { room, place })
    }

    fn rows_with_numbers(&self) -> impl Iterator<Item = (u32, &Row)> {
        (0..self.plan.total()).zip(&self.rows)
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
        let Place { room, sender, .. } = self.plan.place(number);
        Member { room, place: sender }
    }

    fn index(&self, member: Member) -> usize {
        member.room as usize * self.plan.wanted.room_size as usize + member.place as usize
    }

    fn fault(&self, kind: Kind, text: impl FnOnce() -> String) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(kind, text);
    }

    fn named(&self, number: u32) -> String {
        format!("message {}", self.plan.name(number))
    }
}

#[cfg(test)]
mod tests;

//! Who sends what, and when: all of it is arithmetic on the number of a message, so that nothing has to be kept.
//!
//! The messages of a load are numbered from 0 on. Message `n` is due `n / rate` seconds after the load has begun, whatever
//! became of those before it. Members take turns, and rooms before members: message 0 is of the first member of the first
//! room, message 1 of the first member of the second one.

mod error;

use std::time::Duration;

pub use error::PlanError;

use crate::targets::profile::Limits;

/// How much of the rate limit is planned for: sends that are late come closer together than they were planned.
const HEADROOM: f64 = 0.8;

/// The load that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadOptions {
    /// Number of chats.
    pub rooms: u32,
    /// Members of each, all of whom are connected and send.
    pub room_size: u32,
    /// Connections that are open and do nothing.
    pub idle: Idle,
    /// Messages per second in all, without repeats.
    pub rate: f64,
    /// How long messages are sent, or, where there are none, connections are held.
    pub duration: Duration,
    /// Length of a body in bytes.
    pub payload: usize,
    /// The share of messages that are sent once more under the same `clientId`.
    pub repeat: f64,
    /// The time over which connections are opened.
    pub ramp: Duration,
    /// A delivery that takes longer is late.
    pub late: Duration,
    /// When nothing has come for so long at the end, what is still missing is lost.
    pub drain: Duration,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            rooms: 10,
            room_size: 10,
            idle: Idle::Number(0),
            rate: 50.0,
            duration: Duration::from_secs(10),
            payload: 100,
            repeat: 0.02,
            ramp: Duration::ZERO,
            late: Duration::from_secs(1),
            drain: Duration::from_secs(10),
        }
    }
}

impl LoadOptions {
    /// Connections alone, which are held for a while.
    #[must_use]
    pub fn connections(self, number: u32) -> Self {
        Self {
            rooms: 0,
            idle: Idle::Number(number),
            rate: 0.0,
            ..self
        }
    }
}

/// How many connections do nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Idle {
    /// This number of them.
    Number(u32),
    /// This share of all connections, from 0 to below 1.
    Share(f64),
}

/// The position of a message in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePosition {
    /// The room, from 0 on.
    pub room: u32,
    /// The member of it who sends, from 0 on.
    pub sender: u32,
    /// How many that member has sent before.
    pub seq: u32,
}

/// A load that makes sense.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was made from.
    pub wanted: LoadOptions,
    /// Begins every body, so that nothing else is taken for a message of this load.
    pub run: String,
    idle: u32,
    total: u32,
    /// Every so manieth message of a member is repeated.
    repeats: Option<u32>,
}

impl Plan {
    /// A plan by which no user comes near the limits.
    pub fn new(wanted: LoadOptions, limits: &Limits) -> Result<Self, PlanError> {
        let members = wanted.rooms.saturating_mul(wanted.room_size);
        let idle = match wanted.idle {
            Idle::Number(number) => number,
            Idle::Share(share) => whole(f64::from(members) * share / (1.0 - share)),
        };
        if wanted.rooms > 0 && wanted.room_size < 2 {
            return Err(PlanError::Alone(wanted.room_size));
        }
        if members == 0 && idle == 0 {
            return Err(PlanError::Nobody);
        }
        let total = (wanted.rate * wanted.duration.as_secs_f64()).floor();
        let plan = Self {
            run: uuid::Uuid::new_v4().simple().to_string()[..8].to_owned(),
            idle,
            total: if members == 0 { 0 } else { whole(total) },
            repeats: (wanted.repeat > 0.0).then(|| whole(1.0 / wanted.repeat).max(1)),
            wanted,
        };
        if members > 0 {
            plan.check(total, limits)?;
        }
        plan.may_open()?;
        Ok(plan)
    }

    /// Whether the messages can be sent.
    fn check(&self, total: f64, limits: &Limits) -> Result<(), PlanError> {
        let LoadOptions {
            rate,
            duration,
            payload,
            ..
        } = self.wanted;
        if total < 1.0 {
            let seconds = duration.as_secs_f64();
            return Err(PlanError::Nothing { rate, seconds });
        }
        if total >= f64::from(u32::MAX) {
            return Err(PlanError::TooMany(rate));
        }
        let all = self.repeats.map_or(1.0, |every| 1.0 + 1.0 / f64::from(every));
        let per_window = rate * all * Duration::from_millis(limits.rate_window_ms).as_secs_f64();
        let users = f64::from(self.members());
        let allowed = f64::from(u32::try_from(limits.rate_max).unwrap_or(u32::MAX)) * HEADROOM;
        if per_window > users * allowed {
            return Err(PlanError::TooFast {
                rate,
                users: self.members(),
                most: (rate * users * allowed / per_window * 10.0).floor() / 10.0,
                max: limits.rate_max,
                window_ms: limits.rate_window_ms,
                rooms: (per_window / allowed / f64::from(self.wanted.room_size)).ceil(),
                enough: (per_window / users / HEADROOM).ceil(),
            });
        }
        let longest = self.name(self.total - 1).len().max(self.longest_name());
        if !(longest..=limits.body_max_bytes).contains(&payload) {
            return Err(PlanError::Payload {
                payload,
                least: longest,
                most: limits.body_max_bytes,
            });
        }
        Ok(())
    }

    /// Whether the system lets so many connections be open; it is asked for as many as it gives.
    fn may_open(&self) -> Result<(), PlanError> {
        /// For all that is no connection.
        const BESIDE: u64 = 64;
        let wanted = u64::from(self.users()) + BESIDE;
        // Where the system does not say, it may be enough.
        let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
        if wanted > limit {
            return Err(PlanError::Files { wanted, limit });
        }
        Ok(())
    }

    fn longest_name(&self) -> usize {
        let last = MessagePosition {
            room: self.wanted.rooms.saturating_sub(1),
            sender: self.wanted.room_size.saturating_sub(1),
            seq: self.total.div_ceil(self.members().max(1)),
        };
        self.name_of(last).len()
    }

    /// Who is in rooms.
    pub const fn members(&self) -> u32 {
        self.wanted.rooms.saturating_mul(self.wanted.room_size)
    }

    /// Connections that do nothing.
    pub const fn idle(&self) -> u32 {
        self.idle
    }

    /// Users in all, each with one connection.
    pub const fn users(&self) -> u32 {
        self.members().saturating_add(self.idle)
    }

    /// Messages in all, without repeats.
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// When a message is due, from the beginning of the load.
    pub fn due(&self, number: u32) -> Duration {
        Duration::from_secs_f64(f64::from(number) / self.wanted.rate)
    }

    /// Which message this is; there must be members.
    pub const fn place(&self, number: u32) -> MessagePosition {
        let turn = number % self.members();
        MessagePosition {
            room: turn % self.wanted.rooms,
            sender: turn / self.wanted.rooms,
            seq: number / self.members(),
        }
    }

    /// The number of a message, if there is such a one.
    pub fn number(&self, place: MessagePosition) -> Option<u32> {
        let MessagePosition { room, sender, seq } = place;
        if room >= self.wanted.rooms || sender >= self.wanted.room_size {
            return None;
        }
        let turn = sender * self.wanted.rooms + room;
        let number = seq.checked_mul(self.members())?.checked_add(turn)?;
        (number < self.total).then_some(number)
    }

    /// Whether a message is sent once more when it is acknowledged.
    pub fn is_repeated(&self, number: u32) -> bool {
        let MessagePosition { room, sender, seq } = self.place(number);
        let turn = sender * self.wanted.rooms + room;
        self.repeats
            .is_some_and(|every| seq.wrapping_add(turn).is_multiple_of(every))
    }

    /// The name of a message, which begins its body and is its `clientId`.
    pub fn name(&self, number: u32) -> String {
        self.name_of(self.place(number))
    }

    fn name_of(&self, place: MessagePosition) -> String {
        let MessagePosition { room, sender, seq } = place;
        format!("{}:{room}:{sender}:{seq}", self.run)
    }

    /// The body of a message.
    pub fn body(&self, number: u32) -> String {
        let mut body = self.name(number);
        if body.len() < self.wanted.payload {
            body.push(' ');
        }
        body.extend(std::iter::repeat_n(
            '.',
            self.wanted.payload.saturating_sub(body.len()),
        ));
        body
    }

    /// Which message has this body; nothing where it is none of this load, or another text than was sent.
    pub fn read(&self, body: &str) -> Option<MessagePosition> {
        let (name, padding) = body.split_once(' ').unwrap_or((body, ""));
        let mut parts = name
            .strip_prefix(self.run.as_str())?
            .strip_prefix(':')?
            .split(':');
        let mut next = || parts.next()?.parse().ok();
        let place = MessagePosition {
            room: next()?,
            sender: next()?,
            seq: next()?,
        };
        let whole = body.len() == self.wanted.payload && padding.bytes().all(|byte| byte == b'.');
        (whole && parts.next().is_none()).then_some(place)
    }
}

/// The next whole number, within bounds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float stays within bounds"
)]
pub(super) fn whole(number: f64) -> u32 {
    number.round() as u32
}

#[cfg(test)]
mod tests;

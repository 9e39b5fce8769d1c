//! Who sends what, and when: all of it is arithmetic on the number of a message, so that nothing has to be kept.
//!
//! The messages of a load are numbered from 0 on. Message `n` is due `n / rate` seconds after the load has begun, whatever
//! became of those before it. Members take turns, and rooms before members: message 0 is of the first member of the first
//! room, message 1 of the first member of the second one.

use std::time::Duration;

use thiserror::Error;

use crate::target::profile::Limits;

/// How much of the rate limit is planned for: sends that are late come closer together than they were planned.
const HEADROOM: f64 = 0.8;

/// What kind of load is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Chats.
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

impl Default for Wanted {
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

impl Wanted {
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
    /// So many.
    Number(u32),
    /// So large a share of all connections, below 1.
    Share(f64),
}

/// Which message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The room, from 0 on.
    pub room: u32,
    /// The member of it who sends, from 0 on.
    pub sender: u32,
    /// How many that member has sent before.
    pub seq: u32,
}

/// Why a load makes no sense.
#[derive(Debug, PartialEq, Error)]
pub enum PlanError {
    /// A room in which nobody else is.
    #[error("--room-size {0}: a room takes at least 2 members")]
    Alone(u32),
    /// Nobody at all.
    #[error("there is nobody to connect: give --rooms, --idle or --connect-only")]
    Nobody,
    /// Not a single message.
    #[error("--rate {rate} over --duration {seconds} s makes no message: give more of one of them")]
    Nothing {
        /// As asked for.
        rate: f64,
        /// As asked for.
        seconds: f64,
    },
    /// More than can be numbered.
    #[error("--rate {0}: that makes more than four thousand million messages; give a shorter --duration")]
    TooMany(f64),
    /// The limit would be met.
    #[error(
        "--rate {rate}: {users} users may send {most} messages a second at most, so that none of them comes near the limit of \
         {max} in {window_ms} ms. Give more users, as in --rooms {rooms}, or lift the limit: start the server with \
         --rate-max {enough} or the like, and say so by --rate-max {enough} here, or by limits.rate_max in the target file"
    )]
    TooFast {
        /// As asked for.
        rate: f64,
        /// Who would send them.
        users: u32,
        /// How many a second they may send.
        most: f64,
        /// The limit.
        max: usize,
        /// Its window.
        window_ms: u64,
        /// So many rooms would do.
        rooms: f64,
        /// Such a limit would do.
        enough: f64,
    },
    /// The body does not hold what it must, or is too long.
    #[error("--payload {payload}: between {least} bytes, by which a message is known, and {most}")]
    Payload {
        /// As asked for.
        payload: usize,
        /// The shortest that will do.
        least: usize,
        /// The longest that the target takes.
        most: usize,
    },
    /// The system does not let so many be open.
    #[error(
        "{wanted} connections need as many open files, and this process may have {limit}: raise the limit by ulimit -n"
    )]
    Files {
        /// Connections, and a few for all else.
        wanted: u64,
        /// What is allowed.
        limit: u64,
    },
}

/// A load that makes sense.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it was made from.
    pub wanted: Wanted,
    /// Begins every body, so that nothing else is taken for a message of this load.
    pub run: String,
    idle: u32,
    total: u32,
    /// Every so manieth message of a member is repeated.
    repeats: Option<u32>,
}

impl Plan {
    /// A plan by which no user comes near the limits.
    pub fn new(wanted: Wanted, limits: &Limits) -> Result<Self, PlanError> {
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
        let Wanted {
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
        let last = Place {
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
    pub const fn place(&self, number: u32) -> Place {
        let turn = number % self.members();
        Place {
            room: turn % self.wanted.rooms,
            sender: turn / self.wanted.rooms,
            seq: number / self.members(),
        }
    }

    /// The number of a message, if there is such a one.
    pub fn number(&self, place: Place) -> Option<u32> {
        let Place { room, sender, seq } = place;
        if room >= self.wanted.rooms || sender >= self.wanted.room_size {
            return None;
        }
        let turn = sender * self.wanted.rooms + room;
        let number = seq.checked_mul(self.members())?.checked_add(turn)?;
        (number < self.total).then_some(number)
    }

    /// Whether a message is sent once more when it is acknowledged.
    pub fn is_repeated(&self, number: u32) -> bool {
        let Place { room, sender, seq } = self.place(number);
        let turn = sender * self.wanted.rooms + room;
        self.repeats
            .is_some_and(|every| seq.wrapping_add(turn).is_multiple_of(every))
    }

    /// The name of a message, which begins its body and is its `clientId`.
    pub fn name(&self, number: u32) -> String {
        self.name_of(self.place(number))
    }

    fn name_of(&self, place: Place) -> String {
        let Place { room, sender, seq } = place;
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
    pub fn read(&self, body: &str) -> Option<Place> {
        let (name, padding) = body.split_once(' ').unwrap_or((body, ""));
        let mut parts = name
            .strip_prefix(self.run.as_str())?
            .strip_prefix(':')?
            .split(':');
        let mut next = || parts.next()?.parse().ok();
        let place = Place {
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
mod tests {
    use super::*;

    fn plan(wanted: Wanted) -> Plan {
        Plan::new(wanted, &Limits::default()).unwrap()
    }

    #[test]
    fn every_message_has_a_place_and_every_place_its_message() {
        let plan = plan(Wanted {
            rooms: 3,
            room_size: 2,
            rate: 4.0,
            duration: Duration::from_secs(5),
            ..Wanted::default()
        });
        assert_eq!(plan.total(), 20);
        for number in 0..plan.total() {
            let place = plan.place(number);
            assert_eq!(plan.number(place), Some(number));
            assert_eq!(plan.read(&plan.body(number)), Some(place));
            assert_eq!(plan.body(number).len(), 100);
        }
        let rooms: Vec<u32> = (0..4).map(|number| plan.place(number).room).collect();
        assert_eq!(rooms, [0, 1, 2, 0]);
        let nowhere = |room, sender, seq| plan.number(Place { room, sender, seq });
        assert_eq!(
            [
                nowhere(3, 0, 0),
                nowhere(0, 2, 0),
                nowhere(0, 0, 4),
                nowhere(0, 0, u32::MAX)
            ],
            [None; 4]
        );
    }

    #[test]
    fn messages_are_due_evenly_and_independently_of_what_became_of_others() {
        let plan = plan(Wanted {
            rate: 40.0,
            ..Wanted::default()
        });
        assert_eq!(plan.total(), 400);
        let due: Vec<u128> = [0, 1, 2, 40, 399].map(|n| plan.due(n).as_millis()).to_vec();
        assert_eq!(due, [0, 25, 50, 1_000, 9_975]);
    }

    #[test]
    fn bodies_of_others_and_changed_ones_are_none_of_this_load() {
        let plan = plan(Wanted::default());
        let body = plan.body(7);
        let changed = body.replacen('.', ",", 1);
        let cut = &body[..body.len() - 1];
        let other = body.replacen(&plan.run, "00000000", 1);
        for none in [changed.as_str(), cut, other.as_str(), "hello", ""] {
            assert_eq!(plan.read(none), None, "{none}");
        }
    }

    #[test]
    fn a_share_of_every_members_messages_is_repeated() {
        let plan = plan(Wanted {
            rooms: 5,
            room_size: 10,
            rate: 25.0,
            duration: Duration::from_secs(200),
            repeat: 0.1,
            ..Wanted::default()
        });
        for member in 0..50 {
            let of_member = (member..plan.total()).step_by(50);
            let repeated = of_member.filter(|number| plan.is_repeated(*number)).count();
            assert_eq!(repeated, 10, "of 100 of member {member}");
        }
    }

    #[test]
    fn nobody_comes_near_the_limit() {
        let wanted = |rooms, rate| Wanted {
            rooms,
            rate,
            repeat: 0.0,
            ..Wanted::default()
        };
        assert!(Plan::new(wanted(10, 80.0), &Limits::default()).is_ok());
        let told = Plan::new(wanted(10, 200.0), &Limits::default()).unwrap_err();
        let told = told.to_string();
        for part in [
            "100 users may send 80 messages",
            "10 in 10000 ms",
            "--rooms 25,",
            "--rate-max 25 ",
        ] {
            assert!(told.contains(part), "{part} in {told}");
        }
        assert!(Plan::new(wanted(25, 200.0), &Limits::default()).is_ok());
        let lifted = Limits {
            rate_max: 25,
            ..Limits::default()
        };
        assert!(Plan::new(wanted(10, 200.0), &lifted).is_ok());
        let repeating = Wanted {
            repeat: 0.5,
            ..wanted(10, 80.0)
        };
        assert!(matches!(
            Plan::new(repeating, &Limits::default()),
            Err(PlanError::TooFast { .. })
        ));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let base = Wanted::default;
        let refused = |wanted: Wanted| Plan::new(wanted, &Limits::default()).unwrap_err().to_string();
        assert!(
            refused(Wanted {
                room_size: 1,
                ..base()
            })
            .contains("at least 2")
        );
        assert!(refused(Wanted { rooms: 0, ..base() }).contains("nobody"));
        assert!(refused(Wanted { rate: 0.01, ..base() }).contains("no message"));
        assert!(refused(Wanted { payload: 5, ..base() }).contains("between"));
        assert!(
            refused(Wanted {
                payload: 100_001,
                ..base()
            })
            .contains("100000")
        );
    }

    #[test]
    fn idle_connections_are_a_number_or_a_share_of_all() {
        let idle = |idle| {
            plan(Wanted {
                idle,
                ..Wanted::default()
            })
            .users()
        };
        assert_eq!(idle(Idle::Number(7)), 107);
        assert_eq!(idle(Idle::Share(0.75)), 400);
        let storm = plan(Wanted::default().connections(300));
        assert_eq!((storm.users(), storm.members(), storm.total()), (300, 0, 0));
    }
}

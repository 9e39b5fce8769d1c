//! Ids of users, chats and messages: 24 lower-case hex characters, growing in the order of their making. And the numbers of
//! connections.
//!
//! Twelve bytes: 6 of milliseconds, 2 that count within the millisecond, 4 drawn at random per generator. Ids of one
//! generator grow strictly; ids of several processes grow as far as their clocks agree (contract §13).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use crate::clock::{Clock, Timestamp};

const BYTES: usize = 12;

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 24 lower-case hex characters")]
pub struct InvalidId;

/// The bytes common to every kind of id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawId([u8; BYTES]);

impl RawId {
    /// The id of these bytes, as a store kept them.
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, whose order is the order of making.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// When the id was made, by the clock of its maker.
    pub fn created_at(self) -> Timestamp {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0[..6]);
        Timestamp::from_millis(u64::from_be_bytes(ms))
    }
}

impl FromStr for RawId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.as_bytes();
        if digits.len() != BYTES * 2 {
            return Err(InvalidId);
        }
        let mut bytes = [0; BYTES];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

fn hex_digit(digit: u8) -> Result<u8, InvalidId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(InvalidId),
    }
}

impl fmt::Display for RawId {
    // Every message names four ids, in every ack and event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; BYTES * 2];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 0xf)];
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(RawId);

        impl $name {
            /// The bytes of the id.
            pub fn raw(&self) -> &RawId {
                &self.0
            }

            /// When the id was made, by the clock of its maker.
            pub fn created_at(self) -> Timestamp {
                self.0.created_at()
            }
        }

        impl From<RawId> for $name {
            fn from(raw: RawId) -> Self {
                Self(raw)
            }
        }

        impl From<$name> for RawId {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

id_type!(
    /// A user's id.
    UserId
);
id_type!(
    /// A chat's id.
    ChatId
);
id_type!(
    /// A message's id.
    MessageId
);
id_type!(
    /// A membership's id.
    MembershipId
);

/// This server's own name for one connection of one user; never leaves the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u64);

/// Makes ids that grow, even while the clock stands still or goes back. Cheap to share behind an [`Arc`].
pub struct Ids {
    clock: Arc<dyn Clock>,
    node: [u8; 4],
    /// Millisecond and counter of the newest id. Held only for the few instructions of [`Ids::next`].
    last: Mutex<(u64, u16)>,
}

impl Ids {
    /// A generator with a random node part.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            node: rand::random(),
            last: Mutex::new((0, 0)),
        }
    }

    /// From now on, every id is newer than `floor`: for a store that holds ids made before this process began.
    pub fn start_after(&self, floor: RawId) {
        let mut last = self.last.lock();
        let counter = u16::from_be_bytes([floor.0[6], floor.0[7]]);
        *last = (*last).max((floor.created_at().as_millis(), counter));
    }

    /// The next id, of whatever kind the caller wants.
    pub fn next<T: From<RawId>>(&self) -> T {
        let now = self.clock.now().as_millis();
        let mut last = self.last.lock();
        let (ms, counter) = match *last {
            (ms, _) if now > ms => (now, 0),
            (ms, u16::MAX) => (ms + 1, 0),
            (ms, counter) => (ms, counter + 1),
        };
        *last = (ms, counter);
        let mut bytes = [0; BYTES];
        bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&counter.to_be_bytes());
        bytes[8..].copy_from_slice(&self.node);
        RawId(bytes).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn only_24_lower_case_hex_characters_are_an_id() {
        let text = "65f0c0ffee0123456789abcd";
        assert_eq!(text.parse::<ChatId>().unwrap().to_string(), text);
        let wide = "é".repeat(12);
        for bad in [
            "",
            "65f0",
            "65F0C0FFEE0123456789ABCD",
            "zzf0c0ffee0123456789abcd",
            wide.as_str(),
        ] {
            assert_eq!(bad.parse::<ChatId>(), Err(InvalidId), "{bad:?}");
        }
        assert!(format!("{text}0").parse::<ChatId>().is_err());
    }

    #[test]
    fn ids_grow_while_the_clock_stands_still_or_goes_back() {
        let clock = Arc::new(ManualClock::at(5_000));
        let ids = Ids::new(clock.clone());
        let mut last: MessageId = ids.next();
        for step in 0..200_000_u64 {
            if step == 100_000 {
                clock.set(1_000);
            }
            let next: MessageId = ids.next();
            assert!(next > last);
            last = next;
        }
        assert!(last.created_at() >= Timestamp::from_millis(5_000));
    }

    #[test]
    fn ids_grow_beyond_those_of_an_earlier_process() {
        let earlier: RawId = Ids::new(Arc::new(ManualClock::at(9_000))).next();
        let ids = Ids::new(Arc::new(ManualClock::at(1_000)));
        ids.start_after(earlier);
        assert!(ids.next::<RawId>() > earlier);
    }
}

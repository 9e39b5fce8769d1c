//! Where a page of the chat listing begins; opaque to clients.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use serde::{Serialize, Serializer};

use super::Chat;
use crate::clock::Timestamp;
use crate::ids::ChatId;

/// The listing goes on after the chat with this activity and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatCursor {
    /// Its latest activity.
    pub at: Timestamp,
    /// Its id.
    pub chat: ChatId,
}

impl ChatCursor {
    /// The one after `chat`.
    pub fn after(chat: &Chat) -> Self {
        Self {
            at: chat.updated_at,
            chat: chat.id,
        }
    }

    fn decode(text: &str) -> Option<Self> {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (ms, chat) = decoded.split_once('.')?;
        Some(Self {
            at: Timestamp::from_millis(ms.parse().ok()?),
            chat: chat.parse().ok()?,
        })
    }
}

/// Why a text is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is malformed")]
pub struct InvalidCursor;

impl FromStr for ChatCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        Self::decode(text).ok_or(InvalidCursor)
    }
}

impl fmt::Display for ChatCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{}.{}", self.at.as_millis(), self.chat)))
    }
}

impl Serialize for ChatCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_trip_and_nothing_else_is_one() {
        let cursor = ChatCursor {
            at: Timestamp::from_millis(1_234),
            chat: "65f0c0ffee0123456789abcd".parse().unwrap(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for bad in [
            "",
            "x",
            "!!!!",
            "MTIz",
            &URL_SAFE_NO_PAD.encode("-1.65f0c0ffee0123456789abcd"),
        ] {
            assert_eq!(bad.parse::<ChatCursor>(), Err(InvalidCursor), "{bad}");
        }
    }
}

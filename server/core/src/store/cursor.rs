//! Where a page of the chat listing begins; opaque to clients.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::ids::ChatId;
use crate::model::Chat;

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

    /// As a client gives it back; none where it is no cursor.
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (ms, chat) = decoded.split_once('.')?;
        Some(Self {
            at: Timestamp::from_millis(ms.parse().ok()?),
            chat: chat.parse().ok()?,
        })
    }

    /// As clients get it.
    pub fn encode(self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.at.as_millis(), self.chat))
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
        assert_eq!(ChatCursor::parse(&cursor.encode()), Some(cursor));
        for bad in [
            "",
            "x",
            "!!!!",
            "MTIz",
            &URL_SAFE_NO_PAD.encode("-1.65f0c0ffee0123456789abcd"),
        ] {
            assert_eq!(ChatCursor::parse(bad), None, "{bad}");
        }
    }
}

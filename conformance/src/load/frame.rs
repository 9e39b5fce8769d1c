//! What a load has to know of the frames that come: which packet it is, and of acks and messages the few fields that are
//! judged. Nothing else is parsed, and hardly anything copied.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

#[cfg(test)]
mod agreement;

/// A text frame of the server.
#[derive(Debug, PartialEq)]
pub(super) enum Frame<'a> {
    Ping,
    /// The Engine.IO handshake.
    Opened,
    Connected,
    /// CONNECT was refused, with this payload.
    Refused(&'a str),
    Disconnected,
    Ack {
        id: u64,
        answer: Answer<'a>,
    },
    /// `message:new`.
    Message(Delivered<'a>),
    /// Another event, or what is not understood.
    Other,
}

/// What an ack says.
#[derive(Debug, PartialEq)]
pub(super) enum Answer<'a> {
    /// Success, with the message's id where there is one.
    Done(Option<Cow<'a, str>>),
    /// An error, with its code.
    Refused(Cow<'a, str>),
}

/// A message as it arrives.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Delivered<'a> {
    #[serde(rename = "_id", borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(rename = "chatId", borrow)]
    pub(super) chat: Cow<'a, str>,
    #[serde(rename = "senderId", borrow)]
    pub(super) sender: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) body: Cow<'a, str>,
}

/// Reads one frame.
pub(super) fn read(text: &str) -> Frame<'_> {
    match text.as_bytes() {
        [b'2', ..] => Frame::Ping,
        [b'0', ..] => Frame::Opened,
        [b'1', ..] | [b'4', b'1', ..] => Frame::Disconnected,
        [b'4', b'0', ..] => Frame::Connected,
        [b'4', b'4', ..] => Frame::Refused(&text[2..]),
        [b'4', b'2', ..] => message(&text[2..]).map_or(Frame::Other, Frame::Message),
        [b'4', b'3', ..] => ack(&text[2..]).unwrap_or(Frame::Other),
        _ => Frame::Other,
    }
}

/// A text that is copied only where it has escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The message of an event, if it is one; an id before the arguments is passed over.
fn message(packet: &str) -> Option<Delivered<'_>> {
    let Event(payload) = serde_json::from_str(&packet[digits(packet)..]).ok()?;
    Some(payload?.message)
}

/// An ack, whatever it says.
fn ack(packet: &str) -> Option<Frame<'_>> {
    #[derive(Deserialize)]
    struct Said<'a> {
        ok: bool,
        #[serde(borrow)]
        error: Option<Text<'a>>,
        #[serde(borrow)]
        data: Option<Data<'a>>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(rename = "serverId", borrow)]
        id: Option<Text<'a>>,
    }
    let (id, args) = packet.split_at(digits(packet));
    let id = id.parse().ok()?;
    let answer = match serde_json::from_str(args) {
        Ok(First(Some(Said { ok: true, data, .. }))) => Answer::Done(data.and_then(|data| Some(data.id?.0))),
        Ok(First(Some(Said {
            error: Some(code), ..
        }))) => Answer::Refused(code.0),
        _ => Answer::Refused("an ack that is none".into()),
    };
    Some(Frame::Ack { id, answer })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The first item of a list, whatever follows.
struct First<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfList<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OfList<T> {
            type Value = First<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<First<T>, A::Error> {
                let first = list.next_element()?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(OfList(PhantomData))
    }
}

/// The payload of an event, where the event is `message:new`.
struct Event<'a>(Option<Payload<'a>>);

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    message: Delivered<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Event<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameFirst;
        impl<'de> Visitor<'de> for NameFirst {
            type Value = Event<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of a name and arguments")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Event<'de>, A::Error> {
                let name: Option<Text<'de>> = list.next_element()?;
                let payload = match name {
                    Some(Text(name)) if name == "message:new" => list.next_element()?,
                    _ => None,
                };
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Event(payload))
            }
        }
        deserializer.deserialize_seq(NameFirst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str =
        r#"{"message":{"_id":"m1","chatId":"c1","senderId":"u1","body":"a \"b\"","deleted":false}}"#;

    fn delivered() -> Frame<'static> {
        Frame::Message(Delivered {
            id: "m1".into(),
            chat: "c1".into(),
            sender: "u1".into(),
            body: r#"a "b""#.into(),
        })
    }

    #[test]
    fn messages_are_known_however_they_are_written() {
        for frame in [
            format!(r#"42["message:new",{MESSAGE}]"#),
            format!(r#"42 [ "message:new" , {MESSAGE}, 1 ]"#),
            format!(r#"4217["message\u003anew",{MESSAGE}]"#),
        ] {
            assert_eq!(read(&frame), delivered(), "{frame}");
        }
        for other in [
            r#"42["message:new",{"message":{"_id":"m1"}}]"#,
            r#"42["message:new"]"#,
            r#"42["chat:update",{"chat":{"_id":"c1"}}]"#,
            "42[]",
            "42",
            "42é",
            "45é",
            "",
        ] {
            assert_eq!(read(other), Frame::Other, "{other}");
        }
    }

    #[test]
    fn acks_tell_the_id_or_the_code() {
        let done = |id: Option<&'static str>| Answer::Done(id.map(Cow::from));
        for (frame, id, answer) in [
            (
                r#"4312[{"ok":true,"data":{"clientId":"x","serverId":"m1"}}]"#,
                12,
                done(Some("m1")),
            ),
            (r#"430[{"ok":true}]"#, 0, done(None)),
            (r#"437[{"ok":true,"data":null},2]"#, 7, done(None)),
            (
                r#"438[{"ok":false,"error":"RATE_LIMITED","message":"no"}]"#,
                8,
                Answer::Refused("RATE_LIMITED".into()),
            ),
            (
                r#"439[{"ok":false}]"#,
                9,
                Answer::Refused("an ack that is none".into()),
            ),
            ("431[]", 1, Answer::Refused("an ack that is none".into())),
        ] {
            assert_eq!(read(frame), Frame::Ack { id, answer }, "{frame}");
        }
        assert_eq!(read("43[]"), Frame::Other);
    }

    #[test]
    fn the_frames_of_a_handshake_are_told_apart() {
        for (frame, expected) in [
            (r#"0{"sid":"x"}"#, Frame::Opened),
            (r#"40{"sid":"x"}"#, Frame::Connected),
            (r#"44{"message":"no"}"#, Frame::Refused(r#"{"message":"no"}"#)),
            ("2", Frame::Ping),
            ("41", Frame::Disconnected),
            ("1", Frame::Disconnected),
        ] {
            assert_eq!(read(frame), expected, "{frame}");
        }
    }
}

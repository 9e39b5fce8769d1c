//! Socket.IO packets as text frames of Engine.IO.

use std::iter;

use bytes::Bytes;
use serde_json::Value;

#[cfg(test)]
pub(crate) mod spec;

/// The arguments of an event, with what is binary beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The arguments as JSON text, since some are nested too deep for a [`Value`]; binary ones are
    /// `{"_placeholder":true,"num":N}`.
    pub texts: Vec<String>,
    /// The binary attachments, by number.
    pub attachments: Vec<Bytes>,
}

impl From<Vec<Value>> for Args {
    fn from(values: Vec<Value>) -> Self {
        Self {
            texts: values.iter().map(Value::to_string).collect(),
            attachments: Vec::new(),
        }
    }
}

impl From<Value> for Args {
    fn from(value: Value) -> Self {
        vec![value].into()
    }
}

/// The frames of an event: one of text, and one for each attachment.
pub(crate) fn encode_event(
    namespace: &str,
    id: Option<u64>,
    event: &str,
    args: &Args,
) -> (String, Vec<Bytes>) {
    let name = Value::from(event).to_string();
    let array: Vec<&str> = iter::once(&name).chain(&args.texts).map(String::as_str).collect();
    let kind = if args.attachments.is_empty() {
        "42".to_owned()
    } else {
        format!("45{}-", args.attachments.len())
    };
    let namespace = if namespace == "/" {
        String::new()
    } else {
        format!("{namespace},")
    };
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    (
        format!("{kind}{namespace}{id}[{}]", array.join(",")),
        args.attachments.clone(),
    )
}

/// The CONNECT frame.
pub(crate) fn encode_connect(namespace: &str, auth: Option<&Value>) -> String {
    let auth = auth.map(ToString::to_string).unwrap_or_default();
    match namespace {
        "/" => format!("40{auth}"),
        other => format!("40{other},{auth}"),
    }
}

/// What a text frame of the server says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Incoming {
    Open(Value),
    Ping,
    Connected {
        namespace: String,
        data: Value,
    },
    Refused {
        namespace: String,
        data: Value,
    },
    Disconnected {
        namespace: String,
    },
    Event {
        namespace: String,
        name: String,
        args: Vec<Value>,
    },
    Ack {
        id: u64,
        data: Value,
    },
    Other,
}

/// A packet of Socket.IO, in either direction.
pub(crate) struct Packet {
    /// The digit that begins it.
    pub(crate) kind: char,
    pub(crate) namespace: String,
    /// The number that ties an ack to its event.
    pub(crate) id: Option<u64>,
    /// The JSON in it; null where there is none.
    pub(crate) data: Value,
}

impl Packet {
    /// The text frame that carries it, if nothing in it is binary.
    pub(crate) fn text(&self) -> String {
        let namespace = match self.namespace.as_str() {
            "/" => String::new(),
            other => format!("{other},"),
        };
        let id = self.id.map(|id| id.to_string()).unwrap_or_default();
        let data = match &self.data {
            Value::Null => String::new(),
            data => data.to_string(),
        };
        format!("4{}{namespace}{id}{data}", self.kind)
    }
}

/// Takes a text frame apart that carries a packet; nothing where it does not, or its JSON is broken.
pub(crate) fn parse(frame: &str) -> Option<Packet> {
    let packet = frame.strip_prefix('4')?;
    let kind = packet.chars().next()?;
    let mut rest = &packet[kind.len_utf8()..];
    if matches!(kind, '5' | '6') {
        let (attachments, after) = rest.split_once('-')?;
        if attachments.is_empty() || !attachments.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        rest = after;
    }
    let namespace = if rest.starts_with('/') {
        let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
        rest = after;
        namespace.split('?').next().unwrap_or(namespace).to_owned()
    } else {
        "/".to_owned()
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (id, json) = rest.split_at(digits);
    let data = if json.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(json).ok()?
    };
    Some(Packet {
        kind,
        namespace,
        id: id.parse().ok(),
        data,
    })
}

/// Reads one text frame; what is not understood is [`Incoming::Other`].
pub(crate) fn decode(frame: &str) -> Incoming {
    decode_known(frame).unwrap_or(Incoming::Other)
}

fn decode_known(frame: &str) -> Option<Incoming> {
    if frame == "2" {
        return Some(Incoming::Ping);
    }
    if let Some(handshake) = frame.strip_prefix('0') {
        return serde_json::from_str(handshake).ok().map(Incoming::Open);
    }
    let Packet {
        kind,
        namespace,
        id,
        data,
    } = parse(frame)?;
    match kind {
        '0' => Some(Incoming::Connected { namespace, data }),
        '1' => Some(Incoming::Disconnected { namespace }),
        '2' | '5' => {
            let Value::Array(mut args) = data else { return None };
            if args.is_empty() {
                return None;
            }
            let Value::String(name) = args.remove(0) else {
                return None;
            };
            Some(Incoming::Event {
                namespace,
                name,
                args,
            })
        }
        '3' | '6' => {
            let Value::Array(args) = data else { return None };
            let data = args.into_iter().next().unwrap_or(Value::Null);
            Some(Incoming::Ack { id: id?, data })
        }
        '4' => Some(Incoming::Refused { namespace, data }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// What the protocol's description makes of a frame that carries a packet.
    fn by_the_description(frame: &str) -> Incoming {
        let Some(spec::Packet {
            kind,
            namespace,
            id,
            data,
        }) = spec::read(frame)
        else {
            return Incoming::Other;
        };
        match (kind, data, id) {
            ('0', data, _) => Incoming::Connected { namespace, data },
            ('1', ..) => Incoming::Disconnected { namespace },
            ('4', data, _) => Incoming::Refused { namespace, data },
            ('2' | '5', Value::Array(args), _) => match args.split_first() {
                Some((Value::String(name), args)) => Incoming::Event {
                    namespace,
                    name: name.clone(),
                    args: args.to_vec(),
                },
                _ => Incoming::Other,
            },
            ('3' | '6', Value::Array(args), Some(id)) => Incoming::Ack {
                id,
                data: args.first().cloned().unwrap_or_default(),
            },
            _ => Incoming::Other,
        }
    }

    proptest! {
        #![proptest_config(spec::config())]

        #[test]
        fn a_packet_is_read_and_written_as_it_is_described(packet in spec::packet(), attachments in "[0-9]{1,2}") {
            let frame = spec::write(&packet, &attachments);
            prop_assert_eq!(spec::read(&frame), Some(packet.clone()));
            prop_assert_eq!(decode(&frame), by_the_description(&frame));
            let read = parse(&frame).unwrap();
            prop_assert_eq!((read.kind, &read.namespace, read.id, &read.data),
                (packet.kind, &packet.namespace, packet.id, &packet.data));
            if !matches!(packet.kind, '5' | '6') {
                prop_assert_eq!(read.text(), frame);
            }
        }

        #[test]
        fn what_is_nearly_a_frame_is_read_as_it_is_described(frame in spec::nearly_a_frame()) {
            prop_assert_eq!(decode(&frame), by_the_description(&frame));
        }

        #[test]
        fn an_event_is_written_as_it_is_described(packet in spec::packet(), attachments in 0..3_usize) {
            let Some([Value::String(name), args @ ..]) = packet.args() else { return Ok(()) };
            let args = Args {
                texts: args.iter().map(Value::to_string).collect(),
                attachments: vec![Bytes::from_static(b"x"); attachments],
            };
            let (frame, sent) = encode_event(&packet.namespace, packet.id, name, &args);
            let kind = if attachments == 0 { '2' } else { '5' };
            let event = spec::Packet { kind, ..packet };
            prop_assert_eq!(&frame, &spec::write(&event, &attachments.to_string()));
            prop_assert_eq!(sent.len(), attachments);
        }
    }

    #[test]
    fn frames_of_the_server_are_understood() {
        let root = || "/".to_owned();
        for (frame, expected) in [
            ("2", Incoming::Ping),
            (r#"0{"sid":"x"}"#, Incoming::Open(json!({"sid": "x"}))),
            (
                r#"40{"sid":"x"}"#,
                Incoming::Connected {
                    namespace: root(),
                    data: json!({"sid": "x"}),
                },
            ),
            (
                r#"44{"message":"no"}"#,
                Incoming::Refused {
                    namespace: root(),
                    data: json!({"message": "no"}),
                },
            ),
            (
                r#"44/admin,{"message":"no"}"#,
                Incoming::Refused {
                    namespace: "/admin".to_owned(),
                    data: json!({"message": "no"}),
                },
            ),
            ("41", Incoming::Disconnected { namespace: root() }),
            (
                r#"42["a",1]"#,
                Incoming::Event {
                    namespace: root(),
                    name: "a".to_owned(),
                    args: vec![json!(1)],
                },
            ),
            (
                r#"4317[{"ok":true}]"#,
                Incoming::Ack {
                    id: 17,
                    data: json!({"ok": true}),
                },
            ),
            (
                "435[]",
                Incoming::Ack {
                    id: 5,
                    data: Value::Null,
                },
            ),
            ("", Incoming::Other),
            ("4", Incoming::Other),
            ("42{}", Incoming::Other),
            ("42[]", Incoming::Other),
            ("43[]", Incoming::Other),
            ("4é", Incoming::Other),
            ("nonsense", Incoming::Other),
        ] {
            assert_eq!(decode(frame), expected, "{frame}");
        }
    }

    #[test]
    fn a_packet_is_written_as_it_was_read() {
        for frame in [
            "40",
            r#"40/n,{"sid":"x"}"#,
            "41",
            r#"4212["a",1]"#,
            r#"43/n,7[{"ok":true}]"#,
            r#"44{"message":"no"}"#,
        ] {
            assert_eq!(parse(frame).unwrap().text(), frame);
        }
    }

    #[test]
    fn events_are_written_with_id_namespace_and_attachments() {
        let args = Args::from(json!({"a": 1}));
        assert_eq!(
            encode_event("/", Some(3), "x:y", &args).0,
            r#"423["x:y",{"a":1}]"#
        );
        assert_eq!(
            encode_event("/n", None, "x:y", &Args::default()).0,
            r#"42/n,["x:y"]"#
        );
        let binary = Args {
            texts: vec![r#"{"_placeholder":true,"num":0}"#.to_owned()],
            attachments: vec![Bytes::from_static(b"abc")],
        };
        let (text, attachments) = encode_event("/", Some(1), "e", &binary);
        assert_eq!(text, r#"451-1["e",{"_placeholder":true,"num":0}]"#);
        assert_eq!(attachments.len(), 1);
    }
}

//! What a load reads in a frame is what the protocol's description makes of it.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::packet::spec::{self, Packet};

/// What a load has to see in a packet of the root namespace.
fn expected(packet: &Packet) -> Frame<'static> {
    let text = |value: &Value| value.as_str().map(|text| Cow::from(text.to_owned()));
    let args = packet.args().unwrap_or_default();
    match (packet.kind, packet.id) {
        ('0', _) => Frame::Connected,
        ('1', _) => Frame::Disconnected,
        ('2', _) if args[0] == "message:new" => {
            let field = |name: &str| text(&args.get(1)?["message"][name]);
            let message = || {
                Some(Delivered {
                    id: field("_id")?,
                    chat: field("chatId")?,
                    sender: field("senderId")?,
                    body: field("body")?,
                })
            };
            message().map_or(Frame::Other, Frame::Message)
        }
        ('3', Some(id)) => {
            let said = args.first().unwrap_or(&Value::Null);
            let answer = match (&said["ok"], text(&said["error"])) {
                (Value::Bool(true), _) => Answer::Done(text(&said["data"]["serverId"])),
                (Value::Bool(false), Some(code)) => Answer::Refused(code),
                _ => Answer::Refused("an ack that is none".into()),
            };
            Frame::Ack { id, answer }
        }
        _ => Frame::Other,
    }
}

/// What a chat server sends: events and acks of the contract, and packets of any other kind.
fn packet() -> impl Strategy<Value = Packet> {
    let message = any::<[String; 4]>().prop_map(|[id, chat, sender, body]| {
        let message = json!({"_id": id, "chatId": chat, "deleted": false, "senderId": sender, "body": body});
        ('2', None, json!(["message:new", {"message": message}]))
    });
    let done = (any::<u64>(), any::<String>()).prop_map(|(id, server)| {
        (
            '3',
            Some(id),
            json!([{"ok": true, "data": {"x": [], "serverId": server}}]),
        )
    });
    let refused = (any::<u64>(), any::<String>()).prop_map(|(id, code)| {
        (
            '3',
            Some(id),
            json!([{"message": "no", "ok": false, "error": code}]),
        )
    });
    let other = spec::packet().prop_map(|packet| (packet.kind, packet.id, packet.data));
    prop_oneof![message, done, refused, other].prop_map(|(kind, id, data)| Packet {
        kind,
        namespace: "/".to_owned(),
        id,
        data,
    })
}

proptest! {
    #![proptest_config(spec::config())]

    #[test]
    fn frames_are_read_as_they_are_described(packet in packet()) {
        let frame = spec::write(&packet, "1");
        match read(&frame) {
            Frame::Refused(payload) => {
                prop_assert_eq!((packet.kind, serde_json::from_str::<Value>(payload).unwrap()), ('4', packet.data));
            }
            seen => prop_assert_eq!(seen, expected(&packet)),
        }
    }
}

//! Frames as rules see them, and back.

use serde_json::{Map, Value, json};

use super::frames::Heading;
use super::memory::now;
use super::rule::PacketKind;
use crate::packet::{self, Packet};

#[cfg(test)]
mod agreement;

/// Adds the time, and values that nothing else has.
pub(super) fn add_values(view: &mut Value) {
    let uuid = uuid::Uuid::new_v4();
    view["now"] = now().into();
    view["now_s"] = time::OffsetDateTime::now_utc().unix_timestamp().into();
    view["fresh"] = json!({"uuid": uuid.to_string(), "id": uuid.simple().to_string()[..24]});
}

/// The view of a text frame; nothing where it is no packet that can be told, or has binary parts.
pub(super) fn view_of(text: &str, heading: Heading) -> Option<Value> {
    let plain = |packet: &str, data: Value| json!({"packet": packet, "namespace": "/", "data": data});
    if let Some(handshake) = text.strip_prefix('0') {
        return Some(plain(
            PacketKind::Open.into(),
            serde_json::from_str(handshake).ok()?,
        ));
    }
    if !text.starts_with('4') {
        return Some(plain("frame", text.into()));
    }
    let packet = packet::parse(text)?;
    let kind: &str = match (packet.kind, heading) {
        ('0', Heading::ToServer) => PacketKind::Connect.into(),
        ('0', Heading::ToClient) => PacketKind::Accepted.into(),
        ('1', _) => PacketKind::Disconnect.into(),
        ('2', Heading::ToServer) => "request",
        ('2', Heading::ToClient) => "event",
        ('3', _) => "ack",
        ('4', _) => PacketKind::Refused.into(),
        _ => return None,
    };
    let mut view = Map::new();
    view.insert("packet".to_owned(), kind.into());
    view.insert("namespace".to_owned(), packet.namespace.into());
    view.insert("id".to_owned(), packet.id.into());
    match (packet.kind, packet.data) {
        ('2' | '3', Value::Array(args)) => {
            let mut args = args.into_iter();
            if packet.kind == '2' {
                view.insert("event".to_owned(), args.next().filter(Value::is_string)?);
            }
            if let Some(data) = args.next() {
                view.insert("data".to_owned(), data);
            }
            view.insert("more".to_owned(), args.collect());
        }
        ('2' | '3', _) => return None,
        (_, data) => drop(view.insert("data".to_owned(), data)),
    }
    Some(view.into())
}

/// The text frame of a view.
pub(super) fn text_of(view: &Value) -> String {
    let kind = match view["packet"].as_str().unwrap_or_default() {
        "frame" => return view["data"].as_str().unwrap_or_default().to_owned(),
        "open" => return format!("0{}", view["data"]),
        "connect" | "accepted" => '0',
        "disconnect" => '1',
        "refused" => '4',
        "ack" => '3',
        _ => '2',
    };
    let mut args = Vec::new();
    if kind == '2' {
        args.push(view["event"].clone());
    }
    args.extend(view.get("data").cloned());
    args.extend(view["more"].as_array().into_iter().flatten().cloned());
    let packet = Packet {
        kind,
        namespace: view["namespace"].as_str().unwrap_or("/").to_owned(),
        id: view["id"].as_u64(),
        data: match kind {
            '2' | '3' => args.into(),
            _ => view["data"].clone(),
        },
    };
    packet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_can_be_had_back_from_its_view() {
        for (text, heading, shown) in [
            ("2", Heading::ToClient, json!({"packet": "frame", "data": "2"})),
            (
                r#"0{"sid":"x"}"#,
                Heading::ToClient,
                json!({"packet": "open", "data": {"sid": "x"}}),
            ),
            (
                r#"40{"token":"x"}"#,
                Heading::ToServer,
                json!({"packet": "connect", "data": {"token": "x"}}),
            ),
            (
                r#"44/n,{"message":"no"}"#,
                Heading::ToClient,
                json!({"packet": "refused", "namespace": "/n"}),
            ),
            ("41", Heading::ToServer, json!({"packet": "disconnect"})),
            (
                r#"427["a",{"n":1},2,null]"#,
                Heading::ToServer,
                json!({"packet": "request", "id": 7, "event": "a", "data": {"n": 1}, "more": [2, null]}),
            ),
            (
                r#"42["a"]"#,
                Heading::ToClient,
                json!({"packet": "event", "event": "a", "more": []}),
            ),
            (
                r#"437[{"ok":true}]"#,
                Heading::ToClient,
                json!({"packet": "ack", "id": 7, "data": {"ok": true}}),
            ),
            ("437[]", Heading::ToClient, json!({"packet": "ack", "id": 7})),
        ] {
            let view = view_of(text, heading).unwrap();
            for (name, value) in shown.as_object().unwrap() {
                assert_eq!(view[name], *value, "{name} of {text}");
            }
            assert_eq!(text_of(&view), text);
        }
        for text in ["42{}", "42[7]", "4", "451-[\"a\"]", "42[\"a\"", "49"] {
            assert_eq!(view_of(text, Heading::ToServer), None, "{text}");
        }
    }
}

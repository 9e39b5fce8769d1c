//! What a frame means, for whoever reads it without knowing Engine.IO and Socket.IO by heart.

use serde_json::{Map, Value, json};

use crate::packet::{self, Packet};

/// A frame of Engine.IO as an object: `packet` is its kind, and what is in it stands beside that. Nothing where it is none, or
/// is cut off.
pub fn frame(text: &str) -> Option<Value> {
    let plain = |kind: &str| Some(json!({"packet": kind}));
    match text {
        "1" => return plain("close"),
        "2" | "2probe" => return plain("ping"),
        "3" | "3probe" => return plain("pong"),
        "5" => return plain("upgrade"),
        "6" => return plain("noop"),
        _ => {}
    }
    if let Some(handshake) = text.strip_prefix('0') {
        let handshake: Value = serde_json::from_str(handshake).ok()?;
        return Some(json!({"packet": "open", "data": handshake}));
    }
    packet::parse(text).map(packet)
}

fn packet(packet: Packet) -> Value {
    let mut told = Map::new();
    let kind = match packet.kind {
        '0' => "connect",
        '1' => "disconnect",
        '2' | '5' => "event",
        '3' | '6' => "ack",
        '4' => "connect_error",
        _ => "unknown",
    };
    told.insert("packet".to_owned(), kind.into());
    told.insert("namespace".to_owned(), packet.namespace.into());
    if let Some(id) = packet.id {
        told.insert("ack".to_owned(), id.into());
    }
    match (kind, packet.data) {
        ("event", Value::Array(mut args)) if args.first().is_some_and(Value::is_string) => {
            told.insert("event".to_owned(), args.remove(0));
            told.insert("args".to_owned(), args.into());
        }
        ("ack", args @ Value::Array(_)) => drop(told.insert("args".to_owned(), args)),
        (_, Value::Null) => {}
        (_, data) => drop(told.insert("data".to_owned(), data)),
    }
    told.into()
}

/// A connection as a library asks for it: WebSocket, handshake and CONNECT at once.
pub fn connect(url: &str, auth: Option<&Value>) -> Value {
    json!({"packet": "connect", "namespace": "/", "url": url, "data": auth})
}

/// An event as a library sends or gets it. Which id the library gives to an ack is not known.
pub fn event(name: &str, args: &[Value], wants_ack: bool) -> Value {
    let mut told = json!({"packet": "event", "namespace": "/", "event": name, "args": args});
    if wants_ack {
        told["ack"] = true.into();
    }
    told
}

/// The ack of a request as a library gets it.
pub fn ack_of(name: &str, data: &Value) -> Value {
    json!({"packet": "ack", "namespace": "/", "of": name, "args": [data]})
}

/// A request over HTTP; the body as JSON where it is that.
pub fn request(method: &str, path: &str, body: Option<&str>) -> Value {
    let mut told = json!({"http": "request", "method": method, "path": path});
    if let Some(body) = body {
        told["body"] = json_or_text(body);
    }
    told
}

/// The answer to it.
pub fn response(status: u16, body: &str) -> Value {
    json!({"http": "response", "status": status, "body": json_or_text(body)})
}

fn json_or_text(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| body.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_as_objects() {
        for (text, told) in [
            ("2", json!({"packet": "ping"})),
            ("3probe", json!({"packet": "pong"})),
            (r#"0{"sid":"x"}"#, json!({"packet": "open", "data": {"sid": "x"}})),
            ("40", json!({"packet": "connect", "namespace": "/"})),
            ("41/x,", json!({"packet": "disconnect", "namespace": "/x"})),
            (
                r#"44{"message":"no"}"#,
                json!({"packet": "connect_error", "namespace": "/", "data": {"message": "no"}}),
            ),
            (
                r#"4317[{"ok":true}]"#,
                json!({"packet": "ack", "namespace": "/", "ack": 17, "args": [{"ok": true}]}),
            ),
            ("42[1]", json!({"packet": "event", "namespace": "/", "data": [1]})),
        ] {
            assert_eq!(frame(text), Some(told), "{text}");
        }
        for text in ["", "nonsense", "42[\"cut", "(3 bytes of binary)"] {
            assert_eq!(frame(text), None, "{text}");
        }
    }
}

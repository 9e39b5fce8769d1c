//! From a socket event's name and payload to a command.

use serde_json::Value;

use super::json::{Fields, Invalid};
use super::{Body, ClientId, JoinRoom, LeaveRoom, Limits, MarkRead, SendMessage, Typing};
use crate::ids::ConnectionId;

/// What a client can ask for over the socket (contract §4–§9).
#[derive(Clone, Debug)]
pub enum SocketCommand {
    /// `room:join`
    Join(JoinRoom),
    /// `room:leave`
    Leave(LeaveRoom),
    /// `message:send`
    Send(SendMessage),
    /// `typing:start`, `typing:stop`
    Typing(Typing),
    /// `receipt:read`
    Read(MarkRead),
    /// `presence:ping`
    Ping,
}

/// Reads the request `event` of `connection` out of its first argument; `None` where there was none.
///
/// `Ok(None)`: the protocol knows no such event (ROB-01).
pub fn decode(
    event: &str,
    payload: Option<&Value>,
    connection: ConnectionId,
    limits: Limits,
) -> Result<Option<SocketCommand>, Invalid> {
    let fields = || Fields::of(payload);
    Ok(Some(match event {
        "room:join" => SocketCommand::Join(JoinRoom {
            chat: fields()?.id("chatId")?,
            connection,
        }),
        "room:leave" => SocketCommand::Leave(LeaveRoom {
            chat: fields()?.id("chatId")?,
            connection,
        }),
        "message:send" => SocketCommand::Send(send(&fields()?, limits)?),
        "typing:start" | "typing:stop" => SocketCommand::Typing(Typing {
            chat: fields()?.id("chatId")?,
            connection,
            active: event == "typing:start",
        }),
        "receipt:read" => SocketCommand::Read(MarkRead {
            chat: fields()?.id("chatId")?,
            message: fields()?.id("messageId")?,
        }),
        // Nothing in its payload means anything, so nothing in it can be wrong.
        "presence:ping" => SocketCommand::Ping,
        _ => return Ok(None),
    }))
}

fn send(fields: &Fields<'_>, limits: Limits) -> Result<SendMessage, Invalid> {
    let chat = fields.id("chatId")?;
    let client_id = ClientId::new(fields.text("clientId")?.to_owned());
    let body = Body::new(fields.text("body")?, limits);
    Ok(SendMessage {
        chat,
        client_id: Some(client_id.map_err(|problem| Invalid::new("clientId", problem))?),
        body: body.map_err(|problem| Invalid::new("body", problem))?,
        rate_limited: true,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CHAT: &str = "65f0c0ffee0123456789abcd";
    const LIMITS: Limits = Limits { body_max_bytes: 10 };

    fn decoded(event: &str, payload: &Value) -> Result<Option<SocketCommand>, Invalid> {
        decode(event, Some(payload), ConnectionId::default(), LIMITS)
    }

    #[test]
    fn each_event_is_understood() {
        let known = [
            ("room:join", json!({"chatId": CHAT})),
            ("room:leave", json!({"chatId": CHAT})),
            (
                "message:send",
                json!({"chatId": CHAT, "clientId": "c", "body": "b"}),
            ),
            ("typing:start", json!({"chatId": CHAT})),
            ("typing:stop", json!({"chatId": CHAT})),
            ("receipt:read", json!({"chatId": CHAT, "messageId": CHAT})),
            ("presence:ping", json!({})),
        ];
        for (event, payload) in known {
            assert!(matches!(decoded(event, &payload), Ok(Some(_))), "{event}");
        }
        assert!(matches!(
            decoded("typing:start", &json!({"chatId": CHAT})),
            Ok(Some(SocketCommand::Typing(Typing { active: true, .. })))
        ));
        assert!(decoded("no:such:event", &json!({})).unwrap().is_none());
    }

    #[test]
    fn what_is_not_a_valid_request_is_refused_by_field() {
        let table = [
            ("room:join", json!(null), "payload"),
            ("room:join", json!([CHAT]), "payload"),
            ("room:join", json!({}), "chatId"),
            ("room:join", json!({"chatId": {"$ne": null}}), "chatId"),
            ("room:leave", json!({"chatId": CHAT.to_uppercase()}), "chatId"),
            ("message:send", json!({"chatId": CHAT, "body": "b"}), "clientId"),
            (
                "message:send",
                json!({"chatId": CHAT, "clientId": "", "body": "b"}),
                "clientId",
            ),
            (
                "message:send",
                json!({"chatId": CHAT, "clientId": 7, "body": "b"}),
                "clientId",
            ),
            ("message:send", json!({"chatId": CHAT, "clientId": "c"}), "body"),
            (
                "message:send",
                json!({"chatId": CHAT, "clientId": "c", "body": ""}),
                "body",
            ),
            (
                "message:send",
                json!({"chatId": CHAT, "clientId": "c", "body": "12345678901"}),
                "body",
            ),
            ("typing:stop", json!({"chatId": 1}), "chatId"),
            ("receipt:read", json!({"chatId": CHAT}), "messageId"),
            ("receipt:read", json!({"messageId": CHAT}), "chatId"),
        ];
        for (event, payload, field) in table {
            let error = decoded(event, &payload).expect_err(event);
            assert_eq!(error.field(), field, "{event} {payload}");
        }
        assert_eq!(
            decode("room:join", None, ConnectionId::default(), LIMITS)
                .unwrap_err()
                .field(),
            "payload"
        );
    }

    #[test]
    fn a_ping_is_a_ping_whatever_comes_with_it() {
        for payload in [json!(null), json!("x"), json!({"chatId": 3})] {
            assert!(matches!(
                decoded("presence:ping", &payload),
                Ok(Some(SocketCommand::Ping))
            ));
        }
        assert!(matches!(
            decode("presence:ping", None, ConnectionId::default(), LIMITS),
            Ok(Some(SocketCommand::Ping))
        ));
    }

    #[test]
    fn fields_that_no_one_asked_for_change_nothing() {
        let payload =
            json!({"chatId": CHAT, "clientId": "c", "body": "b", "senderId": CHAT, "__proto__": {}});
        assert!(matches!(
            decoded("message:send", &payload),
            Ok(Some(SocketCommand::Send(_)))
        ));
    }
}

//! What shapes are gathered of: every acknowledgement, the refusal of a connection, and every broadcast.

/// One thing that a target sends, in a file of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Subject {
    /// The name of its file, without `.json`.
    pub name: &'static str,
    /// For people, as in `acknowledgement of room:join`.
    pub what: &'static str,
    /// The name of its event.
    pub event: &'static str,
    /// The schema by which it is told what the contract knows.
    pub schema: &'static str,
    /// The cases that the contract has, in alphabetical order. What comes up beside them is kept as well.
    pub cases: &'static [&'static str],
}

/// The success of a request.
pub const OK: &str = "ok";
/// An ack that is neither a success nor one of the contract's errors.
pub const NEITHER: &str = "neither ok nor an error of the contract";

/// `room:join`.
pub const JOIN: Subject = Subject {
    name: "ack-room-join",
    what: "acknowledgement of room:join",
    event: "room:join",
    schema: "acks/room-join",
    cases: &["FORBIDDEN", "INTERNAL", "VALIDATION_ERROR", OK],
};

/// `room:leave`.
pub const LEAVE: Subject = Subject {
    name: "ack-room-leave",
    what: "acknowledgement of room:leave",
    event: "room:leave",
    schema: "acks/room-leave",
    cases: &["INTERNAL", "VALIDATION_ERROR", OK],
};

/// `message:send`.
pub const SEND: Subject = Subject {
    name: "ack-message-send",
    what: "acknowledgement of message:send",
    event: "message:send",
    schema: "acks/message-send",
    cases: &["FORBIDDEN", "INTERNAL", "RATE_LIMITED", "VALIDATION_ERROR", OK],
};

/// `receipt:read`.
pub const READ: Subject = Subject {
    name: "ack-receipt-read",
    what: "acknowledgement of receipt:read",
    event: "receipt:read",
    schema: "acks/receipt-read",
    cases: &["FORBIDDEN", "INTERNAL", "NOT_FOUND", "VALIDATION_ERROR", OK],
};

/// `presence:ping`.
pub const PING: Subject = Subject {
    name: "ack-presence-ping",
    what: "acknowledgement of presence:ping",
    event: "presence:ping",
    schema: "acks/presence-ping",
    cases: &["INTERNAL", "VALIDATION_ERROR", OK],
};

/// A connection that is refused.
pub const REFUSAL: Subject = Subject {
    name: "connect-error",
    what: "CONNECT_ERROR",
    event: "CONNECT_ERROR",
    schema: "connect-error",
    cases: &["UNAUTHORIZED"],
};

/// `message:new`.
pub const MESSAGE: Subject = Subject {
    name: "event-message-new",
    what: "event message:new",
    event: "message:new",
    schema: "events/server/message-new",
    cases: &["posted by REST", "sent by socket"],
};

/// `receipt:update`.
pub const RECEIPT: Subject = Subject {
    name: "event-receipt-update",
    what: "event receipt:update",
    event: "receipt:update",
    schema: "events/server/receipt-update",
    cases: &["read"],
};

/// `typing:update`.
pub const TYPING: Subject = Subject {
    name: "event-typing-update",
    what: "event typing:update",
    event: "typing:update",
    schema: "events/server/typing-update",
    cases: &["start", "stop"],
};

/// `presence:update`.
pub const PRESENCE: Subject = Subject {
    name: "event-presence-update",
    what: "event presence:update",
    event: "presence:update",
    schema: "events/server/presence-update",
    cases: &["offline", "online"],
};

/// `chat:update`.
pub const CHAT: Subject = Subject {
    name: "event-chat-update",
    what: "event chat:update",
    event: "chat:update",
    schema: "events/server/chat-update",
    cases: &[
        "DM created",
        "group created",
        "member added",
        "member removed",
        "renamed",
    ],
};

/// All of them, in the order of their files.
pub const ALL: [&Subject; 11] = [
    &SEND, &PING, &READ, &JOIN, &LEAVE, &REFUSAL, &CHAT, &MESSAGE, &PRESENCE, &RECEIPT, &TYPING,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    #[test]
    fn every_schema_of_what_a_server_sends_is_a_subject() {
        let contract = Contract::embedded().unwrap();
        let sent = |name: &&str| {
            name.starts_with("events/server/")
                || (name.starts_with("acks/") && *name != "acks/error")
                || *name == "connect-error"
        };
        let mut schemas: Vec<&str> = ALL.iter().map(|subject| subject.schema).collect();
        schemas.sort_unstable();
        assert_eq!(schemas, contract.schemas.names().filter(sent).collect::<Vec<_>>());
    }

    #[test]
    fn names_follow_the_events_and_everything_is_in_order() {
        let names: Vec<&str> = ALL.iter().map(|subject| subject.name).collect();
        assert!(names.is_sorted(), "{names:?}");
        for subject in ALL {
            assert!(subject.cases.is_sorted(), "{:?}", subject.cases);
            let event = subject.event.replace(':', "-").to_lowercase().replace('_', "-");
            assert!(subject.name.ends_with(&event), "{}", subject.name);
            assert!(subject.what.ends_with(subject.event), "{}", subject.what);
        }
    }
}

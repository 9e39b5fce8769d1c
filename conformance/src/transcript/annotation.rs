//! What the kit did beside sending and receiving, for `repro`, which writes a scenario as a script.
//!
//! Frames alone do not tell which event was waited for, how often one had to come, or what was judged by it. No transcript
//! that is written down has remarks: some hold tokens.

use serde_json::Value;

use crate::event::{Event, Mark};
use crate::expect::event::Pattern;
use crate::private::Private;

/// Something that happens in the kit and on no wire.
#[derive(Clone, Debug, PartialEq)]
pub enum Annotation {
    /// There is a user of this name.
    Registered {
        /// Its id at the target.
        id: String,
        /// What the user connects with.
        access_token: Private<String>,
        /// The session token, if there is one.
        session_token: Option<Private<String>>,
    },
    /// The client has set a mark.
    Marked(Mark),
    /// The client waited for an event, and this one came.
    Heard {
        /// Name of the event.
        event: String,
        /// Its first argument.
        data: Value,
        /// Where events that count begin.
        after: Option<Mark>,
    },
    /// The client has got exactly so many events.
    Counted {
        /// The number of events.
        n: usize,
        /// Name of the event.
        event: String,
        /// With these values at these JSON pointers; nothing where more is asked of them.
        conditions: Option<Vec<(String, Value)>>,
        /// Where events that count begin.
        after: Option<Mark>,
    },
    /// The client's events were looked at, in the order in which they came.
    Looked {
        /// Name of the event.
        event: String,
        /// Their first arguments.
        data: Vec<Value>,
    },
    /// What has happened since the last one was judged by this requirement.
    Judged(String),
}

impl Annotation {
    /// The event has come that was waited for.
    pub(crate) fn heard(event: &Event, after: Option<Mark>) -> Self {
        Self::Heard {
            event: event.name.clone(),
            data: event.data().clone(),
            after,
        }
    }

    /// These events are looked at.
    pub(crate) fn looked(pattern: &Pattern, events: &[Event]) -> Self {
        Self::Looked {
            event: pattern.name().to_owned(),
            data: events.iter().map(|event| event.data().clone()).collect(),
        }
    }

    /// So many events have come that match.
    pub(crate) fn counted(n: usize, pattern: &Pattern) -> Self {
        Self::Counted {
            n,
            event: pattern.name().to_owned(),
            conditions: pattern.values(),
            after: pattern.mark(),
        }
    }
}

//! What a rule is: what it is about, under which conditions, and what it does. Rules are data; a file of them is read.
//!
//! What passes is shown to a rule as a JSON object, its **view**, and everything in a rule is a JSON pointer into that, or a
//! template that is filled from it: a text that is nothing but `{{/pointer}}` becomes what is there, with its type, and null
//! where nothing is.
//!
//! | in the view | what it is |
//! |---|---|
//! | `/packet` | `request` `ack` `event` `connect` `accepted` `refused` `disconnect` `open` `frame` `answer` |
//! | `/event`, `/id` | the name of the event, for an ack that of what it acknowledges; the number of the ack |
//! | `/data`, `/more` | the payload, or the body of an HTTP answer; further arguments |
//! | `/request`, `/by` | the payload that led to this, and the connection that it came over, where that is known; for an HTTP answer `/request/path`, `/request/query`, `/request/headers` and `/request/body` |
//! | `/conn` | the connection that this passes over; for an HTTP answer, who asks. See [`super::state`] |
//! | `/status`, `/headers` | of an HTTP answer |
//! | `/now`, `/now_s`, `/fresh/id`, `/fresh/uuid` | the time as text and in seconds; values that nothing else has |
//! | `/seen/NAME` | bound by a condition on what was seen: `count`, and what was kept of the `first` and the `last` |
//! | `/other`, `/item` | the connection, or the item of a list, that an act chooses by conditions of its own |

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::when::{When, pointer};
use crate::targets::profile::operation::Operation;

/// What is done to what passes, and when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The frames or answers that it applies to.
    pub on: On,
    /// All of these hold.
    #[serde(default)]
    pub when: Vec<When>,
    /// Then this is done, in this order.
    #[serde(rename = "do")]
    pub acts: Vec<Act>,
}

/// Something worth remembering: conditions of rules may ask how often it was seen before. It is looked for in what came in,
/// before any rule has changed it, and counts from the next thing on that passes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// What conditions call it.
    pub name: String,
    /// The frames or answers that it applies to.
    pub on: On,
    /// All of these hold.
    #[serde(default)]
    pub when: Vec<When>,
    /// JSON pointers to the values that identify it, as in user, chat and clientId.
    pub of: Vec<String>,
    /// What is kept of it, a template.
    #[serde(default)]
    pub keep: Value,
}

/// What a rule is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// An event from a client.
    Request(Names),
    /// The acknowledgement of one.
    Ack(Names),
    /// An event from the server.
    Event(Names),
    /// A packet of another kind.
    Packet(PacketKind),
    /// A text frame that is no packet of Socket.IO, as it is: `2` is a ping, `3probe` the answer to a probe.
    Frame(String),
    /// The answer to an HTTP request, by what the target file calls it.
    Answer(Operation),
}

/// Names of events; `*` is any.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Names {
    /// This one.
    One(String),
    /// One of these.
    Several(Vec<String>),
}

impl Names {
    fn have(&self, name: Option<&str>) -> bool {
        let names = match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        };
        names
            .iter()
            .any(|known| known == "*" || Some(known.as_str()) == name)
    }
}

/// Kinds of packets that are neither events nor acks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PacketKind {
    /// The Engine.IO handshake.
    Open,
    /// CONNECT from a client.
    Connect,
    /// CONNECT from the server.
    Accepted,
    /// `CONNECT_ERROR`.
    Refused,
    /// DISCONNECT, from either side.
    Disconnect,
}

impl On {
    /// Whether the view is of what is meant.
    pub(super) fn means(&self, view: &Value) -> bool {
        let packet = view["packet"].as_str().unwrap_or_default();
        let event = view["event"].as_str();
        match self {
            Self::Request(names) => packet == "request" && names.have(event),
            Self::Ack(names) => packet == "ack" && names.have(event),
            Self::Event(names) => packet == "event" && names.have(event),
            Self::Packet(kind) => packet == <&str>::from(*kind),
            Self::Frame(text) => packet == "frame" && view["data"] == text.as_str(),
            Self::Answer(operation) => packet == "answer" && view["operation"] == operation.name(),
        }
    }
}

/// What is done.
#[derive(Clone, Debug, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[strum(serialize_all = "snake_case")]
pub enum Act {
    /// It does not pass. In a list, the item is left out.
    Drop,
    /// It passes once more. In a list, the item is there twice.
    Duplicate,
    /// It passes after so many milliseconds; what comes after it does not wait.
    DelayMs(u64),
    /// The next one that the rule is about passes before it.
    Reorder,
    /// The connection is cut, without a goodbye to either side; if it is not dropped, this still passes.
    Cut,
    /// The other connections are cut for which all these hold.
    CutOthers(Vec<When>),
    /// From now on the server's side is kept open, its pings are answered, and nothing else passes.
    HalfOpen,

    /// This is here instead, or as well.
    Set {
        /// JSON pointer to the value.
        at: String,
        /// A template.
        to: Value,
    },
    /// This is not there any more.
    Remove(String),
    /// This has another name.
    Rename {
        /// JSON pointer to the value.
        at: String,
        /// The name that it gets.
        to: String,
    },
    /// A number is so much greater.
    Add {
        /// JSON pointer to the value.
        at: String,
        /// The number to add; it may be negative.
        amount: i64,
    },
    /// A part of a text is replaced, wherever it occurs.
    Replace {
        /// JSON pointer to the value.
        at: String,
        /// The text to look for.
        text: String,
        /// The text that replaces it.
        by: String,
    },
    /// White space at the ends of a text is taken away.
    Trim(String),
    /// A text is cut to so many bytes of UTF-8.
    Truncate {
        /// JSON pointer to the value.
        at: String,
        /// The most bytes of UTF-8 that stay.
        bytes: usize,
    },
    /// A list is turned round.
    Reverse(String),
    /// A list gets one more item, behind the others.
    Append {
        /// JSON pointer to the value.
        at: String,
        /// A template.
        item: Value,
    },
    /// Something is done to every item of a list for which these conditions hold.
    Each {
        /// JSON pointer to the list.
        of: String,
        /// All of these hold.
        #[serde(default)]
        when: Vec<When>,
        /// The actions on each item; none of those that concern a connection.
        then: Vec<Act>,
    },
    /// The HTTP answer has this status.
    Status(u16),
    /// The HTTP answer has this header, or none of this name where the template gives null.
    Header {
        /// Name of the header.
        name: String,
        /// A template.
        to: Value,
    },

    /// The request does not pass, and is acknowledged by the proxy: a template.
    Reply(Value),
    /// CONNECT does not pass, and is refused by the proxy: a template.
    Refuse(Value),
    /// It also goes over the other connections for which all these hold: what is for a client to every one of them, what is
    /// for the server over the first one, without asking for an ack.
    DeliverTo(Vec<When>),
    /// An event of the proxy's own.
    Inject {
        /// Name of the event.
        event: String,
        /// Its payload, a template.
        data: Value,
        /// Every connection for which all these hold; this connection alone where they are left out.
        #[serde(default)]
        to: Option<Vec<When>>,
    },
    /// A text frame of the proxy's own to the server: a template.
    TellServer(Value),

    /// It is remembered, for conditions of this and other rules.
    Remember {
        /// What conditions call it.
        name: String,
        /// JSON pointers to the values that identify it.
        of: Vec<String>,
        /// What is kept of it, a template.
        #[serde(default)]
        keep: Value,
    },
}

/// How long something waits for the next one to pass before it.
pub(super) const REORDERED_WITHIN: Duration = Duration::from_millis(300);

impl Act {
    /// What is wrong with it, if something is.
    fn check(&self, in_list: bool) -> Result<(), String> {
        let to_a_connection = matches!(
            self,
            Self::DelayMs(_)
                | Self::Reorder
                | Self::Cut
                | Self::CutOthers(_)
                | Self::HalfOpen
                | Self::Status(_)
                | Self::Header { .. }
                | Self::Reply(_)
                | Self::Refuse(_)
                | Self::DeliverTo(_)
                | Self::Inject { .. }
                | Self::TellServer(_)
                | Self::Remember { .. }
        );
        if in_list && to_a_connection {
            return Err(format!(
                "{} cannot be done to an item of a list",
                <&str>::from(self)
            ));
        }
        match self {
            Self::Set { at, .. }
            | Self::Remove(at)
            | Self::Rename { at, .. }
            | Self::Add { at, .. }
            | Self::Replace { at, .. }
            | Self::Trim(at)
            | Self::Truncate { at, .. }
            | Self::Reverse(at)
            | Self::Append { at, .. } => pointer(at),
            Self::Each { of, when, then } => {
                pointer(of)?;
                conditions(when)?;
                then.iter().try_for_each(|act| act.check(true))
            }
            Self::CutOthers(when) | Self::DeliverTo(when) | Self::Inject { to: Some(when), .. } => {
                conditions(when)
            }
            Self::Remember { of, .. } => of.iter().try_for_each(|at| pointer(at)),
            _ => Ok(()),
        }
    }
}

impl Rule {
    /// What is wrong with it, if something is.
    pub fn check(&self) -> Result<(), String> {
        conditions(&self.when)?;
        if self.acts.is_empty() {
            return Err("the rule has no action: give do = […]".to_owned());
        }
        self.acts.iter().try_for_each(|act| act.check(false))
    }

    /// The names of what its conditions ask whether it was seen.
    pub fn asks_for(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.when.iter().flat_map(When::asks_for).collect();
        for act in &self.acts {
            if let Act::Each { when, .. }
            | Act::CutOthers(when)
            | Act::DeliverTo(when)
            | Act::Inject { to: Some(when), .. } = act
            {
                names.extend(when.iter().flat_map(When::asks_for));
            }
        }
        names
    }

    /// The names of what it remembers itself.
    pub fn remembers(&self) -> impl Iterator<Item = &str> {
        self.acts.iter().filter_map(|act| match act {
            Act::Remember { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Observation {
    /// What is wrong with it, if something is.
    pub fn check(&self) -> Result<(), String> {
        conditions(&self.when)?;
        self.of.iter().try_for_each(|at| pointer(at))
    }
}

fn conditions(when: &[When]) -> Result<(), String> {
    when.iter().try_for_each(When::check)
}

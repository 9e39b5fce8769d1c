//! What happens in a scenario, step by step: who registers, connects, sends and gets what.
//!
//! Values are JSON with [placeholders](super::names) in the place of what only a run of the script knows. Users,
//! connections and marks are referred to by their names. As they are serialized, steps stand in a script.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::names::placeholder;
use super::rest::Call;
use crate::scenarios::Scenario;
use crate::targets::profile::operation::Operation;

/// A scenario as it was played, up to the last check of what was asked for.
#[derive(Clone, Debug)]
pub struct Steps {
    /// Which scenario.
    pub scenario: &'static Scenario,
    /// The requirement that the script is for; all that the scenario judges where there is none.
    pub asked: Option<String>,
    /// The steps, in their order.
    pub list: Vec<Step>,
}

impl Steps {
    /// The requirements that some step checks, each once, in the order of the steps.
    pub fn checked(&self) -> Vec<&str> {
        let mut checked: Vec<&str> = Vec::new();
        for id in self.list.iter().flat_map(|step| &step.checks) {
            if !checked.contains(&id.as_str()) {
                checked.push(id);
            }
        }
        checked
    }

    /// Whether a value of some step has a placeholder of this name.
    pub fn mention(&self, name: &str) -> bool {
        serde_json::to_string(&self.list).is_ok_and(|text| text.contains(&placeholder(name)))
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Step {
    /// What is done, or looked at.
    #[serde(flatten)]
    pub action: Action,
    /// The requirements that it checks; none where it has to work on the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// Whether it belongs to a fence: it is there so that nothing can be missing any more when it has arrived.
    #[serde(skip)]
    pub fence: bool,
}

/// What is done, or looked at.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Action {
    /// A user registers.
    Register {
        /// The name.
        #[serde(rename = "register")]
        user: String,
    },
    /// A request to the REST API succeeds.
    Rest {
        /// The user who makes it.
        #[serde(rename = "rest")]
        user: String,
        /// What is asked for.
        #[serde(skip)]
        operation: Operation,
        /// Values for the placeholders of its template.
        #[serde(skip)]
        fill: BTreeMap<String, Value>,
        /// What matters of the answer.
        #[serde(skip)]
        answer: Answer,
        /// How a target is asked this, once it is known which.
        #[serde(flatten)]
        call: Option<Box<Call>>,
    },
    /// A connection is opened, and accepted or refused.
    Connect {
        /// Its name.
        #[serde(rename = "connect")]
        client: String,
        /// What goes into CONNECT, if anything.
        #[serde(skip_serializing_if = "Option::is_none")]
        auth: Option<Value>,
        /// What goes into the query string.
        #[serde(skip_serializing_if = "Map::is_empty")]
        query: Map<String, Value>,
        /// Whether it is refused.
        #[serde(skip_serializing_if = "is_not")]
        refused: bool,
    },
    /// Requests with acks; where there are several, all are sent before the first is answered.
    Ask(#[serde(serialize_with = "one_or_all")] Vec<Ask>),
    /// An event is sent whose ack is not waited for.
    Send {
        /// The connection.
        #[serde(rename = "send")]
        client: String,
        /// Its name.
        event: String,
        /// Its arguments.
        args: Vec<Value>,
        /// Whether an ack is asked for, which may come or not.
        #[serde(rename = "ack_may_come", skip_serializing_if = "is_not")]
        ack: bool,
    },
    /// A connection is closed.
    Close {
        /// The connection.
        #[serde(rename = "close")]
        client: String,
    },
    /// Time passes.
    Pause {
        /// How much, in s.
        #[serde(rename = "pause")]
        seconds: f64,
    },
    /// A place in what a connection gets, for later steps that look only at what comes behind it.
    Mark {
        /// The connection.
        #[serde(rename = "mark")]
        client: String,
        /// The name of the mark.
        #[serde(rename = "as")]
        name: String,
    },
    /// An event is waited for.
    Hear {
        /// The connection.
        #[serde(rename = "hear")]
        client: String,
        /// Its name.
        event: String,
        /// Its payload.
        wanted: Value,
        /// The mark behind which it has to be.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<String>,
    },
    /// Events that have come are in this order; they need not have come.
    Order {
        /// The connection.
        #[serde(rename = "order")]
        client: String,
        /// Their name.
        event: String,
        /// Their payloads.
        wanted: Vec<Value>,
    },
    /// Exactly so many events have come, and no more will.
    Count {
        /// The connection.
        #[serde(rename = "count")]
        client: String,
        /// Their name.
        event: String,
        /// Their payload.
        wanted: Value,
        /// How many.
        times: usize,
        /// The mark behind which they are counted.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<String>,
    },
}

/// A request with an ack.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Ask {
    /// The connection.
    #[serde(rename = "ask")]
    pub client: String,
    /// The event.
    pub event: String,
    /// Its arguments.
    pub args: Vec<Value>,
    /// What is answered.
    #[serde(flatten)]
    pub ack: Ack,
}

/// What is answered to a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Ack {
    /// `ok: true`, with this `data` where it matters.
    Ok(Option<Value>),
    /// `ok: false`, with this code.
    Error(String),
    /// A success or an error: the contract leaves it open.
    Either,
    /// One of several requests at once of which only the numbers of `ok` and of each code are known, here one of them.
    OneOf(String),
}

/// What matters of the answer to a REST request.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing but that it succeeded.
    Nothing,
    /// The id of what was made, which has this name from then on.
    Id(String),
    /// Messages, which are these.
    Messages(Vec<Value>),
    /// How many messages are unread in chats, by the placeholder of their id.
    Unread(Vec<(String, u64)>),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_not(value: &bool) -> bool {
    !*value
}

impl Serialize for Ack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        match self {
            Self::Ok(data) => {
                fields.serialize_entry("ack", "ok")?;
                if let Some(data) = data {
                    fields.serialize_entry("data", data)?;
                }
            }
            Self::Error(code) => fields.serialize_entry("ack", code)?,
            Self::Either => fields.serialize_entry("ack", "either")?,
            Self::OneOf(_) => {}
        }
        fields.end()
    }
}

fn one_or_all<S: Serializer>(asks: &[Ask], serializer: S) -> Result<S::Ok, S::Error> {
    if let [ask] = asks {
        return ask.serialize(serializer);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for ask in asks {
        if let Ack::OneOf(outcome) = &ask.ack {
            *counts.entry(outcome).or_default() += 1;
        }
    }
    let mut fields = serializer.serialize_map(None)?;
    fields.serialize_entry("at_once", asks)?;
    if !counts.is_empty() {
        fields.serialize_entry("acks", &counts)?;
    }
    fields.end()
}

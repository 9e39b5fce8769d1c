//! What is wrong, and what came of the rest, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;
use strum::IntoStaticStr;

/// How many faults are kept with their text; all are counted.
const TOLD: usize = 50;

/// What is wrong with a delivery, or with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "kebab-case")]
pub enum FaultKind {
    /// It was acknowledged and has not arrived.
    Lost,
    /// It has arrived before.
    Doubled,
    /// It has arrived behind what was sent after its ack.
    OutOfOrder,
    /// Nobody sent it, or not to this room, or it was refused.
    Invented,
    /// It has two ids, or its id is another message's.
    Ids,
}

/// Something that was seen to be wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// With which message, and where.
    pub text: String,
}

/// How many faults there are, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Deliveries that are missing at the end.
    pub lost: u64,
    /// Deliveries too many.
    pub doubled: u64,
    /// Deliveries behind others that were sent later.
    pub out_of_order: u64,
    /// Deliveries of what nobody sent.
    pub invented: u64,
    /// Ids that are not the message's.
    pub ids: u64,
    /// The first of them, in words.
    pub told: Vec<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, kind: FaultKind, text: impl FnOnce() -> String) {
        *match kind {
            FaultKind::Lost => &mut self.lost,
            FaultKind::Doubled => &mut self.doubled,
            FaultKind::OutOfOrder => &mut self.out_of_order,
            FaultKind::Invented => &mut self.invented,
            FaultKind::Ids => &mut self.ids,
        } += 1;
        if self.told.len() < TOLD {
            self.told.push(Fault { kind, text: text() });
        }
    }

    /// All of them.
    pub const fn sum(&self) -> u64 {
        self.lost + self.doubled + self.out_of_order + self.invented + self.ids
    }
}

/// What came of the messages, without what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Messages of the plan.
    pub planned: u64,
    /// Those that went out; repeats are not counted.
    pub sent: u64,
    /// Those with an ack of success.
    pub acked: u64,
    /// Those with an error, by its code.
    pub refused: BTreeMap<String, u64>,
    /// Those without any ack, though the connection lasted.
    pub unanswered: u64,
    /// Those without any ack whose connection was lost.
    pub cut_off: u64,
    /// How often one was sent again under its `clientId`.
    pub repeats: u64,
    /// Deliveries of acknowledged messages that are due to connections that lasted.
    pub due: u64,
    /// Of these, those that have arrived.
    pub delivered: u64,
    /// Of these, those that were still missing when the wait for them was cut short: nobody knows whether they are lost.
    pub undecided: u64,
    /// Deliveries that took longer than the limit.
    pub late: u64,
    /// Deliveries behind others that were sent later, but before the ack: the contract leaves that open.
    pub overtaken: u64,
    /// Acks that nothing was waiting for.
    pub stray_acks: u64,
}

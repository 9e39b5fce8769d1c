//! What is said between statements: where something begins, and what a fence is for.

use super::Writer;
use crate::repro::story::{Part, Step};
use crate::repro::term::Term;

impl Writer<'_> {
    /// What is to be said before a step, where it begins something.
    pub(super) fn comment(&self, before: Option<&Step>, step: &Step) -> Option<&'static str> {
        match step {
            Step::Register(user) => match self.story.users[*user].part {
                Part::Player if !matches!(before, Some(Step::Register(_))) => Some("Who takes part."),
                Part::Player => None,
                Part::Witness => Some(
                    "A member of whom nobody expects anything: what this one sends shows that all before it has come.",
                ),
                Part::Helper if before.is_some_and(|before| self.is_fence(before)) => None,
                Part::Helper => Some("These cause the chat:update that shows that all before it has come."),
            },
            Step::Ask { asks, .. } if asks.len() > 1 => {
                Some("All at once: none of them waits for the answer to another.")
            }
            step if self.is_fence(step) && is_act(step) => {
                let begins = before.is_none_or(|before| !self.is_fence(before));
                begins
                    .then_some("A fence: when this has arrived, what was sent before it has arrived as well.")
            }
            _ => None,
        }
    }

    /// Whether a step belongs to a fence.
    fn is_fence(&self, step: &Step) -> bool {
        let helps = |user: usize| self.story.users[user].part != Part::Player;
        let of = |client: usize| self.story.clients[client].user.is_some_and(helps);
        match step {
            Step::Register(user) => helps(*user),
            Step::Rest { user, fill, .. } => helps(*user) || fill.values().any(Term::is_fence),
            Step::Connect { client, .. } | Step::Close(client) | Step::Tell { client, .. } => of(*client),
            Step::Ask { asks, .. } => asks.iter().all(|ask| of(ask.client)),
            _ => false,
        }
    }
}

/// Whether a step does something, instead of looking at what came of it.
pub(super) const fn is_act(step: &Step) -> bool {
    !matches!(step, Step::Hear { .. } | Step::Count { .. } | Step::Order { .. })
}

/// Steps that belong together without a line between them.
pub(super) const fn is_prelude(before: &Step, step: &Step) -> bool {
    matches!(
        (before, step),
        (Step::Register(_), Step::Register(_))
            | (
                Step::Connect { accepted: true, .. },
                Step::Connect { accepted: true, .. }
            )
            | (
                Step::Connect { accepted: false, .. },
                Step::Connect { accepted: false, .. }
            )
            | (Step::Tell { .. }, Step::Tell { .. })
            | (Step::Close(_), Step::Close(_))
    )
}

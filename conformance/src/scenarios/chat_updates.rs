//! Chat updates: who is told of a changed chat.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

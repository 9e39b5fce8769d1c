//! Typing: who is told, and who is not.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

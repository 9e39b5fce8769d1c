//! Robustness: bad input harms nobody.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

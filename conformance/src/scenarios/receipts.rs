//! Read receipts: a cursor that only moves forward.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

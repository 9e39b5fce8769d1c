//! Reconnection and backfill: nothing is lost, nothing comes twice.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

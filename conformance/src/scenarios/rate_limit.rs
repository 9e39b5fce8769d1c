//! Rate limit: ten sends per user in any ten seconds.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

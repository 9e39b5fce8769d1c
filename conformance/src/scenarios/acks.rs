//! Acknowledgements and errors: their shape, and that each comes once.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

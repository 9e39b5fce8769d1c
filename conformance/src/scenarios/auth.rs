//! Authentication: which tokens open a connection, and whose connection it is.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

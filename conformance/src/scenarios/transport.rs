//! Transport: handshakes, polling, CORS, namespaces.

use super::Scenario;

pub(super) const SCENARIOS: &[Scenario] = &[];

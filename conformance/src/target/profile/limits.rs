//! What a target keeps within.

use serde::{Deserialize, Serialize};

/// The limits that the target keeps, and by which it is judged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Sends per user in any one window.
    pub rate_max: usize,
    /// Length of that window.
    pub rate_window_ms: u64,
    /// Least time between two presence updates about one user.
    pub presence_window_ms: u64,
    /// Longest message body in bytes.
    pub body_max_bytes: usize,
    /// How long, in ms, a run waits at most for the target to notice a connection that has vanished (PRES-09), or that does
    /// not ask to be let in (TRANS-05). At most a minute.
    pub wait_max_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate_max: 10,
            rate_window_ms: 10_000,
            presence_window_ms: 2_000,
            body_max_bytes: 100_000,
            wait_max_ms: 10_000,
        }
    }
}

impl Limits {
    /// Those that are not the contract's, for people; a requirement's text speaks of the contract's.
    pub fn own(&self) -> Vec<String> {
        let contract = Self::default();
        [
            ("rate_max", self.rate_max as u64, contract.rate_max as u64),
            ("rate_window_ms", self.rate_window_ms, contract.rate_window_ms),
            (
                "presence_window_ms",
                self.presence_window_ms,
                contract.presence_window_ms,
            ),
            (
                "body_max_bytes",
                self.body_max_bytes as u64,
                contract.body_max_bytes as u64,
            ),
        ]
        .into_iter()
        .filter(|(_, own, contract)| own != contract)
        .map(|(name, own, contract)| format!("{name} = {own} instead of {contract}"))
        .collect()
    }

    /// The error begins with the key.
    pub(super) fn check(&self) -> Result<(), String> {
        let Limits {
            rate_max,
            rate_window_ms,
            presence_window_ms,
            body_max_bytes,
            wait_max_ms,
        } = *self;
        for (key, value) in [
            ("rate_max", rate_max as u64),
            ("rate_window_ms", rate_window_ms),
            ("presence_window_ms", presence_window_ms),
            ("body_max_bytes", body_max_bytes as u64),
        ] {
            if value == 0 {
                return Err(format!(
                    "limits.{key}: at least 1; a limit of 0 would be kept by any server"
                ));
            }
        }
        if wait_max_ms > 60_000 {
            return Err("limits.wait_max_ms: a run does not wait for more than 60000 ms".to_owned());
        }
        Ok(())
    }
}

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
    /// How often, in ms, the server pings a connection, if not as often as its handshake says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_interval_ms: Option<u64>,
    /// How long, in ms, it then waits for the answer, if not as long as its handshake says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_timeout_ms: Option<u64>,
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
            ping_interval_ms: None,
            ping_timeout_ms: None,
            wait_max_ms: 10_000,
        }
    }
}

impl Limits {
    /// Those that are not the contract's, for people; a requirement's text speaks of the contract's.
    pub fn own(&self) -> Vec<String> {
        let contract = Self::default();
        let with_default = self.with_default().into_iter().zip(contract.with_default());
        let changed = with_default.filter(|((_, own), (_, contract))| own != contract);
        let changed =
            changed.map(|((name, own), (_, contract))| format!("{name} = {own} instead of {contract}"));
        let pings = [
            ("ping_interval_ms", self.ping_interval_ms),
            ("ping_timeout_ms", self.ping_timeout_ms),
        ];
        let told = pings
            .into_iter()
            .filter_map(|(name, own)| Some(format!("{name} = {} instead of the handshake's", own?)));
        changed.chain(told).collect()
    }

    /// Those for which the contract has a value, by key.
    const fn with_default(&self) -> [(&'static str, u64); 4] {
        [
            ("rate_max", self.rate_max as u64),
            ("rate_window_ms", self.rate_window_ms),
            ("presence_window_ms", self.presence_window_ms),
            ("body_max_bytes", self.body_max_bytes as u64),
        ]
    }

    /// The error begins with the key.
    pub(super) fn check(&self) -> Result<(), String> {
        for (key, value) in self.with_default() {
            if value == 0 {
                return Err(format!(
                    "limits.{key}: at least 1; a limit of 0 would be kept by any server"
                ));
            }
        }
        if self.wait_max_ms > 60_000 {
            return Err("limits.wait_max_ms: a run does not wait for more than 60000 ms".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_as_in_the_contract_is_told() {
        assert!(Limits::default().own().is_empty());
        let own: Limits = toml::from_str("rate_max = 20\nping_interval_ms = 500").unwrap();
        let told = [
            "rate_max = 20 instead of 10",
            "ping_interval_ms = 500 instead of the handshake's",
        ];
        assert_eq!(own.own(), told);
    }
}

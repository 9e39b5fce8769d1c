//! What was seen, so that conditions can ask for it.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::Value;

/// Everything that was remembered, by name and by what tells one from another.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seen: HashMap<(String, String), Vec<(Instant, Value)>>,
}

impl Memory {
    pub(super) fn remember(&mut self, name: &str, of: &[Value], keep: Value) {
        let seen = self.seen.entry((name.to_owned(), key(of))).or_default();
        seen.push((Instant::now(), keep));
    }

    /// What was kept of each, the oldest first; only of what was seen after `since` and before `until`, where these are given.
    pub(super) fn recall(
        &self,
        name: &str,
        of: &[Value],
        since: Option<Instant>,
        until: Option<Instant>,
    ) -> Vec<&Value> {
        let seen = self.seen.get(&(name.to_owned(), key(of)));
        seen.into_iter()
            .flatten()
            .filter(|(at, _)| {
                since.is_none_or(|since| *at >= since) && until.is_none_or(|until| *at <= until)
            })
            .map(|(_, kept)| kept)
            .collect()
    }
}

fn key(of: &[Value]) -> String {
    Value::from(of.to_vec()).to_string()
}

/// The time now, to the millisecond, as servers write it.
pub(super) fn now() -> String {
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
    );
    time::OffsetDateTime::now_utc().format(format).unwrap_or_default()
}

//! Starting a target: the command, and what it finds in its environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use regex::Regex;
use serde::Deserialize;

use crate::private::Private;

/// How the kit starts the target, and stops it after the run with everything that it has started, as far as that has stayed
/// in its process group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// Run by `sh`. `{{port}}` stands for a free port, here, in `env`, in `ready_url` and in `urls`.
    pub command: String,
    /// The working directory, from the folder of the target file on; that folder by default.
    #[serde(default)]
    pub cwd: Option<PathBuf>,
    /// Further variables of its environment.
    #[serde(default)]
    pub env: Private<BTreeMap<String, String>>,
    /// A URL that answers with a success once it is ready.
    #[serde(default)]
    pub ready_url: Option<String>,
    /// A regular expression for the line that it prints once it is ready. Its first group, if there is one, is the
    /// target's URL.
    #[serde(default)]
    pub ready_line: Option<String>,
    /// How long that may take, in ms.
    #[serde(default = "half_a_minute")]
    pub ready_within_ms: u64,
    /// How long it may take to stop when it is asked to by SIGTERM, in ms.
    #[serde(default = "five_seconds")]
    pub stop_within_ms: u64,
}

const fn half_a_minute() -> u64 {
    30_000
}

const fn five_seconds() -> u64 {
    5_000
}

/// What the kit provides beside a target that it starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// The variable in which the target looks for the connection string of its MongoDB.
    pub mongodb: Option<String>,
}

impl Launch {
    /// What the types alone do not see. The error begins with the key.
    pub(super) fn check(&self, urls: &[String]) -> Result<(), String> {
        let groups = match &self.ready_line {
            Some(line) => Regex::new(line)
                .map_err(|error| format!("launch.ready_line: {error}"))?
                .captures_len(),
            None => 0,
        };
        if self.ready_line.is_none() && self.ready_url.is_none() {
            return Err(
                "launch.ready_line or launch.ready_url must say how to see that the target is ready"
                    .to_owned(),
            );
        }
        if urls.is_empty() && groups < 2 {
            return Err(
                "launch.ready_line must have a group for the target's URL, as in 'listening on (http://\\S+)', or urls must \
                 be given"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

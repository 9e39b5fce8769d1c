//! What can be set about the rules and the sockets: one struct, parsed once; every flag is also an environment variable.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, FromArgMatches as _};

use crate::auth::{KeyOptions, PasswordCost};
use crate::command::Limits;
use crate::rate_limit::Rate;

/// How the server behaves, wherever it listens and whatever it keeps its data in.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Secret for access tokens signed with HS256, at least 32 bytes. Without any key a random secret is used, and
    /// tokens die with the process.
    #[arg(
        long,
        env = "CHATSPEC_JWT_SECRET",
        hide_env_values = true,
        value_name = "SECRET",
        conflicts_with = "jwt_key_file"
    )]
    pub jwt_secret: Option<String>,

    /// File with an Ed25519 private key (PKCS#8 PEM) for access tokens signed with EdDSA; its public half is served
    /// at /v1/auth/jwks.
    #[arg(long, env = "CHATSPEC_JWT_KEY_FILE", value_name = "FILE")]
    pub jwt_key_file: Option<PathBuf>,

    /// `iss` that access tokens carry and must carry.
    #[arg(long, env = "CHATSPEC_JWT_ISSUER", value_name = "TEXT")]
    pub jwt_issuer: Option<String>,

    /// `aud` that access tokens carry and must carry.
    #[arg(long, env = "CHATSPEC_JWT_AUDIENCE", value_name = "TEXT")]
    pub jwt_audience: Option<String>,

    /// How long an access token is valid.
    #[arg(long, env = "CHATSPEC_ACCESS_TOKEN_SECONDS", default_value_t = 15 * 60, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub access_token_seconds: u64,

    /// How long a session token is valid.
    #[arg(long, env = "CHATSPEC_SESSION_SECONDS", default_value_t = 7 * 24 * 3600, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    pub session_seconds: u64,

    /// Memory that hashing one password takes; less is quicker and weaker.
    #[arg(long, env = "CHATSPEC_PASSWORD_MEMORY_KIB", default_value_t = 19_456, value_name = "KIB",
          value_parser = clap::value_parser!(u32).range(8..=4_194_304))]
    pub password_memory_kib: u32,

    /// Passes over that memory.
    #[arg(long, env = "CHATSPEC_PASSWORD_PASSES", default_value_t = 2, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub password_passes: u32,

    /// Origin that browsers may call from, as in `https://app.example`; give it once per origin.
    #[arg(
        long = "cors-origin",
        env = "CHATSPEC_CORS_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    pub cors_origins: Vec<String>,

    /// Messages that a user may send in any one rate window.
    #[arg(long, env = "CHATSPEC_RATE_MAX", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rate_max: u32,

    /// Length of the sliding rate window.
    #[arg(long, env = "CHATSPEC_RATE_WINDOW_MS", default_value_t = 10_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub rate_window_ms: u64,

    /// Least time between two presence updates about one user.
    #[arg(long, env = "CHATSPEC_PRESENCE_WINDOW_MS", default_value_t = 2_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub presence_window_ms: u64,

    /// Longest message, in bytes of UTF-8.
    #[arg(long, env = "CHATSPEC_BODY_MAX_BYTES", default_value_t = 100_000, value_name = "BYTES",
          value_parser = clap::value_parser!(u32).range(1..=16_777_216))]
    pub body_max_bytes: u32,

    /// Time between two Engine.IO pings.
    #[arg(long, env = "CHATSPEC_PING_INTERVAL_MS", default_value_t = 25_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub ping_interval_ms: u64,

    /// How long a ping may stay unanswered before its connection counts as gone.
    #[arg(long, env = "CHATSPEC_PING_TIMEOUT_MS", default_value_t = 20_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub ping_timeout_ms: u64,

    /// How long a connection may stay without a Socket.IO CONNECT.
    #[arg(long, env = "CHATSPEC_CONNECT_TIMEOUT_MS", default_value_t = 5_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub connect_timeout_ms: u64,

    /// Largest packet that a client may send. It must hold the longest message, which may grow to six times its size
    /// when JSON escapes it.
    #[arg(long, env = "CHATSPEC_MAX_PAYLOAD_BYTES", default_value_t = 1_000_000, value_name = "BYTES",
          value_parser = clap::value_parser!(u64).range(1_000..=268_435_456))]
    pub max_payload_bytes: u64,

    /// Packets that may wait for one slow connection before it is closed.
    #[arg(long, env = "CHATSPEC_MAX_BUFFERED_PACKETS", default_value_t = 4_096, value_name = "N",
          value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    pub max_buffered_packets: u32,

    /// Let a message with exactly this body fail as if the store had failed: a rehearsal for clients and tests.
    #[arg(long, env = "CHATSPEC_FAULT_BODY", value_name = "TEXT")]
    pub fault_body: Option<String>,

    /// How long the server takes at most to stop.
    #[arg(long, env = "CHATSPEC_SHUTDOWN_MS", default_value_t = 8_000, value_name = "MS",
          value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub shutdown_ms: u64,
}

impl Default for Config {
    /// All defaults; neither command line nor environment counts.
    ///
    /// # Panics
    /// Never: a test proves that the defaults parse.
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "constant input, proven by a test")]
        Self::parse(&[]).expect("the defaults parse")
    }
}

impl Config {
    /// What these flags say, and all else at its default, whatever the environment says.
    pub(crate) fn parse(flags: &[&str]) -> Result<Self, clap::Error> {
        let command = Command::new("chatspec-server").no_binary_name(true);
        let command = Self::augment_args(command).mut_args(|arg| arg.env(None::<&str>));
        Self::from_arg_matches(&command.try_get_matches_from(flags)?)
    }

    /// Which key signs access tokens.
    pub fn key_options(&self) -> KeyOptions {
        KeyOptions {
            secret: self.jwt_secret.clone(),
            file: self.jwt_key_file.clone(),
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
            lifetime_seconds: self.access_token_seconds,
        }
    }

    pub(crate) fn password_cost(&self) -> PasswordCost {
        PasswordCost {
            memory_kib: self.password_memory_kib,
            passes: self.password_passes,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            body_max_bytes: self.body_max_bytes as usize,
        }
    }

    pub(crate) fn rate(&self) -> Rate {
        Rate {
            max: self.rate_max as usize,
            window: Duration::from_millis(self.rate_window_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let config = Config::default();
        assert_eq!(
            (config.rate().max, config.rate().window),
            (10, Duration::from_secs(10))
        );
        assert_eq!(config.limits().body_max_bytes, 100_000);
        assert_eq!(config.presence_window_ms, 2_000);
        assert_eq!(
            (config.access_token_seconds, config.session_seconds),
            (900, 604_800)
        );
    }
}

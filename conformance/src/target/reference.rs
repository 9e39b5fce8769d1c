//! The reference server, started inside the kit's process: the only module that knows the server's crate.

use thiserror::Error;

use super::profile::Profile;

/// A reference server that runs until this is dropped.
#[derive(Debug)]
pub struct Running {
    _stop: tokio::sync::oneshot::Sender<()>,
}

/// Why the reference server does not run.
#[derive(Debug, Error)]
pub enum ReferenceError {
    /// Not wired up yet.
    #[error("the reference server cannot be started inside the kit yet: give --url")]
    NotWired,
}

/// Starts the reference server on a free port; gives the profile to test it with.
#[expect(clippy::unused_async, reason = "starting it will bind a port")]
pub async fn start() -> Result<(Profile, Running), ReferenceError> {
    Err(ReferenceError::NotWired)
}

//! Taking the target's store away for a while, where there is a way: what a server says of its own failures is seen then.

use std::fmt;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;

use super::profile::Hooks;
use crate::services::mongodb::MongoDb;

/// How long a hook may take.
const HOOK_WITHIN: Duration = Duration::from_mins(1);

/// The way to take the store down and to bring it up again.
#[derive(Clone)]
pub enum StoreSwitch {
    /// Commands of the target's owner.
    Hooks {
        /// Takes it down.
        down: String,
        /// Brings it up.
        up: String,
        /// Where they run.
        folder: PathBuf,
    },
    /// A MongoDB that the kit has started.
    MongoDb(Arc<MongoDb>),
    /// A switch inside this process; the flag says whether the store is to be up.
    InProcess(Arc<dyn Fn(bool) + Send + Sync>),
}

impl StoreSwitch {
    /// The one that the hooks make, if both are given; they run in the folder of the target file.
    pub fn of(hooks: &Hooks, folder: &Path) -> Option<Self> {
        Some(Self::Hooks {
            down: hooks.store_down.clone()?,
            up: hooks.store_up.clone()?,
            folder: folder.to_owned(),
        })
    }

    /// Takes the store down, and returns when it is down. The error says why it could not be done.
    pub async fn take_down(&self) -> Result<(), String> {
        match self {
            Self::Hooks { down, folder, .. } => hook("store_down", down, folder).await,
            Self::MongoDb(mongodb) => switch(mongodb, MongoDb::take_down).await,
            Self::InProcess(switch) => {
                switch(false);
                Ok(())
            }
        }
    }

    /// Brings the store up, and returns when it is up.
    pub async fn bring_up(&self) -> Result<(), String> {
        match self {
            Self::Hooks { up, folder, .. } => hook("store_up", up, folder).await,
            Self::MongoDb(mongodb) => switch(mongodb, MongoDb::bring_up).await,
            Self::InProcess(switch) => {
                switch(true);
                Ok(())
            }
        }
    }
}

impl fmt::Debug for StoreSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hooks { .. } => "Hooks",
            Self::MongoDb(_) => "MongoDb",
            Self::InProcess(_) => "InProcess",
        })
    }
}

async fn switch<E: fmt::Display + Send + 'static>(
    mongodb: &Arc<MongoDb>,
    how: fn(&MongoDb) -> Result<(), E>,
) -> Result<(), String> {
    let mongodb = mongodb.clone();
    match tokio::task::spawn_blocking(move || how(&mongodb)).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs a hook through the shell; what it says is told only when it fails. It ends when the shell does: what it leaves in
/// the background, a server perhaps, is no part of it.
async fn hook(name: &str, command: &str, folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("hooks.{name} cannot be run: {error}");
    let mut said = tempfile::tempfile().map_err(failed)?;
    let mut shell = Command::new("sh");
    if !folder.as_os_str().is_empty() {
        shell.current_dir(folder);
    }
    let mut shell = shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said.try_clone().map_err(failed)?)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let status = tokio::time::timeout(HOOK_WITHIN, shell.wait())
        .await
        .map_err(|_| format!("hooks.{name} did not end within {} s", HOOK_WITHIN.as_secs()))?
        .map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    let mut text = Vec::new();
    said.rewind()
        .and_then(|()| said.read_to_end(&mut text))
        .map_err(failed)?;
    let text = String::from_utf8_lossy(&text);
    let last = text
        .lines()
        .rfind(|line| !line.trim().is_empty())
        .unwrap_or_default();
    Err(format!("hooks.{name} ended with {status}: {last}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn hooks_are_run_and_their_failures_told() {
        let folder = tempfile::tempdir().unwrap();
        let flag = folder.path().join("down");
        let shown = flag.display();
        let hooks = Hooks {
            store_down: Some("touch down".to_owned()),
            store_up: Some(format!("rm '{shown}' || {{ echo never down >&2; exit 3; }}")),
        };
        let switch = StoreSwitch::of(&hooks, folder.path()).unwrap();
        switch.take_down().await.unwrap();
        assert!(flag.exists());
        switch.bring_up().await.unwrap();
        let told = switch.bring_up().await.unwrap_err();
        assert!(
            told.contains("store_up") && told.contains('3') && told.contains("never down"),
            "{told}"
        );
    }

    #[tokio::test]
    async fn a_hook_may_leave_a_server_behind() {
        let began = std::time::Instant::now();
        let command = "sleep 20 & echo started >&2";
        hook("store_up", command, Path::new("")).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}

//! Taking the store away for a while, from inside the process: a rehearsal of what a broken disk or a database that has
//! gone away does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Result, StoreError};

/// While it is down, every call to the store fails. Clones switch the same store.
#[derive(Clone, Debug, Default)]
pub struct StoreSwitch(Arc<AtomicBool>);

/// Not a failure, but asked for as one.
#[derive(Debug, thiserror::Error)]
#[error("the store was taken down for a rehearsal")]
struct TakenDown;

impl StoreSwitch {
    /// From now on, calls fail.
    pub fn take_down(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// From now on, calls work.
    pub fn bring_up(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Fails while it is down; a backend asks at the start of every call.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Acquire) {
            return Err(StoreError::new(TakenDown));
        }
        Ok(())
    }
}

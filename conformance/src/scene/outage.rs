//! The target without its store.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Scene, Stop};

/// Whether the scene has taken the target's store away.
#[derive(Debug, Default)]
pub(super) struct Outage(AtomicBool);

impl Scene {
    /// Takes the target's store away, until [`Scene::end_outage`] or the end of the scene. Stops the scenario where there
    /// is no way to do that.
    pub async fn begin_outage(&self) -> Result<(), Stop> {
        let switch = self.context.target.store().ok_or_else(|| {
            Stop::Unverified(
                "how to take the target's store away is not known: give hooks.store_down and hooks.store_up in the \
                 target file"
                    .to_owned(),
            )
        })?;
        // Also a hook that fails half-way may have taken something away.
        self.outage.0.store(true, Ordering::Release);
        switch.take_down().await.map_err(Stop::Harness)
    }

    /// Gives the target its store back, if it was taken away. Until that has worked it counts as away, so that one that was
    /// cut short is tried again at the end of the scene.
    pub async fn end_outage(&self) -> Result<(), Stop> {
        match self.context.target.store() {
            Some(switch) if self.outage.0.load(Ordering::Acquire) => {
                switch.bring_up().await.map_err(Stop::Harness)?;
                self.outage.0.store(false, Ordering::Release);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

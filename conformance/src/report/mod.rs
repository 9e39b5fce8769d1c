//! Reports: each consumes the events of a run, and none knows the runner.
//!
//! - [`terminal`]: for people
//! - [`json`]: for machines
//! - [`html`]: a page to look around in

pub mod html;
pub mod json;
pub mod terminal;

use std::io;

use crate::runner::RunEvent;

/// Something that tells about a run.
pub trait Report: Send {
    /// Takes in what has happened.
    fn event(&mut self, event: &RunEvent) -> io::Result<()>;
}

#[cfg(test)]
pub(crate) mod sample;

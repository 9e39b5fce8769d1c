//! Reports: each consumes the events of a run, and none knows the runner.
//!
//! - [`terminal`]: for people
//! - [`json`]: for machines; [`crate::saved`] reads it back
//! - [`html`]: a page to look around in
//! - [`junit`], [`tap`]: for test viewers and harnesses
//! - [`markdown`], [`github`]: for the summary and the annotations of a CI job
//! - [`badge`]: for a page that shows how things stand
//! - [`palette`]: the colours of lines for people
//!
//! What they have in common is decided once: what a requirement means for its run in `status`, and how what led there is
//! shown in `evidence`.

pub mod badge;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod palette;
pub mod tap;
pub mod terminal;

mod evidence;
mod status;

use std::io::{self, Write};

use time::format_description::well_known::Rfc3339;

use crate::result::RunEvent;
use crate::result::RunResult;

/// A number of things, as in `2 checks`.
fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// When a run began, to the second, as ISO 8601 has it.
fn began(run: &RunResult) -> String {
    run.started_at
        .truncate_to_second()
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// Something that tells about a run.
pub trait Report: Send {
    /// Takes in what has happened.
    fn event(&mut self, event: &RunEvent) -> io::Result<()>;
}

/// A report that is written in one go when the run is over.
pub struct AtEnd<W, D> {
    out: W,
    document: D,
}

impl<W, D> AtEnd<W, D>
where
    W: Write + Send,
    D: Fn(&RunResult) -> io::Result<String> + Send,
{
    /// A report that goes there; `document` makes all of its text.
    pub const fn new(out: W, document: D) -> Self {
        Self { out, document }
    }
}

impl<W, D> Report for AtEnd<W, D>
where
    W: Write + Send,
    D: Fn(&RunResult) -> io::Result<String> + Send,
{
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        if let RunEvent::Finished(run) = event {
            self.out.write_all((self.document)(run)?.as_bytes())?;
            self.out.flush()?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests;

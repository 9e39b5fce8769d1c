//! Known failures: a file that lists what a target breaks today, so that a run fails only for what is new.
//!
//! ```text
//! run, or its report ─► findings ─┐
//!                                 ├─► judge ─► Judged: known, new, gone, changed, expired, not looked at
//! file of known failures ─────────┘              └─► edit ─► the file as it should be
//! ```
//!
//! - [`findings`]: what a run says, as far as a baseline cares
//! - [`file`](mod@file): the file, and everything that may be wrong with it
//! - [`judge`]: one held against the other
//! - [`edit`]: adding and removing entries, with comments and order kept; [`save`]: at once or not at all
//!
//! A known failure stays a failure in every report. Entries must not rot: one that no longer fails, fails in another way
//! or has expired fails the run as well.

pub mod edit;
pub mod file;
pub mod findings;
pub mod judge;
pub mod save;

pub use edit::{Change, Terms};
pub use file::{Baseline, BaselineEntry, BaselineError};
pub use findings::{CheckLocation, Failure, Finding, FindingOutcome};
pub use judge::{Judged, Listed, Listing, NotLookedAt};

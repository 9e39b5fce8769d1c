//! Reports held against each other: two of them in time, or many side by side.
//!
//! ```text
//! JSON reports ─► Saved ─┬─► diff    what got worse, what is new, changed, better, gone ─► text, markdown, json
//!                        └─► matrix  requirement × implementation ─► text, markdown, html, json
//! ```
//!
//! - [`order`]: which verdict is better than which, and what a report did not look at
//! - [`diff`]: two reports
//! - [`matrix`]: any number of reports
//! - `common`: what both tell of the reports themselves
//!
//! Reading the files is for [`crate::saved`]. What reports quote is shown and never obeyed: see
//! [`crate::text`].

mod common;
pub mod diff;
pub mod matrix;
pub mod order;

pub use common::{About, LimitsDiffer, OtherProtocol};

#[cfg(test)]
pub(crate) mod sample;

//! A scenario as a script for an official client, for people who do not have chatspec.
//!
//! - [`play()`]: the scenario is played against the reference server, and everything is recorded
//! - [`read()`]: the recording becomes [`steps`]
//! - [`names`]: values without what was true of that one run only; [`wanted`]: what matters of those that come back
//! - [`rest`]: requests in the words of the target's REST API
//! - [`write`](mod@write): the steps as data, above an interpreter in JavaScript or Python that plays them
//! - [`limits`]: what a script cannot show
//!
//! A script does what the scenario did, in the same order, and waits for what the scenario has waited for: [`Annotation`]s in
//! the recording say what that was, and by which requirement it was judged.
//!
//! [`Annotation`]: crate::transcript::annotation::Annotation

pub mod limits;
pub mod names;
pub mod play;
pub mod recording;
pub mod rest;
pub mod steps;
pub mod wanted;
pub mod write;

use thiserror::Error;

pub use play::play;
pub use recording::read;
pub use write::{Api, Language, write};

/// Why a scenario cannot be reproduced by a script.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotReproducible {
    /// It does what an official client cannot do.
    #[error("no official client can play that: {0}")]
    Frames(String),
    /// A token is not the server's own.
    #[error("its tokens are made with the server's signing key, which a script does not have")]
    Minted,
    /// Nothing that a script compares tells whether it holds.
    #[error("nothing that a script compares tells whether {0} holds")]
    Unjudged(String),
    /// The target goes another way than a script can go.
    #[error("{0}")]
    Target(String),
}

/// What no official client can do.
fn frames<T>(what: impl Into<String>) -> Result<T, NotReproducible> {
    Err(NotReproducible::Frames(what.into()))
}

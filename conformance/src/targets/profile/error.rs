//! Why a target file is of no use.

use thiserror::Error;

/// What is wrong with a target file.
#[derive(Debug, Error)]
pub enum ProfileError {
    /// It cannot be read.
    #[error("target file {path}: {source}")]
    Read {
        /// Path of the target file.
        path: String,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// It is no profile; the text shows line and key.
    #[error("target file {path} is not valid:\n{why}")]
    Invalid {
        /// Path of the target file.
        path: String,
        /// The line and what is wrong in it.
        why: String,
    },
    /// What it says of the target's key leads to none.
    #[error("target file {path}: {why}")]
    Key {
        /// Path of the target file.
        path: String,
        /// Which key, and what is wrong with it.
        why: String,
    },
}

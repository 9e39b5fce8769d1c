//! Shapes: what a target's acks and broadcasts look like, without what is different each time.
//!
//! - [`shape`]: the shape of a value, and of several together
//! - [`notation`]: how it is written down
//! - [`subjects`]: what shapes are gathered of
//! - [`mod@gather`]: the stories that provoke all that
//! - [`collector`]: what they write down
//! - [`document`]: one file
//! - [`folder`]: the files of a folder
//! - [`changes`]: what a difference between two documents means

pub mod changes;
pub mod collector;
pub mod document;
pub mod folder;
pub mod gather;
pub mod notation;
pub mod shape;
pub mod subjects;

//! Shapes: what a target's acks and broadcasts look like, without what is different each time.
//!
//! - [`shape`]: the shape of a value, and of several together
//! - [`notation`]: how it is written down

pub mod notation;
pub mod shape;

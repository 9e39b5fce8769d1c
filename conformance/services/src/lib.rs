//! Services that a target needs beside it.
//!
//! - [`mongodb`]: a MongoDB to test with, however one can be had here

pub mod mongodb;

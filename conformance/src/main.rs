//! The command line of the conformance kit.

fn main() {}

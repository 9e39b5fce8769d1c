//! What a target may need beside it, where the kit is built with it (feature `services`).

#[cfg(feature = "services")]
pub use chatspec_services::mongodb;

#[cfg(not(feature = "services"))]
pub mod absent;
#[cfg(not(feature = "services"))]
pub use absent as mongodb;

/// Whether the kit is built with them.
pub const BUILT_IN: bool = cfg!(feature = "services");

/// What to do where they are missing.
pub const MISSING: &str = "this chatspec is built without MongoDB, which is the default. Build it with --features services: \
                           in its checkout, cargo run --bin chatspec --features services -- ARGUMENTS, or \
                           cargo install --locked --path conformance --features services";

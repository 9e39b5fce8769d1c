//! Tests of the use-cases against the embedded store.

//! Tells cargo that the embedded contract is part of the binary, so that a change of a fixture rebuilds it.

fn main() {
    for embedded in ["payloads", "schemas", "sets"] {
        println!("cargo:rerun-if-changed=../fixtures/{embedded}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}

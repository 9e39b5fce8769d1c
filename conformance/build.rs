//! Tells cargo that the embedded contract is part of the binary, so that a change of a fixture rebuilds it.

fn main() {
    println!("cargo:rerun-if-changed=../fixtures");
    println!("cargo:rerun-if-changed=build.rs");
}

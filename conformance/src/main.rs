//! The command line of the conformance kit.

use std::process::ExitCode;

fn main() -> ExitCode {
    chatspec::cli::main()
}

//! Hands the official Socket.IO client to the playground, if `scripts/playground.sh` has installed it; without it the
//! server is built all the same, and the playground says what to do.

use std::path::Path;
use std::{env, fs, io};

/// What npm makes of `playground/package.json`; no part of the repository.
const CLIENT: &str = "playground/node_modules/socket.io-client/dist/socket.io.min.js";

fn main() -> io::Result<()> {
    // The folder, since a file that is not there would count as changed for ever.
    println!("cargo::rerun-if-changed=playground");
    let client = match fs::read(CLIENT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo runs this"))?;
    fs::write(Path::new(&folder).join("socket.io.min.js"), client)
}

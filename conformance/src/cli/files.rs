//! Files that `run` writes.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::Failure;
use crate::result::Exit;

/// A file that keeps what it held until there is something new to write: a run that does not come about loses nothing.
pub(super) struct Fresh {
    pub(super) file: File,
    begun: bool,
}

impl Write for Fresh {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // What is no regular file, such as a pipe, has nothing to cut off.
        if !self.begun && self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.begun = true;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file for what an option asks for; the error names both.
pub(super) fn fresh(option: &str, path: &Path) -> Result<Fresh, Failure> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("{option} {}: {error}", path.display())))?;
    Ok(Fresh { file, begun: false })
}

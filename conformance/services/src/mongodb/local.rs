//! The way without a container: `scripts/mongo.sh`, which is part of this program. It ends when its standard input does,
//! and so with this process, however that ends.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::server_thread::Server;

const SCRIPT: &str = include_str!("../../../../scripts/mongo.sh");

/// A server that the script has started, in a folder of its own.
pub(super) struct Local {
    folder: TempDir,
    /// The port of the first start.
    port: Option<String>,
    running: Option<Child>,
}

impl Local {
    /// Installs the server if need be, and starts it; gives its connection string.
    pub(super) fn start() -> Result<(Self, String), String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        fs::write(folder.path().join("mongo.sh"), SCRIPT).map_err(|error| error.to_string())?;
        let mut local = Self {
            folder,
            port: None,
            running: None,
        };
        let uri = local.run()?;
        local.port = port(&uri);
        Ok((local, uri))
    }

    fn run(&mut self) -> Result<String, String> {
        let folder = self.folder.path();
        let mut child = script(folder)
            .args(["--port", self.port.as_deref().unwrap_or("0")])
            .spawn()
            .map_err(|error| format!("bash cannot be started: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| error.to_string())?;
        }
        let uri = line.trim();
        if uri.starts_with("mongodb://") {
            self.running = Some(child);
            return Ok(uri.to_owned());
        }
        drop(child.stdin.take());
        let status = child.wait().map_err(|error| error.to_string())?;
        Err(format!("it ended with {status}; the reason is on standard error"))
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(mut child) = self.running.take() else {
            return Ok(());
        };
        drop(child.stdin.take());
        child.wait().map(drop).map_err(|error| error.to_string())
    }
}

fn script(folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command
        .arg(folder.join("mongo.sh"))
        .args(["run", "--until-eof", "--data"])
        .arg(folder.join("data"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

fn port(uri: &str) -> Option<String> {
    let after = uri.rsplit_once(':')?.1;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

impl Server for Local {
    fn take_down(&mut self) -> Result<(), String> {
        self.end()
    }

    fn bring_up(&mut self) -> Result<(), String> {
        if self.running.is_none() {
            self.run()?;
        }
        Ok(())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.end().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_stands_behind_the_host() {
        assert_eq!(
            port("mongodb://127.0.0.1:4711/?directConnection=true").as_deref(),
            Some("4711")
        );
        assert_eq!(port("mongodb://localhost/"), None);
    }
}

//! How users are made.

use std::path::PathBuf;

use serde::Deserialize;

/// How users are made. Chats, members and messages are made through REST, except by a program, or where they are in a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Provision {
    /// They register through REST and get their tokens there.
    // With braces, since serde lets a variant without fields have any.
    Rest {},
    /// Their tokens are minted with the target's key.
    Jwt {
        /// Whether `rest.register` makes the user and tells the id; otherwise the id is 24 hex characters that nobody had
        /// before, and the target must take whoever has a token.
        #[serde(default)]
        register: bool,
    },
    /// They are there already, with their tokens, in a file, and perhaps chats among them.
    Static {
        /// The file, from the folder of the target file on.
        file: PathBuf,
    },
    /// A program makes them, and all else: JSON lines over its standard input and output.
    Command {
        /// Run by `sh` in the folder of the target file.
        command: String,
    },
}

impl Default for Provision {
    fn default() -> Self {
        Self::Rest {}
    }
}

impl Provision {
    /// Its word in a target file.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rest {} => "rest",
            Self::Jwt { .. } => "jwt",
            Self::Static { .. } => "static",
            Self::Command { .. } => "command",
        }
    }
}

//! For machines: `fixtures/schemas/diff.json` describes it.

use std::io;

use serde::Serialize;

use super::Diff;
use crate::text;

/// What the document says that it is.
pub const SCHEMA: &str = "chatspec-diff/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    strict: bool,
    is_worse: bool,
    #[serde(flatten)]
    diff: &'a Diff,
}

/// The document.
pub fn write(diff: &Diff, strict: bool) -> io::Result<String> {
    text::json(&Document {
        schema: SCHEMA,
        strict,
        is_worse: diff.is_worse(strict),
        diff,
    })
}

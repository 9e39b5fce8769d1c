//! For machines: `fixtures/schemas/matrix.json` describes it.

use std::io;

use serde::Serialize;

use super::Matrix;
use crate::text;

/// What the document says that it is.
pub const SCHEMA: &str = "chatspec-matrix/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    matrix: &'a Matrix,
}

/// The document.
pub fn write(matrix: &Matrix) -> io::Result<String> {
    text::json(&Document {
        schema: SCHEMA,
        matrix,
    })
}

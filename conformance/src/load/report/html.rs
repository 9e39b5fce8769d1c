//! For a web page.

use crate::load::outcome::Outcome;

/// The page.
pub fn page(_: &Outcome) -> String {
    String::new()
}

//! How lines for people are coloured, everywhere alike.

use anstyle::{AnsiColor, Style};

use crate::verdict::Verdict;

/// Names and titles.
pub const BOLD: Style = Style::new().bold();
/// What matters less.
pub const DIM: Style = Style::new().dimmed();
/// What is well.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// For failures.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// What is open, or to be known.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Ids.
pub const CYAN: Style = AnsiColor::Cyan.on_default();

/// The colour of a verdict.
pub const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => GREEN,
        Verdict::Fail => RED,
        Verdict::Warn | Verdict::Unverified | Verdict::Inconclusive | Verdict::Harness => YELLOW,
    }
}

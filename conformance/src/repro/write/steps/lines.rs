//! Lines of the body of a function.

use std::fmt::Write;

use super::super::Dialect;
use super::super::code::{Code, wrapped};

/// Width of comments.
const WIDTH: usize = 90;

/// Lines of the body of a function.
pub(super) struct Lines<'a> {
    dialect: &'a dyn Dialect,
    text: String,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(dialect: &'a dyn Dialect) -> Self {
        Self {
            dialect,
            text: String::new(),
        }
    }

    pub(super) fn statement(&mut self, before: &str, code: &Code) {
        let (step, end) = (self.dialect.step(), self.dialect.end());
        let code = code.lines(step, step, before.chars().count(), end.len());
        // A text takes whatever is written into it.
        let _ = writeln!(self.text, "{:step$}{before}{code}{end}", "");
    }

    pub(super) fn raw(&mut self, line: &str) {
        let _ = writeln!(self.text, "{:step$}{line}", "", step = self.dialect.step());
    }

    pub(super) fn comment(&mut self, text: &str) {
        for line in wrapped(text, WIDTH) {
            self.raw(&format!("{}{line}", self.dialect.comment()));
        }
    }

    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}

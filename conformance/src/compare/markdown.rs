//! Quoting in Markdown, as GitHub and GitLab read it.
//!
//! What comes from a report is always code: anywhere else it could become markup, a link, or a mention of somebody.

use super::common::pieces;
use crate::report::plain::{brief, one_line};

/// A text of the kit's own.
pub(super) fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
    }
    shown
}

/// A requirement's statement within a cell of a table.
pub(super) fn statement_in_cell(statement: &str) -> String {
    pieces(statement)
        .map(|(is_code, piece)| if is_code { code_in_cell(piece) } else { text(piece) })
        .collect()
}

/// A text from a report as it stands, cut where it gets long; nothing where there is none.
pub(super) fn code(text: &str) -> String {
    let text = brief(text);
    let runs = text.split(|c| c != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    if text.is_empty() {
        String::new()
    } else if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// The same within a cell of a table, which a bar would end even within code.
pub(super) fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(
            text("a | <b> *c* [x](y) & `d`"),
            r"a \| &lt;b&gt; \*c\* \[x\](y) &amp; \`d\`"
        );
        assert_eq!(
            text("Ten sends in a row are accepted."),
            "Ten sends in a row are accepted."
        );
    }

    #[test]
    fn code_ends_where_the_text_does() {
        assert_eq!(
            code("expected <one>; got @two\n"),
            r"`expected <one>; got @two\n`"
        );
        assert_eq!(code("a ` b `` c"), "```a ` b `` c```");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(code(""), "");
        assert_eq!(code("a | b"), "`a | b`");
        assert_eq!(code_in_cell("a | b"), r"`a \| b`");
        assert_eq!(statement_in_cell("No <b>, `a | b`."), r"No &lt;b&gt;, `a \| b`.");
    }
}

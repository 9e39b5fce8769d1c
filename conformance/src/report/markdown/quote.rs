//! Quoting in Markdown, as GitHub and GitLab read it.
//!
//! A target can send anything, and a report can say anything of it: what comes from there is code, and whatever in it could
//! be markup, a link, a mention of somebody or the end of a cell stands there as an entity. Backticks would not do: within
//! a table, no code between them can have a bar behind a backslash.

use std::fmt::Write as _;

use crate::text::one_line;

/// Text in a line or in a cell of a table.
pub(crate) fn text(text: &str) -> String {
    let text = one_line(text);
    let mut quoted = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied().unwrap_or(' ');
        if is_plain(before, c, after) {
            quoted.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(quoted, "&#{};", u32::from(c));
        }
        before = c;
    }
    quoted
}

/// Whether a character means nothing but itself between these.
fn is_plain(before: char, c: char, after: char) -> bool {
    match c {
        ',' | ';' | '=' | '/' | '(' | ')' | '{' | '}' | '"' | '\'' | '-' | '+' => true,
        // As in `www.`, `https:`, `:tada:` and `_so_`.
        '.' => !matches!(before, 'w' | 'W'),
        ':' => after == ' ',
        '_' => before.is_alphanumeric() && after.is_alphanumeric(),
        c => !c.is_ascii_punctuation(),
    }
}

/// Text from elsewhere in a line or in a cell of a table; nothing where there is none.
pub(crate) fn code(code: &str) -> String {
    if code.is_empty() {
        String::new()
    } else {
        format!("<code>{}</code>", text(code))
    }
}

/// A requirement's statement, which is Markdown, in a cell of a table.
pub(crate) fn statement(statement: &str) -> String {
    one_line(statement).replace('|', "\\|")
}

/// Text from elsewhere over many lines.
pub(crate) fn block(text: &str) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<pre>\n{text}</pre>")
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, TagEnd};

    use super::*;

    #[test]
    fn text_is_no_markup() {
        assert_eq!(
            text("a | <b> *c* [x](y) & `d` @all"),
            "a &#124; &#60;b&#62; &#42;c&#42; &#91;x&#93;(y) &#38; &#96;d&#96; &#64;all"
        );
        assert_eq!(
            text("www.example.org ftp://x :tada: _so_"),
            "www&#46;example.org ftp&#58;//x &#58;tada: &#95;so&#95;"
        );
        assert_eq!(text("a\n\tb"), "a&#92;n&#92;tb");
        for plain in ["known: see issue 7.", "NOT_FOUND after 0.5 s (chat.json)"] {
            assert_eq!(text(plain), plain);
        }
    }

    #[test]
    fn code_is_code_and_nothing_stays_nothing() {
        assert_eq!(code("*"), "<code>&#42;</code>");
        assert_eq!(code(""), "");
    }

    #[test]
    fn a_block_ends_where_it_is_to_end() {
        assert_eq!(block("</pre>&\n"), "<pre>\n&lt;/pre&gt;&amp;\n</pre>");
    }

    #[test]
    fn nothing_ends_a_cell() {
        for hostile in ["a | b", r"a \| b", r"a \\| b", "`a | b", r"`` \| ``", "a\n| b |"] {
            for cell in [text(hostile), code(hostile)] {
                let table = format!("| a | b |\n|---|---|\n| {cell} | last |\n");
                let events: Vec<_> = Parser::new_ext(&table, Options::ENABLE_TABLES).collect();
                let cells = events
                    .iter()
                    .filter(|event| **event == Event::End(TagEnd::TableCell));
                assert_eq!(cells.count(), 4, "{table}");
                assert!(events.contains(&Event::Text("last".into())), "{table}");
                let shown: String = events
                    .iter()
                    .filter_map(|event| match event {
                        Event::Text(text) => Some(text.as_ref()),
                        _ => None,
                    })
                    .collect();
                assert_eq!(shown, format!("ab{}last", one_line(hostile)));
            }
        }
    }
}

//! Values and texts made fit to be shown: a report may hold whatever a target has sent, of whatever length.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::Value;

/// JSON in one line, cut where it gets too long to read.
pub fn show(value: &Value) -> String {
    shorten(&value.to_string())
}

/// Text cut where it gets too long to read.
pub fn shorten(text: &str) -> String {
    cut(text, 400)
}

/// Text cut after so many characters; what is cut says how long it was.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
    }
}

/// How many characters of one text are shown to people; what the kit itself says is hardly ever longer.
const MOST: usize = 600;

/// Text in which whatever has no glyph, or turns the direction of reading, shows as an escape; line breaks stay.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | ' '..='~' => shown.push(c),
            '\t' => shown.push_str("\\t"),
            '\r' => shown.push_str("\\r"),
            c if is_unsafe(c) => drop(write!(shown, "\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// The same with line breaks as an escape too.
pub fn one_line(text: &str) -> String {
    visible(text).replace('\n', "\\n")
}

/// As [`one_line`], and cut where it gets longer than people read.
pub fn brief(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => one_line(text),
        Some((end, _)) => format!("{}…", one_line(&text[..end])),
    }
}

/// A document as JSON over many lines, with `\u…` for what a terminal would obey.
pub fn json(document: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string_pretty(document)?;
    let mut shown = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Of those below, only the line ends of the layout are left: JSON does not allow them in strings.
        if c > '\u{7e}' && is_unsafe(c) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown.push('\n');
    Ok(shown)
}

/// Control characters, line separators, marks for the direction of text, and what is no character at all.
fn is_unsafe(c: char) -> bool {
    let no_character = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    let direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line_break = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    c.is_control() || no_character || direction || line_break
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_cut_between_characters() {
        let cut = show(&json!("ü".repeat(1000)));
        assert!(cut.ends_with("(2002 bytes)"), "{cut}");
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for (text, shown) in [
            ("plain ünïcode 🙂 →", "plain ünïcode 🙂 →"),
            ("a\nb", "a\nb"),
            ("\0\u{1b}[31m\r\t", "\\u{0}\\u{1b}[31m\\r\\t"),
            ("\u{7f}\u{85}\u{9b}", "\\u{7f}\\u{85}\\u{9b}"),
            ("\u{202e}\u{feff}\u{2028}", "\\u{202e}\\u{feff}\\u{2028}"),
            (
                "\u{fffe}\u{ffff}\u{1fffe}\u{fdd0}",
                "\\u{fffe}\\u{ffff}\\u{1fffe}\\u{fdd0}",
            ),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(one_line("a\nb\r\n"), "a\\nb\\r\\n");
    }

    #[test]
    fn nothing_is_left_to_obey() {
        let hostile = "a\u{1b}[31mred\u{9b}2J\r\nnext\u{7f}\u{202e}txt.\u{7}";
        let shown = one_line(hostile);
        assert_eq!(shown, r"a\u{1b}[31mred\u{9b}2J\r\nnext\u{7f}\u{202e}txt.\u{7}");
        assert_eq!(one_line("naïve “ünïcode” 👍 …"), "naïve “ünïcode” 👍 …");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(brief("short"), "short");
        let cut = brief(&"é".repeat(MOST + 1));
        assert_eq!(cut.chars().count(), MOST + 1);
        assert!(cut.ends_with("é…"));
    }

    #[test]
    fn json_means_the_same() {
        let hostile = "a\u{1b}[31m\u{9b}2J\n\u{202e}b";
        let text = json(&[hostile]).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !is_unsafe(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), vec![hostile]);
    }
}

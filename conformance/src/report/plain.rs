//! Text that comes from elsewhere, made fit to be shown: a report may hold whatever a target has sent.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

/// So many characters of one text are shown to people; what the kit itself says is hardly ever longer.
const MOST: usize = 600;

/// The text with everything spelt out that a terminal would obey instead of showing it.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// As [`plain`], and cut where it gets longer than people read.
pub fn brief(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => plain(text),
        Some((end, _)) => format!("{}…", plain(&text[..end])),
    }
}

/// A document as JSON over many lines, with `\u…` for what a terminal would obey.
pub fn json(document: &impl Serialize) -> io::Result<String> {
    let text = serde_json::to_string_pretty(document)?;
    let mut shown = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Of those below, only the line ends of the layout are left: JSON does not allow them in strings.
        if c > '\u{7e}' && is_obeyed(c) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown.push('\n');
    Ok(shown)
}

/// Control characters, with which escape sequences begin, line ends, and marks that turn the direction of writing.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_to_obey() {
        let hostile = "a\u{1b}[31mred\u{9b}2J\r\nnext\u{7f}\u{202e}txt.\u{7}";
        let shown = plain(hostile);
        assert_eq!(shown, r"a\u{1b}[31mred\u{9b}2J\r\nnext\u{7f}\u{202e}txt.\u{7}");
        assert_eq!(plain("naïve “ünïcode” 👍 …"), "naïve “ünïcode” 👍 …");
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
        assert!(text.chars().all(|c| c == '\n' || !is_obeyed(c)), "{text:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), vec![hostile]);
    }
}

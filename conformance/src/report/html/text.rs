//! Values that may come from the target: bounded, escaped, and unable to change how what stands around them is shown.

use std::fmt::Write;

use maud::Render;

/// The most bytes of the page that a value may take, unless a caller says otherwise.
const MOST: usize = 700;

/// A text in isolation. What has no glyph, or changes the order of what is shown, appears as a symbol.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    text: &'a str,
    most: usize,
}

/// A text that may come from the target.
pub(super) const fn value(text: &str) -> Value<'_> {
    Value { text, most: MOST }
}

impl Value<'_> {
    /// With another bound on the bytes of the page that it takes.
    pub(super) const fn within(mut self, most: usize) -> Self {
        self.most = most;
        self
    }
}

impl Render for Value<'_> {
    fn render_to(&self, out: &mut String) {
        out.push_str("<bdi>");
        let begin = out.len();
        let mut odd = false;
        let mut cut = false;
        for c in self.text.chars() {
            if out.len() - begin > self.most {
                cut = true;
                break;
            }
            let symbol = symbol(c);
            if symbol.is_some() != odd {
                odd = !odd;
                out.push_str(if odd { "<i>" } else { "</i>" });
            }
            match (symbol, c) {
                (Some(symbol), _) => out.push_str(&symbol),
                (None, '&') => out.push_str("&amp;"),
                (None, '<') => out.push_str("&lt;"),
                (None, '>') => out.push_str("&gt;"),
                (None, '"') => out.push_str("&quot;"),
                (None, c) => out.push(c),
            }
        }
        if odd {
            out.push_str("</i>");
        }
        if cut {
            // Writing to a string cannot fail.
            let _ = write!(out, "<small>… ({} bytes in all)</small>", self.text.len());
        }
        out.push_str("</bdi>");
    }
}

/// The same for where no markup can be, as in attributes: at most so many characters, symbols in place of what is odd.
pub(super) fn plain(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == most {
            shown.push('…');
            break;
        }
        match symbol(c) {
            Some(symbol) => shown.push_str(&symbol),
            None => shown.push(c),
        }
    }
    shown
}

/// What stands for a character that cannot be seen, or that changes how others are shown.
fn symbol(c: char) -> Option<String> {
    let code = u32::from(c);
    match c {
        '\0'..=' ' if c != ' ' => char::from_u32(0x2400 + code).map(String::from),
        '\u{7f}' => Some("\u{2421}".to_owned()),
        // C1 controls, soft hyphen, marks and overrides of direction, joiners of words, separators of lines, byte order
        // marks, annotations and tags. The joiners of scripts and emoji stay.
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Some(format!("U+{code:04X}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(value: Value<'_>) -> String {
        value.render().into_string()
    }

    #[test]
    fn markup_is_escaped_and_controls_are_seen() {
        for (text, shown) in [
            (r#"<a b="c">&"#, "&lt;a b=&quot;c&quot;&gt;&amp;"),
            ("a\0\n\u{7f}b", "a<i>\u{2400}\u{240a}\u{2421}</i>b"),
            ("evil\u{202e}txt", "evil<i>U+202E</i>txt"),
            ("\u{9b}\u{feff}", "<i>U+009BU+FEFF</i>"),
            ("مرحبا 👩\u{200d}🚀", "مرحبا 👩\u{200d}🚀"),
        ] {
            assert_eq!(rendered(value(text)), format!("<bdi>{shown}</bdi>"));
        }
        assert_eq!(plain("a\u{202e}\nbc", 4), "aU+202E\u{240a}b…");
    }

    #[test]
    fn no_text_takes_more_than_its_bound() {
        for c in ["x", "\"", "\0", "a\0", "\u{e0001}", "😀"] {
            let text = c.repeat(100_000);
            let shown = rendered(value(&text).within(200));
            assert!(shown.len() < 300, "{}", shown.len());
            assert!(shown.ends_with(&format!("… ({} bytes in all)</small></bdi>", text.len())));
        }
        assert_eq!(rendered(value("short").within(5)), "<bdi>short</bdi>");
    }
}

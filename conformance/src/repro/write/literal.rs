//! Values as literals of JavaScript and Python: JSON but for a few words.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::Language;

/// Literals are broken into several lines where one would be longer than this.
const WIDTH: usize = 110;

/// A value as a literal, in as many lines as it takes at this indent behind `before` characters.
pub(super) fn literal(value: &impl Serialize, language: Language, indent: usize, before: usize) -> String {
    let mut text = Vec::new();
    // What has no names but texts is always written.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, Words(language)));
    let text = lines(&String::from_utf8_lossy(&text), indent, before);
    match language {
        // As a plain key it would be the prototype.
        Language::Js => text.replace("\"__proto__\":", "[\"__proto__\"]:"),
        Language::Python => text,
    }
}

/// What is not JSON's own way.
struct Words(Language);

impl Words {
    fn between<W: ?Sized + Write>(writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }
}

impl Formatter for Words {
    fn write_null<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(if self.0 == Language::Js { b"null" } else { b"None" })
    }

    fn write_bool<W: ?Sized + Write>(&mut self, writer: &mut W, value: bool) -> io::Result<()> {
        let (js, python) = if value {
            ("true", "True")
        } else {
            ("false", "False")
        };
        writer.write_all(if self.0 == Language::Js { js } else { python }.as_bytes())
    }

    /// In ASCII alone, so that neither an editor nor a terminal makes something else of it.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        for c in text.chars() {
            match u32::from(c) {
                0x20..=0x7e => write!(writer, "{c}")?,
                code if code > 0xffff && self.0 == Language::Python => write!(writer, "\\U{code:08x}")?,
                _ => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        Self::between(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        Self::between(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// A literal of one line with a line for each item of its outermost brackets where it is too long, and so on inside.
fn lines(text: &str, indent: usize, before: usize) -> String {
    // Something comes behind it.
    if indent + before + text.len() < WIDTH || !text.ends_with(['}', ']']) {
        return text.to_owned();
    }
    let end = text.len() - 1;
    let inner = indent + 2;
    let mut broken = format!("{}\n", &text[..1]);
    let (mut item, mut value, mut depth, mut quoted, mut escaped) = (1, 1, 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '{' | '[' => depth += 1,
            ':' if depth == 1 => value = at + 2,
            ',' | '}' | ']' if depth == 1 => {
                let key = &text[item..value];
                let value_text = lines(&text[value..at], inner, key.len());
                broken.extend([&" ".repeat(inner), key, &value_text, ",\n"]);
                item = at + 2;
                value = item;
            }
            '}' | ']' => depth -= 1,
            _ => {}
        }
    }
    format!("{broken}{:indent$}{}", "", &text[end..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::Contract;

    fn quoted(text: &str, language: Language) -> String {
        literal(&text, language, 0, 0)
    }

    #[test]
    fn every_text_can_be_written() {
        let corpus = Contract::embedded().unwrap().corpus;
        let odd = [
            "",
            "\"",
            "\\",
            "${x}",
            "a\u{0}b\u{7f}",
            "\u{2028}\u{feff}é😀",
            "*/ // #",
            "\r\n\t",
        ];
        let bodies = corpus.bodies.iter().map(|sample| sample.body.as_str());
        for text in bodies.chain(odd) {
            let js = quoted(text, Language::Js);
            assert!(js.is_ascii() && !js.contains(|c: char| c.is_control()), "{js}");
            // Both languages' strings in double quotes are JSON's, but for what takes two UTF-16 units.
            assert_eq!(serde_json::from_str::<String>(&js).unwrap(), text);
            let python = quoted(text, Language::Python);
            if text.chars().all(|c| u32::from(c) <= 0xffff) {
                assert_eq!(python, js);
            }
        }
        assert_eq!(quoted("é😀", Language::Python), "\"\\u00e9\\U0001f600\"");
    }

    #[test]
    fn words_and_keys_are_those_of_the_language() {
        let value = json!({"__proto__": [true, false, null, 1.5, "\"__proto__\": 1"], "$ne": {}});
        assert_eq!(
            literal(&value, Language::Js, 0, 0),
            r#"{"$ne": {}, ["__proto__"]: [true, false, null, 1.5, "\"__proto__\": 1"]}"#
        );
        assert_eq!(
            literal(&value, Language::Python, 0, 0),
            r#"{"$ne": {}, "__proto__": [True, False, None, 1.5, "\"__proto__\": 1"]}"#
        );
    }

    #[test]
    fn what_does_not_fit_into_a_line_has_a_line_for_each_item() {
        let long = format!("}}, \": \\{}", "x".repeat(60));
        let value = json!({"a": [1, 2], "b": {"c": long, "d": long}, "e": [[], {}]});
        let text = literal(&value, Language::Js, 2, 0);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 8, "{text}");
        assert_eq!((lines[0], lines[1], lines[7]), ("{", "    \"a\": [1, 2],", "  }"));
        assert!(lines[3].starts_with("      \"c\": \"}, ") && lines[3].ends_with("xx\","));
        let parsed = text.replace(",\n  }", "\n}").replace(",\n    }", "\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&parsed).unwrap(), value);
    }
}

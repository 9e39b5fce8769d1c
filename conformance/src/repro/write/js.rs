//! JavaScript for Node, with socket.io-client.

use std::fmt::Write;

use super::code::Code;
use super::{Dialect, Part, frame};

const FRAME: &str = include_str!("frame.mjs");

/// The dialect.
pub struct Js;

impl Dialect for Js {
    fn comment(&self) -> &'static str {
        "// "
    }

    fn step(&self) -> usize {
        2
    }

    fn end(&self) -> &'static str {
        ";"
    }

    fn null(&self) -> &'static str {
        "null"
    }

    fn bool(&self, value: bool) -> &'static str {
        if value { "true" } else { "false" }
    }

    fn quote(&self, text: &str) -> String {
        format!("\"{}\"", escaped(text, '"'))
    }

    fn concat(&self, parts: &[Part]) -> String {
        let parts = parts.iter().map(|part| match part {
            Part::Plain(text) => escaped(text, '`').replace("${", "\\${"),
            Part::Code(code) => format!("${{{code}}}"),
        });
        format!("`{}`", parts.collect::<String>())
    }

    fn repeat(&self, c: char, times: usize) -> String {
        format!("{}.repeat({times})", self.quote(c.encode_utf8(&mut [0; 4])))
    }

    fn object(&self, fields: Vec<(String, Code)>) -> Code {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let items = fields.into_iter().map(|(name, value)| {
            let key = match name.as_str() {
                // As a plain key it would be the prototype.
                "__proto__" => "[\"__proto__\"]".to_owned(),
                name if is_name(name) => name.to_owned(),
                name => self.quote(name),
            };
            match value {
                Code::Atom(code) if code == key => (String::new(), Code::Atom(code)),
                value => (format!("{key}: "), value),
            }
        });
        Code::Seq {
            open: "{".to_owned(),
            items: items.collect(),
            close: "}".to_owned(),
            pad: " ",
        }
    }

    fn encoded(&self, code: &str) -> String {
        format!("encodeURIComponent({code})")
    }

    fn together(&self, asks: Vec<Code>) -> Code {
        Code::seq("await Promise.all(", [Code::seq("[", asks, "]")], ")")
    }

    fn name(&self, words: &[&str]) -> String {
        let words = words
            .iter()
            .flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
        let words = words.filter(|word| !word.is_empty()).enumerate();
        words
            .map(|(n, word)| {
                let (first, rest) = word.split_at(1);
                if n == 0 {
                    word.to_owned()
                } else {
                    format!("{}{rest}", first.to_uppercase())
                }
            })
            .collect()
    }

    fn declare(&self, name: &str) -> String {
        format!("const {name} = ")
    }

    fn variables(&self, names: &[&str]) -> Option<String> {
        (!names.is_empty()).then(|| format!("let {};", names.join(", ")))
    }

    fn user(&self, id: &str, token: &str, session: Option<&str>) -> Code {
        let mut fields = vec!["name".to_owned(), format!("id: {id}"), format!("token: {token}")];
        fields.extend(session.map(|session| format!("session: {session}")));
        Code::Seq {
            open: "{".to_owned(),
            items: fields
                .into_iter()
                .map(|field| (String::new(), Code::Atom(field)))
                .collect(),
            close: "}".to_owned(),
            pad: " ",
        }
    }

    fn person(&self, what: &[&str]) -> Vec<String> {
        let made = what.iter().filter_map(|what| match *what {
            "email" => Some("const email = `${name}-${randomUUID()}@example.org`;"),
            "password" => Some("const password = randomUUID();"),
            "handle" => Some("const handle = `${name}_${randomUUID().slice(0, 8)}`;"),
            _ => None,
        });
        made.map(str::to_owned).collect()
    }

    fn environment(&self, name: &str) -> String {
        format!("process.env.{name} ?? \"\"")
    }

    fn or_else(&self, url: &str) -> String {
        format!(" ?? {}", self.quote(url))
    }

    fn usage(&self, stem: &str) -> (String, &'static str, String) {
        let install = "npm install socket.io-client@4                  (Node 20 or later)";
        (format!("{stem}.mjs"), install, "node".to_owned())
    }

    fn assembled(&self, fill: &[(&str, &str)]) -> String {
        frame::assembled(FRAME, "//# ", "\n\n", fill)
    }
}

/// A text between quotes of this kind. JavaScript's escapes are JSON's, and those of the quotes themselves.
fn escaped(text: &str, quote: char) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\\' => escaped.push_str("\\\\"),
            c if c == quote => escaped.extend(['\\', c]),
            ' '..='~' => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // A text takes whatever is written into it.
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    #[test]
    fn every_text_can_be_written() {
        let corpus = Contract::embedded().unwrap().corpus;
        let odd = [
            "",
            "\"",
            "\\",
            "`${x}`",
            "a\u{0}b\u{7f}",
            "\u{2028}\u{feff}é😀",
            "*/ //",
            "\r\n\t",
        ];
        let bodies = corpus.bodies.iter().map(|sample| sample.body.as_str());
        for text in bodies.chain(odd) {
            let quoted = Js.quote(text);
            assert!(
                quoted.is_ascii() && !quoted.contains(|c: char| c.is_control()),
                "{quoted}"
            );
            // Its strings in double quotes are JSON's.
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }

    #[test]
    fn parts_do_not_reach_into_each_other() {
        let parts = [Part::Plain("`${a}\\".to_owned()), Part::Code("b".to_owned())];
        assert_eq!(Js.concat(&parts), "`\\`\\${a}\\\\${b}`");
    }

    #[test]
    fn names_and_keys_are_such() {
        assert_eq!(
            Js.name(&["alice, long after", "socket", "2"]),
            "aliceLongAfterSocket2"
        );
        let fields = ["a", "__proto__", "$ne", "x-y", ""].map(|name| (name.to_owned(), Code::atom("1")));
        assert_eq!(
            Js.object(fields.into()).line(),
            r#"{ a: 1, ["__proto__"]: 1, "$ne": 1, "x-y": 1, "": 1 }"#
        );
    }
}

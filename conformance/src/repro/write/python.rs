//! Python, with python-socketio and aiohttp.

use std::fmt::Write;

use super::code::Code;
use super::{Dialect, Part, frame};

const FRAME: &str = include_str!("frame.py");

/// The dialect.
pub struct Python;

impl Dialect for Python {
    fn comment(&self) -> &'static str {
        "# "
    }

    fn step(&self) -> usize {
        4
    }

    fn end(&self) -> &'static str {
        ""
    }

    fn null(&self) -> &'static str {
        "None"
    }

    fn bool(&self, value: bool) -> &'static str {
        if value { "True" } else { "False" }
    }

    fn quote(&self, text: &str) -> String {
        format!("\"{}\"", escaped(text))
    }

    fn concat(&self, parts: &[Part]) -> String {
        // Before 3.12 no quote and no backslash may stand in the braces of an f-string.
        let simple = |part: &Part| match part {
            Part::Plain(_) => true,
            Part::Code(code) => !code.contains(['"', '\\']),
        };
        if parts.iter().all(simple) {
            let parts = parts.iter().map(|part| match part {
                Part::Plain(text) => escaped(text).replace('{', "{{").replace('}', "}}"),
                Part::Code(code) => format!("{{{code}}}"),
            });
            return format!("f\"{}\"", parts.collect::<String>());
        }
        let parts = parts.iter().map(|part| match part {
            Part::Plain(text) => self.quote(text),
            Part::Code(code) => code.clone(),
        });
        parts.collect::<Vec<_>>().join(" + ")
    }

    fn repeat(&self, c: char, times: usize) -> String {
        format!("{} * {times}", self.quote(c.encode_utf8(&mut [0; 4])))
    }

    fn object(&self, fields: Vec<(String, Code)>) -> Code {
        let items = fields
            .into_iter()
            .map(|(name, value)| (format!("{}: ", self.quote(&name)), value));
        Code::Seq {
            open: "{".to_owned(),
            items: items.collect(),
            close: "}".to_owned(),
            pad: "",
        }
    }

    fn encoded(&self, code: &str) -> String {
        format!("urllib.parse.quote({code}, safe=\"\")")
    }

    fn together(&self, asks: Vec<Code>) -> Code {
        Code::seq("await asyncio.gather(", asks, ")")
    }

    fn name(&self, words: &[&str]) -> String {
        let words = words
            .iter()
            .flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric()));
        words
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join("_")
    }

    fn declare(&self, name: &str) -> String {
        format!("{name} = ")
    }

    fn variables(&self, _: &[&str]) -> Option<String> {
        None
    }

    fn user(&self, id: &str, token: &str, session: Option<&str>) -> Code {
        let mut fields = vec![
            "name=name".to_owned(),
            format!("id={id}"),
            format!("token={token}"),
        ];
        fields.extend(session.map(|session| format!("session={session}")));
        Code::seq("SimpleNamespace(", fields.into_iter().map(Code::Atom), ")")
    }

    fn person(&self, what: &[&str]) -> Vec<String> {
        let made = what.iter().filter_map(|what| match *what {
            "email" => Some("email = f\"{name}-{uuid.uuid4()}@example.org\""),
            "password" => Some("password = str(uuid.uuid4())"),
            "handle" => Some("handle = f\"{name}_{uuid.uuid4().hex[:8]}\""),
            _ => None,
        });
        made.map(str::to_owned).collect()
    }

    fn environment(&self, name: &str) -> String {
        format!("os.environ.get(\"{name}\", \"\")")
    }

    fn or_else(&self, url: &str) -> String {
        format!(", {}", self.quote(url))
    }

    fn usage(&self, stem: &str) -> (String, &'static str, String) {
        let install = "pip install 'python-socketio[asyncio_client]'   (Python 3.10 or later)";
        (
            format!("{}.py", stem.replace('-', "_")),
            install,
            "python".to_owned(),
        )
    }

    fn assembled(&self, fill: &[(&str, &str)]) -> String {
        let script = frame::assembled(FRAME, "##! ", "\n\n\n", fill);
        let used = |import: &str| {
            let name = import.strip_prefix("import ").map(|module| format!("{module}."));
            name.is_none_or(|name| script.matches(&name).count() > 0)
        };
        let lines = script
            .lines()
            .filter(|line| !line.starts_with("import ") || used(line));
        lines.fold(String::new(), |script, line| script + line + "\n")
    }
}

/// A text between double quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\\' | '"' => escaped.extend(['\\', c]),
            ' '..='~' => escaped.push(c),
            // A text takes whatever is written into it.
            c if u32::from(c) <= 0xffff => drop(write!(escaped, "\\u{:04x}", u32::from(c))),
            c => drop(write!(escaped, "\\U{:08x}", u32::from(c))),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;

    /// What Python makes of a string in double quotes, as far as it is written here.
    fn read(quoted: &str) -> String {
        let mut rest = quoted
            .strip_prefix('"')
            .unwrap()
            .strip_suffix('"')
            .unwrap()
            .chars();
        let mut text = String::new();
        while let Some(c) = rest.next() {
            assert_ne!(c, '"', "an end in the middle of {quoted}");
            if c != '\\' {
                text.push(c);
                continue;
            }
            let digits = match rest.next() {
                Some('n') => Err('\n'),
                Some('r') => Err('\r'),
                Some('t') => Err('\t'),
                Some('u') => Ok(4),
                Some('U') => Ok(8),
                Some(c @ ('\\' | '"')) => Err(c),
                other => panic!("no escape: {other:?} in {quoted}"),
            };
            text.push(digits.map_or_else(std::convert::identity, |digits| {
                let code: String = rest.by_ref().take(digits).collect();
                assert_eq!(code.len(), digits);
                char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
            }));
        }
        text
    }

    #[test]
    fn every_text_can_be_written() {
        let corpus = Contract::embedded().unwrap().corpus;
        let odd = [
            "",
            "\"",
            "\\",
            "{x}",
            "a\u{0}b\u{7f}",
            "\u{2028}\u{feff}é😀",
            "#",
            "\r\n\t",
        ];
        let bodies = corpus.bodies.iter().map(|sample| sample.body.as_str());
        for text in bodies.chain(odd) {
            let quoted = Python.quote(text);
            assert!(
                quoted.is_ascii() && !quoted.contains(|c: char| c.is_control()),
                "{quoted}"
            );
            assert_eq!(read(&quoted), text);
        }
    }

    #[test]
    fn parts_do_not_reach_into_each_other() {
        let plain = || Part::Plain("{a}\"".to_owned());
        assert_eq!(
            Python.concat(&[plain(), Part::Code("b".to_owned())]),
            "f\"{{a}}\\\"{b}\""
        );
        let call = Part::Code("fresh(\"x\")".to_owned());
        assert_eq!(Python.concat(&[plain(), call]), "\"{a}\\\"\" + fresh(\"x\")");
    }

    #[test]
    fn names_are_such() {
        assert_eq!(
            Python.name(&["alice, long after", "socket", "2"]),
            "alice_long_after_socket_2"
        );
    }
}

//! Expressions, and how they are laid out in lines.

/// Lines are broken where they would be longer than this.
pub const WIDTH: usize = 100;
/// Room for how an item opens.
const OPENING: usize = 12;

/// An expression of some language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// In one piece.
    Atom(String),
    /// Items between an opening and a closing, as in a call or a list.
    Seq {
        /// As in `ask(`.
        open: String,
        /// What is inside, each with what stands before it, as in `name: `.
        items: Vec<(String, Code)>,
        /// As in `)`.
        close: String,
        /// What is put inside of the brackets in a single line, as the space in `{ a }`.
        pad: &'static str,
    },
}

impl Code {
    /// In one piece.
    pub fn atom(text: impl Into<String>) -> Self {
        Self::Atom(text.into())
    }

    /// Items in brackets, without names.
    pub fn seq(open: impl Into<String>, items: impl IntoIterator<Item = Self>, close: &str) -> Self {
        Self::Seq {
            open: open.into(),
            items: items.into_iter().map(|item| (String::new(), item)).collect(),
            close: close.to_owned(),
            pad: "",
        }
    }

    /// In a single line.
    pub fn line(&self) -> String {
        match self {
            Self::Atom(text) => text.clone(),
            Self::Seq {
                open,
                items,
                close,
                pad,
            } => {
                let inside: Vec<String> = items
                    .iter()
                    .map(|(before, item)| format!("{before}{}", item.line()))
                    .collect();
                let pad = if inside.is_empty() { "" } else { pad };
                format!("{open}{pad}{}{pad}{close}", inside.join(", "))
            }
        }
    }

    /// In as many lines as it takes, when the first begins at this indent behind `before` characters, and `after` more
    /// follow in the last.
    pub fn lines(&self, indent: usize, step: usize, before: usize, after: usize) -> String {
        let line = self.line();
        let Self::Seq {
            open, items, close, ..
        } = self
        else {
            return line;
        };
        if indent + before + line.chars().count() + after <= WIDTH || items.is_empty() {
            return line;
        }
        // Where only the last item is long, it alone is broken.
        if open.ends_with('(')
            && let Some(((name, last @ Self::Seq { items: inner, .. }), first)) = items.split_last()
            && first.iter().all(|(_, item)| matches!(item, Self::Atom(_)))
            && !inner.is_empty()
        {
            let first: Vec<String> = first
                .iter()
                .map(|(before, item)| format!("{before}{}, ", item.line()))
                .collect();
            let head = format!("{open}{}{name}", first.concat());
            if indent + before + head.chars().count() + OPENING <= WIDTH {
                return format!("{head}{}{close}", last.broken(indent, step));
            }
        }
        self.broken(indent, step)
    }

    /// With every item in a line of its own.
    fn broken(&self, indent: usize, step: usize) -> String {
        let Self::Seq {
            open, items, close, ..
        } = self
        else {
            return self.line();
        };
        let inner = indent + step;
        let lines: Vec<String> = items
            .iter()
            .map(|(before, item)| {
                let item = item.lines(inner, step, before.chars().count(), 1);
                format!("{}{before}{item},\n", " ".repeat(inner))
            })
            .collect();
        format!("{open}\n{}{}{close}", lines.concat(), " ".repeat(indent))
    }
}

/// A text in lines that are not too long.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(args: Vec<Code>) -> Code {
        Code::seq("ask(", args, ")")
    }

    #[test]
    fn what_fits_stays_in_a_line() {
        let short = call(vec![Code::atom("a"), Code::seq("[", [Code::atom("1")], "]")]);
        assert_eq!(short.lines(2, 2, 0, 1), "ask(a, [1])");
    }

    #[test]
    fn what_does_not_fit_is_broken_at_the_last_item() {
        let long = "x".repeat(60);
        let list = Code::seq("[", [Code::atom(long.as_str()), Code::atom(long.as_str())], "]");
        let told = call(vec![Code::atom("a"), list.clone()]).lines(2, 2, 0, 1);
        assert_eq!(told, format!("ask(a, [\n    {long},\n    {long},\n  ])"));
        let told = call(vec![list, Code::atom("a")]).lines(0, 2, 0, 1);
        assert_eq!(
            told,
            format!("ask(\n  [\n    {long},\n    {long},\n  ],\n  a,\n)")
        );
    }

    #[test]
    fn texts_are_wrapped_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("", 7), [""]);
    }
}

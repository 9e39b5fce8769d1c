//! The part of a script that is the same for all: of its helpers, those that the story uses.

/// The sections of a frame: lines of code below a line with a mark and names. A section is there where one of its names is
/// used, or always.
pub fn assembled(frame: &str, mark: &str, gap: &str, fill: &[(&str, &str)]) -> String {
    let mut sections: Vec<Section> = Vec::new();
    for line in frame.lines() {
        match (line.strip_prefix(mark), sections.last_mut()) {
            (Some(names), _) => sections.push(Section {
                names: names.split_whitespace().collect(),
                lines: Vec::new(),
                used: false,
            }),
            (None, Some(section)) => section.lines.push(line),
            (None, None) => {}
        }
    }
    let filled = |section: &Section| {
        let code = section.lines.join("\n");
        fill.iter().fold(code, |code, (name, text)| {
            code.replace(&format!("{{{{{name}}}}}"), text)
        })
    };
    let mut used = String::new();
    while let Some(section) = sections.iter_mut().find(|section| {
        !section.used
            && section
                .names
                .iter()
                .any(|name| *name == "always" || names(&used, name))
    }) {
        section.used = true;
        used.push_str(&filled(section));
    }
    let told: Vec<String> = sections
        .iter()
        .filter(|section| section.used)
        .map(|section| filled(section).trim_matches('\n').to_owned())
        .collect();
    format!("{}\n", told.join(gap))
}

struct Section<'a> {
    names: Vec<&'a str>,
    lines: Vec<&'a str>,
    used: bool,
}

/// Whether the code calls what has this name, or, where it is all capitals, mentions it.
fn names(code: &str, name: &str) -> bool {
    let is_constant = name.chars().all(char::is_uppercase);
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let ends = if is_constant {
            !after.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        } else {
            after.starts_with('(')
        };
        ends && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
    })
}

/// Whether the code has this word in it.
pub(super) fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric())
        .any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_used_is_there_in_the_order_of_the_frame() {
        let frame = "## b\nb calls c()\n## c\nc is here\n## d\nd is not\n## always\n{{story}}";
        assert_eq!(
            assembled(frame, "## ", "\n", &[("story", "it calls b()")]),
            "b calls c()\nc is here\nit calls b()\n"
        );
    }

    #[test]
    fn helpers_are_called_and_constants_mentioned() {
        assert!(names("x = same(a)", "same") && names("{ a: TIME }", "TIME"));
        for other in ["asame(a)", "samea(a)", "x.same(a)", "the same as"] {
            assert!(!names(other, "same"), "{other}");
        }
    }
}

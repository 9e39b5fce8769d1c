//! Parts of the client programs: a function, a method or a statement, from its comment to its end.

use crate::read;

/// The part of a program in docs/clients that begins with this text, as a block of code.
pub(crate) fn part(file: &str, beginning: &str) -> String {
    let source = read(&format!("docs/clients/{file}"));
    let lines: Vec<&str> = source.lines().collect();
    let found =
        extract(&lines, beginning).unwrap_or_else(|| panic!("docs/clients/{file} has no {beginning}"));
    let language = match file.rsplit('.').next() {
        Some("py") => "python",
        other => other.unwrap_or_default(),
    };
    format!("```{language}\n{}\n```", found.join("\n"))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// From the comment above the line that begins like that to the last line that is indented deeper, and what closes it.
fn extract(lines: &[&str], beginning: &str) -> Option<Vec<String>> {
    let first = lines
        .iter()
        .position(|line| line.trim_start().starts_with(beginning))?;
    let depth = indent(lines[first]);
    let comment = |line: &&&str| {
        ["//", "/*", "*", "# "]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark))
    };
    let start = first - lines[..first].iter().rev().take_while(comment).count();
    let inside = |line: &&&str| line.is_empty() || indent(line) > depth;
    let mut end = first + 1 + lines[first + 1..].iter().take_while(inside).count();
    let closes = |line: &&str| indent(line) == depth && line.trim_start().starts_with(['}', ')', ']']);
    if lines.get(end).is_some_and(closes) {
        end += 1;
    }
    let part = lines[start..end]
        .iter()
        .map(|line| line.get(depth..).unwrap_or_default().to_owned());
    let mut part: Vec<String> = part.collect();
    while part.last().is_some_and(String::is_empty) {
        part.pop();
    }
    Some(part)
}

#[test]
fn a_part_goes_from_its_comment_to_its_end() {
    let script = [
        "class A {",
        "  // Why.",
        "  b() {",
        "    c();",
        "",
        "    d();",
        "  }",
        "",
        "  e() {}",
        "}",
    ];
    let found = extract(&script, "b() {").unwrap();
    assert_eq!(found, ["// Why.", "b() {", "  c();", "", "  d();", "}"]);
    let python = [
        "class A:",
        "    def b(self):",
        "        c()",
        "",
        "    def e(self):",
        "        pass",
    ];
    assert_eq!(extract(&python, "def b(").unwrap(), ["def b(self):", "    c()"]);
    assert_eq!(extract(&python, "def x("), None);
}

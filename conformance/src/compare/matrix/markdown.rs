//! For wikis and pull requests.

use super::{Cell, Matrix};
use crate::compare::common::{UNSEEN, code};
use crate::report::markdown::quote::{self, statement};
use crate::verdict::Verdict;

/// All of it.
pub fn write(matrix: &Matrix) -> String {
    let names: Vec<String> = matrix.columns.iter().map(|c| code(&c.name)).collect();
    let mut lines = vec!["## chatspec matrix\n".to_owned()];
    for column in &matrix.columns {
        lines.push(format!(
            "- {} {}",
            code(&column.name),
            code(&column.about.details())
        ));
    }
    let limits = matrix.limits.iter().map(|limit| code(&limit.describe(", ")));
    lines.extend(limits.map(|limit| format!("- judged by other limits: {limit}")));
    for area in &matrix.areas {
        lines.push(format!("\n### {}\n", quote::text(&area.title)));
        head(&mut lines, "requirement", &names, "| |");
        for row in &area.requirements {
            let cells: Vec<String> = row.cells.iter().map(cell).collect();
            lines.push(format!(
                "| {} {} | {} | {} |",
                code(&row.id),
                row.level.word(),
                cells.join(" | "),
                statement(&row.statement)
            ));
        }
    }
    lines.push("\n### Counts\n".to_owned());
    head(&mut lines, "", &names, "|");
    for count in &matrix.counts {
        let numbers: Vec<String> = count.counts.iter().map(ToString::to_string).collect();
        let (level, word) = (count.level.word(), Cell::word(count.verdict));
        lines.push(format!("| {level} {word} | {} |", numbers.join(" | ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The head of a table; `end` closes it, with a further column perhaps.
fn head(lines: &mut Vec<String>, first: &str, names: &[String], end: &str) {
    lines.push(format!("| {first} | {} {end}", names.join(" | ")));
    let columns = names.len() + end.matches('|').count();
    lines.push(format!("|{}", "---|".repeat(columns)));
}

/// The sign and the word of a verdict, and of what is broken why.
fn cell(cell: &Cell) -> String {
    let sign = cell.verdict.map_or(UNSEEN, Verdict::sign);
    let word = Cell::word(cell.verdict);
    match (cell.verdict, &cell.reason) {
        (Some(Verdict::Fail | Verdict::Warn), Some(reason)) => {
            format!("{sign} {word}<br>{}", code(reason))
        }
        _ => format!("{sign} {word}"),
    }
}

//! For terminals: the table with a sign for each verdict, the sums, and why what does not pass does not.
//!
//! Colours are always written; the stream that it goes to leaves them out where they do not belong.

use std::io::{self, Write};

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Cell, Column, Matrix, Row};
use crate::compare::common::UNSEEN;
use crate::report::palette::{BOLD, DIM, YELLOW, style};
use crate::text::{brief, one_line};
use crate::verdict::Verdict;

/// So wide is what stands before the columns.
const LEFT: usize = 20;
/// So wide is a column at most; longer names are shortened, and stand in full above.
const WIDEST: usize = 24;

/// Writes all of it.
pub fn write(out: &mut impl Write, matrix: &Matrix) -> io::Result<()> {
    let columns: Vec<String> = matrix.columns.iter().map(heading).collect();
    head(out, matrix)?;
    for area in &matrix.areas {
        writeln!(out, "\n{BOLD}{}{BOLD:#}", area.title)?;
        headings(out, &columns)?;
        for requirement in &area.requirements {
            row(out, requirement, &columns)?;
        }
    }
    counts(out, matrix, &columns)?;
    for (n, column) in matrix.columns.iter().enumerate() {
        not_passing(out, matrix, n, column)?;
    }
    out.flush()
}

fn head(out: &mut impl Write, matrix: &Matrix) -> io::Result<()> {
    let protocol = one_line(&matrix.protocol);
    writeln!(
        out,
        "{BOLD}chatspec matrix{BOLD:#} {DIM}protocol {protocol}{DIM:#}"
    )?;
    for column in &matrix.columns {
        let (name, details) = (brief(&column.name), column.about.details());
        writeln!(out, "  {name}  {DIM}{details}{DIM:#}")?;
    }
    for limit in &matrix.limits {
        let told = limit.describe(", ");
        writeln!(out, "  {YELLOW}judged by other limits:{YELLOW:#} {told}")?;
    }
    let signs = Verdict::ALL.map(Some).into_iter().chain([None]);
    let signs: Vec<String> = signs
        .map(|verdict| format!("{} {}", sign(verdict), Cell::word(verdict)))
        .collect();
    writeln!(out, "\n  {}", signs.join("   "))
}

/// The names of the columns.
fn headings(out: &mut impl Write, columns: &[String]) -> io::Result<()> {
    let line = columns.join("  ");
    writeln!(out, "{:LEFT$}{DIM}{}{DIM:#}", "", line.trim_end())
}

fn row(out: &mut impl Write, row: &Row, columns: &[String]) -> io::Result<()> {
    let left = format!("  {:<9} {:<6}", brief(&row.id), row.level.word());
    let cells = row.cells.iter().zip(columns).map(|(cell, column)| {
        let rest = column.width().saturating_sub(1);
        format!("{}{:rest$}  ", sign(cell.verdict), "")
    });
    let line = format!("{left:<LEFT$}{}{}", cells.collect::<String>(), row.statement);
    writeln!(out, "{}", line.trim_end())
}

fn counts(out: &mut impl Write, matrix: &Matrix, columns: &[String]) -> io::Result<()> {
    let mut before = None;
    for count in &matrix.counts {
        if before != Some(count.level) {
            writeln!(out, "\n{BOLD}{}{BOLD:#}", count.level.word())?;
            headings(out, columns)?;
        }
        before = Some(count.level);
        let numbers = count.counts.iter().zip(columns).map(|(n, column)| {
            let width = column.width();
            format!("{n:<width$}")
        });
        let left = format!("  {}", Cell::word(count.verdict));
        let line = format!("{left:<LEFT$}{}", numbers.collect::<Vec<_>>().join("  "));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Why what does not pass in a column does not, each reason once.
fn not_passing(out: &mut impl Write, matrix: &Matrix, n: usize, column: &Column) -> io::Result<()> {
    let rows = matrix.areas.iter().flat_map(|area| &area.requirements);
    let cells = rows.filter_map(|row| Some((row.id.as_str(), row.cells.get(n)?)));
    let mut groups: Vec<(&Cell, Vec<String>)> = Vec::new();
    for (id, cell) in cells.filter(|(_, cell)| cell.verdict != Some(Verdict::Pass)) {
        match groups.iter_mut().find(|(known, _)| *known == cell) {
            Some((_, ids)) => ids.push(brief(id)),
            None => groups.push((cell, vec![brief(id)])),
        }
    }
    if !groups.is_empty() {
        writeln!(out, "\n{BOLD}Not passing in {}{BOLD:#}", brief(&column.name))?;
    }
    for (cell, ids) in groups {
        for (n, line) in ids.chunks(10).enumerate() {
            let sign = if n == 0 {
                sign(cell.verdict)
            } else {
                " ".to_owned()
            };
            writeln!(out, "  {sign} {}", line.join(" "))?;
        }
        let reason = cell.reason.as_deref().unwrap_or("(no reason given)");
        writeln!(out, "      {DIM}{}{DIM:#}", brief(reason))?;
    }
    Ok(())
}

fn sign(verdict: Option<Verdict>) -> String {
    let (style, sign) = verdict.map_or((Style::new(), UNSEEN), |v| (style(v), v.sign()));
    format!("{style}{sign}{style:#}")
}

/// The name of a column, its middle left out where it is too wide: names that are alike often differ at the end.
fn heading(column: &Column) -> String {
    let name = one_line(&column.name);
    if name.width() <= WIDEST {
        return name;
    }
    let start: String = within(name.chars(), (WIDEST - 1) / 2).collect();
    let mut end: Vec<char> = within(name.chars().rev(), WIDEST / 2).collect();
    end.reverse();
    format!("{start}…{}", String::from_iter(end))
}

/// As many characters as fit into that width.
fn within(chars: impl Iterator<Item = char>, most: usize) -> impl Iterator<Item = char> {
    chars
        .scan(0, |width, c| {
            *width += c.width().unwrap_or_default();
            Some((*width, c))
        })
        .take_while(move |(width, _)| *width <= most)
        .map(|(_, c)| c)
}

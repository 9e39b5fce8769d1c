use super::*;
use crate::compare::sample::{SampleCheck, named};
use crate::verdict::Verdict::{Fail, Harness, Inconclusive, Pass, Unverified, Warn};

const HOSTILE: &str = "got \u{1b}[2J</p><script>alert('|')</script>\u{202e} `x`\nnext & @all";

/// Three reports with one of everything.
fn everything() -> Matrix {
    let reference = named(
        "out/reference.json",
        "reference server",
        &[
            SampleCheck::must("X-01", Pass),
            SampleCheck::should("X-02", Pass),
            SampleCheck::must("Y-01", Pass),
        ],
    );
    let mut node = named(
        "node.json",
        "チャット <b>in</b> \u{1b}]0;Node\u{7}",
        &[
            SampleCheck::must("X-01", Fail).because(HOSTILE),
            SampleCheck::should("X-02", Warn).because("expected one; got two"),
            SampleCheck::must("Y-01", Unverified).because("no key is known"),
            SampleCheck::must("Z-01", Unverified).because("no key is known"),
        ],
    );
    node.target.limits.insert("rate_max".to_owned(), 5.into());
    let mut quick = named(
        "quick.json",
        "reference server",
        &[
            SampleCheck::must("X-01", Pass),
            SampleCheck::should("X-02", Inconclusive).because("2 ms before the end"),
            SampleCheck::must("Z-01", Harness).because("it panicked"),
            SampleCheck::must("Z-02", Unverified).because("blocked: the run was interrupted"),
        ],
    );
    quick.left_out = vec!["Y-01".to_owned()];
    quick.interrupted = true;
    Matrix::of(&[reference, node, quick], &Contract::for_test()).unwrap()
}

fn verdicts(matrix: &Matrix, id: &str) -> Vec<Option<Verdict>> {
    let mut rows = matrix.areas.iter().flat_map(|area| &area.requirements);
    let row = rows.find(|row| row.id == id).unwrap();
    row.cells.iter().map(|cell| cell.verdict).collect()
}

fn as_text(matrix: &Matrix) -> String {
    let mut out = Vec::new();
    text(&mut anstream::StripStream::new(&mut out), matrix).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_report_has_a_cell_for_every_requirement_of_any() {
    let matrix = everything();
    let titles: Vec<&str> = matrix.areas.iter().map(|area| area.title.as_str()).collect();
    assert_eq!(titles, ["X", "Y", "Unknown to this chatspec"]);
    assert_eq!(verdicts(&matrix, "X-01"), [Some(Pass), Some(Fail), Some(Pass)]);
    let names: Vec<&str> = matrix.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names[0], "reference server (reference.json)");
    assert_eq!(names[2], "reference server (quick.json)");
}

#[test]
fn what_a_report_does_not_have_is_not_passed() {
    let matrix = everything();
    assert_eq!(
        verdicts(&matrix, "Y-01"),
        [Some(Pass), Some(Unverified), None],
        "left out"
    );
    assert_eq!(
        verdicts(&matrix, "Z-02"),
        [None, None, None],
        "interrupted, or not there"
    );
    let unseen = matrix.counts.iter().find(|c| c.verdict.is_none()).unwrap();
    assert_eq!(
        (unseen.level, unseen.counts.as_slice()),
        (Level::Must, [2, 1, 2].as_slice())
    );
}

#[test]
fn every_requirement_is_counted_once_in_every_column() {
    let matrix = everything();
    for (level, all) in [(Level::Must, 4), (Level::Should, 1)] {
        for column in 0..3 {
            let of_level = matrix.counts.iter().filter(|count| count.level == level);
            assert_eq!(of_level.map(|count| count.counts[column]).sum::<usize>(), all);
        }
    }
    let none_passes = named("a.json", "x", &[SampleCheck::must("X-01", Fail)]);
    let matrix = Matrix::of(&[none_passes], &Contract::for_test()).unwrap();
    assert_eq!(matrix.counts[0].verdict, Some(Pass));
    assert_eq!(matrix.counts[0].counts, [0]);
}

#[test]
fn other_protocols_are_refused() {
    let (one, mut other) = (named("a.json", "x", &[]), named("b.json", "y", &[]));
    other.protocol = "2.0".to_owned();
    let told = Matrix::of(&[one, other], &Contract::for_test()).unwrap_err();
    assert!(told.to_string().contains("2.0 (b.json)"), "{told}");
}

#[test]
fn the_text() {
    insta::assert_snapshot!(as_text(&everything()));
}

#[test]
fn the_columns_of_the_text_stand_below_each_other() {
    use unicode_width::UnicodeWidthStr;
    let text = as_text(&everything());
    let lines: Vec<&str> = text.lines().collect();
    let x = lines.iter().position(|line| *line == "X").unwrap();
    let starts = |line: &str, of: &[&str]| -> Vec<usize> {
        of.iter()
            .map(|part| line[..line.find(part).unwrap()].width())
            .collect()
    };
    let headings = starts(lines[x + 1], &["reference", "チャット"]);
    assert_eq!(headings, starts(lines[x + 2], &["✓", "✗"]));
    assert!(lines[x + 1].contains("…"), "{}", lines[x + 1]);
}

#[test]
fn the_markdown() {
    insta::assert_snapshot!(markdown(&everything()));
}

#[test]
fn the_html() {
    let page = html(&everything());
    let (head, body) = page.split_once("<body>").unwrap();
    assert!(head.contains("color-scheme: light dark"), "the style is in it");
    // An element a line.
    insta::assert_snapshot!(body.replace("><", ">\n<"));
}

#[test]
fn the_html_asks_nothing_of_anybody_and_quotes_what_it_shows() {
    let page = html(&everything()).to_lowercase();
    for asking in [
        "<script", "<link", "src=", "href=", "url(", "@import", "http://", "https://", "<b>",
    ] {
        assert!(!page.contains(asking), "{asking}");
    }
    for shown in ["&lt;script&gt;alert", "&lt;b&gt;in&lt;/b&gt;", "next &amp; @all"] {
        assert!(page.contains(shown), "{shown}");
    }
    assert_eq!(page.matches("<style>").count(), page.matches("</style>").count());
}

#[test]
fn nothing_of_a_report_is_obeyed() {
    let matrix = everything();
    for text in [
        as_text(&matrix),
        markdown(&matrix),
        html(&matrix),
        json(&matrix).unwrap(),
    ] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    }
}

#[test]
fn the_json_fits_its_schema() {
    let document: serde_json::Value = serde_json::from_str(&json(&everything()).unwrap()).unwrap();
    let schemas = Contract::embedded().unwrap().schemas;
    schemas.matches("matrix", &document).unwrap();
    let cells = &document["areas"][0]["requirements"][0]["cells"];
    assert_eq!(cells[0], serde_json::json!({"verdict": "pass", "reason": null}));
    assert_eq!(cells[1]["reason"], HOSTILE);
}

//! What went over the wire, as a sequence diagram: a table with a lane for each client and one for the server, an arrow for
//! each frame and each half of an HTTP exchange, and beside it the time and the text.
//!
//! It is a table and no picture, so that it prints, can be searched and copied, and reads as `1902.6 ms, alice sends, …`.

use std::collections::BTreeSet;
use std::time::Duration;

use maud::{Markup, PreEscaped, html};

use super::scrolling;
use super::text::value;
use crate::transcript::{Direction, TranscriptLine};

/// A text longer than this is folded.
const FOLDED: usize = 150;
/// So much of a folded one is seen at most, in one line.
const SEEN: usize = 140;
/// The most bytes of the page that an unfolded text may take.
const FULL: usize = 1_600;
/// Between two lines that are as far apart as this, it is said how far.
const PAUSE: Duration = Duration::from_millis(500);

/// The lines as a diagram, the first ones left out until it takes no more bytes than `most`; none where not even the last
/// one fits.
pub(super) fn diagram(label: &str, frames: &[TranscriptLine], most: usize) -> Option<Markup> {
    const FRAME: usize = 1_000;
    let lanes = Lanes::of(frames);
    let mut left = most.checked_sub(FRAME + lanes.0.len() * 60)?;
    let mut rows: Vec<String> = Vec::new();
    for (n, line) in frames.iter().enumerate().rev() {
        let before = n.checked_sub(1).and_then(|n| frames.get(n));
        let row = lanes.row(line, before).into_string();
        let Some(rest) = left.checked_sub(row.len()) else {
            break;
        };
        left = rest;
        rows.push(row);
    }
    let cut = frames.len() - rows.len();
    (!rows.is_empty()).then(|| lanes.table(label, rows.iter().rev(), cut))
}

/// Who takes part, in the order of the lanes.
struct Lanes<'a>(Vec<&'a str>);

impl<'a> Lanes<'a> {
    fn of(lines: &'a [TranscriptLine]) -> Self {
        // `alice`, `alice#2`, `alice#10`, `bob`.
        let place = |client: &'a str| match client.split_once('#') {
            Some((name, n)) => (name, n.parse().unwrap_or(u32::MAX), client),
            None => (client, 1, client),
        };
        let clients: BTreeSet<_> = lines.iter().map(|line| place(&line.client)).collect();
        Self(clients.into_iter().map(|(_, _, client)| client).collect())
    }

    fn table<'r>(&self, label: &str, rows: impl Iterator<Item = &'r String>, cut: usize) -> Markup {
        let table = html! {
            table.exchange {
                caption.unseen { (label) }
                thead {
                    tr {
                        th.n scope="col" { "ms" }
                        @for lane in &self.0 { th.lane scope="col" { (value(lane).within(60)) } }
                        th.lane scope="col" { "server" }
                        th.text scope="col" { "What" }
                    }
                }
                tbody {
                    @if cut > 0 {
                        tr.pause {
                            td {}
                            @for _ in 0..=self.0.len() { td.lane {} }
                            td { "the " (cut) " before are left out, so that this page stays below 1 MB" }
                        }
                    }
                    @for row in rows { (PreEscaped(row)) }
                }
            }
        };
        scrolling(label, &table)
    }

    /// One line, and the pause before it.
    fn row(&self, line: &TranscriptLine, before: Option<&TranscriptLine>) -> Markup {
        let pause = before
            .map(|before| line.at.saturating_sub(before.at))
            .filter(|pause| *pause >= PAUSE);
        let (class, word) = match line.direction {
            Direction::Out => ("out", "sends"),
            Direction::In => ("in", "receives"),
            Direction::Note => ("note", "notes"),
        };
        let own = self.0.iter().position(|lane| *lane == line.client).unwrap_or(0);
        let arrow = line.direction != Direction::Note;
        html! {
            @if let Some(pause) = pause {
                tr.pause {
                    td {}
                    @for _ in 0..=self.0.len() { td.lane {} }
                    td { (format!("{:.1} s later", pause.as_secs_f64())) }
                }
            }
            tr.(class) {
                th.n scope="row" { (format!("{:.3}", line.at.as_secs_f64() * 1e3)) }
                @for n in 0..self.0.len() {
                    @if n == own { td.lane.end { span.unseen { (word) } } }
                    @else { td.lane.through[arrow && n > own] {} }
                }
                td.lane.server[arrow] {}
                td.text { (describe(&line.text)) }
            }
        }
    }
}

/// The text of a line, folded where it is long.
fn describe(text: &str) -> Markup {
    let folded = text.char_indices().nth(FOLDED).is_some();
    let seen = if folded {
        text.char_indices()
            .nth(SEEN)
            .map_or(text, |(end, _)| &text[..end])
    } else {
        text
    };
    let (before, name, after) = named(seen);
    let line = html! {
        code {
            @if !before.is_empty() { (value(before).within(FULL)) }
            @if !name.is_empty() { b { (value(name).within(FULL)) } }
            @if !after.is_empty() { (value(after).within(FULL)) }
            @if folded { "…" }
        }
    };
    html! {
        @if folded {
            details { summary { (line) } pre { (value(text).within(FULL)) } }
        } @else { (line) }
    }
}

/// What stands before the word that says what a line is about, that word, and what stands behind it: the name of an event, a
/// method with its path, a status. The word is empty where there is none.
fn named(text: &str) -> (&str, &str, &str) {
    let split = |begin: usize, end: usize| (&text[..begin], &text[begin..end], &text[end..]);
    let until = |begin: usize, stop: &str| text[begin..].find(stop).map(|n| begin + n);
    let all = text.len();
    if text.starts_with("HTTP ") {
        return split(0, until(5, " ").unwrap_or(all));
    }
    if let Some(path) = text.split_once(" /").map(|(method, _)| method.len() + 1)
        && text[..path].trim_end().bytes().all(|b| b.is_ascii_uppercase())
    {
        return split(0, until(path, " ").unwrap_or(all));
    }
    if text.starts_with("ack of ") {
        return split(7, until(7, ": ").unwrap_or(all));
    }
    if text.starts_with('4') {
        return match text.find("[\"").map(|n| n + 2) {
            Some(name) => split(name, until(name, "\"").unwrap_or(all)),
            None => split(0, 0),
        };
    }
    // As a library sends it: `room:join {…} (ack wanted)`.
    match text.split_once(' ') {
        Some((name, rest)) if rest.starts_with(['{', '(', '[']) => split(0, name.len()),
        _ => split(0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(ms: u64, client: &str, direction: Direction, text: &str) -> TranscriptLine {
        TranscriptLine {
            at: Duration::from_millis(ms),
            client: client.to_owned(),
            direction,
            text: text.to_owned(),
        }
    }

    #[test]
    fn lanes_are_in_the_order_of_names_and_devices() {
        let clients = ["bob", "alice#10", "alice", "alice#2", "bob"];
        let lines = clients.map(|client| line(1, client, Direction::Out, ""));
        assert_eq!(Lanes::of(&lines).0, ["alice", "alice#2", "alice#10", "bob"]);
    }

    #[test]
    fn what_a_line_is_about_is_found() {
        for (text, name) in [
            (r#"421["message:send",{"a":["b"]}]"#, "message:send"),
            (r#"431[{"ok":true}]"#, ""),
            (r#"room:join {"chatId":"c"} (ack wanted)"#, "room:join"),
            (r#"ack of room:join: {"ok":true}"#, "room:join"),
            (r#"POST /v1/chats {"a":"b /c"}"#, "POST /v1/chats"),
            ("GET /v1/chats", "GET /v1/chats"),
            ("HTTP 201 {}", "HTTP 201"),
            ("HTTP 204", "HTTP 204"),
            ("42[\"cut", "cut"),
            ("opens ws://host/ now", ""),
            ("", ""),
        ] {
            let (before, found, after) = named(text);
            assert_eq!(found, name, "{text}");
            assert_eq!(format!("{before}{found}{after}"), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_from_the_beginning() {
        let lines: Vec<TranscriptLine> = (0..14)
            .map(|n| line(n, "alice", Direction::In, &"\"".repeat(300)))
            .collect();
        let whole = diagram("all", &lines, usize::MAX)
            .map(Markup::into_string)
            .unwrap();
        assert!(!whole.contains("left out"));
        for most in [5_000, 10_000, 20_000] {
            let cut = diagram("cut", &lines, most).map(Markup::into_string).unwrap();
            assert!(
                cut.len() < most && cut.contains("before are left out"),
                "{}",
                cut.len()
            );
            assert!(cut.contains("13.000") && !cut.contains(">0.000"), "{cut}");
        }
        assert!(diagram("none", &lines, 1_500).is_none());
        assert!(diagram("empty", &[], usize::MAX).is_none());
    }

    #[test]
    fn a_pause_is_told() {
        let lines = [
            line(5, "alice", Direction::Out, "a {}"),
            line(5_045, "alice", Direction::In, "b {}"),
        ];
        let shown = diagram("x", &lines, usize::MAX).unwrap().into_string();
        assert!(shown.contains("5.0 s later"), "{shown}");
    }
}

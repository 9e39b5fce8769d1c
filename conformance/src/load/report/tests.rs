use anstream::StripStream;

use super::*;
use crate::contract::Contract;
use crate::load::sample::{clean, faulty};
use crate::result::Exit;

fn terminal(outcome: &LoadResult) -> String {
    let mut text = Vec::new();
    terminal::write(&mut StripStream::new(&mut text), outcome).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn the_terminal_report_of_a_clean_load() {
    insta::assert_snapshot!(terminal(&clean()));
}

#[test]
fn the_terminal_report_of_a_faulty_load() {
    insta::assert_snapshot!(terminal(&faulty()));
}

#[test]
fn the_json_report_fits_its_schema() {
    let contract = Contract::embedded().unwrap();
    let mut storm = clean();
    storm.target_usage = None;
    storm.latency = crate::load::latency::Latencies::default();
    for outcome in [clean(), faulty(), storm] {
        let text = json(&outcome).unwrap();
        let document = serde_json::from_str(&text).unwrap();
        if let Err(mismatch) = contract.schemas.matches("load", &document) {
            panic!("{mismatch}");
        }
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
}

#[test]
fn nothing_that_a_target_sends_becomes_markup() {
    let page = html::page(&faulty());
    assert!(!page.contains("<script") && !page.contains("<b>") && !page.contains('\u{202e}'));
    assert!(page.contains("&lt;script&gt;") && page.contains("closed with 1011 &lt;b&gt;oops"));
    for part in [
        "What is wrong",
        "doubled",
        "never arrived at member 4",
        "RATE_LIMITED",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn the_page_asks_nothing_of_the_network_and_draws_the_curves() {
    let page = html::page(&clean());
    for elsewhere in ["src=", "href=", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    assert_eq!(page.matches("<polyline").count(), 5);
    assert!(page.contains("99.9 %") && !page.contains("NaN") && !page.contains("inf"));
}

#[test]
fn how_it_stands_decides_the_exit_code() {
    assert_eq!(clean().exit(), Exit::Conforms);
    assert_eq!(faulty().exit(), Exit::Fails);
    let mut outcome = clean();
    outcome.messages.acked = 499;
    assert_eq!(outcome.exit(), Exit::Conforms);
    assert!(outcome.headline().contains("499 of 500"));
    outcome.messages.acked = 0;
    assert_eq!(outcome.exit(), Exit::Fault);
    outcome.interrupted = true;
    assert_eq!(outcome.exit(), Exit::Interrupted);
}

#[test]
fn numbers_are_as_people_read_them() {
    let grouped: Vec<String> = [0, 999, 1_000, 1_234_567].map(grouped).to_vec();
    assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    let times: Vec<String> = [0.123, 9.999, 12.34, 1_234.5].map(ms).to_vec();
    assert_eq!(times, ["0.12", "10.0", "12.3", "1234"]);
    let sizes: Vec<String> = [512, 45_678, 45_678_901].map(bytes).to_vec();
    assert_eq!(sizes, ["512 B", "46 kB", "46 MB"]);
}

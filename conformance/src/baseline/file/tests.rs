use super::*;
use crate::report::sample;

fn parse(text: &str) -> Result<Vec<BaselineEntry>, String> {
    let scenarios = [&sample::ONE, &sample::TWO];
    Baseline::parse(text, "known.toml", &Contract::for_test(), &scenarios)
        .map(|baseline| baseline.entries)
        .map_err(|error| error.to_string())
}

/// A file with one entry, some lines of which are others.
fn with(changes: &[(&str, &str)]) -> String {
    let mut lines = vec![
        ("id", "'X-01'"),
        ("scenario", "'x/one'"),
        ("fingerprint", "'0123456789ab'"),
        ("reason", "'see issue 7'"),
    ];
    for change in changes {
        match lines.iter_mut().find(|line| line.0 == change.0) {
            Some(line) => *line = *change,
            None => lines.push(*change),
        }
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    format!("[[known]]\n{}", lines.concat())
}

#[test]
fn entries_are_read_in_order() {
    let other = with(&[("id", "'X-02'"), ("expires", "2026-12-31")]);
    let entries = parse(&format!("# why\n{}\n{other}", with(&[]))).unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].place.to_string(), "X-01 in x/one");
    assert_eq!(entries[0].reason, "see issue 7");
    assert_eq!(entries[0].expires, None);
    assert_eq!(entries[1].expires, parse_day("2026-12-31"));
    assert_eq!(parse("# nothing yet\n"), Ok(Vec::new()));
}

#[test]
fn it_expires_the_day_after() {
    let entries = parse(&with(&[("expires", "'2026-02-28'")])).unwrap();
    let over = |day| entries[0].has_expired(parse_day(day).unwrap());
    assert!(!over("2026-02-27") && !over("2026-02-28") && over("2026-03-01"));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (changes, line, told) in [
        (&[("expiry", "2026-12-31")], 6, "expiry"),
        (&[("expires", "2026-12-32")], 6, "2026-12-32"),
        (
            &[("expires", "'2026-02-30'")],
            6,
            "2026-02-30 is no date: write it as 2026-12-31",
        ),
        (
            &[("expires", "2026-12-31T00:00:00Z")],
            6,
            "write it as 2026-12-31",
        ),
        (&[("expires", "7")], 6, "write it as 2026-12-31"),
        (&[("reason", "' '")], 5, "the reason is empty"),
        (&[("fingerprint", "'abc'")], 4, "is no fingerprint"),
        (&[("id", "7")], 2, "expected a string"),
        (
            &[("id", "'X-09'")],
            2,
            "no requirement has the id X-09; did you mean X-0",
        ),
        (
            &[("scenario", "'x/on'")],
            3,
            "no scenario has the id x/on; did you mean x/one?",
        ),
        (&[("scenario", "'y/two'")], 3, "y/two does not check X-01"),
    ] {
        let error = parse(&with(changes)).unwrap_err();
        assert!(error.starts_with("baseline known.toml"), "{error}");
        assert!(
            error.contains(&format!("line {line}")) && error.contains(told),
            "{error}"
        );
    }
    let missing = parse("[[known]]\nid = 'X-01'\n").unwrap_err();
    assert!(missing.contains("scenario"), "{missing}");
}

#[test]
fn the_same_twice_is_a_mistake_but_two_ways_to_fail_are_not() {
    let twice = parse(&format!("{}\n{}", with(&[]), with(&[("reason", "'another'")]))).unwrap_err();
    assert!(
        twice.contains("line 8") && twice.contains("already listed in line 2"),
        "{twice}"
    );
    let other = with(&[("fingerprint", "'aaaaaaaaaaaa'")]);
    assert!(parse(&format!("{}\n{other}", with(&[]))).is_ok());
}

#[test]
fn a_file_that_is_not_there_is_told_with_the_way_to_have_one() {
    let error = Baseline::read(Path::new("/no/such.toml"), &Contract::for_test(), &[]).unwrap_err();
    assert!(error.to_string().contains("chatspec baseline accept"), "{error}");
}

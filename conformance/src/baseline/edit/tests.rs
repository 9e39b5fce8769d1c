use super::*;
use crate::baseline::file::parse_day;
use crate::baseline::findings::{Finding, FindingOutcome};
use crate::contract::Contract;
use crate::report::sample;

const FILE: &str = "\
# Known failures of our server.

# Until the rewrite.
[[known]]
id = \"X-01\"
scenario = 'x/one' # the first story
fingerprint = '0123456789ab'   # how
reason = '''see issue 7'''

# Nobody knows why.
[[known]]
reason = 'odd'
id = 'X-02'
fingerprint = 'aaaaaaaaaaaa'
scenario = 'x/one'
expires = 2026-01-31 # the end of January
# That was the last.
";

fn read(text: &str) -> Baseline {
    let scenarios = [&sample::ONE, &sample::TWO];
    Baseline::parse(text, "known.toml", &Contract::for_test(), &scenarios).unwrap()
}

fn day(text: &str) -> Date {
    parse_day(text).unwrap()
}

fn terms(reason: Option<&str>, expires: Option<&str>) -> Terms {
    Terms {
        reason: reason.map(str::to_owned),
        expires: expires.map(day),
        today: day("2026-06-15"),
    }
}

/// A failure with this fingerprint, or a pass without one.
fn finding(requirement: &str, scenario: &str, fingerprint: Option<&str>) -> Finding {
    let place = CheckLocation {
        requirement: requirement.to_owned(),
        scenario: scenario.to_owned(),
    };
    let outcome = fingerprint.map_or(FindingOutcome::Pass, |fingerprint| {
        FindingOutcome::Fail(Failure {
            place: place.clone(),
            fingerprint: fingerprint.to_owned().try_into().unwrap(),
            message: "expected a; got b".to_owned(),
            blocked: false,
        })
    });
    Finding { place, outcome }
}

fn accepted(text: &str, findings: &[Finding], terms: &Terms) -> (String, Vec<String>) {
    let baseline = read(text);
    let judged = baseline.judge(findings, terms.today);
    let (text, changes) = accept(text, &baseline, &judged, terms).unwrap();
    (text, changes.iter().map(ToString::to_string).collect())
}

fn pruned(text: &str, findings: &[Finding]) -> (String, Vec<String>) {
    let baseline = read(text);
    let judged = baseline.judge(findings, day("2026-06-15"));
    let (text, changes) = prune(text, &baseline, &judged).unwrap();
    (text, changes.iter().map(ToString::to_string).collect())
}

#[test]
fn a_new_file_begins_with_how_to_read_it() {
    let findings = [
        finding("X-01", "x/one", Some("111111111111")),
        finding("Y-01", "y/two", Some("222222222222")),
    ];
    let (text, changes) = accepted(HEADER, &findings, &terms(None, None));
    let entries = "
[[known]]
id = \"X-01\"
scenario = \"x/one\"
fingerprint = \"111111111111\"
reason = \"TODO: why is this tolerated?\"

[[known]]
id = \"Y-01\"
scenario = \"y/two\"
fingerprint = \"222222222222\"
reason = \"TODO: why is this tolerated?\"
";
    assert_eq!(text, format!("{HEADER}{entries}"));
    assert_eq!(
        changes,
        [
            "added     X-01 in x/one  111111111111",
            "added     Y-01 in y/two  222222222222"
        ]
    );
    assert_eq!(read(&text).entries.len(), 2);
}

#[test]
fn reason_and_expiry_are_for_what_is_added() {
    let findings = [
        finding("X-01", "x/one", Some("0123456789ab")),
        finding("Y-01", "y/two", Some("222222222222")),
    ];
    let (text, _) = accepted(
        FILE,
        &findings,
        &terms(Some("see \"issue\" 8"), Some("2026-12-31")),
    );
    let entries = read(&text).entries;
    assert_eq!(entries[0].reason, "see issue 7");
    assert_eq!(entries[0].expires, None);
    assert_eq!(entries[2].reason, "see \"issue\" 8");
    assert_eq!(entries[2].expires, Some(day("2026-12-31")));
}

#[test]
fn what_is_there_is_kept_as_it_is() {
    let findings = [finding("Y-01", "y/two", Some("222222222222"))];
    let (text, _) = accepted(FILE, &findings, &terms(Some("why"), None));
    let added = "
[[known]]
id = \"Y-01\"
scenario = \"y/two\"
fingerprint = \"222222222222\"
reason = \"why\"
";
    assert_eq!(text, format!("{FILE}{added}"));
    // Even where the last line has no end.
    let (text, _) = accepted(FILE.trim_end(), &findings, &terms(Some("why"), None));
    assert_eq!(text, format!("{FILE}{added}"));
    let (text, changes) = accepted(FILE, &[], &terms(None, None));
    assert_eq!((text.as_str(), changes.len()), (FILE, 0));
}

#[test]
fn what_fails_in_another_way_keeps_its_reason() {
    let findings = [finding("X-01", "x/one", Some("333333333333"))];
    let (text, changes) = accepted(FILE, &findings, &terms(Some("another"), Some("2026-12-31")));
    let fresh = FILE.replace("'0123456789ab'   #", "\"333333333333\"   #");
    assert_eq!(text, fresh);
    assert_eq!(
        changes,
        ["refreshed X-01 in x/one  0123456789ab is now 333333333333"]
    );
}

#[test]
fn what_has_expired_is_extended_only_to_a_given_day() {
    let findings = [finding("X-02", "x/one", Some("aaaaaaaaaaaa"))];
    let (text, changes) = accepted(FILE, &findings, &terms(None, None));
    assert_eq!(text, FILE);
    assert_eq!(
        changes,
        ["expired   X-02 in x/one  on 2026-01-31: extend it with --expires"]
    );
    let (text, changes) = accepted(FILE, &findings, &terms(None, Some("2026-12-31")));
    assert_eq!(text, FILE.replace("2026-01-31 #", "2026-12-31 #"));
    assert_eq!(changes, ["extended  X-02 in x/one  until 2026-12-31"]);
    // One that has expired and fails in another way needs both.
    let findings = [finding("X-02", "x/one", Some("bbbbbbbbbbbb"))];
    let (text, changes) = accepted(FILE, &findings, &terms(None, None));
    assert_eq!(text, FILE.replace("'aaaaaaaaaaaa'", "\"bbbbbbbbbbbb\""));
    assert_eq!(changes.len(), 2, "{changes:?}");
}

#[test]
fn what_passes_is_removed_with_its_comment_but_not_what_stands_apart() {
    let first = [finding("X-01", "x/one", None)];
    let (text, changes) = pruned(FILE, &first);
    let (head, rest) = FILE.split_once("# Until").unwrap();
    let (_, rest) = rest.split_once("\n\n").unwrap();
    assert_eq!(text, format!("{head}{rest}"));
    assert_eq!(changes, ["removed   X-01 in x/one  see issue 7"]);

    let second = [finding("X-02", "x/one", None)];
    let (text, _) = pruned(FILE, &second);
    let (left, _) = FILE.split_once("\n# Nobody").unwrap();
    assert_eq!(text, format!("{left}# That was the last.\n"));

    let (text, changes) = pruned(FILE, &[first, second].concat());
    assert_eq!(text, "# Known failures of our server.\n\n# That was the last.\n");
    assert_eq!(changes.len(), 2);
    assert_eq!(read(&text).entries, []);
}

#[test]
fn what_still_fails_or_was_not_looked_at_is_not_removed() {
    let findings = [finding("X-01", "x/one", Some("333333333333"))];
    let (text, changes) = pruned(FILE, &findings);
    assert_eq!((text.as_str(), changes.len()), (FILE, 0));
}

#[test]
fn a_file_goes_round() {
    let findings = [
        finding("X-01", "x/one", Some("111111111111")),
        finding("Y-01", "y/two", Some("222222222222")),
    ];
    let (full, _) = accepted(HEADER, &findings, &terms(None, None));
    let passing = [finding("X-01", "x/one", None), finding("Y-01", "y/two", None)];
    let (empty, _) = pruned(&full, &passing);
    assert_eq!(empty.trim_end(), HEADER.trim_end());
    let (again, _) = accepted(&empty, &findings, &terms(None, None));
    assert_eq!(read(&again), read(&full));
    assert!(again.starts_with(HEADER), "{again}");
}

#[test]
fn lines_may_end_as_on_windows() {
    let file = FILE.replace('\n', "\r\n");
    let findings = [
        finding("X-01", "x/one", None),
        finding("Y-01", "y/two", Some("222222222222")),
    ];
    let (text, _) = pruned(&file, &findings);
    let (text, _) = accepted(&text, &findings, &terms(None, None));
    assert_eq!(read(&text).entries.len(), 2);
    assert!(text.starts_with("# Known failures of our server.") && text.contains("# Nobody knows why."));
    assert!(!text.contains("# Until the rewrite."), "{text}");
}

#[test]
fn entries_in_one_array_are_refused_rather_than_rewritten() {
    let file = "known = [{id = 'X-01', scenario = 'x/one', fingerprint = '0123456789ab', reason = 'r'}]\n";
    let baseline = read(file);
    let judged = baseline.judge(&[finding("X-01", "x/one", None)], day("2026-06-15"));
    let error = prune(file, &baseline, &judged).unwrap_err();
    assert!(matches!(error, EditError::Inline), "{error}");
}

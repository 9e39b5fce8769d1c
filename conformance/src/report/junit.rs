//! The report for test viewers: JUnit XML as Jenkins and Surefire describe it, one suite per area of the contract and one
//! test case per requirement.
//!
//! | in the run | in the file |
//! |---|---|
//! | fails | `<failure>`, with the requirement's level as type |
//! | a MUST that was not verified, which fails the run | `<error type="unverified">` |
//! | the kit is at fault | `<error type="kit">` |
//! | fails as a baseline lists it | `<skipped>`, `known: ` and the reason |
//! | a SHOULD that does not hold, without `--strict` | `<skipped>`, `warn: ` and what was seen: as a pass it would be green |
//! | not verified, or too close to tell | `<skipped>`, with the reason |
//! | added after the set that counts | `<skipped>`, `added after 1.0: ` and what was seen |
//!
//! What fails the run beside its requirements is an `<error>` in a suite of its own.

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, TestCase, TestCaseStatus, TestSuite};

use super::began;
use super::evidence;
use super::status;
use crate::result::{RequirementResult, RunResult};
use crate::standing::{Standing, Trouble};
use crate::text::cut;
use crate::text::{one_line, visible};

/// What a value is cut to: enough to see what is wrong, and little for a viewer that loads the whole file.
const MOST: usize = 10_000;

/// What a message is cut to; it stands in an attribute, and viewers show it in a list.
const MESSAGE: usize = 400;

/// The whole file.
pub fn document(run: &RunResult) -> io::Result<String> {
    let mut report = quick_junit::Report::new("chatspec");
    report.set_time(run.duration);
    report.add_test_suites(suites(run));
    let text = report.to_string().map_err(io::Error::other)?;
    // The schema has this sum for each suite and not for all of them; the first place is that of the root.
    Ok(text.replacen(&format!(" skipped=\"{}\"", report.skipped), "", 1))
}

fn suites(run: &RunResult) -> Vec<TestSuite> {
    let mut areas: Vec<&str> = Vec::new();
    for requirement in run.requirements.iter().chain(&run.later) {
        if !areas.contains(&requirement.area.as_str()) {
            areas.push(&requirement.area);
        }
    }
    let mut suites: Vec<TestSuite> = areas.into_iter().map(|area| of_area(run, area)).collect();
    let troubles: Vec<TestCase> = Trouble::of(run).iter().map(of_trouble).collect();
    if !troubles.is_empty() {
        let mut suite = suite(run, "run", Duration::ZERO);
        suite.add_test_cases(troubles);
        suites.push(suite);
    }
    suites
}

fn of_area(run: &RunResult, area: &str) -> TestSuite {
    let scenarios = run.scenarios.iter().filter(|s| s.scenario.area() == area);
    let mut suite = suite(run, area, scenarios.map(|s| s.duration).sum());
    let requirements = run.requirements.iter().filter(|r| r.area == area);
    suite.add_test_cases(requirements.map(|r| of_requirement(run, r)));
    let later = run.later.iter().filter(|r| r.area == area);
    suite.add_test_cases(later.map(|r| of_later(run, r)));
    suite
}

/// A suite with everything that it takes to read its results.
fn suite(run: &RunResult, name: &str, time: Duration) -> TestSuite {
    let mut suite = TestSuite::new(one_line(name));
    suite.set_time(time);
    suite.extra.insert("timestamp".into(), began(run).into());
    suite.add_properties(properties(run));
    suite
}

fn properties(run: &RunResult) -> Vec<Property> {
    let mut properties = vec![
        ("target", run.target.clone()),
        ("urls", run.urls.join(" ")),
        ("provisioning", run.provisioning.to_owned()),
        ("protocol", run.protocol.clone()),
        ("set", run.set.clone()),
        (
            "kit",
            concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
        ("limits", serde_json::to_string(&run.limits).unwrap_or_default()),
        ("partial", run.partial.to_string()),
        ("interrupted", run.interrupted.to_string()),
    ];
    properties.extend(run.lost.iter().map(|why| ("lost", why.clone())));
    properties.extend(
        run.baseline
            .iter()
            .map(|judged| ("baseline", judged.file.clone())),
    );
    properties
        .into_iter()
        .map(|(name, value)| Property::new(name, one_line(&cut(&value, MOST))))
        .collect()
}

fn of_requirement(run: &RunResult, requirement: &RequirementResult) -> TestCase {
    let status = Standing::of(run, requirement);
    let (mut shown, kind) = match status {
        Standing::Pass => (TestCaseStatus::success(), ""),
        Standing::Failure => (
            TestCaseStatus::non_success(NonSuccessKind::Failure),
            requirement.level.word(),
        ),
        Standing::Unproven => (TestCaseStatus::non_success(NonSuccessKind::Error), "unverified"),
        Standing::Fault => (TestCaseStatus::non_success(NonSuccessKind::Error), "kit"),
        Standing::Warning => (TestCaseStatus::skipped(), "warn"),
        Standing::Known => (TestCaseStatus::skipped(), "known"),
        Standing::Undecided => (TestCaseStatus::skipped(), requirement.verdict.word()),
    };
    shown
        .set_type(kind)
        .set_message(evidence::sentence(run, requirement, status, MESSAGE))
        .set_description(evidence::text(run, requirement, MOST));
    let name = format!("{} {}", requirement.id, requirement.statement);
    let mut case = TestCase::new(one_line(&name), shown);
    case.set_classname(&requirement.area);
    case
}

/// What was added after the set that counts is neither passed nor failed.
fn of_later(run: &RunResult, requirement: &RequirementResult) -> TestCase {
    let message = format!("added after {}: {}", run.set, status::outcome(requirement));
    let mut shown = TestCaseStatus::skipped();
    shown
        .set_type("later")
        .set_message(one_line(&cut(&message, MESSAGE)))
        .set_description(evidence::text(run, requirement, MOST));
    let name = format!("{} {}", requirement.id, requirement.statement);
    let mut case = TestCase::new(one_line(&name), shown);
    case.set_classname(&requirement.area);
    case
}

fn of_trouble(trouble: &Trouble<'_>) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status
        .set_type("run")
        .set_message(one_line(&cut(&trouble.text(), MESSAGE)))
        .set_description(visible(&cut(&trouble.text(), MOST)));
    let mut case = TestCase::new(one_line(&trouble.subject()), status);
    case.set_classname("run");
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn written(run: &RunResult) -> String {
        let kit = concat!("chatspec ", env!("CARGO_PKG_VERSION"));
        document(run).unwrap().replace(kit, "chatspec (version)")
    }

    #[test]
    fn the_report_of_a_run() {
        insta::assert_snapshot!(written(&sample::result()));
    }

    #[test]
    fn the_report_of_a_run_that_was_cut_short() {
        insta::assert_snapshot!(written(&sample::variant("lost after a failure")));
    }

    #[test]
    fn a_known_failure_is_skipped_and_an_entry_that_is_gone_is_an_error() {
        let known = written(&sample::variant("a failure is known"));
        assert!(
            known.contains("<skipped message=\"known: see issue 7\" type=\"known\">"),
            "{known}"
        );
        assert!(known.contains("failures=\"0\" errors=\"0\""), "{known}");
        let gone = written(&sample::variant("a failure is gone"));
        assert!(
            gone.contains("<testcase name=\"X-01 in x/one in known.toml\" classname=\"run\">"),
            "{gone}"
        );
        assert!(
            gone.contains("<error message=\"listed, but fails no more: "),
            "{gone}"
        );
    }

    /// The characters of XML 1.0.
    fn is_xml(c: char) -> bool {
        matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn whatever_a_target_sends_the_file_stays_well_formed() {
        let text = written(&sample::nasty());
        assert!(text.chars().all(is_xml));
        assert!(
            !text.contains("]]>") && text.len() < 1_000_000,
            "{} bytes",
            text.len()
        );
        let read = quick_junit::Report::deserialize_from_str(&text).unwrap();
        assert_eq!((read.tests, read.failures, read.errors), (6, 1, 2));
        let TestCaseStatus::NonSuccess {
            message, description, ..
        } = &read.test_suites[0].test_cases[0].status
        else {
            panic!("{read:?}");
        };
        let (message, description) = (message.as_deref().unwrap(), description.as_deref().unwrap());
        assert!(
            message.starts_with(r"expected \u{0}\u{1}\u{8}\u{b}\u{1b}[31mred"),
            "{message}"
        );
        for part in ["]]> <![CDATA[ <!-- &amp; &#0; </failure>", "(100", "and 2 more"] {
            assert!(description.contains(part), "{part} in {description}");
        }
    }
}

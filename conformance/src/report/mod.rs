//! Reports: each consumes the events of a run, and none knows the runner.
//!
//! - [`terminal`]: for people
//! - [`json`]: for machines; [`saved`]: the same, read back
//! - [`html`]: a page to look around in
//! - [`junit`], [`tap`]: for test viewers and harnesses
//! - [`markdown`], [`github`]: for the summary and the annotations of a CI job
//! - [`badge`]: for a page that shows how things stand
//! - [`plain`]: text from elsewhere, made fit to be shown
//!
//! What they have in common is decided once: what a requirement means for its run in `status`, and how what led there is
//! shown in `evidence`.

pub mod badge;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod plain;
pub mod saved;
pub mod tap;
pub mod terminal;

mod evidence;
mod status;

use std::io;

use time::format_description::well_known::Rfc3339;

use crate::result::RunResult;
use crate::runner::RunEvent;

/// A number of things, as in `2 checks`.
fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// When a run began, to the second, as ISO 8601 has it.
fn began(run: &RunResult) -> String {
    run.started_at
        .truncate_to_second()
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// Something that tells about a run.
pub trait Report: Send {
    /// Takes in what has happened.
    fn event(&mut self, event: &RunEvent) -> io::Result<()>;
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use serde_json::{Map, json};

    use super::status::Status;
    use super::*;
    use crate::contract::Contract;
    use crate::result::{Exit, RequirementResult};
    use crate::verdict::{Check, Verdict};

    /// Makes a report that goes there.
    type New = fn(Box<dyn io::Write + Send>) -> Box<dyn Report>;

    #[test]
    fn every_format_is_red_exactly_when_the_exit_code_is_not_0() {
        for (what, run) in sample::variants() {
            for require_all in [false, true] {
                let red = run.exit(require_all) != Exit::Conforms;
                let junit = junit::document(&run, require_all).unwrap();
                let in_junit = junit.contains("<failure") || junit.contains("<error");
                let tap = tap::document(&run, require_all);
                let fails = |line: &str| {
                    line.starts_with("Bail out!")
                        || (line.starts_with("not ok") && !line.contains(" # TODO "))
                };
                let in_github = github::document(&run, require_all).contains("::error");
                let badge = badge::document(&run, require_all);
                let in_badge = ["red", "lightgrey"].contains(&badge["color"].as_str().unwrap());
                let markdown = markdown::document(&run, require_all);
                let sections = ["### Fails", "which fails the run", "### The kit", "- **"];
                let in_markdown = sections.iter().any(|section| markdown.contains(section));
                assert_eq!(in_junit, red, "{what}\n{junit}");
                assert_eq!(tap.lines().any(fails), red, "{what}\n{tap}");
                assert_eq!(in_github, red, "{what}");
                assert_eq!(in_badge, red, "{what}: {badge}");
                assert_eq!(in_markdown, red, "{what}\n{markdown}");
            }
        }
    }

    #[test]
    fn none_shows_a_pass_where_a_must_is_not_verified() {
        let run = sample::variant("a MUST is not offered");
        assert!(
            junit::document(&run, false)
                .unwrap()
                .contains("<skipped message=\"unverified: why\"")
        );
        assert!(tap::document(&run, false).contains("# SKIP unverified: why"));
        assert!(
            github::document(&run, false).contains("::notice title=1 requirement not verified::Y-01: why")
        );
        assert!(markdown::document(&run, false).starts_with("## ⚠️"));
        assert_eq!(badge::document(&run, false)["color"], "yellow");
    }

    /// Measures, as scripts/bench-reports.sh shows it: every tenth requirement fails, with as much evidence as a run gathers.
    #[test]
    #[ignore = "scripts/bench-reports.sh runs it"]
    fn how_long_the_formats_take() {
        let contract = Contract::embedded().unwrap();
        let mut run = sample::all_fail(&contract, &"x".repeat(400));
        for requirement in run
            .requirements
            .iter_mut()
            .enumerate()
            .filter(|(n, _)| n % 10 > 0)
        {
            let requirement = requirement.1;
            requirement.verdict = Verdict::Pass;
            requirement.reason = None;
            requirement.checks.truncate(1);
            for check in &mut requirement.checks {
                *check = Check::new(&requirement.id, &check.scenario, Verdict::Pass);
            }
        }
        let run = Arc::new(run);
        println!("{} requirements", run.requirements.len());
        let started = sample::started(Contract::embedded().unwrap());
        let mut total = Duration::ZERO;
        for (name, report) in [
            (
                "terminal",
                (|out| Box::new(terminal::Terminal::new(out, false, false))) as New,
            ),
            ("json", |out| Box::new(json::Json::new(out))),
            ("html", |out| Box::new(html::Html::new(out, false))),
            ("junit", |out| Box::new(junit::Junit::new(out, false))),
            ("tap", |out| Box::new(tap::Tap::new(out, false))),
            ("markdown", |out| Box::new(markdown::Markdown::new(out, false))),
            ("github", |out| Box::new(github::Github::new(out, false))),
            ("badge", |out| Box::new(badge::Badge::new(out, false))),
        ] {
            let rounds = (0..5).map(|_| {
                let mut report = report(Box::new(io::sink()));
                report.event(&started).unwrap();
                let began = Instant::now();
                report.event(&RunEvent::Finished(run.clone())).unwrap();
                began.elapsed()
            });
            let quickest = rounds.min().unwrap();
            println!("{name:<9} {:>6.1} ms", quickest.as_secs_f64() * 1e3);
            total += quickest;
        }
        println!("together  {:>6.1} ms", total.as_secs_f64() * 1e3);
    }

    /// Writes them with what is meant by them, to be read by what others have written.
    #[test]
    #[ignore = "scripts/reports.sh runs it, and reads what it writes"]
    fn samples_for_other_parsers() {
        let folder = PathBuf::from(std::env::var_os("CHATSPEC_SAMPLES").unwrap());
        let mut runs = sample::variants();
        runs.push(("one of everything", (*sample::result()).clone()));
        runs.push(("nasty", (*sample::nasty()).clone()));
        let mut expected = Map::new();
        for (name, run) in runs {
            let requirement = |r: &RequirementResult| {
                let known = matches!(Status::of(&run, r, false), Status::Known(_));
                json!({"id": r.id, "statement": r.statement, "verdict": r.verdict, "known": known})
            };
            let meant = json!({
                "requirements": run.requirements.iter().map(requirement).collect::<Vec<_>>(),
                "fails": run.exit(false) != Exit::Conforms,
                "cut_short": run.interrupted || run.lost.is_some(),
            });
            expected.insert(name.to_owned(), meant);
            fs::write(folder.join(format!("{name}.tap")), tap::document(&run, false)).unwrap();
            fs::write(
                folder.join(format!("{name}.xml")),
                junit::document(&run, false).unwrap(),
            )
            .unwrap();
        }
        fs::write(folder.join("expected.json"), json!(expected).to_string()).unwrap();
    }
}

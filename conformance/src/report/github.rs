//! The report for GitHub Actions: workflow commands, which show as annotations of the job.
//!
//! | in the run | command |
//! |---|---|
//! | fails; a MUST that was not verified, which fails the run; whatever else fails it | `::error` |
//! | a SHOULD that does not hold, without `--strict` | `::warning` |
//! | fails as a baseline lists it | `::notice` |
//! | not verified, or too close to tell | one `::notice` with all of them |
//!
//! GitHub shows the first ten of each kind in a step, and all of them in its log. So what matters most comes first; notices
//! are never more than ten, and the last of them says how many there were of each kind.

use super::status;
use super::{evidence, many};
use crate::result::{RequirementResult, RunResult};
use crate::standing::{Standing, Trouble};
use crate::text;
use crate::text::cut;
use crate::verdict::{Level, Verdict};

/// How many annotations of each kind GitHub shows per step.
const SHOWN: usize = 10;

/// What a value is cut to: annotations are for a glance.
const MOST: usize = 1_000;

/// What all the text of one is cut to; GitHub takes 64 KiB, of text in which more bytes than one may stand for a character.
const TEXT: usize = 10_000;

/// The whole report.
pub fn document(run: &RunResult) -> String {
    let judged: Vec<(&RequirementResult, Standing)> = run
        .requirements
        .iter()
        .map(|r| (r, Standing::of(run, r)))
        .collect();
    let errors = errors(run, &judged);
    let warnings = warnings(run, &judged);
    let mut notices = known(run, &judged);
    notices.extend(undecided(&judged));
    let counts = [
        many(errors.len(), "error"),
        many(warnings.len(), "warning"),
        many(notices.len() + 1, "notice"),
    ];
    notices.push(summary(run, &counts, errors.len().max(warnings.len()) > SHOWN));
    [("error", errors), ("warning", warnings), ("notice", notices)]
        .iter()
        .flat_map(|(kind, annotations)| annotations.iter().map(|one| one.command(kind)))
        .collect()
}

/// What is shown, of whatever kind.
struct Annotation {
    title: String,
    text: String,
}

impl Annotation {
    fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
        }
    }

    fn command(&self, kind: &str) -> String {
        let text = escape(&cut(&text::visible(&self.text), TEXT));
        let title = escape(&text::one_line(&self.title))
            .replace(':', "%3A")
            .replace(',', "%2C");
        format!("::{kind} title={title}::{text}\n")
    }
}

/// So that a text stays one, as GitHub's own toolkit does it.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn errors(run: &RunResult, judged: &[(&RequirementResult, Standing)]) -> Vec<Annotation> {
    let (cut_short, others): (Vec<_>, Vec<_>) = Trouble::of(run).into_iter().partition(Trouble::cuts_short);
    let of_trouble = |trouble: &Trouble<'_>| Annotation::new(trouble.subject(), cut(&trouble.text(), MOST));
    let with = |wanted: Standing, level: Option<Level>| {
        judged
            .iter()
            .filter(move |(r, status)| *status == wanted && level.is_none_or(|level| r.level == level))
    };
    let failed = |level| {
        with(Standing::Failure, Some(level)).map(|(r, status)| of_requirement(run, r, *status, "fails"))
    };
    let faults =
        with(Standing::Fault, None).map(|(r, status)| of_requirement(run, r, *status, "is not judged"));
    let unproven = status::by_reason(with(Standing::Unproven, None).map(|(r, _)| *r));
    let unproven = unproven.into_iter().map(|reason| {
        let text = format!("{}: {}", reason.ids.join(" "), cut(reason.text, MOST));
        Annotation::new("not verified, which fails the run", text)
    });
    cut_short
        .iter()
        .map(of_trouble)
        .chain(failed(Level::Must))
        .chain(unproven)
        .chain(others.iter().map(of_trouble))
        .chain(faults)
        .chain(failed(Level::Should))
        .collect()
}

fn warnings(run: &RunResult, judged: &[(&RequirementResult, Standing)]) -> Vec<Annotation> {
    let warnings = judged.iter().filter(|(_, status)| *status == Standing::Warning);
    warnings
        .map(|(r, status)| of_requirement(run, r, *status, "does not hold"))
        .collect()
}

/// Those that a baseline lists: each, or so many that there is room for what follows.
fn known(run: &RunResult, judged: &[(&RequirementResult, Standing)]) -> Vec<Annotation> {
    let known: Vec<_> = judged
        .iter()
        .filter(|(_, status)| matches!(status, Standing::Known))
        .collect();
    let each = if known.len() > SHOWN - 2 {
        SHOWN - 3
    } else {
        known.len()
    };
    let (each, rest) = known.split_at(each);
    let mut told: Vec<_> = each
        .iter()
        .map(|(r, status)| of_requirement(run, r, *status, "is known to fail"))
        .collect();
    if !rest.is_empty() {
        let ids: Vec<&str> = rest.iter().map(|(r, _)| r.id.as_str()).collect();
        told.push(Annotation::new(
            format!("{} more are known to fail", rest.len()),
            ids.join(" "),
        ));
    }
    told
}

/// All that was not decided, a line for each reason.
fn undecided(judged: &[(&RequirementResult, Standing)]) -> Option<Annotation> {
    let undecided = judged.iter().filter(|(_, status)| *status == Standing::Undecided);
    let reasons = status::by_reason(undecided.clone().map(|(r, _)| *r));
    let lines: Vec<String> = reasons
        .iter()
        .map(|reason| {
            let text = text::one_line(&cut(reason.text, MOST));
            format!("{}: {text}", reason.ids.join(" "))
        })
        .collect();
    let title = format!("{} not verified", many(undecided.count(), "requirement"));
    (!lines.is_empty()).then(|| Annotation::new(title, lines.join("\n")))
}

fn of_requirement(
    run: &RunResult,
    requirement: &RequirementResult,
    status: Standing,
    word: &str,
) -> Annotation {
    let title = format!("{} {} {word}", requirement.level.word(), requirement.id);
    let why = evidence::sentence(run, requirement, status, MOST);
    let place = evidence::decisive(run, requirement)
        .first()
        .map_or_else(String::new, |check| format!("\nin {}", check.scenario));
    Annotation::new(title, format!("{}\n{why}{place}", requirement.statement))
}

fn summary(run: &RunResult, counts: &[String; 3], more: bool) -> Annotation {
    let (_, headline) = status::headline(run);
    let mut lines = vec![text::one_line(&cut(&headline, MOST))];
    for level in [Level::Must, Level::Should] {
        let all = run.requirements.iter().filter(|r| r.level == level).count();
        if all > 0 {
            lines.push(format!(
                "{} {} of {all} pass",
                level.word(),
                run.count(level, Verdict::Pass)
            ));
        }
    }
    if run.partial {
        lines.push("This run looked at a part of the contract only.".to_owned());
    }
    if !run.later.is_empty() {
        let told = |r: &RequirementResult| format!("{} {}", r.id, r.verdict.word());
        let told: Vec<String> = run.later.iter().map(told).collect();
        lines.push(format!(
            "Added after {}, which fails nothing: {}",
            run.set,
            told.join(", ")
        ));
    }
    lines.push(counts.join(", "));
    if more {
        lines.push(format!("GitHub shows {SHOWN} of each kind; all are in the log."));
    }
    Annotation::new("chatspec", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::report::sample;

    #[test]
    fn the_report_of_a_run() {
        insta::assert_snapshot!(document(&sample::result()));
    }

    #[test]
    fn the_report_of_a_run_that_was_cut_short() {
        insta::assert_snapshot!(document(&sample::variant("lost after a failure")));
    }

    #[test]
    fn a_known_failure_is_a_notice() {
        let text = document(&sample::variant("a failure is known"));
        assert!(
            text.contains("::notice title=MUST X-01 is known to fail::"),
            "{text}"
        );
        assert!(!text.contains("::error"), "{text}");
    }

    #[test]
    fn whatever_a_target_sends_each_command_stays_one() {
        let command = Regex::new(r"^::(error|warning|notice) title=[^:,]+::(?:[^%]|%25|%0A)+$").unwrap();
        let text = document(&sample::nasty());
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for line in &lines {
            assert!(
                line.ends_with('\n') && command.is_match(line.trim_end_matches('\n')),
                "{line}"
            );
            assert!(line.len() < 1 << 16);
        }
        let kinds = |kind: &str| lines.iter().filter(|line| line.starts_with(kind)).count();
        // Interrupted, lost, X-01; X-02; Y-01 and the sum.
        assert_eq!(
            (kinds("::error"), kinds("::warning"), kinds("::notice")),
            (3, 1, 2)
        );
    }

    #[test]
    fn percent_and_line_breaks_are_escaped_and_in_titles_what_ends_them() {
        let command = Annotation::new("a: b, c% \n", "a: b, c%\nd\r").command("notice");
        assert_eq!(command, "::notice title=a%3A b%2C c%25 \\n::a: b, c%25%0Ad\\r\n");
    }

    #[test]
    fn there_are_never_more_than_ten_notices() {
        let run = sample::variant("a failure is known");
        for (n, notices) in [(7, 8), (8, 9), (9, 9), (30, 9)] {
            let mut run = run.clone();
            run.requirements = vec![run.requirements[0].clone(); n];
            let text = document(&run);
            assert_eq!(text.matches("::notice").count(), notices, "{text}");
            let sum = format!("0 errors, 0 warnings, {notices} notices");
            assert!(text.trim_end().ends_with(&sum), "{text}");
        }
    }

    #[test]
    fn what_matters_most_comes_first_and_what_is_not_shown_is_counted() {
        let mut run = sample::variant("a MUST fails");
        run.requirements = vec![run.requirements[0].clone(); 12];
        run.requirements[0].level = Level::Should;
        let text = document(&run);
        assert!(text.starts_with("::error title=MUST X-01 fails::"), "{text}");
        let last = text.lines().last().unwrap();
        assert!(
            last.contains("12 errors, 0 warnings, 1 notice%0AGitHub shows 10 of each kind"),
            "{last}"
        );
    }
}

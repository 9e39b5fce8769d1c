//! The top of the page: the verdict in words, what must be known beside it, and who was tested, when and how.

use maud::{Markup, html};
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::Page;
use super::text::{plain, value};
use crate::baseline::Judged;
use crate::report::many;
use crate::report::status;
use crate::report::status::Tone;
use crate::result::{Exit, RunResult};
use crate::verdict::{Level, Verdict};

const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");

/// The verdict in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// The verdict on a run.
pub(super) fn headline(page: &Page<'_>) -> Headline {
    let run = page.run;
    let musts = || run.requirements.iter().filter(|r| r.level == Level::Must);
    let passed = musts().filter(|r| r.verdict == Verdict::Pass).count();
    let known = run.baseline.as_ref().filter(|judged| !judged.known.is_empty());
    let stale = |judged: &&Judged| !judged.has_failures() && judged.is_stale();
    let (tone, text) = match run.exit() {
        Exit::Interrupted => (Tone::Doubtful, "incomplete: the run was interrupted".to_owned()),
        Exit::Usage | Exit::Fault if run.lost.is_some() => (
            Tone::Doubtful,
            "incomplete: the target has stopped answering".to_owned(),
        ),
        Exit::Usage | Exit::Fault => (
            Tone::Doubtful,
            "cannot be judged: the kit itself is at fault".to_owned(),
        ),
        Exit::Fails => match run.baseline.as_ref().filter(stale) {
            Some(judged) => (
                Tone::Bad,
                format!("{} lists what no longer fails", plain(&judged.file, 200)),
            ),
            None if fails(run) > 0 => (Tone::Bad, "does not conform".to_owned()),
            None => (
                Tone::Bad,
                format!(
                    "conformance could not be shown: a {} is not verified",
                    status::unproven(run).word()
                ),
            ),
        },
        Exit::Conforms => match known {
            Some(judged) => (
                Tone::Doubtful,
                format!(
                    "does not conform, but fails in nothing that {} does not list",
                    plain(&judged.file, 200)
                ),
            ),
            None if passed == 0 => (Tone::Doubtful, "no MUST was verified in this run".to_owned()),
            None if run.partial => (
                Tone::Doubtful,
                "conforms in the part that was looked at".to_owned(),
            ),
            None if passed < musts().count() => {
                (Tone::Doubtful, "conforms, as far as this run looked".to_owned())
            }
            None => (Tone::Good, "conforms, as far as this run looked".to_owned()),
        },
    };
    Headline { tone, text }
}

/// The whole top.
pub(super) fn cover(page: &Page<'_>) -> Markup {
    let Headline { tone, text } = headline(page);
    let (class, sign) = match tone {
        Tone::Good => ("pass", "✓"),
        Tone::Doubtful => ("warn", "▲"),
        Tone::Bad => ("fail", "✗"),
    };
    html! {
        p.kind { "Conformance report" }
        h1 {
            span.target { (value(&page.run.target).within(400)) ": " }
            span.(class) { span aria-hidden="true" { (sign) " " } (text) }
        }
        (remarks(page))
        (facts(page.run))
    }
}

fn fails(run: &RunResult) -> usize {
    run.requirements
        .iter()
        .filter(|r| r.verdict == Verdict::Fail)
        .count()
}

/// How much was looked at, in a run of less than everything.
fn part(page: &Page<'_>) -> Markup {
    let judgeable = page
        .contract
        .requirements
        .iter()
        .filter(|r| r.level != Level::May && page.contract.set.has(&r.id));
    let (selected, all) = (page.run.requirements.len(), judgeable.count());
    let left_out = page.run.left_out.len();
    html! {
        p.remark {
            strong { "A partial run:" } " it was to look at "
            @if selected < all { (selected) " of " (all) " requirements" } @else {
                "all " (all) " requirements, but not in all scenarios"
            }
            @if left_out == 0 { ", by --only, --skip or --quick." } @else {
                ", and --quick " a href="#left-out" { "left out " (left_out) } " that take waiting."
            }
        }
    }
}

/// What whoever reads the headline has to know as well.
fn remarks(page: &Page<'_>) -> Markup {
    let run = page.run;
    let limits = run.limits.own();
    html! {
        @if run.interrupted {
            p.remark {
                strong { "Interrupted." } " The run was cut short; what it did not get to is unverified."
                @if fails(run) > 0 { " Until then, " (many(fails(run), "requirement")) " failed: the target does not conform." }
            }
        }
        @if let Some(why) = &run.lost {
            p.remark {
                strong { "The target has stopped answering," } " and the run was given up: " (value(why))
            }
        }
        @if run.at_fault() {
            p.remark {
                strong { "The kit itself is at fault" } " in part of this run, which says nothing about the target there."
            }
        }
        @if run.partial { (part(page)) }
        @if !limits.is_empty() {
            p.remark { strong { "Judged by the target's own limits:" } " " (limits.join(", ")) "." }
        }
    }
}

/// Who was tested, when and how.
fn facts(run: &RunResult) -> Markup {
    let machine = run.started_at.format(&Rfc3339).unwrap_or_default();
    let date = run.started_at.format(DATE).unwrap_or_default();
    html! {
        dl.facts {
            div {
                dt { "Address" }
                dd { @for url in run.urls.iter().take(20) { (value(url)) " " } }
            }
            div { dt { "Date" } dd { time datetime=(machine) { (date) } } }
            div { dt { "Duration" } dd { (format!("{:.1} s", run.duration.as_secs_f64())) } }
            div { dt { "Users" } dd { (users(run.provisioning)) } }
            div { dt { "Protocol" } dd { (value(&run.protocol)) } }
            div { dt { "Requirement set" } dd { (value(&run.set)) } }
            div { dt { "Kit" } dd { "chatspec " (env!("CARGO_PKG_VERSION")) } }
            @if let Some(seen) = &run.calibration {
                div {
                    dt { "Round trip" }
                    dd { (ms(seen.rtt_median_ms)) " in the median, at most " (ms(seen.rtt_max_ms)) }
                }
                div {
                    dt { "Connecting, broadcast" }
                    dd { (ms(seen.connect_ms)) ", " (ms(seen.broadcast_ms)) }
                }
            }
        }
    }
}

fn ms(ms: f64) -> String {
    format!("{ms:.1} ms")
}

fn users(provisioning: &str) -> String {
    match provisioning {
        "rest" => "registered through REST".to_owned(),
        "jwt" => "given tokens that the kit minted".to_owned(),
        "static" => "listed in a file".to_owned(),
        "command" => "made by a program".to_owned(),
        other => other.to_owned(),
    }
}

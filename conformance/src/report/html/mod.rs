//! The report for people who want to look around: one HTML file that asks nothing of the network, written once at the end.
//!
//! - `head`: title and policy, for other pages as well
//! - `cover`: the verdict in words, and who was tested, when and how
//! - `counts`: how many requirements of each level have which verdict
//! - `failures`: what failed and why, with `exchange`: the frames that led there
//! - `open`: what could not be verified, by its reason
//! - `baseline`: which failures are known, and what is wrong with the file that says so
//! - `requirements`: all of them by area, with a filter
//! - `scenarios`: all of them, with their steps
//! - `appendix`: freedoms taken, measurements, what was left out
//! - `text`: how values of the target are shown
//!
//! The page can be read without its script, which only filters. It stays below [`MOST`], whatever the target sends: texts
//! have a bound each, and the evidence of all failures shares `EVIDENCE`.

mod appendix;
mod baseline;
mod counts;
mod cover;
mod exchange;
mod failures;
pub(crate) mod head;
mod open;
mod requirements;
mod scenarios;
mod text;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::Arc;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;
use crate::contract::Contract;
use crate::result::RunEvent;
use crate::result::{RequirementResult, RunResult};
use crate::scene::Context;
use crate::standing::Standing;
use crate::verdict::Verdict;

/// A page is never larger than this, in bytes.
pub const MOST: usize = 1_000_000;

/// How many bytes of it are reserved for what led to failures.
const EVIDENCE: usize = 550_000;

const STYLE: &str = concat!(include_str!("../palette.css"), include_str!("style.css"));
const SCRIPT: &str = include_str!("page.js");

/// Writes the report when the run is over.
pub struct Html<W> {
    out: W,
    context: Option<Arc<Context>>,
}

impl<W: Write + Send> Html<W> {
    /// A report that goes there.
    pub const fn new(out: W) -> Self {
        Self { out, context: None }
    }
}

impl<W: Write + Send> Report for Html<W> {
    fn event(&mut self, event: &RunEvent) -> io::Result<()> {
        match event {
            RunEvent::Started { context, .. } => self.context = Some(context.clone()),
            RunEvent::ScenarioStarted(_) | RunEvent::ScenarioFinished(_) => {}
            RunEvent::Finished(run) => {
                let never = || io::Error::other("the run has ended without having begun");
                let context = self.context.take().ok_or_else(never)?;
                let page = Page::new(run, &context.contract);
                self.out.write_all(page.document().into_string().as_bytes())?;
                self.out.flush()?;
            }
        }
        Ok(())
    }
}

/// What a page is made of.
struct Page<'a> {
    run: &'a RunResult,
    contract: &'a Contract,
    /// The requirements that fail, or are blocked, only as the baseline lists it.
    known: BTreeSet<&'a str>,
}

impl<'a> Page<'a> {
    fn new(run: &'a RunResult, contract: &'a Contract) -> Self {
        let known = |r: &&RequirementResult| matches!(Standing::of(run, r), Standing::Known);
        Self {
            run,
            contract,
            known: run
                .requirements
                .iter()
                .filter(known)
                .map(|r| r.id.as_str())
                .collect(),
        }
    }

    /// The whole page.
    fn document(&self) -> Markup {
        let sections: Vec<Section> = [
            failures::section(self),
            open::section(self),
            baseline::section(self),
            requirements::section(self),
            scenarios::section(self),
            appendix::freedoms(self),
            appendix::figures(self),
            appendix::left_out(self),
            appendix::later(self),
        ]
        .into_iter()
        .flatten()
        .collect();
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    a.skip href="#main" { "Skip to the results" }
                    header { (cover::cover(self)) }
                    nav aria-label="Contents" {
                        ul {
                            @for Section { id, title, count, .. } in &sections {
                                li { a href={ "#" (id) } { (title) } @if let Some(n) = count { " " span.n { (n) } } }
                            }
                        }
                    }
                    main #main tabindex="-1" {
                        (counts::section(self))
                        @for Section { id, title, body, .. } in &sections {
                            section aria-labelledby=(id) {
                                h2 #(id) { (title) }
                                (body)
                            }
                        }
                    }
                    footer {
                        p {
                            "Written by chatspec " (env!("CARGO_PKG_VERSION")) ". What could not be verified is never counted as \
                            passed. " code { "chatspec explain ID" } " shows the frames of a requirement and the steps of \
                            the scenarios that look at it."
                        }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
    }

    fn head(&self) -> Markup {
        let target = text::plain(&self.run.target, 80);
        let title = format!("{target}: {} - chatspec", cover::headline(self).text);
        head::head(&title, STYLE, Some(SCRIPT))
    }
}

impl Page<'_> {
    /// Names a scenario, with a link to where it is told, if it is.
    fn scenario(&self, id: &str) -> Markup {
        let told = self.run.scenarios.iter().any(|result| result.scenario.id == id);
        let name = text::plain(id, 200);
        html! { @if told { a.id href={ "#scenario-" (id) } { (name) } } @else { span.id { (name) } } }
    }

    /// Names a requirement, with a link to where it is told, if it is.
    fn requirement(&self, id: &str) -> Markup {
        let name = text::plain(id, 40);
        html! { @if self.has_anchor(id) { a.id href={ "#" (id) } { (name) } } @else { span.id { (name) } } }
    }

    /// Whether there is a verdict on a requirement, or it is told why not.
    fn has_anchor(&self, id: &str) -> bool {
        let left_out = || self.run.left_out.iter().any(|one| one == id);
        let mut told = self.run.requirements.iter().chain(&self.run.later);
        told.any(|r| r.id == id) || left_out()
    }
}

/// One part of the page, as it stands in the table of contents.
struct Section {
    id: &'static str,
    title: &'static str,
    count: Option<usize>,
    body: Markup,
}

/// In which order verdicts are told: what matters most comes first.
const VERDICTS: [Verdict; 6] = [
    Verdict::Fail,
    Verdict::Harness,
    Verdict::Warn,
    Verdict::Inconclusive,
    Verdict::Unverified,
    Verdict::Pass,
];

/// A verdict, told by a sign and a word; the colour only helps.
fn verdict(verdict: Verdict) -> Markup {
    html! { span.verdict.(verdict.word()) { span aria-hidden="true" { (verdict.sign()) } " " (verdict.word()) } }
}

/// A sentence of the contract, which writes code between backticks.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (n, part) in text.split('`').enumerate() {
            @if n % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// A table that is wider than a narrow screen has a box of its own to scroll in, which the keyboard reaches.
fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div.scroll role="group" aria-label=(label) tabindex="0" { (table) } }
}

#[cfg(test)]
mod tests;

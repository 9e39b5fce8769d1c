//! Which failures are known, and what is wrong with the file that says so.

use maud::{Markup, html};

use super::text::value;
use super::{Page, Section};
use crate::baseline::{CheckLocation, Listed};
use crate::report::many;
use crate::report::status::terms;

/// How many entries of one kind are listed, at most.
const MOST: usize = 40;

/// The whole section.
pub(super) fn section(page: &Page<'_>) -> Option<Section> {
    let judged = page.run.baseline.as_ref()?;
    let listed = |one: &Listed| terms(&one.entry);
    let body = html! {
        p {
            (value(&judged.file)) " lists " (many(judged.known.len(), "failure")) " of this run; "
            strong { (judged.new.len()) " not listed" } "."
        }
        (group(page, "New", judged.new.iter().map(|one| (&one.place, one.message.clone()))))
        (group(page, "Known", judged.known.iter().map(|one| (&one.entry.place, listed(one)))))
        (group(page, "Listed, but fails no more", judged.gone.iter().map(|one| (&one.place, terms(one)))))
        (group(page, "Listed, but fails in another way", judged.changed.iter().map(|one| (&one.entry.place, listed(one)))))
        (group(page, "Listed, but has expired", judged.expired.iter().map(|one| (&one.entry.place, listed(one)))))
        (group(page, "Listed, but not looked at", judged.not_looked_at.iter().map(|one| (&one.entry.place, one.why.clone()))))
    };
    Some(Section {
        id: "baseline",
        title: "Known failures",
        count: Some(judged.known.len()),
        body,
    })
}

fn group<'a>(
    page: &Page<'_>,
    title: &str,
    entries: impl ExactSizeIterator<Item = (&'a CheckLocation, String)>,
) -> Markup {
    let count = entries.len();
    html! {
        @if count > 0 {
            h3 { (title) " " span.n { (count) } }
            dl.reasons {
                @for (place, text) in entries.take(MOST) {
                    dt { (page.requirement(&place.requirement)) " in " (page.scenario(&place.scenario)) }
                    dd { (value(&text).within(300)) }
                }
            }
            @if count > MOST { p.more { "And " (count - MOST) " more." } }
        }
    }
}

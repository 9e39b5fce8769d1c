//! For a web page: one file without scripts that asks nothing of the network, in the light or the dark, and on paper.

use maud::{DOCTYPE, Markup, html};

use super::chart::{Across, Curve, chart};
use super::{asked, generator_usage, grouped, ms, rate, target_usage};
use crate::load::latency::{Latency, Point, Stretch};
use crate::load::outcome::{LoadResult, LoadVerdict};
use crate::report::html::head;
use crate::text::{brief, one_line};

const STYLE: &str = concat!(
    include_str!("../../report/palette.css"),
    include_str!("style.css")
);

/// The page.
pub fn page(outcome: &LoadResult) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head::head(&format!("chatspec load: {}", outcome.headline()), STYLE, None))
            body {
                main {
                    (head(outcome))
                    (faults(outcome))
                    (latencies(outcome))
                    (curves(outcome))
                    (facts(outcome))
                }
                footer {
                    p {
                        "Written by chatspec " (env!("CARGO_PKG_VERSION")) ". Latencies count from the time at which a message \
                        was due, whether or not it could go out then."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn head(outcome: &LoadResult) -> Markup {
    let (sign, class) = match outcome.verdict() {
        LoadVerdict::Clean => ("✓", "ok"),
        LoadVerdict::Partly => ("○", "warn"),
        LoadVerdict::Faulty | LoadVerdict::Dead => ("✗", "bad"),
    };
    html! {
        p.kind { "chatspec load" }
        h1.(class) { span aria-hidden="true" { (sign) } " " (outcome.headline()) }
        p { strong { (brief(&outcome.target.name)) } " " span.dim { (one_line(&outcome.target.urls.join(" "))) } }
        p { (asked(outcome)) }
        @if outcome.interrupted { p.remark { "Interrupted: not all was sent." } }
        @for warning in &outcome.warnings { p.remark { (warning) } }
    }
}

fn faults(outcome: &LoadResult) -> Markup {
    let faults = &outcome.faults;
    let left = faults.sum().saturating_sub(faults.told.len() as u64);
    html! {
        @if !faults.told.is_empty() {
            h2 { "What is wrong" }
            ul.faults {
                @for fault in &faults.told {
                    li { strong.bad { (<&str>::from(fault.kind)) } " " (brief(&fault.text)) }
                }
            }
            @if left > 0 { p.dim { "and " (grouped(left)) " more" } }
        }
    }
}

fn latencies(outcome: &LoadResult) -> Markup {
    let all = &outcome.latency;
    let rows = [
        ("Ack", all.ack),
        ("Delivery", all.delivery),
        ("Connect", all.connect),
        ("Send lag", all.lag),
    ];
    html! {
        h2 #latency { "Latency" }
        div.scroll role="group" aria-labelledby="latency" tabindex="0" {
            table {
                thead {
                    tr {
                        th scope="col" { "ms" }
                        @for name in ["mean", "p50", "p90", "p99", "p99.9", "max", "count"] { th scope="col" { (name) } }
                    }
                }
                tbody {
                    @for (name, latency) in rows { @if latency.count > 0 { (row(name, &latency)) } }
                }
            }
        }
        p.dim {
            "Send lag is by how much the generator itself was behind its plan; the latencies above it hold that too."
        }
    }
}

fn row(name: &str, latency: &Latency) -> Markup {
    let Latency {
        count,
        mean,
        p50,
        p90,
        p99,
        p999,
        max,
    } = *latency;
    html! {
        tr {
            th scope="row" { (name) }
            @for time in [mean, p50, p90, p99, p999, max] { td { (ms(time)) } }
            td { (grouped(count)) }
        }
    }
}

fn curves(outcome: &LoadResult) -> Markup {
    let all = &outcome.latency;
    html! {
        @if all.ack.count > 0 {
            h2 { "Latency by percentile" }
            (chart(
                "by-percentile",
                "How long acks and deliveries took, by percentile; the table above has the figures.",
                &percentiles(all.ack.count.max(all.delivery.count)),
                &[
                    Curve { name: "ack", points: tail(&all.ack_curve) },
                    Curve { name: "delivery", points: tail(&all.delivery_curve) },
                ],
            ))
            h2 { "Delivery over time" }
            (chart(
                "over-time",
                "How long deliveries took, by when their messages were due.",
                &seconds(outcome.load.seconds),
                &[
                    Curve { name: "p50", points: over_time(&all.timeline, |delivery| delivery.p50) },
                    Curve { name: "p99", points: over_time(&all.timeline, |delivery| delivery.p99) },
                    Curve { name: "max", points: over_time(&all.timeline, |delivery| delivery.max) },
                ],
            ))
        }
    }
}

/// How many nines a share has: 1 for 0.9, 2 for 0.99.
fn nines(quantile: f64) -> f64 {
    -(1.0 - quantile).log10()
}

/// The points whose share has a place on a scale of nines: all but 1 itself.
fn tail(points: &[Point]) -> Vec<(f64, f64)> {
    let there = points.iter().filter(|point| point.quantile < 1.0);
    there.map(|point| (nines(point.quantile), point.ms)).collect()
}

/// As far as so many things tell.
fn percentiles(count: u64) -> Across {
    let all = [
        (0.0, "0 %"),
        (0.5, "50 %"),
        (0.9, "90 %"),
        (0.99, "99 %"),
        (0.999, "99.9 %"),
        (0.9999, "99.99 %"),
        (0.999_99, "99.999 %"),
    ];
    let to = f64::from(u32::try_from(count).unwrap_or(u32::MAX))
        .log10()
        .clamp(1.0, 5.0);
    let within = all.into_iter().filter(|(quantile, _)| nines(*quantile) <= to);
    Across {
        title: "percentile",
        from: 0.0,
        to,
        marks: within
            .map(|(quantile, name)| (nines(quantile), name.to_owned()))
            .collect(),
    }
}

fn seconds(to: f64) -> Across {
    let parts = (0..=5_u32).map(|n| to * f64::from(n) / 5.0);
    Across {
        title: "seconds",
        from: 0.0,
        to,
        marks: parts
            .map(|at| (at, format!("{}", (at * 10.0).round() / 10.0)))
            .collect(),
    }
}

fn over_time(timeline: &[Stretch], of: impl Fn(&Latency) -> f64) -> Vec<(f64, f64)> {
    let there = timeline.iter().filter(|stretch| stretch.delivery.count > 0);
    there
        .map(|stretch| (stretch.at_s, of(&stretch.delivery)))
        .collect()
}

/// All that is no latency.
fn facts(outcome: &LoadResult) -> Markup {
    let (counts, faults, made) = (&outcome.messages, &outcome.faults, &outcome.connections);
    html! {
        h2 #figures { "Figures" }
        div.scroll role="group" aria-labelledby="figures" tabindex="0" {
            table.facts {
                tbody {
                    @if counts.planned > 0 {
                        (fact("Messages sent", &format!("{} of {}", grouped(counts.sent), grouped(counts.planned))))
                        (fact("Acknowledged", &grouped(counts.acked)))
                        (fact("Repeated under their clientId", &grouped(counts.repeats)))
                        @for (code, n) in &counts.refused { (fact(&format!("Refused: {}", brief(code)), &grouped(*n))) }
                        (fact("Unanswered", &grouped(counts.unanswered)))
                        (fact("Cut off before the ack", &grouped(counts.cut_off)))
                        (fact("Deliveries", &format!("{} of {} due", grouped(counts.delivered), grouped(counts.due))))
                        (fact("Not waited for to the end", &grouped(counts.undecided)))
                        (fact(&format!("Later than {} ms", outcome.load.late_ms), &grouped(counts.late)))
                        (fact("Overtaken by what was sent before the ack", &grouped(counts.overtaken)))
                        (fact("Lost", &grouped(faults.lost)))
                        (fact("Doubled", &grouped(faults.doubled)))
                        (fact("Out of order", &grouped(faults.out_of_order)))
                        (fact("Invented", &grouped(faults.invented)))
                        (fact("Wrong ids", &grouped(faults.ids)))
                        (fact("Acks per second", &rate(outcome.rates.acks_per_s)))
                        (fact("Deliveries per second", &rate(outcome.rates.deliveries_per_s)))
                    }
                    (fact("Connections", &format!("{} of {}", grouped(made.made), grouped(made.wanted))))
                    (fact("Connections per second", &rate(made.per_second)))
                    (fact("Connections lost", &grouped(made.lost)))
                    @for (reason, n) in &made.reasons { (fact(&brief(reason), &grouped(*n))) }
                    @if let Some(used) = target_usage(outcome) { (fact("Target", &used)) }
                    @if let Some(used) = generator_usage(outcome) { (fact("Generator", &used)) }
                }
            }
        }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { tr { th scope="row" { (name) } td { (value) } } }
}

//! Curves of latencies as inline SVG: time on a logarithmic scale, since the longest may be a thousand times the usual one.

use maud::{Markup, html};

/// The size of the drawing, and what is left of it for the axes.
const SIZE: (f64, f64) = (720.0, 300.0);
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 44.0;

/// The shortest time that is drawn, in ms: latencies are counted in µs.
const LEAST: f64 = 1e-3;

/// One curve: its name, and its points, the time in ms as the second coordinate.
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// The horizontal axis.
pub(super) struct Across {
    pub(super) title: &'static str,
    pub(super) from: f64,
    pub(super) to: f64,
    /// Where there is a mark, and what stands at it.
    pub(super) marks: Vec<(f64, String)>,
}

/// A chart of these curves, which `description` describes to people who cannot see it.
pub(super) fn chart(id: &str, description: &str, across: &Across, curves: &[Curve]) -> Markup {
    let times = curves
        .iter()
        .flat_map(|curve| curve.points.iter().map(|point| point.1));
    let (low, high) = decades(times);
    let x = |value: f64| {
        let span = (across.to - across.from).max(f64::MIN_POSITIVE);
        LEFT + (value - across.from).clamp(0.0, span) / span * (SIZE.0 - LEFT - RIGHT)
    };
    let y = |ms: f64| {
        let share = (ms.max(LEAST).log10() - low) / (high - low);
        SIZE.1 - BOTTOM - share * (SIZE.1 - TOP - BOTTOM)
    };
    let (right, bottom) = (SIZE.0 - RIGHT, SIZE.1 - BOTTOM);
    html! {
        figure {
            ul.legend {
                @for (n, curve) in curves.iter().enumerate() {
                    li {
                        svg.swatch viewBox="0 0 24 8" aria-hidden="true" { line.(class(n)) x1="0" y1="4" x2="24" y2="4" {} }
                        " " (curve.name)
                    }
                }
            }
            svg.chart viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } role="img" aria-labelledby=(id) {
                title #(id) { (description) }
                @for ms in steps(low, high) {
                    line.grid x1=(LEFT) x2=(right) y1=(place(y(ms))) y2=(place(y(ms))) {}
                    text.mark x=(LEFT - 8.0) y=(place(y(ms) + 4.0)) text-anchor="end" { (ms) " ms" }
                }
                @for (at, text) in &across.marks {
                    line.grid x1=(place(x(*at))) x2=(place(x(*at))) y1=(TOP) y2=(bottom) {}
                    text.mark x=(place(x(*at))) y=(bottom + 18.0) text-anchor="middle" { (text) }
                }
                text.mark x=(place(f64::midpoint(LEFT, right))) y=(SIZE.1 - 6.0) text-anchor="middle" { (across.title) }
                @for (n, curve) in curves.iter().enumerate() {
                    polyline.(class(n)) points=(path(&curve.points, x, y)) {}
                }
            }
        }
    }
}

const fn class(number: usize) -> &'static str {
    match number {
        0 => "first",
        1 => "second",
        _ => "third",
    }
}

fn path(points: &[(f64, f64)], x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let places = points
        .iter()
        .map(|(across, ms)| format!("{},{}", place(x(*across)), place(y(*ms))));
    places.collect::<Vec<_>>().join(" ")
}

/// To a tenth of what a screen shows.
fn place(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The powers of ten that the times are between.
fn decades(times: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for time in times.map(|ms| ms.max(LEAST).log10()) {
        (low, high) = (low.min(time), high.max(time));
    }
    if low > high {
        return (-1.0, 1.0);
    }
    let (low, high) = (low.floor(), high.ceil());
    (low, high.max(low + 1.0))
}

/// What is marked at the side: the powers of ten, and where there are few of them, what lies between.
fn steps(low: f64, high: f64) -> Vec<f64> {
    let within: &[f64] = if high - low > 2.0 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let powers =
        std::iter::successors(Some(low), |power| Some(power + 1.0)).take_while(|power| *power <= high);
    let all = powers.flat_map(|power| within.iter().map(move |step| round(step * 10f64.powf(power))));
    all.filter(|ms| ms.log10() <= high + 1e-9).collect()
}

/// Without the noise of binary fractions.
fn round(ms: f64) -> f64 {
    (ms * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_holds_all_times() {
        assert_eq!(decades([0.3, 42.0].into_iter()), (-1.0, 2.0));
        assert_eq!(decades([5.0].into_iter()), (0.0, 1.0));
        assert_eq!(decades([0.0].into_iter()), (-3.0, -2.0));
        assert_eq!(decades(std::iter::empty()), (-1.0, 1.0));
        assert_eq!(steps(-1.0, 2.0), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(steps(0.0, 1.0), [1.0, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn what_takes_longer_is_higher_and_all_is_within() {
        let across = Across {
            title: "s",
            from: 0.0,
            to: 10.0,
            marks: vec![(5.0, "5".to_owned())],
        };
        let curve = Curve {
            name: "ack",
            points: vec![(0.0, 1.0), (5.0, 10.0), (10.0, 100.0)],
        };
        let drawn = chart("c", "told", &across, &[curve]).into_string();
        assert!(drawn.contains(r#"points="64,256 384,134 704,12""#), "{drawn}");
        assert!(drawn.contains("<title id=\"c\">told</title>"), "{drawn}");
    }
}

//! What is counted, as Prometheus text at `/metrics`.

use std::time::Duration;

use prometheus::{
    Encoder as _, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

/// All counters, in a registry of their own: two servers in one process do not mix.
pub struct Metrics {
    registry: Registry,
    connections: IntGauge,
    refused: IntCounter,
    events: IntCounterVec,
    latency: HistogramVec,
    acks_undelivered: IntCounter,
    deliveries: IntCounterVec,
    drops: IntCounterVec,
}

/// Acks are expected within milliseconds; the buckets are in seconds.
const LATENCY_BUCKETS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

impl Metrics {
    /// Counters at zero. An error means that two of them have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        macro_rules! register {
            ($metric:expr) => {{
                let metric = $metric?;
                registry.register(Box::new(metric.clone()))?;
                metric
            }};
        }
        let latency = HistogramOpts::new(
            "chat_ack_seconds",
            "Time from reading a request to its ack, by event.",
        )
        .buckets(LATENCY_BUCKETS.to_vec());
        Ok(Self {
            connections: register!(IntGauge::new("chat_connections", "Connections that stand.")),
            refused: register!(IntCounter::new(
                "chat_connections_refused_total",
                "Handshakes that were refused."
            )),
            events: register!(IntCounterVec::new(
                Opts::new("chat_events_total", "Events from clients, by name and outcome."),
                &["event", "outcome"]
            )),
            latency: register!(HistogramVec::new(latency, &["event"])),
            acks_undelivered: register!(IntCounter::new(
                "chat_acks_undelivered_total",
                "Acks whose connection was gone or full."
            )),
            deliveries: register!(IntCounterVec::new(
                Opts::new("chat_deliveries_total", "Events handed to connections, by name."),
                &["event"]
            )),
            drops: register!(IntCounterVec::new(
                Opts::new(
                    "chat_drops_total",
                    "Events that a connection missed because its buffer was full, by name."
                ),
                &["event"]
            )),
            registry,
        })
    }

    /// Everything, as Prometheus text.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        String::from_utf8(text).map_err(|error| prometheus::Error::Msg(error.to_string()))
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(crate) fn connection_refused(&self) {
        self.refused.inc();
    }

    /// A request was answered: `event` is a name that the protocol knows.
    pub(crate) fn request(&self, event: &str, outcome: &str, took: Duration) {
        self.events.with_label_values(&[event, outcome]).inc();
        self.latency
            .with_label_values(&[event])
            .observe(took.as_secs_f64());
    }

    /// Names that clients invent share one label, or they could fill the memory with them.
    pub(crate) fn unknown_event(&self) {
        self.events.with_label_values(&["unknown", "ignored"]).inc();
    }

    pub(crate) fn ack_undelivered(&self) {
        self.acks_undelivered.inc();
    }

    pub(crate) fn delivered(&self, event: &str, deliveries: usize, drops: usize) {
        self.deliveries
            .with_label_values(&[event])
            .inc_by(deliveries as u64);
        if drops > 0 {
            self.drops.with_label_values(&[event]).inc_by(drops as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_in_the_text() {
        let metrics = Metrics::new().unwrap();
        metrics.connected();
        metrics.request("room:join", "ok", Duration::from_millis(3));
        metrics.unknown_event();
        metrics.delivered("message:new", 9, 1);
        let text = metrics.text().unwrap();
        for line in [
            "chat_connections 1",
            r#"chat_events_total{event="room:join",outcome="ok"} 1"#,
            r#"chat_events_total{event="unknown",outcome="ignored"} 1"#,
            r#"chat_ack_seconds_bucket{event="room:join",le="0.005"} 1"#,
            r#"chat_deliveries_total{event="message:new"} 9"#,
            r#"chat_drops_total{event="message:new"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}

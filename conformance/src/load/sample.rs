//! An outcome with something in every part of it, for tests.

use std::time::Duration;

use time::macros::datetime;

use super::check::{Counts, Fault, FaultKind, Faults};
use super::latency::LatencyRecorder;
use super::outcome::{About, Connections, GeneratorUsage, Kit, Load, LoadResult, Rates, SCHEMA, TargetUsage};
use crate::targets::profile::Limits;

/// All is well in it.
pub(crate) fn clean() -> LoadResult {
    let recorder = LatencyRecorder::new(Duration::from_secs(10)).unwrap();
    for n in 0..500_u32 {
        let due = Duration::from_millis(20) * n;
        let took = Duration::from_micros(900) + Duration::from_micros(7) * (n % 100);
        recorder.lagged(0, Duration::from_micros(80));
        recorder.acked(0, due, took);
        for _ in 0..10 {
            recorder.delivered(0, due, took + Duration::from_micros(300));
        }
    }
    for _ in 0..100 {
        recorder.connected(0, Duration::from_millis(8));
    }
    LoadResult {
        schema: SCHEMA,
        kit: Kit {
            name: "chatspec",
            version: "1.2.3",
        },
        target: About {
            name: "a server".to_owned(),
            urls: vec!["http://127.0.0.1:4000/".to_owned()],
            provisioning: "rest",
            limits: Limits::default(),
            shares_process: false,
        },
        started_at: datetime!(2026-01-02 03:04:05 UTC),
        duration_s: 12.5,
        interrupted: false,
        load: Load {
            rooms: 10,
            room_size: 10,
            idle: 0,
            users: 100,
            rate: 50.0,
            seconds: 10.0,
            payload: 100,
            repeat: 0.02,
            late_ms: 1_000.0,
        },
        connections: Connections {
            wanted: 100,
            made: 100,
            seconds: 0.25,
            per_second: 400.0,
            ..Connections::default()
        },
        messages: Counts {
            planned: 500,
            sent: 500,
            acked: 500,
            repeats: 10,
            due: 5_000,
            delivered: 5_000,
            ..Counts::default()
        },
        faults: Faults::default(),
        rates: Rates {
            acks_per_s: 50.0,
            deliveries_per_s: 500.0,
        },
        latency: recorder.merged(),
        target_usage: Some(TargetUsage {
            cpu_s: 0.5,
            cores: 0.05,
            deliveries_per_cpu_s: Some(10_000.0),
            rss_before: 20_000_000,
            rss_connected: 24_000_000,
            rss_peak: 25_000_000,
            rss_per_connection: Some(40_000),
        }),
        generator_usage: Some(GeneratorUsage {
            cpu_s: 0.3,
            share: 0.015,
            rss: 30_000_000,
        }),
        warnings: Vec::new(),
    }
}

/// Much is wrong in it, and what the target has sent tries to be more than text.
pub(crate) fn faulty() -> LoadResult {
    let mut outcome = clean();
    outcome.target.name = "<script>alert(1)</script>\u{202e}".to_owned();
    outcome.target.shares_process = true;
    outcome.target_usage = None;
    outcome.generator_usage = None;
    outcome.messages.acked = 497;
    outcome.messages.unanswered = 1;
    outcome.messages.stray_acks = 1;
    outcome.messages.overtaken = 4;
    outcome.messages.late = 5;
    outcome
        .messages
        .refused
        .insert("RATE_LIMITED\u{1b}[31m".to_owned(), 2);
    outcome.messages.due = 4_970;
    outcome.messages.delivered = 4_969;
    outcome.connections.lost = 1;
    outcome
        .connections
        .reasons
        .insert("closed with 1011 <b>oops</b>".to_owned(), 1);
    outcome.faults = Faults {
        lost: 1,
        doubled: 2,
        told: vec![
            Fault {
                kind: FaultKind::Doubled,
                text: "message 1a2b3c4d:0:1:2 arrives at member 3 of room 0 once more".to_owned(),
            },
            Fault {
                kind: FaultKind::Lost,
                text: "message 1a2b3c4d:0:1:3 was acknowledged and never arrived at member 4 of room 0"
                    .to_owned(),
            },
        ],
        ..Faults::default()
    };
    outcome.warnings = vec!["the server runs in the process of the generator".to_owned()];
    outcome
}

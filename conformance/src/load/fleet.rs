//! All connections: opened evenly over the ramp, and counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use super::connection::{ConnectionEvent, ConnectionSpec, run_connection};
use super::outcome::{Connections, per_second, round};
use super::{Progress, Shared, Tell};

/// How many different reasons are counted by themselves; the rest is counted as `others`.
const REASONS: usize = 20;

/// Connections that are there, or were.
pub(super) struct Fleet {
    /// One for each connection, by its number.
    orders: Vec<UnboundedSender<u32>>,
    events: UnboundedReceiver<ConnectionEvent>,
    tasks: JoinSet<()>,
    pub(super) connections: Connections,
}

impl Fleet {
    /// Opens all of them, and returns when each has come about or failed.
    pub(super) async fn connect(
        specs: Vec<ConnectionSpec>,
        shared: &Arc<Shared>,
        at_once: usize,
        tell: &Tell,
    ) -> Self {
        let began = Instant::now();
        let (report, events) = mpsc::unbounded_channel();
        let wanted = specs.len() as u64;
        let mut fleet = Self {
            orders: Vec::with_capacity(specs.len()),
            events,
            tasks: JoinSet::new(),
            connections: Connections {
                wanted,
                ..Connections::default()
            },
        };
        let permits = Arc::new(Semaphore::new(at_once.max(1)));
        let count = u32::try_from(specs.len()).unwrap_or(u32::MAX).max(1);
        let ramp = shared.plan.wanted.ramp;
        for (number, spec) in specs.into_iter().enumerate() {
            let place = u32::try_from(number).unwrap_or(u32::MAX);
            let due = began + ramp.mul_f64(f64::from(place) / f64::from(count));
            tokio::time::sleep_until(due.into()).await;
            // It is given back when the connection has come about or failed.
            let Ok(permit) = permits.clone().acquire_owned().await else {
                break;
            };
            let (orders, ordered) = mpsc::unbounded_channel();
            fleet.orders.push(orders);
            let (shared, report) = (shared.clone(), report.clone());
            fleet
                .tasks
                .spawn(run_connection(spec, number, shared, ordered, report, permit));
            fleet.look();
            fleet.tell(tell);
        }
        drop(report);
        while fleet.connections.made + fleet.connections.failed < wanted {
            let Some(event) = fleet.events.recv().await else {
                break;
            };
            fleet.take(event);
            fleet.tell(tell);
        }
        let took = began.elapsed();
        fleet.connections.seconds = round(took.as_secs_f64(), 1e3);
        fleet.connections.per_second = per_second(fleet.connections.made, took);
        fleet
    }

    fn tell(&self, tell: &Tell) {
        tell(Progress::Connecting {
            done: self.connections.made + self.connections.failed,
            of: self.connections.wanted,
        });
    }

    /// Where to send the numbers of messages to, by the number of the connection.
    pub(super) fn orders(&self) -> Vec<UnboundedSender<u32>> {
        self.orders.clone()
    }

    /// Handles what connections have reported so far, without waiting.
    pub(super) fn look(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
    }

    fn take(&mut self, event: ConnectionEvent) {
        let why = match event {
            ConnectionEvent::Joined => {
                self.connections.made += 1;
                return;
            }
            ConnectionEvent::Failed(why) => {
                self.connections.failed += 1;
                why
            }
            ConnectionEvent::Lost(why) => {
                self.connections.lost += 1;
                why
            }
        };
        let reasons = &mut self.connections.reasons;
        let known = reasons.len() < REASONS || reasons.contains_key(&why);
        *reasons
            .entry(if known { why } else { "others".to_owned() })
            .or_default() += 1;
    }

    /// Closes those that are left.
    pub(super) async fn close(&mut self) {
        /// Longer than the goodbye of any of them.
        const PATIENCE: Duration = Duration::from_secs(5);
        self.look();
        self.orders.clear();
        let closing = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(PATIENCE, closing).await.ok();
        self.tasks.abort_all();
    }
}

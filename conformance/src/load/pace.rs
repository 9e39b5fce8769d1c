//! Tells connections to send, each message at its time.
//!
//! This is a thread of its own, since timers of an async runtime are good to a millisecond, and a thread that sleeps to a
//! tenth of that.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::plan::Plan;

/// It is looked so often whether to stop.
const NAP: Duration = Duration::from_millis(100);

/// Goes through the plan from `began` on, until it is done or is to stop; `orders` are those of the members, room by room.
pub(super) fn pace(
    plan: &Plan,
    began: Instant,
    orders: &[UnboundedSender<u32>],
    stop: &watch::Receiver<bool>,
) {
    for number in 0..plan.total() {
        if !wait_until(began + plan.due(number), stop) {
            return;
        }
        let place = plan.place(number);
        let member = place.room as usize * plan.wanted.room_size as usize + place.sender as usize;
        if let Some(orders) = orders.get(member) {
            // A connection that is lost takes no more.
            orders.send(number).ok();
        }
    }
}

/// False if it is to stop before.
fn wait_until(due: Instant, stop: &watch::Receiver<bool>) -> bool {
    loop {
        if *stop.borrow() {
            return false;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(NAP));
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::load::plan::LoadOptions;
    use crate::targets::profile::Limits;

    fn plan() -> Plan {
        let wanted = LoadOptions {
            rooms: 2,
            room_size: 2,
            rate: 100.0,
            duration: Duration::from_millis(200),
            ..LoadOptions::default()
        };
        let limits = Limits {
            rate_max: 1_000,
            ..Limits::default()
        };
        Plan::new(wanted, &limits).unwrap()
    }

    #[test]
    fn every_message_is_ordered_of_its_sender_and_never_before_its_time() {
        let plan = plan();
        let (senders, mut receivers): (Vec<_>, Vec<_>) = (0..4).map(|_| mpsc::unbounded_channel()).unzip();
        let (_stopper, stop) = watch::channel(false);
        let began = Instant::now();
        pace(&plan, began, &senders, &stop);
        assert!(began.elapsed() >= plan.due(plan.total() - 1));
        drop(senders);
        let got: Vec<Vec<u32>> = receivers
            .iter_mut()
            .map(|orders| std::iter::from_fn(|| orders.blocking_recv()).collect())
            .collect();
        // The members of a room stand together, and take turns with those of the other one.
        assert_eq!(got[0], [0, 4, 8, 12, 16]);
        assert_eq!(got[1], [2, 6, 10, 14, 18]);
        assert_eq!(got[2], [1, 5, 9, 13, 17]);
        assert_eq!(got[3], [3, 7, 11, 15, 19]);
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let (sender, mut orders) = mpsc::unbounded_channel();
        let (_stopper, stop) = watch::channel(true);
        pace(&plan(), Instant::now(), &[sender], &stop);
        assert!(orders.blocking_recv().is_none());
    }
}

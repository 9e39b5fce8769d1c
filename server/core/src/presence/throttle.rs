//! What to announce of one user, and when: the first change at once, then at most one per window, and the last state
//! always (contract §9). A pure state machine: the time is an argument.

use std::time::{Duration, Instant};

use crate::publish::Presence;

/// What is to be done about a user now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Notify the contacts, then call [`Throttle::announced`].
    Announce(Presence),
    /// Nothing before this moment.
    Wait(Instant),
    /// Nothing until something changes.
    Idle,
}

/// What was last announced of a user.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    last_announced: Presence,
    at: Option<Instant>,
}

impl Default for Throttle {
    /// Nothing was announced yet, which to contacts means offline.
    fn default() -> Self {
        Self {
            last_announced: Presence::Offline,
            at: None,
        }
    }
}

impl Throttle {
    /// What to do when the user is in `state`.
    pub fn step(&self, state: Presence, now: Instant, window: Duration) -> Step {
        let opens = self.at.map(|at| at + window).filter(|opens| *opens > now);
        match opens {
            // Flapping that ends where it began is not announced (PRES-08).
            _ if state == self.last_announced && state == Presence::Online => Step::Idle,
            // The window outlives the last connection, or a new one could begin another.
            Some(opens) => Step::Wait(opens),
            None if state == self.last_announced => Step::Idle,
            None => Step::Announce(state),
        }
    }

    /// The contacts have been notified. The window begins now and not before, so that a slow store cannot shorten it.
    pub fn announced(&mut self, state: Presence, now: Instant) {
        *self = Self {
            last_announced: state,
            at: Some(now),
        };
    }

    /// The contacts could not be notified: try again in the next window.
    pub fn failed(&mut self, now: Instant) {
        self.at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use Presence::{Offline, Online};

    use super::*;

    const WINDOW: Duration = Duration::from_secs(2);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_change_is_told_at_once() {
        let throttle = Throttle::default();
        assert_eq!(
            throttle.step(Online, Instant::now(), WINDOW),
            Step::Announce(Online)
        );
        assert_eq!(throttle.step(Offline, Instant::now(), WINDOW), Step::Idle);
    }

    #[test]
    fn a_second_change_waits_for_the_window_and_the_final_state_is_told() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        throttle.announced(Online, start);
        assert_eq!(
            throttle.step(Offline, start + ms(100), WINDOW),
            Step::Wait(start + WINDOW)
        );
        assert_eq!(
            throttle.step(Offline, start + ms(1_999), WINDOW),
            Step::Wait(start + WINDOW)
        );
        assert_eq!(
            throttle.step(Offline, start + WINDOW, WINDOW),
            Step::Announce(Offline)
        );
    }

    #[test]
    fn flapping_that_ends_where_it_began_tells_nothing() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        throttle.announced(Online, start);
        assert_eq!(
            throttle.step(Offline, start + ms(10), WINDOW),
            Step::Wait(start + WINDOW)
        );
        assert_eq!(throttle.step(Online, start + ms(20), WINDOW), Step::Idle);
        assert_eq!(throttle.step(Online, start + WINDOW, WINDOW), Step::Idle);
    }

    #[test]
    fn who_has_left_is_remembered_for_a_window() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        throttle.announced(Offline, start);
        assert_eq!(
            throttle.step(Offline, start + ms(1), WINDOW),
            Step::Wait(start + WINDOW)
        );
        assert_eq!(
            throttle.step(Online, start + ms(1), WINDOW),
            Step::Wait(start + WINDOW)
        );
        assert_eq!(throttle.step(Offline, start + WINDOW, WINDOW), Step::Idle);
    }

    #[test]
    fn a_failed_telling_is_tried_again_in_the_next_window() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        throttle.failed(start);
        assert_eq!(
            throttle.step(Online, start + ms(1), WINDOW),
            Step::Wait(start + WINDOW)
        );
        assert_eq!(
            throttle.step(Online, start + WINDOW, WINDOW),
            Step::Announce(Online)
        );
    }

    #[test]
    fn without_a_window_every_change_is_told() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        throttle.announced(Online, now);
        assert_eq!(
            throttle.step(Offline, now, Duration::ZERO),
            Step::Announce(Offline)
        );
    }
}

//! The sliding window: at most so many accepted messages per user in any stretch of time (contract §6).

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::ids::UserId;

/// How much a user may send.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Accepted messages in any one window.
    pub max: usize,
    /// The window's length.
    pub window: Duration,
}

/// The windows of all users. Cheap to clone; clones share them.
#[derive(Clone, Debug)]
pub struct RateLimiter {
    rate: Rate,
    /// Held for a few instructions, never across an await.
    windows: Arc<Mutex<Windows>>,
}

#[derive(Debug, Default)]
struct Windows {
    /// When each user's counted messages were accepted, oldest first.
    by_user: HashMap<UserId, VecDeque<Instant>>,
    /// How many users were left when the idle ones were last swept out.
    after_sweep: usize,
}

/// The window is full; so long until its oldest message leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full {
    /// How long the window stays full.
    pub retry_after: Duration,
}

/// A place in the window, given back when dropped unless it is [kept](Reservation::keep): only what was accepted
/// counts.
#[must_use = "dropping a reservation gives it back"]
#[derive(Debug)]
pub struct Reservation {
    limiter: RateLimiter,
    user: UserId,
    at: Option<Instant>,
}

impl RateLimiter {
    /// A limiter in which nobody has sent anything.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            windows: Arc::default(),
        }
    }

    /// Takes a place in `user`'s window, or says how long the window stays full. A refusal leaves no trace (RATE-08).
    pub fn reserve(&self, user: UserId, now: Instant) -> Result<Reservation, Full> {
        let mut windows = self.windows.lock();
        windows.sweep_when_doubled(self.rate.window, now);
        let accepted = windows.by_user.entry(user).or_default();
        forget_older(accepted, self.rate.window, now);
        if accepted.len() >= self.rate.max {
            let oldest = accepted.front().copied().unwrap_or(now);
            return Err(Full {
                retry_after: (oldest + self.rate.window).saturating_duration_since(now),
            });
        }
        accepted.push_back(now);
        Ok(Reservation {
            limiter: self.clone(),
            user,
            at: Some(now),
        })
    }

    fn give_back(&self, user: UserId, at: Instant) {
        let mut windows = self.windows.lock();
        if let Some(accepted) = windows.by_user.get_mut(&user) {
            if let Some(place) = accepted.iter().rposition(|accepted_at| *accepted_at == at) {
                accepted.remove(place);
            }
            if accepted.is_empty() {
                windows.by_user.remove(&user);
            }
        }
    }
}

impl Windows {
    /// Forgets idle users whenever there are twice as many as after the last time: constant cost per call on average.
    fn sweep_when_doubled(&mut self, window: Duration, now: Instant) {
        if self.by_user.len() > 2 * self.after_sweep.max(512) {
            self.by_user.retain(|_, accepted| {
                forget_older(accepted, window, now);
                !accepted.is_empty()
            });
            self.after_sweep = self.by_user.len();
        }
    }
}

fn forget_older(accepted: &mut VecDeque<Instant>, window: Duration, now: Instant) {
    while accepted
        .front()
        .is_some_and(|at| now.saturating_duration_since(*at) >= window)
    {
        accepted.pop_front();
    }
}

impl Reservation {
    /// The message was accepted: it counts.
    pub fn keep(mut self) {
        self.at = None;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(at) = self.at {
            self.limiter.give_back(self.user, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::ids::Ids;

    const RATE: Rate = Rate {
        max: 10,
        window: Duration::from_secs(10),
    };

    fn setup() -> (RateLimiter, Ids, Instant) {
        (
            RateLimiter::new(RATE),
            Ids::new(Arc::new(SystemClock)),
            Instant::now(),
        )
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn ten_pass_the_eleventh_waits_and_nobody_else_does() {
        let (limiter, ids, start) = setup();
        let (alice, bob) = (ids.next(), ids.next());
        for sent in 0..10 {
            limiter.reserve(alice, start + ms(sent)).unwrap().keep();
        }
        assert_eq!(
            limiter.reserve(alice, start + ms(10)).unwrap_err().retry_after,
            ms(9_990)
        );
        limiter.reserve(bob, start + ms(10)).unwrap().keep();
    }

    #[test]
    fn the_window_slides() {
        let (limiter, ids, start) = setup();
        let user = ids.next();
        for at in (0..10).map(|n| n * 500) {
            limiter.reserve(user, start + ms(at)).unwrap().keep();
        }
        assert!(limiter.reserve(user, start + ms(9_999)).is_err());
        // At 11 s the sends of 0, 0.5 and 1 s have left: exactly three more are accepted.
        for _ in 0..3 {
            limiter.reserve(user, start + ms(11_000)).unwrap().keep();
        }
        assert!(limiter.reserve(user, start + ms(11_000)).is_err());
    }

    #[test]
    fn refused_attempts_do_not_lengthen_the_wait() {
        let (limiter, ids, start) = setup();
        let user = ids.next();
        (0..10).for_each(|_| limiter.reserve(user, start).unwrap().keep());
        for at in (0..10_000).step_by(100) {
            assert!(limiter.reserve(user, start + ms(at)).is_err());
        }
        assert!(limiter.reserve(user, start + ms(10_000)).is_ok());
    }

    #[test]
    fn a_place_that_is_not_kept_is_given_back() {
        let (limiter, ids, start) = setup();
        let user = ids.next();
        for _ in 0..100 {
            drop(limiter.reserve(user, start).unwrap());
        }
        assert!(limiter.windows.lock().by_user.is_empty());
    }

    #[test]
    fn of_64_at_once_exactly_ten_pass() {
        let (limiter, ids, start) = setup();
        let user = ids.next();
        let passed: usize = std::thread::scope(|scope| {
            let attempts: Vec<_> = (0..64)
                .map(|_| scope.spawn(|| limiter.reserve(user, start).map(Reservation::keep).is_ok()))
                .collect();
            attempts
                .into_iter()
                .map(|attempt| usize::from(attempt.join().unwrap()))
                .sum()
        });
        assert_eq!(passed, 10);
    }

    #[test]
    fn a_sweep_comes_when_there_are_twice_as_many_and_takes_only_who_is_idle() {
        let (limiter, ids, start) = setup();
        let (later, fresh) = (start + RATE.window, ids.next());
        let sends =
            |users: usize, at| (0..users).for_each(|_| limiter.reserve(ids.next(), at).unwrap().keep());
        let users = || limiter.windows.lock().by_user.len();
        sends(514, start);
        limiter.reserve(fresh, later).unwrap().keep();
        sends(1, later);
        assert_eq!(users(), 516, "there were none at the last sweep, and few now");
        sends(508, start);
        sends(1, later);
        assert_eq!(users(), 1_025, "they are not more than twice 512 until now");
        sends(1, later);
        assert_eq!(users(), 4, "whoever is left has sent within the window");
        (1..RATE.max).for_each(|_| limiter.reserve(fresh, later).unwrap().keep());
        assert!(
            limiter.reserve(fresh, later).is_err(),
            "what was sent still counts"
        );
    }

    #[test]
    fn idle_users_are_forgotten() {
        let (limiter, ids, start) = setup();
        for n in 0..20_000 {
            limiter.reserve(ids.next(), start + ms(n * 10)).unwrap().keep();
        }
        // 1,000 users fit into one window at this pace; the rest must have gone with the sweeps.
        assert!(limiter.windows.lock().by_user.len() < 3_000);
    }
}

//! The rate limiter and the presence throttle.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::ids::{Ids, UserId};
use chatspec_server_core::presence::Throttle;
use chatspec_server_core::publish::Presence;
use chatspec_server_core::rate_limit::{Rate, RateLimiter};
use divan::Bencher;

/// A place taken and kept, by users in turn, as many of whom have sent lately.
#[divan::bench(args = [10, 1_000, 100_000])]
fn rate_limiter(bencher: Bencher<'_, '_>, users: usize) {
    let rate = Rate {
        max: 10,
        window: Duration::from_secs(10),
    };
    let ids = Ids::new(Arc::new(SystemClock));
    let users: Vec<UserId> = (0..users).map(|_| ids.next()).collect();
    let limiter = RateLimiter::new(rate);
    // Time is an argument: each user sends once in two seconds, half of what is let through.
    let mut now = Instant::now();
    let step = Duration::from_secs(2) / u32::try_from(users.len()).unwrap_or(u32::MAX);
    let mut turn = users.iter().cycle();
    bencher.bench_local(|| {
        now += step;
        let reserved = turn.next().map(|user| limiter.reserve(*user, now));
        if let Some(Ok(place)) = black_box(reserved) {
            place.keep();
        }
    });
}

/// What to tell about a user who comes and goes.
#[divan::bench]
fn presence_throttle(bencher: Bencher<'_, '_>) {
    let window = Duration::from_secs(2);
    let (mut throttle, start) = (Throttle::default(), Instant::now());
    throttle.announced(Presence::Online, start);
    bencher.bench_local(|| {
        let left = throttle.step(black_box(Presence::Offline), start, window);
        let back = throttle.step(black_box(Presence::Online), start, window);
        (left, back)
    });
}

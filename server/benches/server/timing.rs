//! The rate limiter and the presence throttle.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatspec_server::clock::SystemClock;
use chatspec_server::ids::{Ids, UserId};
use chatspec_server::presence::Throttle;
use chatspec_server::publish::Presence;
use chatspec_server::rate_limit::{Rate, RateLimiter};
use criterion::{BenchmarkId, Criterion};

pub(crate) fn all(criterion: &mut Criterion) {
    limiter(criterion);
    throttle(criterion);
}

/// A place taken and kept, by users in turn, as many of whom have sent lately.
fn limiter(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rate limiter, per message");
    let rate = Rate {
        max: 10,
        window: Duration::from_secs(10),
    };
    for users in [10, 1_000, 100_000] {
        let ids = Ids::new(Arc::new(SystemClock));
        let users: Vec<UserId> = (0..users).map(|_| ids.next()).collect();
        let limiter = RateLimiter::new(rate);
        // Time is an argument: each user sends once in two seconds, half of what is let through.
        let mut now = Instant::now();
        let step = Duration::from_secs(2) / u32::try_from(users.len()).unwrap_or(u32::MAX);
        let mut turn = users.iter().cycle();
        group.bench_function(
            BenchmarkId::from_parameter(format!("{} users", users.len())),
            |b| {
                b.iter(|| {
                    now += step;
                    let reserved = turn.next().map(|user| limiter.reserve(*user, now));
                    if let Some(Ok(place)) = black_box(reserved) {
                        place.keep();
                    }
                });
            },
        );
    }
    group.finish();
}

/// What to tell about a user who comes and goes.
fn throttle(criterion: &mut Criterion) {
    let window = Duration::from_secs(2);
    let (mut throttle, start) = (Throttle::default(), Instant::now());
    throttle.told(Presence::Online, start);
    criterion.bench_function("presence throttle, per change", |b| {
        b.iter(|| {
            let left = throttle.step(black_box(Presence::Offline), start, window);
            let back = throttle.step(black_box(Presence::Online), start, window);
            (left, back)
        });
    });
}

//! The registry with steered time: what contacts hear, and when.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::clock::SystemClock;
use crate::ids::Ids;
use crate::store::StoreError;

const WINDOW: Duration = Duration::from_secs(2);

/// Takes down what is told, in milliseconds since the beginning.
struct Listener {
    start: Instant,
    heard: Mutex<Vec<(u64, UserId, Presence)>>,
    broken: AtomicBool,
}

#[async_trait]
impl ContactNotifier for Listener {
    async fn notify(&self, user: UserId, state: Presence) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(StoreError::new("down"));
        }
        let ms = u64::try_from(self.start.elapsed().as_millis()).unwrap();
        self.heard.lock().push((ms, user, state));
        Ok(())
    }
}

impl Listener {
    fn heard(&self) -> Vec<(u64, Presence)> {
        self.heard
            .lock()
            .iter()
            .map(|(ms, _, state)| (*ms, *state))
            .collect()
    }
}

fn set_up() -> (Arc<Listener>, PresenceRegistry, Ids) {
    let listener = Arc::new(Listener {
        start: Instant::now(),
        heard: Mutex::default(),
        broken: AtomicBool::new(false),
    });
    (
        listener.clone(),
        PresenceRegistry::new(listener, WINDOW),
        Ids::new(Arc::new(SystemClock)),
    )
}

/// Steered time: everything that is due in `ms` happens, then this returns.
async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

#[tokio::test(start_paused = true)]
async fn first_in_and_last_out_are_told_and_devices_between_are_not() {
    let (listener, registry, ids) = set_up();
    let user = ids.next();
    registry.connected(user);
    pass(100).await;
    registry.connected(user);
    pass(3_000).await;
    registry.disconnected(user);
    pass(3_000).await;
    registry.disconnected(user);
    pass(100).await;
    assert_eq!(
        listener.heard(),
        [(0, Presence::Online), (6_100, Presence::Offline)]
    );
}

#[tokio::test(start_paused = true)]
async fn flapping_tells_one_update_per_window_and_the_final_state() {
    let (listener, registry, ids) = set_up();
    let user = ids.next();
    for _ in 0..20 {
        registry.connected(user);
        pass(50).await;
        registry.disconnected(user);
        pass(50).await;
    }
    pass(10_000).await;
    assert_eq!(
        listener.heard(),
        [(0, Presence::Online), (2_000, Presence::Offline)]
    );
    assert!(registry.0.users.lock().is_empty(), "who is gone is forgotten");
}

#[tokio::test(start_paused = true)]
async fn flapping_that_ends_online_repeats_nothing() {
    let (listener, registry, ids) = set_up();
    let user = ids.next();
    registry.connected(user);
    pass(100).await;
    for _ in 0..5 {
        registry.disconnected(user);
        pass(10).await;
        registry.connected(user);
        pass(10).await;
    }
    pass(10_000).await;
    assert_eq!(listener.heard(), [(0, Presence::Online)]);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_told_is_told_later() {
    let (listener, registry, ids) = set_up();
    listener.broken.store(true, Ordering::SeqCst);
    registry.connected(ids.next());
    pass(3_000).await;
    listener.broken.store(false, Ordering::SeqCst);
    pass(3_000).await;
    assert_eq!(listener.heard(), [(4_000, Presence::Online)]);
}

#[tokio::test(start_paused = true)]
async fn one_users_window_does_not_hold_up_another() {
    let (listener, registry, ids) = set_up();
    for at in 0..100 {
        registry.connected(ids.next());
        pass(1).await;
        assert_eq!(listener.heard().len(), at + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_before_it_is_counted_never_counts() {
    let (listener, registry, ids) = set_up();
    let user = ids.next();
    let lifecycle = Lifecycle::default();
    assert!(!lifecycle.close(&registry, user));
    assert!(!lifecycle.connect(&registry, user));
    let lifecycle = Lifecycle::default();
    assert!(lifecycle.connect(&registry, user));
    assert!(!lifecycle.connect(&registry, user));
    pass(5_000).await;
    assert!(lifecycle.close(&registry, user));
    assert!(!lifecycle.close(&registry, user));
    pass(5_000).await;
    assert_eq!(
        listener.heard(),
        [(0, Presence::Online), (5_000, Presence::Offline)]
    );
}

//! The thread on which a MongoDB of ours is kept. Starting and stopping one blocks, and a container must not be let go of
//! inside an asynchronous runtime.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::SwitchError;

/// What can be kept: dropping it stops it for good.
pub(super) trait Kept {
    /// Stops it, and keeps data and address.
    fn take_down(&mut self) -> Result<(), String>;
    /// Starts it again where it was, and returns when it answers.
    fn bring_up(&mut self) -> Result<(), String>;
}

type Reply = Sender<Result<(), String>>;

enum Order {
    TakeDown(Reply),
    BringUp(Reply),
}

/// Keeps one; stops it when dropped.
#[derive(Debug)]
pub(super) struct Keeper {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Starts one, which `start` gives together with its connection string, and waits for that.
    pub(super) fn start<K: Kept>(
        start: impl FnOnce() -> Result<(K, String), String> + Send + 'static,
    ) -> Result<(Self, String), String> {
        let (orders, taken) = channel();
        let (started, has_started) = channel();
        let keep = move || match start() {
            Ok((kept, uri)) => {
                // Who does not wait for it any more does not want it.
                if started.send(Ok(uri)).is_ok() {
                    obey(kept, &taken);
                }
            }
            Err(why) => drop(started.send(Err(why))),
        };
        let thread = thread::Builder::new()
            .name("mongodb".to_owned())
            .spawn(keep)
            .map_err(|error| error.to_string())?;
        let uri = has_started.recv().map_err(|_| ended())??;
        let keeper = Self {
            orders: Some(orders),
            thread: Some(thread),
        };
        Ok((keeper, uri))
    }

    pub(super) fn take_down(&self) -> Result<(), SwitchError> {
        self.order(Order::TakeDown)
    }

    pub(super) fn bring_up(&self) -> Result<(), SwitchError> {
        self.order(Order::BringUp)
    }

    fn order(&self, order: impl FnOnce(Reply) -> Order) -> Result<(), SwitchError> {
        let (reply, replied) = channel();
        if let Some(orders) = &self.orders {
            // The reply tells when nobody takes orders any more.
            orders.send(order(reply)).ok();
        }
        let done = replied.recv().map_err(|_| SwitchError::Failed(ended()))?;
        done.map_err(SwitchError::Failed)
    }
}

fn ended() -> String {
    "the thread that keeps the MongoDB has ended".to_owned()
}

fn obey(mut kept: impl Kept, orders: &Receiver<Order>) {
    for order in orders {
        let (reply, done) = match order {
            Order::TakeDown(reply) => (reply, kept.take_down()),
            Order::BringUp(reply) => (reply, kept.bring_up()),
        };
        reply.send(done).ok();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been told there.
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use parking_lot::Mutex;

    struct Diary(Arc<Mutex<Vec<&'static str>>>);

    impl Diary {
        fn write(&self, what: &'static str) {
            self.0.lock().push(what);
        }
    }

    impl Kept for Diary {
        fn take_down(&mut self) -> Result<(), String> {
            self.write("down");
            Ok(())
        }

        fn bring_up(&mut self) -> Result<(), String> {
            self.write("up");
            Err("no".to_owned())
        }
    }

    impl Drop for Diary {
        fn drop(&mut self) {
            self.write("gone");
        }
    }

    #[test]
    fn orders_are_obeyed_in_turn_and_the_end_is_waited_for() {
        let diary = Arc::new(Mutex::new(Vec::new()));
        let theirs = Diary(diary.clone());
        let (keeper, uri) = Keeper::start(move || Ok((theirs, "mongodb://h".to_owned()))).unwrap();
        assert_eq!(uri, "mongodb://h");
        assert!(keeper.take_down().is_ok());
        assert!(matches!(keeper.bring_up(), Err(SwitchError::Failed(why)) if why == "no"));
        drop(keeper);
        assert_eq!(*diary.lock(), ["down", "up", "gone"]);
    }

    #[test]
    fn what_does_not_start_is_told() {
        let refused = Keeper::start(|| Err::<(Diary, String), _>("no engine".to_owned()));
        assert_eq!(refused.unwrap_err(), "no engine");
    }
}

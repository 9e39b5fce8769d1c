//! The thread that owns a MongoDB which we have started. Starting and stopping one blocks, and a container must not be dropped
//! inside an asynchronous runtime: so neither is done on the caller's thread.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::SwitchError;

/// A MongoDB that can be stopped and started again; dropping it stops it for good.
pub(super) trait Server {
    /// Stops it, and keeps data and address.
    fn take_down(&mut self) -> Result<(), String>;
    /// Starts it again where it was, and returns when it answers.
    fn bring_up(&mut self) -> Result<(), String>;
}

type Reply = Sender<Result<(), String>>;

enum ServerCommand {
    TakeDown(Reply),
    BringUp(Reply),
}

/// Owns a server on a thread of its own; dropping this stops the server and waits for that.
#[derive(Debug)]
pub(super) struct ServerThread {
    commands: Option<Sender<ServerCommand>>,
    thread: Option<JoinHandle<()>>,
}

impl ServerThread {
    /// Runs `start`, which gives a server and its connection string, on a new thread, and waits for it. The error is why it did
    /// not start.
    pub(super) fn start<S: Server>(
        start: impl FnOnce() -> Result<(S, String), String> + Send + 'static,
    ) -> Result<(Self, String), String> {
        let (commands, taken) = channel();
        let (started, has_started) = channel();
        let run = move || match start() {
            Ok((server, uri)) => {
                // If the caller has stopped waiting, nobody will use the server.
                if started.send(Ok(uri)).is_ok() {
                    run_commands(server, &taken);
                }
            }
            Err(why) => drop(started.send(Err(why))),
        };
        let thread = thread::Builder::new()
            .name("mongodb".to_owned())
            .spawn(run)
            .map_err(|error| error.to_string())?;
        let uri = has_started.recv().map_err(|_| ended())??;
        let thread = Self {
            commands: Some(commands),
            thread: Some(thread),
        };
        Ok((thread, uri))
    }

    pub(super) fn take_down(&self) -> Result<(), SwitchError> {
        self.send(ServerCommand::TakeDown)
    }

    pub(super) fn bring_up(&self) -> Result<(), SwitchError> {
        self.send(ServerCommand::BringUp)
    }

    fn send(&self, command: impl FnOnce(Reply) -> ServerCommand) -> Result<(), SwitchError> {
        let (reply, replied) = channel();
        if let Some(commands) = &self.commands {
            // If the thread has ended, `recv` below says so.
            commands.send(command(reply)).ok();
        }
        let done = replied.recv().map_err(|_| SwitchError::Failed(ended()))?;
        done.map_err(SwitchError::Failed)
    }
}

fn ended() -> String {
    "the thread that runs the MongoDB has ended".to_owned()
}

fn run_commands(mut server: impl Server, commands: &Receiver<ServerCommand>) {
    for command in commands {
        let (reply, done) = match command {
            ServerCommand::TakeDown(reply) => (reply, server.take_down()),
            ServerCommand::BringUp(reply) => (reply, server.bring_up()),
        };
        reply.send(done).ok();
    }
}

impl Drop for ServerThread {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic on that thread has been printed by it.
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use parking_lot::Mutex;

    struct CallLog(Arc<Mutex<Vec<&'static str>>>);

    impl CallLog {
        fn write(&self, what: &'static str) {
            self.0.lock().push(what);
        }
    }

    impl Server for CallLog {
        fn take_down(&mut self) -> Result<(), String> {
            self.write("down");
            Ok(())
        }

        fn bring_up(&mut self) -> Result<(), String> {
            self.write("up");
            Err("no".to_owned())
        }
    }

    impl Drop for CallLog {
        fn drop(&mut self) {
            self.write("gone");
        }
    }

    #[test]
    fn orders_are_obeyed_in_turn_and_the_end_is_waited_for() {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let theirs = CallLog(calls.clone());
        let (thread, uri) = ServerThread::start(move || Ok((theirs, "mongodb://h".to_owned()))).unwrap();
        assert_eq!(uri, "mongodb://h");
        assert!(thread.take_down().is_ok());
        assert!(matches!(thread.bring_up(), Err(SwitchError::Failed(why)) if why == "no"));
        drop(thread);
        assert_eq!(*calls.lock(), ["down", "up", "gone"]);
    }

    #[test]
    fn what_does_not_start_is_told() {
        let refused = ServerThread::start(|| Err::<(CallLog, String), _>("no engine".to_owned()));
        assert_eq!(refused.unwrap_err(), "no engine");
    }
}

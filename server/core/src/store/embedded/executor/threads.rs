//! One writer thread with group commit, and a few threads that read.
//!
//! SQLite takes one writer at a time, and a durable commit costs a flush of the disk. So everything that has queued up
//! while one transaction was being flushed goes into the next one together, each job in a savepoint of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::super::rows::execute;
use super::{Closed, in_savepoint};
use crate::store::{Result, StoreError};

/// How many jobs share one transaction at most, so that the first of them need not wait for ever.
const BATCH: usize = 256;

/// Work on the database. It returns what sends the outcome to its caller, once the commit has succeeded or failed.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), &rusqlite::Error>) + Send>;

/// The threads and their queues.
pub(super) struct Threads {
    /// `None` once closed.
    queues: Mutex<Option<Queues>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Clone)]
struct Queues {
    writes: Sender<Job>,
    reads: Sender<Job>,
}

#[derive(Debug, thiserror::Error)]
#[error("the transaction was not committed: {0}")]
struct NotCommitted(String);

impl Threads {
    /// Starts a writer, and a reader for each of `readers`.
    pub(super) fn start(writer: Connection, readers: Vec<Connection>) -> std::io::Result<Self> {
        let (to_write, jobs) = channel();
        let mut threads = vec![spawn("store-write", move || run_writer(&writer, &jobs))?];
        let (to_read, jobs) = channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for reader in readers {
            let jobs = jobs.clone();
            threads.push(spawn("store-read", move || run_reader(&reader, &jobs))?);
        }
        let queues = Queues {
            writes: to_write,
            reads: to_read,
        };
        Ok(Self {
            queues: Mutex::new(Some(queues)),
            threads: Mutex::new(threads),
        })
    }

    /// Queues `work`, to be run in a transaction; awaiting it waits until that is durable.
    pub(super) fn write<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let work = move |connection: &Connection| in_savepoint(connection, work);
        answer(self.queues().and_then(|queues| submit(&queues.writes, work)))
    }

    /// Runs `work`, which changes nothing.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        answer(self.queues().and_then(|queues| submit(&queues.reads, work))).await
    }

    /// Finishes what is queued, then ends the threads and closes the connections.
    pub(super) async fn close(&self) -> Result<()> {
        drop(self.queues.lock().take());
        let threads = std::mem::take(&mut *self.threads.lock());
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok()));
        match joined.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::new("a thread of the store panicked")),
            Err(error) => Err(StoreError::new(error)),
        }
    }

    fn queues(&self) -> Result<Queues> {
        self.queues.lock().clone().ok_or_else(|| StoreError::new(Closed))
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(run)
}

/// Queues `work`; what it returns comes by the channel.
fn submit<T, F>(queue: &Sender<Job>, work: F) -> Result<oneshot::Receiver<Result<T>>>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        let done = work(connection).map_err(StoreError::new);
        Box::new(move |committed| {
            let failed = committed.map_err(|error| StoreError::new(NotCommitted(error.to_string())));
            // The caller may have been dropped.
            let _ = sender.send(failed.and(done));
        })
    });
    queue.send(job).map_err(|_| StoreError::new(Closed))?;
    Ok(receiver)
}

async fn answer<T>(queued: Result<oneshot::Receiver<Result<T>>>) -> Result<T> {
    queued?.await.map_err(|_| StoreError::new(Closed))?
}

fn run_writer(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut answers = Vec::new();
        let committed = execute(connection, "BEGIN IMMEDIATE", []).and_then(|_| {
            for job in std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1)) {
                answers.push(job(connection));
                if connection.is_autocommit() {
                    // A full disk, for one, ends a transaction by itself; COMMIT says so.
                    break;
                }
            }
            execute(connection, "COMMIT", [])
        });
        if committed.is_err() && !connection.is_autocommit() {
            // The next batch begins afresh; should this fail too, its BEGIN says so.
            let _ = execute(connection, "ROLLBACK", []);
        }
        for answer in answers {
            answer(committed.as_ref().map(|_| ()));
        }
    }
}

fn run_reader(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // A statement of its own, so that the lock is held for the waiting alone and not for the work.
        let job = jobs.lock().recv();
        match job {
            Ok(job) => job(connection)(Ok(())),
            Err(_) => return,
        }
    }
}

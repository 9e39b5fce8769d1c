//! Where SQLite runs: one writer thread with group commit, and a few threads that read.
//!
//! SQLite takes one writer at a time, and a durable commit costs a flush of the disk. So everything that has queued up
//! while one transaction was being flushed goes into the next one together, each job in a savepoint of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::rows::execute;
use crate::store::{Result, StoreError, StoreSwitch};

/// How many jobs share one transaction at most, so that the first of them need not wait for ever.
const BATCH: usize = 256;

/// Work on the database, for the writer or for whoever reads.
enum Job {
    Write(Work),
    Read(Work),
}

/// What it returns tells its caller, after the commit has succeeded or failed.
type Work = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(std::result::Result<(), &rusqlite::Error>) + Send>;

/// The threads and their queues.
pub(super) struct Executor {
    /// `None` once closed.
    queues: Mutex<Option<Queues>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    switch: StoreSwitch,
}

#[derive(Clone)]
struct Queues {
    writes: Sender<Job>,
    reads: Sender<Job>,
}

#[derive(Debug, thiserror::Error)]
#[error("it is closed")]
struct Closed;

#[derive(Debug, thiserror::Error)]
#[error("the transaction was not committed: {0}")]
struct NotCommitted(String);

impl Executor {
    /// Starts a writer, and a reader for each of `readers`. A database in memory has one connection only: without
    /// readers, the writer reads too.
    pub(super) fn start(
        connection: Connection,
        readers: Vec<Connection>,
        switch: StoreSwitch,
    ) -> std::io::Result<Self> {
        let (writes, queue) = channel();
        let mut threads = vec![spawn("store-write", move || run_writer(&connection, &queue))?];
        let reads = if readers.is_empty() {
            writes.clone()
        } else {
            let (reads, jobs) = channel();
            let jobs = Arc::new(Mutex::new(jobs));
            for reader in readers {
                let jobs = jobs.clone();
                threads.push(spawn("store-read", move || run_reader(&reader, &jobs))?);
            }
            reads
        };
        Ok(Self {
            queues: Mutex::new(Some(Queues { writes, reads })),
            threads: Mutex::new(threads),
            switch,
        })
    }

    /// Runs `work` in a transaction; returns once that is durable.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let writes = self.queues()?.writes;
        let work = move |connection: &Connection| in_savepoint(connection, work);
        submit(&writes, Job::Write, work).await
    }

    /// Runs `work`, which changes nothing.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let reads = self.queues()?.reads;
        submit(&reads, Job::Read, work).await
    }

    /// Finishes what is queued, then ends the threads and closes the connections.
    pub(super) async fn close(&self) -> Result<()> {
        drop(lock(&self.queues).take());
        let threads = std::mem::take(&mut *lock(&self.threads));
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().all(|thread| thread.join().is_ok()));
        match joined.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(StoreError::new("a thread of the store panicked")),
            Err(error) => Err(StoreError::new(error)),
        }
    }

    fn queues(&self) -> Result<Queues> {
        self.switch.check()?;
        lock(&self.queues).clone().ok_or_else(|| StoreError::new(Closed))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(run)
}

async fn submit<T, F>(queue: &Sender<Job>, kind: fn(Work) -> Job, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
{
    let (tell, told) = oneshot::channel();
    let job = kind(Box::new(move |connection| {
        let done = work(connection).map_err(StoreError::new);
        Box::new(move |committed| {
            let failed = committed.map_err(|error| StoreError::new(NotCommitted(error.to_string())));
            // A caller that is gone wants no answer.
            let _ = tell.send(failed.and(done));
        })
    }));
    queue.send(job).map_err(|_| StoreError::new(Closed))?;
    told.await.map_err(|_| StoreError::new(Closed))?
}

/// A job that fails undoes its own work and nobody else's.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    execute(connection, "SAVEPOINT job", [])?;
    let done = work(connection);
    if done.is_err() {
        execute(connection, "ROLLBACK TO job", [])?;
    }
    execute(connection, "RELEASE job", [])?;
    done
}

fn run_writer(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let batch = std::iter::once(first).chain(jobs.try_iter().take(BATCH - 1));
        let mut answers = Vec::new();
        let committed = run_batch(connection, batch, &mut answers);
        if committed.is_err() && !connection.is_autocommit() {
            // The next batch begins afresh; should this fail too, its BEGIN says so.
            let _ = execute(connection, "ROLLBACK", []);
        }
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
}

/// Runs jobs, those from the first that writes on in one transaction: what one of them reads may hold what another has
/// written, and is told only when that is durable.
fn run_batch(
    connection: &Connection,
    jobs: impl Iterator<Item = Job>,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let mut begun = false;
    for job in jobs {
        match job {
            Job::Read(work) if !begun => work(connection)(Ok(())),
            Job::Read(work) => answers.push(work(connection)),
            Job::Write(work) => {
                if !begun {
                    execute(connection, "BEGIN IMMEDIATE", [])?;
                    begun = true;
                }
                answers.push(work(connection));
            }
        }
        if begun && connection.is_autocommit() {
            // A full disk, for one, ends the transaction by itself; COMMIT says so.
            break;
        }
    }
    if begun {
        execute(connection, "COMMIT", [])?;
    }
    Ok(())
}

fn run_reader(connection: &Connection, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // A statement of its own, so that the lock is held for the waiting alone and not for the work.
        let job = lock(jobs).recv();
        match job {
            Ok(Job::Read(work) | Job::Write(work)) => work(connection)(Ok(())),
            Err(_) => return,
        }
    }
}

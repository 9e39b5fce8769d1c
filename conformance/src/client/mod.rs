//! The kit's side of a connection.
//!
//! - [`Client`]: what nearly every scenario uses, whichever library is underneath
//! - [`socketio`]: over `rust_socketio`, an everyday Socket.IO client
//! - [`raw`]: over hand-written frames, for what an everyday client cannot do: many outstanding acks, broken frames,
//!   a transport that vanishes
//! - [`polling`]: over HTTP long-polling
//! - [`inbox`]: everything received, with times
//! - [`http`]: REST requests
//!
//! All that goes in and out is written to the scenario's transcript.

pub mod http;
pub mod inbox;
pub mod polling;
pub mod raw;
pub mod socketio;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::event::{Event, Mark};
use crate::expect::event::Pattern;
use crate::expect::{Found, Mismatch, MismatchKind, Words};
use crate::transcript::Transcript;
use crate::transcript::annotation::Annotation;
use inbox::{Hidden, Inbox, Item};

/// One connection to the target; a handle that is cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    user_id: Option<String>,
    inbox: Arc<Inbox>,
    hidden: Arc<Hidden>,
    transcript: Arc<Transcript>,
    deadline: Duration,
    transport: Transport,
}

pub(crate) enum Transport {
    SocketIo(socketio::SocketIoTransport),
    Raw(raw::RawTransport),
}

impl Client {
    pub(crate) fn new(
        name: &str,
        user_id: Option<String>,
        inbox: Arc<Inbox>,
        hidden: Arc<Hidden>,
        transcript: Arc<Transcript>,
        deadline: Duration,
        transport: Transport,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.to_owned(),
                user_id,
                inbox,
                hidden,
                transcript,
                deadline,
                transport,
            }),
        }
    }

    /// Its name in the transcript: the user's, with a number from the second connection on.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The id of the user it is connected as, where the kit has seen to that.
    pub fn user_id(&self) -> Option<&str> {
        self.inner.user_id.as_deref()
    }

    /// Everything received, unfiltered.
    pub fn inbox(&self) -> &Inbox {
        &self.inner.inbox
    }

    /// The time that this client waits for an ack or an event unless told otherwise.
    pub fn deadline(&self) -> Duration {
        self.inner.deadline
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    /// Sends a request and waits for its ack; gives the ack as it came, for [`crate::expect::ack`] to look at. On the
    /// everyday client only one request is outstanding at a time: further ones wait. What needs many at once takes
    /// several clients, or [`raw::RawClient::start`].
    pub async fn request(&self, event: &str, payload: Value) -> Found<Value> {
        self.request_args(event, vec![payload]).await
    }

    /// Like [`Client::request`], with any number of arguments, none included.
    pub async fn request_args(&self, event: &str, args: Vec<Value>) -> Found<Value> {
        let deadline = self.deadline();
        match &self.inner.transport {
            Transport::SocketIo(transport) => transport.request(event, args, deadline).await,
            Transport::Raw(transport) => transport.start(event, &args.into())?.ack(deadline).await,
        }
        .map_err(|mismatch| mismatch.at(self.name()))
    }

    /// Sends an event without asking for an ack.
    pub async fn emit(&self, event: &str, payload: Value) -> Found {
        self.emit_args(event, vec![payload]).await
    }

    /// Like [`Client::emit`], with any number of arguments, none included.
    pub async fn emit_args(&self, event: &str, args: Vec<Value>) -> Found {
        match &self.inner.transport {
            Transport::SocketIo(transport) => transport.emit(event, args).await,
            Transport::Raw(transport) => transport.emit(event, &args.into()),
        }
        .map_err(|mismatch| mismatch.at(self.name()))
    }

    /// Waits for an event that matches; one that is there already counts, see [`Pattern::after`] and [`Client::mark`].
    /// Nothing is taken out of the inbox. The mismatch tells what did arrive, near misses first.
    pub async fn expect(&self, pattern: &Pattern) -> Found<Event> {
        self.expect_within(pattern, self.deadline()).await
    }

    /// Like [`Client::expect`], with a time limit of its own.
    pub async fn expect_within(&self, pattern: &Pattern, within: Duration) -> Found<Event> {
        let hidden = &self.inner.hidden;
        let found = self.wait_unfiltered(within, |event| pattern.matches(event) && !hidden.covers(event));
        let event = found.await.ok_or_else(|| {
            let closed = self.inbox().closed();
            pattern
                .missing(within, &self.all_events(), closed.as_deref())
                .at(self.name())
        })?;
        self.annotate(Annotation::heard(&event, pattern.mark()));
        Ok(event)
    }

    /// The events that have arrived and match, in the order of arrival.
    pub fn events(&self, pattern: &Pattern) -> Vec<Event> {
        let mut events = self.all_events();
        events.retain(|event| pattern.matches(event));
        self.annotate(Annotation::looked(pattern, &events));
        events
    }

    /// Every event that has arrived, in the order of arrival, without those that the kit caused for its fences.
    pub fn all_events(&self) -> Vec<Event> {
        self.inbox().look(|items| {
            items
                .iter()
                .filter_map(|item| match item {
                    Item::Event(event) if !self.inner.hidden.covers(event) => Some(event.clone()),
                    _ => None,
                })
                .collect()
        })
    }

    /// The point that the inbox has reached now; `event("…").after(mark)` means only what comes later.
    pub fn mark(&self) -> Mark {
        let mark = self.inbox().mark();
        self.annotate(Annotation::Marked(mark));
        mark
    }

    /// Says what the kit means by what this client gets.
    pub(crate) fn annotate(&self, annotation: Annotation) {
        self.inner.transcript.annotate(self.name(), annotation);
    }

    /// Why the connection is closed, if it is. The everyday client does not always notice; the raw one does.
    pub fn closed(&self) -> Option<String> {
        self.inbox().closed()
    }

    /// Says goodbye and closes.
    pub async fn close(&self) {
        match &self.inner.transport {
            Transport::SocketIo(transport) => transport.close().await,
            Transport::Raw(transport) => transport.close().await,
        }
    }

    /// Waits until `n` events that match have arrived, or the time is up.
    pub(crate) async fn wait_for(&self, n: usize, pattern: &Pattern, within: Duration) {
        let hidden = &self.inner.hidden;
        let meant = |item: &&Item| matches!(item, Item::Event(event) if pattern.matches(event) && !hidden.covers(event));
        let enough = |items: &[Item]| (items.iter().filter(meant).count() >= n).then_some(());
        self.inbox().wait(within, enough).await;
    }

    /// Waits for an event, those of the kit's own fences included.
    pub(crate) async fn wait_unfiltered(
        &self,
        within: Duration,
        meant: impl Fn(&Event) -> bool,
    ) -> Option<Event> {
        let find = |items: &[Item]| {
            items.iter().find_map(|item| match item {
                Item::Event(event) if meant(event) => Some(event.clone()),
                _ => None,
            })
        };
        self.inbox().wait(within, find).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.inner.name)
    }
}

/// The mismatch for an ack that did not come.
pub(crate) fn no_ack(event: &str, within: Duration, closed: Option<String>) -> Mismatch {
    // The everyday client does not always notice that a connection is gone, and reasons for that are many.
    let connection = closed.map_or_else(
        || "; the connection is open".to_owned(),
        |why| format!("; the connection is closed: {why}"),
    );
    let expected =
        Words::from(format!("an ack of {event}")).varying(format!(" within {} ms", within.as_millis()));
    Mismatch::of(
        MismatchKind::NoAck,
        [expected],
        Words::from("none").varying(connection),
    )
}

//! The use-cases, one per file, and the one way that leads through them.
//!
//! [`Service::perform`] takes a command from whoever decoded it, socket or REST, and passes it through the stages:
//! authorize, apply, publish. The types of the stages keep their order.

mod create;
mod lanes;
mod members;
mod queries;
mod read;
mod room;
mod send;
mod typing;

pub use queries::Query;
pub use read::Read;
pub use send::Sent;

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::error::ChatError;
use crate::ids::UserId;
use crate::policy::{Permit, Rule, authorize};
use crate::publish::{Committed, Publish};
use crate::rate_limit::RateLimiter;
use crate::store::{Pending, Store};

use lanes::Lanes;

/// What the use-cases work with.
pub struct Context {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// How much users may send.
    pub rate_limiter: RateLimiter,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How long one who asks waits at most; for ever where there is none.
    pub patience: Option<Duration>,
}

/// The caller has waited too long. The command may still be carried out, and is published then.
#[derive(Debug, thiserror::Error)]
#[error("it took longer than {} ms", .0.as_millis())]
struct TooSlow(Duration);

/// A command that can be carried out once it is permitted.
pub trait UseCase: Rule + Send + Sync + Sized + 'static {
    /// What the one who asked gets.
    type Reply: Send + 'static;

    /// Begins to carry it out. Commands on one chat come here one by one; this is a plain function, so that a write which is
    /// asked for in it is asked for in the order of the commands.
    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Self::Reply>;
}

/// A command that has begun.
pub struct Begun<'a, R> {
    /// Whether the next command on the chat may begin before this one has ended.
    next_may_begin: bool,
    /// Its outcome, which is durable.
    outcome: BoxFuture<'a, Result<Committed<R>, ChatError>>,
}

impl<'a, R: Send + 'a> Begun<'a, R> {
    /// A command that ends before the next on the chat begins.
    pub fn alone(outcome: impl Future<Output = Result<Committed<R>, ChatError>> + Send + 'a) -> Self {
        Self {
            next_may_begin: false,
            outcome: outcome.boxed(),
        }
    }

    /// A command that has asked for its one write, and changes nothing that the next decision rests on. While the write is in
    /// the store's queue the next command may begin: many messages of one chat share a flush of the disk then.
    pub fn writing<T: Send + 'a>(
        pending: Pending<'a, T>,
        finish: impl FnOnce(T) -> Result<Committed<R>, ChatError> + Send + 'a,
    ) -> Self {
        match pending {
            Pending::Done(outcome) => Self::alone(ready(outcome.map_err(ChatError::from).and_then(finish))),
            Pending::Unplaced(outcome) => Self::alone(async { finish(outcome.await?) }),
            Pending::Queued(outcome) => Self {
                next_may_begin: true,
                outcome: async { finish(outcome.await?) }.boxed(),
            },
        }
    }
}

/// The application, without sockets and HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Service(Arc<Parts>);

struct Parts {
    context: Context,
    publisher: Arc<dyn Publish>,
    lanes: Lanes,
}

impl Service {
    /// A service that publishes to `publisher`.
    pub fn new(context: Context, publisher: Arc<dyn Publish>) -> Self {
        Self(Arc::new(Parts {
            context,
            publisher,
            lanes: Lanes::default(),
        }))
    }

    /// Carries out `command` for `actor`: when this returns, the change is durable and has been published.
    ///
    /// It runs to its end even when the caller is dropped: a message that is stored and not published would be lost to those who
    /// are connected, and a removed member would go on listening.
    pub async fn perform<C: UseCase>(&self, actor: UserId, command: C) -> Result<C::Reply, ChatError> {
        let work = tokio::spawn(self.0.clone().carry_out(actor, command));
        let done = match self.0.context.patience {
            Some(patience) => match tokio::time::timeout(patience, work).await {
                Ok(done) => done,
                Err(_) => return Err(ChatError::internal(&TooSlow(patience))),
            },
            None => work.await,
        };
        done.unwrap_or_else(|panicked| Err(ChatError::internal(&panicked)))
    }

    /// Like [`Service::perform`], but on the caller's own task where there is no time-out: that saves a task per request.
    /// The caller must not be dropped before it returns.
    pub async fn perform_in_place<C: UseCase>(
        &self,
        actor: UserId,
        command: C,
    ) -> Result<C::Reply, ChatError> {
        match self.0.context.patience {
            Some(_) => self.perform(actor, command).await,
            // In a box, so that a connection that asks for nothing need not keep the place for it.
            None => Box::pin(self.0.clone().carry_out(actor, command)).await,
        }
    }

    /// Reads what `query` asks for, if `actor` may.
    pub async fn read<Q: Query>(&self, actor: UserId, query: Q) -> Result<Q::Answer, ChatError> {
        let permit = self.0.permit(actor, query).await?;
        Q::answer(permit, self.0.context.store.as_ref()).await
    }

    /// What time it is.
    pub fn clock(&self) -> &dyn Clock {
        self.0.context.clock.as_ref()
    }
}

impl Parts {
    /// Authorizes `command` by what the store knows of its chat now.
    async fn permit<C: Rule>(&self, actor: UserId, command: C) -> Result<Permit<C>, ChatError> {
        let facts = match command.chat() {
            Some(chat) => self.context.store.facts(chat, actor).await?,
            None => None,
        };
        Ok(authorize(actor, command, facts)?)
    }

    /// Commands on one chat begin one after the other, and what they publish comes in that order: it is the order in which they
    /// were stored, and nobody enters a room from which they are being removed.
    async fn carry_out<C: UseCase>(
        self: Arc<Self>,
        actor: UserId,
        command: C,
    ) -> Result<C::Reply, ChatError> {
        let mut turn = match command.chat() {
            Some(chat) => Some(self.lanes.enter(chat).await),
            None => None,
        };
        let permit = self.permit(actor, command).await?;
        let begun = C::begin(permit, &self.context);
        if let Some(turn) = turn.as_mut().filter(|_| begun.next_may_begin) {
            turn.let_next_begin();
        }
        let applied = begun.outcome.await;
        if let Some(turn) = &mut turn {
            turn.reach_the_front().await;
        }
        let committed = applied?;
        Ok(committed.publish(self.publisher.as_ref()).await)
    }
}

/// The error of a write that found its actor removed since the decision.
pub(crate) fn no_longer_a_member() -> ChatError {
    crate::policy::Denied::NotMember.into()
}

#[cfg(test)]
mod tests;

//! The use-cases, one per file, and the one way that leads through them.
//!
//! [`Service::perform`] takes a command from whoever decoded it, socket or REST, and leads it through the stages:
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

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::poll;

use crate::clock::Clock;
use crate::error::ChatError;
use crate::ids::UserId;
use crate::policy::{Permit, Rule, authorize};
use crate::publish::{Committed, Publish};
use crate::rate_limit::RateLimiter;
use crate::store::Store;

use lanes::Lanes;

/// What the use-cases work with.
pub struct Context {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// How much users may send.
    pub rate_limiter: RateLimiter,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The body of a message that is to fail, where failing is to be rehearsed.
    pub fault_body: Option<String>,
    /// How long one who asks waits at most; for ever where there is none.
    pub patience: Option<Duration>,
}

/// Nobody waits for the reply any more. What was asked for may be done all the same, and is told to others then.
#[derive(Debug, thiserror::Error)]
#[error("it took longer than {} ms", .0.as_millis())]
struct TooSlow(Duration);

/// A command that can be carried out once it is permitted.
#[async_trait]
pub trait UseCase: Rule + Send + Sync + Sized + 'static {
    /// Whether the next command on the chat may be decided on while the store still writes this one: it changes nothing that
    /// a decision rests on.
    const OVERLAPS: bool = false;

    /// What the one who asked gets.
    type Reply: Send + 'static;

    /// Carries it out; what it returns is durable.
    async fn apply(permit: Permit<Self>, context: &Context) -> Result<Committed<Self::Reply>, ChatError>;
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
    /// A service that tells the outside through `publisher`.
    pub fn new(context: Context, publisher: Arc<dyn Publish>) -> Self {
        Self(Arc::new(Parts {
            context,
            publisher,
            lanes: Lanes::default(),
        }))
    }

    /// Carries out `command` for `actor`: when this returns, the change is durable and has been published.
    ///
    /// What has been begun is led to its end, whether somebody waits for it or not: a change that is stored and told to
    /// nobody would be a message lost, and a member removed who still listens.
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

    /// Like [`Service::perform`], on the caller's own task where nobody need give up waiting: a task less for every request.
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

    /// Commands on one chat go one after the other, so that what a chat publishes comes in the order in which it was
    /// stored, and nobody enters a room from which they are being removed. Messages alone overlap, where the store keeps them in
    /// the order of asking: many of one chat share a flush of the disk then.
    async fn carry_out<C: UseCase>(
        self: Arc<Self>,
        actor: UserId,
        command: C,
    ) -> Result<C::Reply, ChatError> {
        let chat = command.chat();
        let mut turn = match chat {
            Some(chat) => Some(self.lanes.enter(chat).await),
            None => None,
        };
        if let Some(turn) = turn.as_mut().filter(|_| !C::OVERLAPS) {
            turn.reach_the_front().await;
        }
        let permit = self.permit(actor, command).await?;
        let mut applying = C::apply(permit, &self.context);
        let applied = match poll!(&mut applying) {
            Poll::Ready(applied) => applied,
            Poll::Pending => {
                if let Some(turn) = turn
                    .as_mut()
                    .filter(|_| C::OVERLAPS && self.context.store.is_a_queue())
                {
                    turn.let_next_begin();
                }
                applying.await
            }
        };
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

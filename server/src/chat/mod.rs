//! The use-cases, one per file, and the one way that leads through them.
//!
//! [`Service::perform`] takes a command from whoever decoded it, socket or REST, and leads it through the stages:
//! authorize, apply, publish. The types of the stages keep their order.

mod create;
mod lanes;
mod members;
mod read;
mod room;
mod send;
mod typing;

pub use read::Read;
pub use send::Sent;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::error::ChatError;
use crate::ids::{ChatId, UserId};
use crate::policy::{Permit, Role, Rule, authorize, may_read};
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
}

/// A command that can be carried out once it is permitted.
#[async_trait]
pub trait UseCase: Rule + Send + Sync + Sized + 'static {
    /// What the one who asked gets.
    type Reply: Send;

    /// Carries it out; what it returns is durable.
    async fn apply(permit: Permit<Self>, context: &Context) -> Result<Committed<Self::Reply>, ChatError>;
}

/// The application, without sockets and HTTP. Share it behind an `Arc`.
pub struct Service {
    context: Context,
    publisher: Arc<dyn Publish>,
    lanes: Lanes,
}

impl Service {
    /// A service that tells the outside through `publisher`.
    pub fn new(context: Context, publisher: Arc<dyn Publish>) -> Self {
        Self {
            context,
            publisher,
            lanes: Lanes::default(),
        }
    }

    /// Carries out `command` for `actor`: when this returns, the change is durable and has been published.
    ///
    /// Commands on one chat go one after the other, so that what a chat publishes comes in the order in which it was
    /// stored, and nobody enters a room from which they are being removed.
    pub async fn perform<C: UseCase>(&self, actor: UserId, command: C) -> Result<C::Reply, ChatError> {
        let chat = command.chat();
        let _lane = match chat {
            Some(chat) => Some(self.lanes.enter(chat).await),
            None => None,
        };
        let facts = match chat {
            Some(chat) => self.context.store.facts(chat, actor).await?,
            None => None,
        };
        let permit = authorize(actor, command, facts)?;
        let committed = C::apply(permit, &self.context).await?;
        Ok(committed.publish(self.publisher.as_ref()).await)
    }

    /// Lets `actor` read `chat`, or says why not.
    pub async fn authorize_read(&self, actor: UserId, chat: ChatId) -> Result<Role, ChatError> {
        Ok(may_read(self.context.store.facts(chat, actor).await?)?)
    }

    /// What is kept, for reading.
    pub fn store(&self) -> &dyn Store {
        self.context.store.as_ref()
    }

    /// What time it is.
    pub fn clock(&self) -> &dyn Clock {
        self.context.clock.as_ref()
    }
}

/// The error of a write that found its actor removed since the decision.
pub(crate) fn no_longer_a_member() -> ChatError {
    crate::policy::Denied::NotMember.into()
}

#[cfg(test)]
mod tests;

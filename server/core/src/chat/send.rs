//! `message:send` and its REST twin (contract §5, §6).

use std::time::Instant;

use async_trait::async_trait;

use super::{Context, UseCase, no_longer_a_member};
use crate::command::SendMessage;
use crate::error::ChatError;
use crate::ids::UserId;
use crate::model::Message;
use crate::policy::Permit;
use crate::publish::{Audience, Committed, Outbound, ServerEvent};
use crate::rate_limit::Reservation;
use crate::store::Append;

/// A message that is stored, now or since its first sending.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The message as it was first sent.
    pub message: Message,
    /// Whether this was a repeat.
    pub repeated: bool,
}

/// Not a failure, but asked for as one.
#[derive(Debug, thiserror::Error)]
#[error("a failure was rehearsed, as --fault-body asks for")]
struct Rehearsal;

#[async_trait]
impl UseCase for SendMessage {
    const OVERLAPS: bool = true;

    type Reply = Sent;

    async fn apply(permit: Permit<Self>, context: &Context) -> Result<Committed<Sent>, ChatError> {
        // A place that is not kept goes back: neither a failure nor a repeat counts against the sender.
        let place = permit
            .command()
            .rate_limited
            .then(|| reserve(context, permit.actor()))
            .transpose()?;
        if context.fault_body.as_deref() == Some(permit.command().body.as_str()) {
            return Err(ChatError::internal(&Rehearsal));
        }
        let (sender, chat) = (permit.actor(), permit.command().chat);
        match context.store.append_message(&permit).await? {
            Append::Stored(message) => {
                place.into_iter().for_each(Reservation::keep);
                tracing::info!(%chat, user = %sender, message_id = %message.id, repeat = false, "message:send");
                let event = ServerEvent::MessageNew {
                    message: message.clone(),
                };
                let outbound = vec![Outbound::Event(Audience::Room(chat), event)];
                Ok(Committed::new(
                    Sent {
                        message,
                        repeated: false,
                    },
                    outbound,
                ))
            }
            Append::Repeat(message) => {
                tracing::info!(%chat, user = %sender, message_id = %message.id, repeat = true, "message:send");
                Ok(Committed::silent(Sent {
                    message,
                    repeated: true,
                }))
            }
            Append::NotMember => Err(no_longer_a_member()),
        }
    }
}

fn reserve(context: &Context, user: UserId) -> Result<Reservation, ChatError> {
    context
        .rate_limiter
        .reserve(user, Instant::now())
        .map_err(|full| ChatError::RateLimited {
            retry_after_ms: u64::try_from(full.retry_after.as_millis())
                .unwrap_or(u64::MAX)
                .max(1),
        })
}

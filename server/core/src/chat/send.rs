//! `message:send` and its REST twin (contract §5, §6).

use std::future::ready;
use std::time::Instant;

use super::{Begun, Context, UseCase, no_longer_a_member};
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

impl UseCase for SendMessage {
    type Reply = Sent;

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Sent> {
        let (sender, chat) = (permit.actor(), permit.command().chat);
        // What is not kept is given back: neither a failure nor a repeat counts against the sender.
        let reserved = permit.command().rate_limited.then(|| reserve(context, sender));
        let reservation = match reserved.transpose() {
            Ok(reservation) => reservation,
            Err(error) => return Begun::alone(ready(Err(error))),
        };
        Begun::writing(context.store.append(&permit), move |appended| {
            let (message, repeated) = match appended {
                Append::Stored(message) => (message, false),
                Append::Repeat(message) => (message, true),
                Append::NotMember => return Err(no_longer_a_member()),
            };
            tracing::info!(%chat, user = %sender, message_id = %message.id, repeat = repeated, "message:send");
            if repeated {
                return Ok(Committed::silent(Sent { message, repeated }));
            }
            reservation.into_iter().for_each(Reservation::keep);
            let event = ServerEvent::MessageNew {
                message: message.clone(),
            };
            let outbound = vec![Outbound::Event(Audience::Room(chat), event)];
            Ok(Committed::new(Sent { message, repeated }, outbound))
        })
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

//! `receipt:read` and its REST twin (contract §8).

use super::{Begun, Context, UseCase, no_longer_a_member};
use crate::clock::Timestamp;
use crate::command::MarkRead;
use crate::error::ChatError;
use crate::model::Membership;
use crate::policy::Permit;
use crate::publish::{Audience, Committed, Outbound, ServerEvent};
use crate::store::Advance;

/// The outcome of a receipt.
#[derive(Clone, Debug)]
pub struct Read {
    /// The reader's membership.
    pub membership: Membership,
    /// When the receipt was taken.
    pub read_at: Timestamp,
}

impl UseCase for MarkRead {
    type Reply = Read;

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Read> {
        Begun::alone(async move {
            let MarkRead { chat, message } = *permit.command();
            match context.store.chat_of_message(&permit).await? {
                None => return Err(ChatError::NotFound("there is no such message")),
                Some(other) if other != chat => {
                    return Err(ChatError::invalid("messageId", "belongs to another chat"));
                }
                Some(_) => {}
            }
            let read_at = context.clock.now();
            match context.store.advance_cursor(&permit).await? {
                Advance::Moved(membership) => {
                    let user_id = permit.actor();
                    let event = ServerEvent::ReceiptUpdate {
                        chat_id: chat,
                        message_id: message,
                        user_id,
                        read_at,
                    };
                    let outbound = vec![Outbound::Event(Audience::Room(chat), event)];
                    Ok(Committed::new(Read { membership, read_at }, outbound))
                }
                Advance::Unchanged(membership) => Ok(Committed::silent(Read { membership, read_at })),
                Advance::NotMember => Err(no_longer_a_member()),
            }
        })
    }
}

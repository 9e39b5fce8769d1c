//! Creating chats (contract §13, CHAT-07).

use super::{Begun, Context, UseCase};
use crate::command::{CreateGroup, OpenDirect};
use crate::error::ChatError;
use crate::model::Chat;
use crate::policy::Permit;
use crate::publish::{Audience, Committed, Outbound, ServerEvent};
use crate::store::Create;

/// A chat, and whether it is new.
pub(crate) type Opened = (Chat, bool);

impl UseCase for OpenDirect {
    type Reply = Opened;

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Opened> {
        Begun::alone(async move {
            if permit.command().peer == permit.actor() {
                return Err(ChatError::invalid(
                    "memberIds",
                    "a direct chat takes one other user",
                ));
            }
            announce(context.store.create_chat((&permit).into()).await?)
        })
    }
}

impl UseCase for CreateGroup {
    type Reply = Opened;

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Opened> {
        Begun::alone(async move { announce(context.store.create_chat((&permit).into()).await?) })
    }
}

fn announce(created: Create) -> Result<Committed<Opened>, ChatError> {
    match created {
        Create::Created(chat) => {
            let update = chat_update(chat.member_ids.clone(), &chat);
            Ok(Committed::new((chat, true), vec![update]))
        }
        Create::Existing(chat) => Ok(Committed::silent((chat, false))),
        Create::UnknownUser(user) => Err(ChatError::invalid("memberIds", format_args!("{user} is no user"))),
    }
}

/// `chat:update` to `users`.
pub(super) fn chat_update(users: Vec<crate::ids::UserId>, chat: &Chat) -> Outbound {
    Outbound::Event(
        Audience::Users(users),
        ServerEvent::ChatUpdate { chat: chat.clone() },
    )
}

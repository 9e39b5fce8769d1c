//! Who belongs to a group, and what it is called (contract §10, §13).

use super::create::chat_update;
use super::{Begun, Context, UseCase};
use crate::command::{AddMembers, RemoveMember, Rename};
use crate::error::ChatError;
use crate::model::Chat;
use crate::policy::Permit;
use crate::publish::{Committed, Outbound};
use crate::store::{Add, Remove};

impl UseCase for AddMembers {
    type Reply = Chat;

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Chat> {
        Begun::alone(async move {
            let refused = |problem: std::fmt::Arguments<'_>| Err(ChatError::invalid("userIds", problem));
            match context.store.add_members(&permit).await? {
                Add::Added(chat) => {
                    let update = chat_update(chat.member_ids.clone(), &chat);
                    Ok(Committed::new(chat, vec![update]))
                }
                Add::UnknownUser(user) => refused(format_args!("{user} is no user")),
                Add::AlreadyMember(user) => refused(format_args!("{user} is a member already")),
                Add::TooMany => refused(format_args!("the group would grow beyond its limit")),
            }
        })
    }
}

impl UseCase for RemoveMember {
    type Reply = ();

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, ()> {
        Begun::alone(async move {
            let RemoveMember { chat, user } = *permit.command();
            match context.store.remove_member(&permit).await? {
                Remove::Removed(left) => {
                    let mut told = left.member_ids.clone();
                    told.push(user);
                    Ok(Committed::new(
                        (),
                        vec![Outbound::Evict(user, chat), chat_update(told, &left)],
                    ))
                }
                Remove::NotMember => Err(ChatError::NotFound("this user is no member of the chat")),
            }
        })
    }
}

impl UseCase for Rename {
    type Reply = Chat;

    fn begin(permit: Permit<Self>, context: &Context) -> Begun<'_, Chat> {
        Begun::alone(async move {
            let chat = context.store.rename(&permit).await?;
            let chat = chat.ok_or(ChatError::NoSuchChat)?;
            let update = chat_update(chat.member_ids.clone(), &chat);
            Ok(Committed::new(chat, vec![update]))
        })
    }
}

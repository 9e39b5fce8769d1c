//! `typing:start` and `typing:stop` (contract §7).

use super::{Begun, Context, UseCase};
use crate::command::Typing;
use crate::policy::Permit;
use crate::publish::{Audience, Committed, Outbound, ServerEvent, TypingState};

impl UseCase for Typing {
    type Reply = ();

    fn begin(permit: Permit<Self>, _: &Context) -> Begun<'_, ()> {
        Begun::alone(async move {
            let Typing {
                chat,
                connection,
                active,
            } = *permit.command();
            let state = if active {
                TypingState::Start
            } else {
                TypingState::Stop
            };
            let event = ServerEvent::TypingUpdate {
                chat_id: chat,
                user_id: permit.actor(),
                state,
            };
            Ok(Committed::new(
                (),
                vec![Outbound::Event(Audience::RoomExcept(chat, connection), event)],
            ))
        })
    }
}

//! `typing:start` and `typing:stop` (contract §7).

use async_trait::async_trait;

use super::{Context, UseCase};
use crate::command::Typing;
use crate::error::ChatError;
use crate::policy::Permit;
use crate::publish::{Audience, Committed, Outbound, ServerEvent, TypingState};

#[async_trait]
impl UseCase for Typing {
    type Reply = ();

    async fn apply(permit: Permit<Self>, _: &Context) -> Result<Committed<()>, ChatError> {
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
    }
}

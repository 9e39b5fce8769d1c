//! `room:join` and `room:leave` (contract §4).

use async_trait::async_trait;

use super::{Context, UseCase};
use crate::command::{JoinRoom, LeaveRoom};
use crate::error::ChatError;
use crate::policy::Permit;
use crate::publish::{Committed, Outbound};

#[async_trait]
impl UseCase for JoinRoom {
    type Reply = ();

    async fn apply(permit: Permit<Self>, _: &Context) -> Result<Committed<()>, ChatError> {
        let JoinRoom { chat, connection } = *permit.command();
        Ok(Committed::new((), vec![Outbound::Enter(connection, chat)]))
    }
}

#[async_trait]
impl UseCase for LeaveRoom {
    type Reply = ();

    async fn apply(permit: Permit<Self>, _: &Context) -> Result<Committed<()>, ChatError> {
        let LeaveRoom { chat, connection } = *permit.command();
        Ok(Committed::new((), vec![Outbound::Exit(connection, chat)]))
    }
}

//! `room:join` and `room:leave` (contract §4).

use super::{Begun, Context, UseCase};
use crate::command::{JoinRoom, LeaveRoom};
use crate::policy::Permit;
use crate::publish::{Committed, Outbound};

impl UseCase for JoinRoom {
    type Reply = ();

    fn begin(permit: Permit<Self>, _: &Context) -> Begun<'_, ()> {
        Begun::alone(async move {
            let JoinRoom { chat, connection } = *permit.command();
            Ok(Committed::new((), vec![Outbound::Enter(connection, chat)]))
        })
    }
}

impl UseCase for LeaveRoom {
    type Reply = ();

    fn begin(permit: Permit<Self>, _: &Context) -> Begun<'_, ()> {
        Begun::alone(async move {
            let LeaveRoom { chat, connection } = *permit.command();
            Ok(Committed::new((), vec![Outbound::Exit(connection, chat)]))
        })
    }
}

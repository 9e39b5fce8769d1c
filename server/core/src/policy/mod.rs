//! Who may do what: a pure decision over a command and the facts about its chat.
//!
//! A [`Permit`] can be had from [`authorize`] alone, and every change in the store asks for one. [`membership`] has the rules
//! that a store can only apply to what it finds.

pub mod membership;

pub use membership::NewChat;

use crate::command::{
    AddMembers, CreateGroup, JoinRoom, LeaveRoom, MarkRead, OpenDirect, RemoveMember, Rename, SendMessage,
    Typing,
};
use crate::ids::{ChatId, UserId};
use crate::model::{ChatKind, Facts, Role};

/// Why a command is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The chat does not exist. Over the socket this looks like [`Denied::NotMember`] (ROOM-07).
    NoSuchChat,
    /// The actor does not belong to the chat.
    NotMember,
    /// Only an admin may.
    NotAdmin,
    /// A direct chat's members and title are fixed.
    DirectChat,
}

/// Leave for `actor` to do what the command says.
#[derive(Debug)]
pub struct Permit<C> {
    actor: UserId,
    command: C,
}

impl<C> Permit<C> {
    /// Who has the leave.
    pub fn actor(&self) -> UserId {
        self.actor
    }

    /// What they may do.
    pub fn command(&self) -> &C {
        &self.command
    }
}

/// A command that the policy knows.
pub trait Rule {
    /// The chat that the command is about, where there is one already.
    fn chat(&self) -> Option<ChatId>;

    /// Decides, for a chat that exists (or a command that needs none: then `facts` is `None`).
    fn decide(&self, actor: UserId, facts: Option<Facts>) -> Result<(), Denied>;
}

/// Grants `command` to `actor`, or says why not. `facts` is what the store knows of [`Rule::chat`].
pub fn authorize<C: Rule>(actor: UserId, command: C, facts: Option<Facts>) -> Result<Permit<C>, Denied> {
    command.decide(actor, facts)?;
    Ok(Permit { actor, command })
}

/// Reading a chat, and being told of its events, takes membership.
pub fn may_read(facts: Option<Facts>) -> Result<Role, Denied> {
    facts.ok_or(Denied::NoSuchChat)?.role.ok_or(Denied::NotMember)
}

fn may_administer(facts: Option<Facts>) -> Result<(), Denied> {
    let role = may_change_group(facts)?;
    if role == Role::Admin {
        Ok(())
    } else {
        Err(Denied::NotAdmin)
    }
}

fn may_change_group(facts: Option<Facts>) -> Result<Role, Denied> {
    let role = may_read(facts)?;
    match facts {
        Some(Facts {
            kind: ChatKind::Direct,
            ..
        }) => Err(Denied::DirectChat),
        _ => Ok(role),
    }
}

macro_rules! rule {
    ($command:ty, anyone) => {
        impl Rule for $command {
            fn chat(&self) -> Option<ChatId> {
                None
            }

            fn decide(&self, _: UserId, _: Option<Facts>) -> Result<(), Denied> {
                Ok(())
            }
        }
    };
    ($command:ty, |$this:ident, $actor:ident, $facts:ident| $decision:expr) => {
        impl Rule for $command {
            fn chat(&self) -> Option<ChatId> {
                Some(self.chat)
            }

            fn decide(&self, $actor: UserId, $facts: Option<Facts>) -> Result<(), Denied> {
                let $this = self;
                $decision
            }
        }
    };
}

rule!(OpenDirect, anyone);
rule!(CreateGroup, anyone);
rule!(JoinRoom, |_this, _actor, facts| may_read(facts).map(drop));
rule!(SendMessage, |_this, _actor, facts| may_read(facts).map(drop));
rule!(Typing, |_this, _actor, facts| may_read(facts).map(drop));
rule!(MarkRead, |_this, _actor, facts| may_read(facts).map(drop));
rule!(Rename, |_this, _actor, facts| may_administer(facts));
rule!(AddMembers, |_this, _actor, facts| may_administer(facts));
// Leaving needs no leave: it reveals nothing and changes nothing for anyone else (ROOM-05).
rule!(LeaveRoom, |_this, _actor, _facts| Ok(()));
rule!(
    RemoveMember,
    |this, actor, facts| match may_change_group(facts)? {
        Role::Member if this.user != actor => Err(Denied::NotAdmin),
        _ => Ok(()),
    }
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Body, Limits, MemberList, Title};
    use crate::ids::ConnectionId;

    const ACTOR: &str = "65f0c0ffee0123456789abcd";
    const OTHER: &str = "65f0c0ffee0123456789abce";

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    type Decision = Result<(), Denied>;
    type Decide = Box<dyn Fn(Option<Facts>) -> Decision>;

    fn decide<C: Rule + Clone + 'static>(command: C) -> Decide {
        Box::new(move |facts| authorize(id(ACTOR), command.clone(), facts).map(drop))
    }

    /// Every command against every standing of the actor.
    #[test]
    fn the_policy_as_a_table() {
        let (chat, connection) = (id(OTHER), ConnectionId::default());
        let users = MemberList::new(vec![id(OTHER)]).unwrap();
        let title = Title::new("t".into()).unwrap();
        let body = Body::new("b".into(), Limits { body_max_bytes: 1 }).unwrap();
        let send = SendMessage {
            chat,
            client_id: None,
            body,
            rate_limited: true,
        };

        let group = |role| {
            Some(Facts {
                kind: ChatKind::Group,
                role,
            })
        };
        let direct = |role| {
            Some(Facts {
                kind: ChatKind::Direct,
                role,
            })
        };
        let standings = [
            None,
            group(None),
            group(Some(Role::Member)),
            group(Some(Role::Admin)),
            direct(None),
            direct(Some(Role::Member)),
            direct(Some(Role::Admin)),
        ];

        let ok = Ok(());
        let (none, stranger) = (Err(Denied::NoSuchChat), Err(Denied::NotMember));
        let (not_admin, fixed) = (Err(Denied::NotAdmin), Err(Denied::DirectChat));
        let members = [none, stranger, ok, ok, stranger, ok, ok];
        let admins = [none, stranger, not_admin, ok, stranger, fixed, fixed];
        let leavers = [none, stranger, ok, ok, stranger, fixed, fixed];

        let table: [(&str, Decide, [Decision; 7]); 11] = [
            ("open direct", decide(OpenDirect { peer: id(OTHER) }), [ok; 7]),
            (
                "create group",
                decide(CreateGroup {
                    others: users.clone(),
                    title: None,
                }),
                [ok; 7],
            ),
            ("join", decide(JoinRoom { chat, connection }), members),
            ("leave room", decide(LeaveRoom { chat, connection }), [ok; 7]),
            ("send", decide(send), members),
            (
                "typing",
                decide(Typing {
                    chat,
                    connection,
                    active: true,
                }),
                members,
            ),
            (
                "read",
                decide(MarkRead {
                    chat,
                    message: id(OTHER),
                }),
                members,
            ),
            ("rename", decide(Rename { chat, title }), admins),
            ("add", decide(AddMembers { chat, users }), admins),
            (
                "remove another",
                decide(RemoveMember {
                    chat,
                    user: id(OTHER),
                }),
                admins,
            ),
            (
                "remove oneself",
                decide(RemoveMember {
                    chat,
                    user: id(ACTOR),
                }),
                leavers,
            ),
        ];
        for (name, decide, expected) in &table {
            for (standing, expected) in standings.iter().zip(expected) {
                assert_eq!(decide(*standing), *expected, "{name} with {standing:?}");
            }
        }
    }
}

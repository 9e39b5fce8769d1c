//! Who may do what: a pure decision over a command and the facts about its chat.
//!
//! Only [`authorize`] makes a [`Permit`], and whatever reads from a chat or changes it takes one. [`membership`] has the rules
//! that a store applies inside its transactions.

pub mod membership;

pub use membership::NewChat;

use crate::command::{
    AddMembers, CreateGroup, JoinRoom, LeaveRoom, ListChats, ListMessages, MarkRead, OpenDirect, ReadChat,
    RemoveMember, Rename, Search, SendMessage, Typing,
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
    /// The actor is no admin, and only admins may do this.
    NotAdmin,
    /// A direct chat's members and title are fixed.
    DirectChat,
}

/// Proof that `actor` may do what the command says.
#[derive(Debug)]
pub struct Permit<C> {
    actor: UserId,
    command: C,
}

impl<C> Permit<C> {
    /// The user who may carry it out.
    pub fn actor(&self) -> UserId {
        self.actor
    }

    /// The command that they may carry out.
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

/// Reading a chat, writing in it, and being told of its events take membership.
fn is_member(facts: Option<Facts>) -> Result<Role, Denied> {
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
    let role = is_member(facts)?;
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
    ($command:ty, members) => {
        rule!($command, |_this, _actor, facts| is_member(facts).map(drop));
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
rule!(ListChats, anyone);
rule!(ReadChat, members);
rule!(ListMessages, members);
rule!(JoinRoom, members);
rule!(SendMessage, members);
rule!(Typing, members);
rule!(MarkRead, members);
rule!(Rename, |_this, _actor, facts| may_administer(facts));
rule!(AddMembers, |_this, _actor, facts| may_administer(facts));
// Whoever is in the room may leave it: that reveals nothing and changes nothing for anyone else (ROOM-05).
rule!(LeaveRoom, |_this, _actor, _facts| Ok(()));
rule!(
    RemoveMember,
    |this, actor, facts| match may_change_group(facts)? {
        Role::Member if this.user != actor => Err(Denied::NotAdmin),
        _ => Ok(()),
    }
);

impl Rule for Search {
    fn chat(&self) -> Option<ChatId> {
        self.chat
    }

    /// Without a chat, only the actor's own are looked in.
    fn decide(&self, _: UserId, facts: Option<Facts>) -> Result<(), Denied> {
        self.chat.map_or(Ok(()), |_| is_member(facts).map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Body, Limits, MemberList, Title};
    use crate::ids::ConnectionId;
    use crate::model::Window;

    const ACTOR: &str = "65f0c0ffee0123456789abcd";
    const OTHER: &str = "65f0c0ffee0123456789abce";

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
        text.parse().unwrap()
    }

    type Decision = Result<(), Denied>;
    type Decide = Box<dyn Fn(Option<Facts>) -> Decision>;

    const OK: Decision = Ok(());
    const NONE: Decision = Err(Denied::NoSuchChat);
    const STRANGER: Decision = Err(Denied::NotMember);
    const NOT_ADMIN: Decision = Err(Denied::NotAdmin);
    const FIXED: Decision = Err(Denied::DirectChat);

    /// What the actor can be to the chat; `None`: there is no such chat.
    const STANDINGS: [Option<Facts>; 7] = [
        None,
        Some(standing(ChatKind::Group, None)),
        Some(standing(ChatKind::Group, Some(Role::Member))),
        Some(standing(ChatKind::Group, Some(Role::Admin))),
        Some(standing(ChatKind::Direct, None)),
        Some(standing(ChatKind::Direct, Some(Role::Member))),
        Some(standing(ChatKind::Direct, Some(Role::Admin))),
    ];
    const ANYONE: [Decision; 7] = [OK; 7];
    const MEMBERS: [Decision; 7] = [NONE, STRANGER, OK, OK, STRANGER, OK, OK];

    const fn standing(kind: ChatKind, role: Option<Role>) -> Facts {
        Facts { kind, role }
    }

    /// Holds each command against each standing.
    fn check(table: &[(&str, Decide, [Decision; 7])]) {
        for (name, decide, expected) in table {
            for (standing, expected) in STANDINGS.iter().zip(expected) {
                assert_eq!(decide(*standing), *expected, "{name} with {standing:?}");
            }
        }
    }

    fn decide<C: Rule + Clone + 'static>(command: C) -> Decide {
        Box::new(move |facts| authorize(id(ACTOR), command.clone(), facts).map(drop))
    }

    #[test]
    fn who_may_read_as_a_table() {
        let chat = id(OTHER);
        let search = |chat| Search {
            query: "q".into(),
            chat,
            before: None,
            limit: 1,
        };
        let messages = ListMessages {
            chat,
            window: Window::Newest,
            limit: 1,
        };
        let chats = ListChats {
            after: None,
            limit: 1,
        };
        check(&[
            ("read a chat", decide(ReadChat { chat }), MEMBERS),
            ("list messages", decide(messages), MEMBERS),
            ("list chats", decide(chats), ANYONE),
            ("search a chat", decide(search(Some(chat))), MEMBERS),
            ("search all chats", decide(search(None)), ANYONE),
        ]);
    }

    #[test]
    fn who_may_change_as_a_table() {
        let (chat, connection) = (id(OTHER), ConnectionId::default());
        let others = MemberList::new(vec![id(OTHER)]).unwrap();
        let users = others.clone();
        let title = Title::new("t".into()).unwrap();
        let send = SendMessage {
            chat,
            client_id: None,
            body: Body::new("b", Limits { body_max_bytes: 1 }).unwrap(),
            rate_limited: true,
        };
        let typing = Typing {
            chat,
            connection,
            active: true,
        };
        let read = MarkRead {
            chat,
            message: id(OTHER),
        };
        let remove = |user| RemoveMember { chat, user };
        let admins = [NONE, STRANGER, NOT_ADMIN, OK, STRANGER, FIXED, FIXED];
        let leavers = [NONE, STRANGER, OK, OK, STRANGER, FIXED, FIXED];
        check(&[
            ("open direct", decide(OpenDirect { peer: id(OTHER) }), ANYONE),
            (
                "create group",
                decide(CreateGroup { others, title: None }),
                ANYONE,
            ),
            ("join", decide(JoinRoom { chat, connection }), MEMBERS),
            ("leave room", decide(LeaveRoom { chat, connection }), ANYONE),
            ("send", decide(send), MEMBERS),
            ("typing", decide(typing), MEMBERS),
            ("read", decide(read), MEMBERS),
            ("rename", decide(Rename { chat, title }), admins),
            ("add", decide(AddMembers { chat, users }), admins),
            ("remove another", decide(remove(id(OTHER))), admins),
            ("remove oneself", decide(remove(id(ACTOR))), leavers),
        ]);
    }
}

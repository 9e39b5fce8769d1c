//! Who belongs to a chat and in which role, as the contract has it (§13). A store asks inside its own transaction, since the
//! answer rests on what is in the chat at that moment.

use super::Permit;
use crate::command::{CreateGroup, GROUP_MAX_MEMBERS, OpenDirect};
use crate::ids::UserId;
use crate::model::{ChatKind, Role};

/// The role of whoever is added to a chat that exists.
pub const NEWCOMER: Role = Role::Member;

/// A chat to be created. It is made from a permit, and in no other way.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewChat {
    /// The kind of chat.
    pub kind: ChatKind,
    /// Its title, if it has one.
    pub title: Option<String>,
    /// The user who creates it.
    pub creator: UserId,
    /// All members, each once: the creator, then the others as they were named.
    pub members: Vec<(UserId, Role)>,
}

impl From<&Permit<OpenDirect>> for NewChat {
    fn from(permit: &Permit<OpenDirect>) -> Self {
        Self::new(ChatKind::Direct, None, permit.actor(), &[permit.command().peer])
    }
}

impl From<&Permit<CreateGroup>> for NewChat {
    fn from(permit: &Permit<CreateGroup>) -> Self {
        let CreateGroup { others, title } = permit.command();
        let title = title.as_ref().map(|title| title.as_str().to_owned());
        Self::new(ChatKind::Group, title, permit.actor(), others.as_slice())
    }
}

impl NewChat {
    fn new(kind: ChatKind, title: Option<String>, creator: UserId, named: &[UserId]) -> Self {
        let creators_role = match kind {
            ChatKind::Group => Role::Admin,
            ChatKind::Direct => Role::Member,
        };
        let others = named.iter().filter(|user| **user != creator);
        let members = std::iter::once((creator, creators_role)).chain(others.map(|user| (*user, NEWCOMER)));
        Self {
            kind,
            title,
            creator,
            members: members.collect(),
        }
    }

    /// The members beside the creator.
    pub fn others(&self) -> Vec<UserId> {
        self.members.iter().skip(1).map(|(user, _)| *user).collect()
    }

    /// The two members of a direct chat, the smaller id first: the same for either order, so that a pair has one chat.
    pub fn pair(&self) -> Option<(UserId, UserId)> {
        match (self.kind, self.members.as_slice()) {
            (ChatKind::Direct, &[(one, _), (other, _)]) => Some((one.min(other), one.max(other))),
            _ => None,
        }
    }
}

/// Whether a group with `present` members can take `more`.
pub fn has_room(present: usize, more: usize) -> bool {
    present + more <= GROUP_MAX_MEMBERS
}

/// With how many messages in a chat of this kind every member becomes an admin; `None`: never.
pub fn admins_after(kind: ChatKind) -> Option<u32> {
    match kind {
        ChatKind::Direct => Some(2),
        ChatKind::Group => None,
    }
}

/// Who becomes admin after a removal: nobody while an admin is left, else the longest-standing of `members`, who come in the
/// order of their joining.
pub fn successor(members: &[UserId], an_admin_is_left: bool) -> Option<UserId> {
    members.first().copied().filter(|_| !an_admin_is_left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::MemberList;
    use crate::policy::authorize;

    fn user(last: u8) -> UserId {
        format!("65f0c0ffee01234567890{last:03x}").parse().unwrap()
    }

    fn group(creator: UserId, others: &[UserId]) -> NewChat {
        let others = MemberList::new(others.to_vec()).unwrap();
        let command = CreateGroup { others, title: None };
        NewChat::from(&authorize(creator, command, None).unwrap())
    }

    #[test]
    fn the_creator_of_a_group_is_its_admin_and_named_once() {
        let (ann, bob, carol) = (user(1), user(2), user(3));
        let chat = group(bob, &[carol, bob, ann]);
        assert_eq!(
            chat.members,
            [(bob, Role::Admin), (carol, Role::Member), (ann, Role::Member)]
        );
        assert_eq!((chat.others(), chat.pair()), (vec![carol, ann], None));
        assert_eq!(group(ann, &[bob]).pair(), None, "a group of two is no pair");
    }

    #[test]
    fn a_direct_chat_has_plain_members_and_one_pair_whoever_opens_it() {
        let (ann, bob) = (user(1), user(2));
        let open = |actor, peer| NewChat::from(&authorize(actor, OpenDirect { peer }, None).unwrap());
        assert_eq!(open(ann, bob).members, [(ann, Role::Member), (bob, Role::Member)]);
        assert_eq!(open(ann, bob).pair(), Some((ann, bob)));
        assert_eq!(open(bob, ann).pair(), Some((ann, bob)));
    }

    #[test]
    fn a_group_has_at_most_a_thousand_members() {
        assert!(has_room(1, 999) && has_room(1_000, 0) && has_room(998, 2));
        assert!(!has_room(1_000, 1) && !has_room(999, 2));
    }

    #[test]
    fn only_the_second_message_of_a_direct_chat_makes_admins() {
        assert_eq!(admins_after(ChatKind::Direct), Some(2));
        assert_eq!(admins_after(ChatKind::Group), None);
    }

    #[test]
    fn the_longest_standing_succeeds_the_last_admin() {
        let (ann, bob) = (user(1), user(2));
        assert_eq!(successor(&[bob, ann], false), Some(bob));
        assert_eq!(successor(&[bob, ann], true), None);
        assert_eq!(successor(&[], false), None);
    }
}

//! Members: adding, removing, cursors, contacts.

use super::{NOBODY, chat as chat_of, group, list, message, permit, stored, user};
use chatspec_server_core::command::{AddMembers, GROUP_MAX_MEMBERS, MarkRead, RemoveMember};
use chatspec_server_core::ids::UserId;
use chatspec_server_core::model::Role;
use chatspec_server_core::store::{Add, Advance, Append, Remove, Store};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use std::collections::HashSet;
use std::sync::Arc;

pub async fn a_cursor_only_moves_forward_whoever_comes_last(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let mut ids = Vec::new();
    for i in 0..16 {
        ids.push(stored(&store, ann, chat, &i.to_string()).await.id);
    }
    let newest = ids[15];
    let readers = ids.iter().rev().chain(&ids).copied().map(|message| {
        let store = store.clone();
        tokio::spawn(async move {
            let permit = permit(&store, bob, MarkRead { chat, message }).await;
            store.advance_cursor(&permit).await.unwrap()
        })
    });
    for outcome in join_all(readers).await {
        assert!(!matches!(outcome.unwrap(), Advance::NotMember));
    }
    let again = permit(
        &store,
        bob,
        MarkRead {
            chat,
            message: ids[0],
        },
    )
    .await;
    match store.advance_cursor(&again).await.unwrap() {
        Advance::Unchanged(membership) => assert_eq!(membership.last_read_message_id, Some(newest)),
        other => panic!("{other:?}"),
    }
}

pub async fn membership_counts_at_the_moment_of_writing(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let earlier = stored(&store, ann, chat, "x").await.id;
    // Leave that was given while bob still belonged to the chat.
    let to_send = permit(&store, bob, message(chat, None, "late")).await;
    let to_read = permit(
        &store,
        bob,
        MarkRead {
            chat,
            message: earlier,
        },
    )
    .await;
    let remove = permit(&store, ann, RemoveMember { chat, user: bob }).await;
    assert!(matches!(
        store.remove_member(&remove).await.unwrap(),
        Remove::Removed(_)
    ));
    assert!(matches!(
        store.remove_member(&remove).await.unwrap(),
        Remove::NotMember
    ));
    assert!(matches!(store.append(&to_send).await.unwrap(), Append::NotMember));
    assert!(matches!(
        store.advance_cursor(&to_read).await.unwrap(),
        Advance::NotMember
    ));
}

pub async fn members_are_added_all_or_none(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let carol = user(&store, "carol").await;
    let chat = group(&store, ann, &[bob]).await.id;
    let nobody: UserId = NOBODY.parse().unwrap();
    let add = async |users: &[UserId]| {
        let command = AddMembers {
            chat,
            users: list(users),
        };
        store
            .add_members(&permit(&store, ann, command).await)
            .await
            .unwrap()
    };
    assert!(matches!(add(&[carol, nobody]).await, Add::UnknownUser(user) if user == nobody));
    assert!(matches!(add(&[carol, bob]).await, Add::AlreadyMember(user) if user == bob));
    let now = chat_of(&store, ann, chat).await;
    assert_eq!(now.member_ids, [ann, bob]);
    match add(&[carol]).await {
        Add::Added(chat) => assert_eq!(chat.member_ids, [ann, bob, carol]),
        other => panic!("{other:?}"),
    }
}

pub async fn the_eldest_becomes_admin_when_no_admin_is_left(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let carol = user(&store, "carol").await;
    let chat = group(&store, ann, &[bob, carol]).await.id;
    let leave = permit(&store, ann, RemoveMember { chat, user: ann }).await;
    store.remove_member(&leave).await.unwrap();
    let role = async |user| store.facts(chat, user).await.unwrap().unwrap().role;
    assert_eq!(role(ann).await, None);
    assert_eq!(role(bob).await, Some(Role::Admin));
    assert_eq!(role(carol).await, Some(Role::Member));
}

pub async fn contacts_share_a_chat_now(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let carol = user(&store, "carol").await;
    let chat = group(&store, ann, &[bob, carol]).await.id;
    group(&store, ann, &[bob]).await;
    let contacts = async |user| -> HashSet<UserId> {
        let found = store.contacts_of(user).await.unwrap();
        let unique: HashSet<UserId> = found.iter().copied().collect();
        assert_eq!(unique.len(), found.len(), "each once");
        unique
    };
    assert_eq!(contacts(ann).await, HashSet::from([bob, carol]));
    let remove = permit(&store, ann, RemoveMember { chat, user: carol }).await;
    store.remove_member(&remove).await.unwrap();
    assert_eq!(contacts(ann).await, HashSet::from([bob]));
    assert_eq!(contacts(carol).await, HashSet::new());
}

pub async fn members_added_at_once_are_all_there(store: Arc<dyn Store>) {
    let ann = user(&store, "ann").await;
    let names: Vec<String> = (0..8).map(|i| format!("user{i}")).collect();
    let users = join_all(names.iter().map(|name| user(&store, name))).await;
    let chat = group(&store, ann, &users[..1]).await.id;
    let adding = users[1..].iter().copied().map(|user| {
        let store = store.clone();
        tokio::spawn(async move {
            let users = list(&[user]);
            let permit = permit(&store, ann, AddMembers { chat, users }).await;
            store.add_members(&permit).await.unwrap()
        })
    });
    for outcome in join_all(adding).await {
        assert!(matches!(outcome.unwrap(), Add::Added(_)));
    }
    let members = chat_of(&store, ann, chat).await.member_ids;
    assert_eq!(members.len(), 9);
    let members: HashSet<UserId> = members.into_iter().collect();
    assert_eq!(members, users.into_iter().chain([ann]).collect());
}

pub async fn a_group_does_not_grow_beyond_its_limit(store: Arc<dyn Store>) {
    let ann = user(&store, "ann").await;
    let names: Vec<String> = (0..GROUP_MAX_MEMBERS).map(|i| format!("user{i}")).collect();
    // A few at a time: a MongoDB that others use too is not to be filled up.
    let others = stream::iter(&names).map(|name| user(&store, name)).buffered(8);
    let others: Vec<UserId> = others.collect().await;
    let (rest, almost) = others.split_at(2);
    let chat = group(&store, ann, almost).await.id;
    let add = async |users: &[UserId]| {
        let users = list(users);
        let permit = permit(&store, ann, AddMembers { chat, users }).await;
        store.add_members(&permit).await.unwrap()
    };
    assert!(matches!(add(rest).await, Add::TooMany));
    match add(&rest[..1]).await {
        Add::Added(chat) => assert_eq!(chat.member_ids.len(), GROUP_MAX_MEMBERS),
        other => panic!("{other:?}"),
    }
    assert!(matches!(add(&rest[1..]).await, Add::TooMany));
}

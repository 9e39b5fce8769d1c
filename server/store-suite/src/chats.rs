//! Chats: pairs, roles, the listing.

use super::{NOBODY, chat, chats, group, list, permit, stored, user};
use chatspec_server_core::command::{CreateGroup, MarkRead, OpenDirect, Rename, Title};
use chatspec_server_core::ids::UserId;
use chatspec_server_core::model::Role;
use chatspec_server_core::store::{Advance, Create, Store};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

pub async fn a_pair_has_one_direct_chat_however_many_ask(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let callers = (0..32).map(|i| {
        let store = store.clone();
        let (actor, peer) = if i % 2 == 0 { (ann, bob) } else { (bob, ann) };
        tokio::spawn(async move {
            let permit = permit(&store, actor, OpenDirect { peer }).await;
            store.create_chat((&permit).into()).await.unwrap()
        })
    });
    let (mut created, mut ids) = (0, HashSet::new());
    for outcome in join_all(callers).await {
        match outcome.unwrap() {
            Create::Created(chat) => {
                created += 1;
                ids.insert(chat.id);
            }
            Create::Existing(chat) => {
                ids.insert(chat.id);
            }
            Create::UnknownUser(user) => panic!("{user} is known"),
        }
    }
    assert_eq!((created, ids.len()), (1, 1));
}

pub async fn the_second_message_of_a_direct_chat_makes_both_admins(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let open = permit(&store, ann, OpenDirect { peer: bob }).await;
    let Create::Created(chat) = store.create_chat((&open).into()).await.unwrap() else {
        panic!("it is new");
    };
    let role = async |user| store.facts(chat.id, user).await.unwrap().unwrap().role;
    stored(&store, ann, chat.id, "one").await;
    assert_eq!(role(ann).await, Some(Role::Member));
    stored(&store, bob, chat.id, "two").await;
    assert_eq!(
        (role(ann).await, role(bob).await),
        (Some(Role::Admin), Some(Role::Admin))
    );
}

pub async fn an_activity_moves_a_chat_to_the_top(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let mut groups = Vec::new();
    for _ in 0..5 {
        groups.push(group(&store, ann, &[bob]).await.id);
    }
    // Activity is told apart by the millisecond.
    tokio::time::sleep(Duration::from_millis(5)).await;
    stored(&store, bob, groups[1], "here").await;
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = chats(&store, ann, cursor, 2).await;
        listed.extend(page.chats.iter().map(|row| row.chat.id));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, [groups[1], groups[4], groups[3], groups[2], groups[0]]);
}

pub async fn unknown_users_make_no_chat(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let nobody: UserId = NOBODY.parse().unwrap();
    let direct = permit(&store, ann, OpenDirect { peer: nobody }).await;
    let outcome = store.create_chat((&direct).into()).await.unwrap();
    assert!(
        matches!(outcome, Create::UnknownUser(user) if user == nobody),
        "{outcome:?}"
    );
    let others = list(&[bob, nobody]);
    let group = permit(&store, ann, CreateGroup { others, title: None }).await;
    let outcome = store.create_chat((&group).into()).await.unwrap();
    assert!(
        matches!(outcome, Create::UnknownUser(user) if user == nobody),
        "{outcome:?}"
    );
    assert!(chats(&store, ann, None, 10).await.chats.is_empty());
}

pub async fn another_title_is_an_activity(store: Arc<dyn Store>) {
    let ann = user(&store, "ann").await;
    let bob = user(&store, "bob").await;
    let mut before = group(&store, ann, &[bob]).await;
    // Operators of a database are text like any other.
    for text in ["Team", "$createdBy", "a.b $ \u{0}", "{\"$set\": 1}"] {
        let title = Title::new(text.to_owned()).unwrap();
        let rename = permit(
            &store,
            ann,
            Rename {
                chat: before.id,
                title,
            },
        )
        .await;
        let after = store.rename(&rename).await.unwrap().unwrap();
        assert_eq!(after.title.as_deref(), Some(text));
        assert!(after.updated_at > before.updated_at);
        assert_eq!(chat(&store, ann, before.id).await, after);
        before = after;
    }
}

pub async fn the_listing_shows_what_is_unread_and_the_newest_message(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let row = async |user| {
        let page = chats(&store, user, None, 10).await;
        let [row] = page.chats.try_into().unwrap();
        assert!(page.next_cursor.is_none());
        row
    };
    let empty = row(bob).await;
    assert_eq!((empty.unread_count, empty.last_message), (0, None));
    let first = stored(&store, ann, chat, "first").await;
    let newest = stored(&store, ann, chat, &"ü".repeat(101)).await;
    // All of them count while nothing is read, one's own too.
    for user in [ann, bob] {
        let row = row(user).await;
        assert_eq!(row.unread_count, 2);
        let last = row.last_message.unwrap();
        assert_eq!(
            (last.id, last.sender_id, last.created_at),
            (newest.id, ann, newest.created_at)
        );
        assert_eq!(last.body, "ü".repeat(100));
    }
    let read = MarkRead {
        chat,
        message: first.id,
    };
    let read = permit(&store, bob, read).await;
    assert!(matches!(
        store.advance_cursor(&read).await.unwrap(),
        Advance::Moved(_)
    ));
    assert_eq!((row(ann).await.unread_count, row(bob).await.unread_count), (2, 1));
}

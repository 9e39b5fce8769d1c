//! Messages: keys, pages, bodies, words.

use super::{NOBODY, chat as chat_of, found, group, page, permit, search, send, stored, user};
use chatspec_server_core::command::{MarkRead, RemoveMember};
use chatspec_server_core::ids::MessageId;
use chatspec_server_core::model::{Message, Window};
use chatspec_server_core::store::{Append, Store};
use futures_util::future::join_all;
use std::collections::HashSet;
use std::sync::Arc;

pub async fn sixty_four_sends_of_one_key_store_one_message(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let callers = (0..64).map(|i| {
        let store = store.clone();
        tokio::spawn(async move { send(&store, ann, chat, Some("key"), &format!("body {i}")).await })
    });
    let (mut fresh, mut ids) = (0, HashSet::new());
    for outcome in join_all(callers).await {
        match outcome.unwrap() {
            Append::Stored(message) => {
                fresh += 1;
                ids.insert(message.id);
            }
            Append::Repeat(message) => {
                ids.insert(message.id);
            }
            Append::NotMember => panic!("a member"),
        }
    }
    assert_eq!((fresh, ids.len()), (1, 1));
    let page = page(&store, ann, chat, Window::Newest, 10).await;
    assert_eq!(page.messages.len(), 1);
}

pub async fn one_key_in_two_chats_or_of_two_senders_is_two_messages(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let here = group(&store, ann, &[bob]).await.id;
    let there = group(&store, ann, &[bob]).await.id;
    for (sender, chat) in [(ann, here), (bob, here), (ann, there)] {
        let outcome = send(&store, sender, chat, Some("key"), "x").await;
        assert!(matches!(outcome, Append::Stored(_)), "{outcome:?}");
    }
}

pub async fn paging_misses_nothing_while_messages_come_in(store: Arc<dyn Store>) {
    const MESSAGES: usize = 120;
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let first = stored(&store, ann, chat, "first").await.id;
    let writing = {
        let store = store.clone();
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for i in 0..MESSAGES {
                ids.push(stored(&store, ann, chat, &i.to_string()).await.id);
            }
            ids
        })
    };
    let mut seen: Vec<MessageId> = Vec::new();
    while seen.len() < MESSAGES {
        let after = seen.last().copied().unwrap_or(first);
        let over = writing.is_finished();
        let page = page(&store, ann, chat, Window::After(after), 7).await;
        if page.messages.is_empty() {
            assert!(!over, "all is written, and some of it is not listed");
            tokio::task::yield_now().await;
        }
        seen.extend(page.messages.iter().map(|message| message.id));
    }
    let written = writing.await.unwrap();
    assert_eq!(seen, written);
    assert!(written.is_sorted());

    let mut back: Vec<MessageId> = Vec::new();
    let mut window = Window::Newest;
    loop {
        let page = page(&store, ann, chat, window, 50).await;
        back.extend(page.messages.iter().map(|message| message.id));
        match page.next_cursor {
            Some(cursor) => window = Window::Before(cursor),
            None => break,
        }
    }
    back.reverse();
    assert_eq!(back[0], first);
    assert_eq!(back[1..], written);
}

pub async fn bodies_come_back_unchanged(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let bodies = [
        "x".repeat(100_000),
        "e\u{301} is not \u{e9}".to_owned(),
        "👩‍👩‍👧 \u{202e}txt\u{0} \u{feff}\u{fffd}".to_owned(),
        r#"{"$ne": null} '; DROP TABLE messages; --"#.to_owned(),
        " \n\t ".to_owned(),
    ];
    for body in &bodies {
        assert_eq!(*stored(&store, ann, chat, body).await.body, **body);
    }
    let page = page(&store, ann, chat, Window::Newest, 10).await;
    let kept: Vec<&str> = page.messages.iter().rev().map(|message| &*message.body).collect();
    assert_eq!(kept, bodies.iter().collect::<Vec<_>>());
}

pub async fn messages_are_stored_in_the_order_of_their_ids(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    // Whoever reads to the newest message has missed nothing: later ones are newer.
    let sending = (0..24).map(|i| {
        let store = store.clone();
        tokio::spawn(async move {
            let sender = if i % 2 == 0 { ann } else { bob };
            stored(&store, sender, chat, &i.to_string()).await
        })
    });
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            let mut seen: Vec<Message> = Vec::new();
            while seen.len() < 24 {
                let window = seen
                    .last()
                    .map_or(Window::Newest, |newest| Window::After(newest.id));
                let mut page = page(&store, ann, chat, window, 50).await.messages;
                if window == Window::Newest {
                    page.reverse();
                }
                seen.extend(page);
                tokio::task::yield_now().await;
            }
            seen
        }
    });
    let sent = join_all(sending).await;
    assert!(sent.iter().all(Result::is_ok));
    let seen = reading.await.unwrap();
    assert!(seen.is_sorted_by_key(|message| (message.created_at, message.id)));
    let newest = chat_of(&store, ann, chat).await.updated_at;
    assert!(newest >= seen[23].created_at);
    for (message, its_chat) in [(seen[0].id, Some(chat)), (NOBODY.parse().unwrap(), None)] {
        let read = permit(&store, ann, MarkRead { chat, message }).await;
        assert_eq!(store.chat_of_message(&read).await.unwrap(), its_chat);
    }
}

pub async fn a_search_finds_every_word_in_own_chats_alone(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let carol = user(&store, "carol").await;
    let here = group(&store, ann, &[bob]).await.id;
    let there = group(&store, ann, &[carol]).await.id;
    let one = stored(&store, ann, here, "The quick brown Fox").await;
    let two = stored(&store, bob, here, "a fox, QUICK as ever: Äpfel").await;
    let other = stored(&store, ann, there, "quick fox elsewhere").await;
    stored(&store, ann, here, "a quick dog, foxes").await;
    let find = async |user, query: &str, chat, before, limit| {
        let page = found(&store, user, search(query, chat, before, limit)).await;
        let ids: Vec<MessageId> = page.messages.iter().map(|message| message.id).collect();
        (ids, page.next_cursor)
    };
    assert_eq!(
        find(ann, "fox quick", None, None, 10).await.0,
        [other.id, two.id, one.id]
    );
    assert_eq!(find(bob, "FOX Quick", None, None, 10).await.0, [two.id, one.id]);
    assert_eq!(find(ann, "quick fox", Some(there), None, 10).await.0, [other.id]);
    // Who has been removed since the permit was given finds nothing there.
    let late = permit(&store, carol, search("quick fox", Some(there), None, 10)).await;
    let remove = RemoveMember {
        chat: there,
        user: carol,
    };
    store
        .remove_member(&permit(&store, ann, remove).await)
        .await
        .unwrap();
    assert!(store.search(&late).await.unwrap().messages.is_empty());
    assert_eq!(find(ann, "äpfel", None, None, 10).await.0, [two.id]);
    for none in ["apfel", "fox cat", "$ne", "\"", "*", "OR", "\u{0}"] {
        assert_eq!(find(ann, none, None, None, 10).await.0, [], "{none:?}");
    }
    // Page by page.
    let (page, next) = find(ann, "fox", None, None, 2).await;
    assert_eq!((page, next), (vec![other.id, two.id], Some(two.id)));
    assert_eq!(find(ann, "fox", None, next, 2).await, (vec![one.id], None));
}

pub async fn a_search_finds_each_of_many(store: Arc<dyn Store>) {
    // More than a store puts into its index in bulk, and not a multiple: some are in the middle of one.
    const MANY: usize = 300;
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let mut sent = Vec::new();
    for number in 0..MANY {
        sent.push(
            stored(&store, ann, chat, &format!("word{number} of all"))
                .await
                .id,
        );
    }
    let find = async |query: &str, before| {
        let page = found(&store, bob, search(query, None, before, 100)).await;
        let ids: Vec<MessageId> = page.messages.iter().map(|message| message.id).collect();
        (ids, page.next_cursor)
    };
    let (mut found, mut next) = find("all", None).await;
    while next.is_some() {
        let page = find("all", next).await;
        found.extend(page.0);
        next = page.1;
    }
    found.reverse();
    assert_eq!(found, sent);
    for (number, id) in sent.into_iter().enumerate().step_by(7) {
        assert_eq!(find(&format!("word{number}"), None).await.0, [id]);
    }
}

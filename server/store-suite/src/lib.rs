//! One set of tests for every backend: the rules that [`Store`] promises, also under concurrency.
//!
//! - [`suite!`]: makes tests of them for one backend
//! - [`users`], [`mod@chats`], [`members`], [`messages`]: the tests, by what they are about

#![expect(clippy::unwrap_used, reason = "in a test, what is not there fails the test")]
#![expect(missing_docs, reason = "the name of a test says what it asks")]

pub mod chats;
pub mod members;
pub mod messages;
pub mod users;

use std::sync::Arc;

use async_trait::async_trait;
use chatspec_server_core::command::{
    Body, ClientId, CreateGroup, Limits, ListChats, ListMessages, MemberList, ReadChat, Search, SendMessage,
};
use chatspec_server_core::ids::{ChatId, MessageId, UserId};
use chatspec_server_core::model::{Chat, ChatCursor, ChatPage, Message, MessagePage, NewUser, Window};
use chatspec_server_core::policy::{Permit, Rule, authorize};
use chatspec_server_core::store::{Append, Create, Store};

/// An id that nobody and nothing has.
pub const NOBODY: &str = "0123456789abcdef01234567";

/// Where the store of one test is kept.
#[async_trait]
pub trait Place: Sized {
    /// A new one, with nothing in it.
    fn new() -> Self;

    /// Opens the store there.
    async fn open(&self) -> Arc<dyn Store>;

    /// Leaves nothing behind where other data was before.
    async fn clear(self);
}

/// The tests of the suite, as tests of a store that is kept in such a [`Place`].
#[macro_export]
macro_rules! suite {
    ($place:ty) => {
        $crate::suite! { $place:
            users::an_email_address_is_registered_once,
            users::sessions_end_when_they_are_revoked,
            chats::a_pair_has_one_direct_chat_however_many_ask,
            chats::unknown_users_make_no_chat,
            chats::the_second_message_of_a_direct_chat_makes_both_admins,
            chats::an_activity_moves_a_chat_to_the_top,
            chats::another_title_is_an_activity,
            chats::the_listing_shows_what_is_unread_and_the_newest_message,
            members::a_cursor_only_moves_forward_whoever_comes_last,
            members::membership_counts_at_the_moment_of_writing,
            members::members_are_added_all_or_none,
            members::members_added_at_once_are_all_there,
            members::a_group_does_not_grow_beyond_its_limit,
            members::the_eldest_becomes_admin_when_no_admin_is_left,
            members::contacts_share_a_chat_now,
            messages::sixty_four_sends_of_one_key_store_one_message,
            messages::one_key_in_two_chats_or_of_two_senders_is_two_messages,
            messages::messages_are_stored_in_the_order_of_their_ids,
            messages::paging_misses_nothing_while_messages_come_in,
            messages::bodies_come_back_unchanged,
            messages::a_search_finds_every_word_in_own_chats_alone,
            messages::a_search_finds_each_of_many,
        }
    };
    ($place:ty: $($area:ident::$test:ident),* $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let place = <$place as $crate::Place>::new();
                $crate::$area::$test($crate::Place::open(&place).await).await;
                $crate::Place::clear(place).await;
            }
        )*
    };
}

/// What was acknowledged is there when the store is opened again, and ids go on.
pub async fn reopening<P: Place>() {
    let place = P::new();
    let store = place.open().await;
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let before = stored(&store, ann, chat, "before").await;
    let read = permit(&store, ann, ReadChat { chat }).await;
    store.close().await.unwrap();
    assert!(store.chat(&read).await.is_err(), "it is closed");
    drop(store);
    let store = place.open().await;
    let found = found(&store, bob, search("before", None, None, 10)).await;
    assert_eq!(
        found.messages.len(),
        1,
        "words are found that nobody had looked for"
    );
    let repeat = permit(&store, ann, message(chat, Some("key"), "after")).await;
    let Append::Stored(after) = store.append(&repeat).await.unwrap() else {
        panic!("the key is new");
    };
    assert!((after.id, after.created_at) > (before.id, before.created_at));
    let page = page(&store, ann, chat, Window::Newest, 10).await;
    assert_eq!(page.messages, [after, before]);
    store.close().await.unwrap();
    place.clear().await;
}

/// A permit by what is in the store now; what the store checks again when it writes is what these tests are about.
pub async fn permit<C: Rule>(store: &Arc<dyn Store>, actor: UserId, command: C) -> Permit<C> {
    let facts = match command.chat() {
        Some(chat) => store.facts(chat, actor).await.unwrap(),
        None => None,
    };
    authorize(actor, command, facts).unwrap()
}

pub async fn user(store: &Arc<dyn Store>, name: &str) -> UserId {
    let new = NewUser {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        birthdate: None,
        password_hash: "unused".to_owned(),
    };
    store.create_user(new).await.unwrap().unwrap().id
}

pub async fn chat(store: &Arc<dyn Store>, actor: UserId, chat: ChatId) -> Chat {
    let permit = permit(store, actor, ReadChat { chat }).await;
    store.chat(&permit).await.unwrap().unwrap()
}

pub async fn chats(store: &Arc<dyn Store>, actor: UserId, after: Option<ChatCursor>, limit: u32) -> ChatPage {
    let permit = permit(store, actor, ListChats { after, limit }).await;
    store.chats(&permit).await.unwrap()
}

pub async fn page(
    store: &Arc<dyn Store>,
    actor: UserId,
    chat: ChatId,
    window: Window,
    limit: u32,
) -> MessagePage {
    let command = ListMessages { chat, window, limit };
    let permit = permit(store, actor, command).await;
    store.messages(&permit).await.unwrap()
}

pub fn search(query: &str, chat: Option<ChatId>, before: Option<MessageId>, limit: u32) -> Search {
    Search {
        query: query.to_owned(),
        chat,
        before,
        limit,
    }
}

pub async fn found(store: &Arc<dyn Store>, actor: UserId, search: Search) -> MessagePage {
    store.search(&permit(store, actor, search).await).await.unwrap()
}

pub fn list(users: &[UserId]) -> MemberList {
    MemberList::new(users.to_vec()).unwrap()
}

pub async fn group(store: &Arc<dyn Store>, admin: UserId, others: &[UserId]) -> Chat {
    let command = CreateGroup {
        others: list(others),
        title: None,
    };
    match store
        .create_chat((&permit(store, admin, command).await).into())
        .await
        .unwrap()
    {
        Create::Created(chat) => chat,
        other => panic!("{other:?}"),
    }
}

pub fn message(chat: ChatId, client_id: Option<&str>, body: &str) -> SendMessage {
    let limits = Limits {
        body_max_bytes: 100_000,
    };
    SendMessage {
        chat,
        client_id: client_id.map(|id| ClientId::new(id.to_owned()).unwrap()),
        body: Body::new(body, limits).unwrap(),
        rate_limited: false,
    }
}

pub async fn send(
    store: &Arc<dyn Store>,
    sender: UserId,
    chat: ChatId,
    client_id: Option<&str>,
    body: &str,
) -> Append {
    let permit = permit(store, sender, message(chat, client_id, body)).await;
    store.append(&permit).await.unwrap()
}

pub async fn stored(store: &Arc<dyn Store>, sender: UserId, chat: ChatId, body: &str) -> Message {
    match send(store, sender, chat, None, body).await {
        Append::Stored(message) => message,
        other => panic!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_test_is_in_the_suite() {
        let suite = include_str!("lib.rs");
        for (area, source) in [
            ("users", include_str!("users.rs")),
            ("chats", include_str!("chats.rs")),
            ("members", include_str!("members.rs")),
            ("messages", include_str!("messages.rs")),
        ] {
            let tests = source.split("\npub async fn ").skip(1);
            for test in tests.filter_map(|rest| rest.split('(').next()) {
                assert!(suite.contains(&format!("{area}::{test},")), "{area}::{test}");
            }
        }
    }
}

//! One set of tests for every backend: the rules that [`super::Store`] promises, also under concurrency.
//!
//! - `users`, `chats`, `members`, `messages`: the tests, by what they are about

mod chats;
mod members;
mod messages;
mod users;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chatspec::services::mongodb::MongoDb;
use futures_util::future::join_all;
use tempfile::TempDir;

use super::{
    Add, Advance, Append, Chat, ConnectError, Create, EmbeddedStore, Location, Message, MongoOptions,
    MongoStore, NewUser, Remove, Session, Store, StoreSwitch, Window,
};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::command::{
    AddMembers, Body, ClientId, CreateGroup, GROUP_MAX_MEMBERS, Limits, MarkRead, MemberList, OpenDirect,
    RemoveMember, Rename, SendMessage, Title,
};
use crate::ids::{ChatId, Ids, MessageId, UserId};
use crate::policy::{Permit, Role, Rule, authorize};

/// An id that nobody and nothing has.
pub(super) const NOBODY: &str = "0123456789abcdef01234567";

/// Where a store is kept, while a test uses it.
pub(super) enum Place {
    Memory,
    Disk(TempDir),
    MongoDb {
        uri: String,
        /// Runs as long as somebody has it.
        _running: Arc<MongoDb>,
    },
}

impl Place {
    fn memory() -> Self {
        Self::Memory
    }

    fn disk() -> Self {
        Self::Disk(tempfile::tempdir().unwrap())
    }

    /// A database of its own.
    pub(super) fn mongodb() -> Self {
        let mongodb = MongoDb::shared().unwrap();
        let uri = mongodb.database(&format!("chatspec_{}", uuid::Uuid::new_v4().simple()));
        Self::MongoDb {
            uri,
            _running: mongodb,
        }
    }

    pub(super) async fn open(&self) -> Arc<dyn Store> {
        self.open_switched(StoreSwitch::default()).await
    }

    async fn open_switched(&self, switch: StoreSwitch) -> Arc<dyn Store> {
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        let location = match self {
            Self::Memory => Location::Memory,
            Self::Disk(folder) => Location::Folder(folder.path().to_owned()),
            Self::MongoDb { uri, .. } => {
                let options = patient(uri, switch);
                return Arc::new(connected(&options, ids, clock).await.unwrap());
            }
        };
        Arc::new(EmbeddedStore::open_switched(location, ids, clock, switch).unwrap())
    }

    /// Leaves nothing behind in a database that was there before.
    pub(super) async fn clear(self) {
        if let Self::MongoDb { uri, .. } = self {
            let client = ::mongodb::Client::with_uri_str(uri).await.unwrap();
            client.default_database().unwrap().drop().await.unwrap();
        }
    }
}

/// A MongoDB that is waited for: a stand-in may be slow.
pub(super) fn patient(uri: &str, switch: StoreSwitch) -> MongoOptions {
    MongoOptions {
        uri: uri.to_owned(),
        patience: Duration::from_mins(1),
        switch,
    }
}

/// A store in a MongoDB that others keep busy: a start that finds it so is tried again.
pub(super) async fn connected(
    options: &MongoOptions,
    ids: Arc<Ids>,
    clock: Arc<dyn Clock>,
) -> Result<MongoStore, ConnectError> {
    const ATTEMPTS: usize = 10;
    for _ in 1..ATTEMPTS {
        match MongoStore::connect(options, ids.clone(), clock.clone()).await {
            Err(ConnectError::Unreachable { .. }) => {}
            done => return done,
        }
    }
    MongoStore::connect(options, ids, clock).await
}

/// Makes one module per backend with every test in it.
macro_rules! suite {
    (backends: $backends:tt, tests: $tests:tt) => { suite!(@each $backends $tests); };
    (@each [$($backend:ident),*] $tests:tt) => { $(suite!(@one $backend $tests);)* };
    (@one $backend:ident [$($area:ident::$test:ident),* $(,)?]) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let place = super::Place::$backend();
                    super::$area::$test(place.open().await).await;
                    place.clear().await;
                }
            )*
        }
    };
}

suite! {
    backends: [memory, disk, mongodb],
    tests: [
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
    ]
}

/// What was acknowledged is there when the store is opened again, and ids go on.
async fn reopening(place: Place) {
    let store = place.open().await;
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    let before = stored(&store, ann, chat, "before").await;
    store.close().await.unwrap();
    assert!(store.chat(chat).await.is_err(), "it is closed");
    drop(store);
    let store = place.open().await;
    let found = store.search(bob, "before", None, None, 10).await.unwrap();
    assert_eq!(
        found.messages.len(),
        1,
        "words are found that nobody had looked for"
    );
    let repeat = permit(&store, ann, message(chat, Some("key"), "after")).await;
    let Append::Stored(after) = store.append_message(&repeat).await.unwrap() else {
        panic!("the key is new");
    };
    assert!((after.id, after.created_at) > (before.id, before.created_at));
    let page = store.messages(chat, Window::Newest, 10).await.unwrap();
    assert_eq!(page.messages, [after, before]);
    store.close().await.unwrap();
    place.clear().await;
}

/// A store that is taken down fails every call, and is as it was when it is brought up.
async fn switching(place: Place) {
    let switch = StoreSwitch::default();
    let store = place.open_switched(switch.clone()).await;
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await;
    let ready = permit(&store, ann, message(chat.id, Some("key"), "x")).await;
    switch.take_down();
    assert!(store.ping().await.is_err());
    assert!(store.chat(chat.id).await.is_err());
    assert!(store.append_message(&ready).await.is_err());
    switch.bring_up();
    assert!(store.ping().await.is_ok());
    assert_eq!(store.chat(chat.id).await.unwrap(), Some(chat));
    assert!(matches!(
        store.append_message(&ready).await.unwrap(),
        Append::Stored(_)
    ));
    place.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_store_is_switched() {
    switching(Place::memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_switched() {
    switching(Place::mongodb()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_reopened() {
    reopening(Place::disk()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_reopened() {
    reopening(Place::mongodb()).await;
}

/// Whatever is needed for leave is there: what the store itself still checks is what these tests are about.
pub(super) async fn permit<C: Rule>(store: &Arc<dyn Store>, actor: UserId, command: C) -> Permit<C> {
    let facts = match command.chat() {
        Some(chat) => store.facts(chat, actor).await.unwrap(),
        None => None,
    };
    authorize(actor, command, facts).unwrap()
}

pub(super) async fn user(store: &Arc<dyn Store>, name: &str) -> UserId {
    let new = NewUser {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        birthdate: None,
        password_hash: "unused".to_owned(),
    };
    store.create_user(new).await.unwrap().unwrap().id
}

pub(super) fn list(users: &[UserId]) -> MemberList {
    MemberList::new(users.to_vec()).unwrap()
}

pub(super) async fn group(store: &Arc<dyn Store>, admin: UserId, others: &[UserId]) -> Chat {
    let command = CreateGroup {
        others: list(others),
        title: None,
    };
    match store
        .create_group(&permit(store, admin, command).await)
        .await
        .unwrap()
    {
        Create::Created(chat) => chat,
        other => panic!("{other:?}"),
    }
}

pub(super) fn message(chat: ChatId, client_id: Option<&str>, body: &str) -> SendMessage {
    let limits = Limits {
        body_max_bytes: 100_000,
    };
    SendMessage {
        chat,
        client_id: client_id.map(|id| ClientId::new(id.to_owned()).unwrap()),
        body: Body::new(body.to_owned(), limits).unwrap(),
        rate_limited: false,
    }
}

pub(super) async fn send(
    store: &Arc<dyn Store>,
    sender: UserId,
    chat: ChatId,
    client_id: Option<&str>,
    body: &str,
) -> Append {
    let permit = permit(store, sender, message(chat, client_id, body)).await;
    store.append_message(&permit).await.unwrap()
}

pub(super) async fn stored(store: &Arc<dyn Store>, sender: UserId, chat: ChatId, body: &str) -> Message {
    match send(store, sender, chat, None, body).await {
        Append::Stored(message) => message,
        other => panic!("{other:?}"),
    }
}

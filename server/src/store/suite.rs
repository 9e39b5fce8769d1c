//! One set of tests for every backend: the rules that [`super::Store`] promises, also under concurrency.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::{
    Add, Advance, Append, Chat, Create, EmbeddedStore, Location, Message, NewUser, Remove, Session, Store,
    Window,
};
use crate::clock::{SystemClock, Timestamp};
use crate::command::{
    AddMembers, Body, ClientId, CreateGroup, Limits, MarkRead, MemberList, OpenDirect, RemoveMember,
    SendMessage,
};
use crate::ids::{ChatId, Ids, MessageId, UserId};
use crate::policy::{Permit, Role, Rule, authorize};

/// A store and what keeps its place while it is used.
struct Place {
    store: Arc<dyn Store>,
    _folder: Option<tempfile::TempDir>,
}

fn embedded(location: Location) -> Arc<dyn Store> {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    Arc::new(EmbeddedStore::open(location, ids, clock).unwrap())
}

fn memory() -> Place {
    Place {
        store: embedded(Location::Memory),
        _folder: None,
    }
}

fn disk() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place {
        store: embedded(Location::Folder(folder.path().to_owned())),
        _folder: Some(folder),
    }
}

/// Makes one module per backend with every test in it.
macro_rules! suite {
    (backends: $backends:tt, tests: $tests:tt) => { suite!(@each $backends $tests); };
    (@each [$($backend:ident),*] $tests:tt) => { $(suite!(@one $backend $tests);)* };
    (@one $backend:ident [$($test:ident),* $(,)?]) => {
        mod $backend {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() {
                    let place = super::$backend();
                    super::$test(place.store.clone()).await;
                }
            )*
        }
    };
}

suite! {
    backends: [memory, disk],
    tests: [
        an_email_address_is_registered_once,
        sessions_end_when_they_are_revoked,
        sixty_four_sends_of_one_key_store_one_message,
        one_key_in_two_chats_or_of_two_senders_is_two_messages,
        a_pair_has_one_direct_chat_however_many_ask,
        a_cursor_only_moves_forward_whoever_comes_last,
        paging_misses_nothing_while_messages_come_in,
        bodies_come_back_unchanged,
        membership_counts_at_the_moment_of_writing,
        members_are_added_all_or_none,
        the_eldest_becomes_admin_when_no_admin_is_left,
        the_second_message_of_a_direct_chat_makes_both_admins,
        contacts_share_a_chat_now,
        an_activity_moves_a_chat_to_the_top,
    ]
}

/// Whatever is needed for leave is there: what the store itself still checks is what these tests are about.
async fn permit<C: Rule>(store: &Arc<dyn Store>, actor: UserId, command: C) -> Permit<C> {
    let facts = match command.chat() {
        Some(chat) => store.facts(chat, actor).await.unwrap(),
        None => None,
    };
    authorize(actor, command, facts).unwrap()
}

async fn user(store: &Arc<dyn Store>, name: &str) -> UserId {
    let new = NewUser {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        birthdate: None,
        password_hash: "unused".to_owned(),
    };
    store.create_user(new).await.unwrap().unwrap().id
}

fn list(users: &[UserId]) -> MemberList {
    MemberList::new(users.to_vec()).unwrap()
}

async fn group(store: &Arc<dyn Store>, admin: UserId, others: &[UserId]) -> Chat {
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

fn message(chat: ChatId, client_id: Option<&str>, body: &str) -> SendMessage {
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

async fn send(
    store: &Arc<dyn Store>,
    sender: UserId,
    chat: ChatId,
    client_id: Option<&str>,
    body: &str,
) -> Append {
    let permit = permit(store, sender, message(chat, client_id, body)).await;
    store.append_message(&permit).await.unwrap()
}

async fn stored(store: &Arc<dyn Store>, sender: UserId, chat: ChatId, body: &str) -> Message {
    match send(store, sender, chat, None, body).await {
        Append::Stored(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn an_email_address_is_registered_once(store: Arc<dyn Store>) {
    let new = || NewUser {
        email: "ann@example.org".to_owned(),
        name: "Ann".to_owned(),
        birthdate: Some("2001-02-03".to_owned()),
        password_hash: "hash".to_owned(),
    };
    let results = join_all((0..8).map(|_| store.create_user(new()))).await;
    let made: Vec<_> = results.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(made.len(), 1);
    let known = store.credentials("ann@example.org").await.unwrap().unwrap();
    assert_eq!((&known.user, known.password_hash.as_str()), (&made[0], "hash"));
    assert!(store.credentials("bob@example.org").await.unwrap().is_none());
}

async fn sessions_end_when_they_are_revoked(store: Arc<dyn Store>) {
    let ann = user(&store, "ann").await;
    let session = |token: u8| Session {
        token: [token; 32],
        user: ann,
        expires_at: Timestamp::from_millis(4_000_000_000_000),
    };
    store.create_session(session(1)).await.unwrap();
    store.create_session(session(2)).await.unwrap();
    assert_eq!(store.session([1; 32]).await.unwrap(), Some(session(1)));
    assert!(store.revoke_session([1; 32]).await.unwrap());
    assert!(!store.revoke_session([1; 32]).await.unwrap());
    assert_eq!(store.session([1; 32]).await.unwrap(), None);
    assert_eq!(store.session([2; 32]).await.unwrap(), Some(session(2)));
}

async fn sixty_four_sends_of_one_key_store_one_message(store: Arc<dyn Store>) {
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
    let page = store.messages(chat, Window::Newest, 10).await.unwrap();
    assert_eq!(page.messages.len(), 1);
}

async fn one_key_in_two_chats_or_of_two_senders_is_two_messages(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let here = group(&store, ann, &[bob]).await.id;
    let there = group(&store, ann, &[bob]).await.id;
    for (sender, chat) in [(ann, here), (bob, here), (ann, there)] {
        let outcome = send(&store, sender, chat, Some("key"), "x").await;
        assert!(matches!(outcome, Append::Stored(_)), "{outcome:?}");
    }
}

async fn a_pair_has_one_direct_chat_however_many_ask(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let callers = (0..32).map(|i| {
        let store = store.clone();
        let (actor, peer) = if i % 2 == 0 { (ann, bob) } else { (bob, ann) };
        tokio::spawn(async move {
            let permit = permit(&store, actor, OpenDirect { peer }).await;
            store.open_direct(&permit).await.unwrap()
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

async fn a_cursor_only_moves_forward_whoever_comes_last(store: Arc<dyn Store>) {
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

async fn paging_misses_nothing_while_messages_come_in(store: Arc<dyn Store>) {
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
        let page = store.messages(chat, Window::After(after), 7).await.unwrap();
        if page.messages.is_empty() {
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
        let page = store.messages(chat, window, 50).await.unwrap();
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

async fn bodies_come_back_unchanged(store: Arc<dyn Store>) {
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
        assert_eq!(&stored(&store, ann, chat, body).await.body, body);
    }
    let page = store.messages(chat, Window::Newest, 10).await.unwrap();
    let kept: Vec<&String> = page.messages.iter().rev().map(|message| &message.body).collect();
    assert_eq!(kept, bodies.iter().collect::<Vec<_>>());
}

async fn membership_counts_at_the_moment_of_writing(store: Arc<dyn Store>) {
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
    assert!(matches!(
        store.append_message(&to_send).await.unwrap(),
        Append::NotMember
    ));
    assert!(matches!(
        store.advance_cursor(&to_read).await.unwrap(),
        Advance::NotMember
    ));
}

async fn members_are_added_all_or_none(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let carol = user(&store, "carol").await;
    let chat = group(&store, ann, &[bob]).await.id;
    let nobody: UserId = "0123456789abcdef01234567".parse().unwrap();
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
    let now = store.chat(chat).await.unwrap().unwrap();
    assert_eq!(now.member_ids, [ann, bob]);
    match add(&[carol]).await {
        Add::Added(chat) => assert_eq!(chat.member_ids, [ann, bob, carol]),
        other => panic!("{other:?}"),
    }
}

async fn the_eldest_becomes_admin_when_no_admin_is_left(store: Arc<dyn Store>) {
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

async fn the_second_message_of_a_direct_chat_makes_both_admins(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let open = permit(&store, ann, OpenDirect { peer: bob }).await;
    let Create::Created(chat) = store.open_direct(&open).await.unwrap() else {
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

async fn contacts_share_a_chat_now(store: Arc<dyn Store>) {
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

async fn an_activity_moves_a_chat_to_the_top(store: Arc<dyn Store>) {
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let mut chats = Vec::new();
    for _ in 0..5 {
        chats.push(group(&store, ann, &[bob]).await.id);
    }
    // Activity is told apart by the millisecond.
    tokio::time::sleep(Duration::from_millis(5)).await;
    stored(&store, bob, chats[1], "here").await;
    let mut listed = Vec::new();
    let mut cursor = None;
    loop {
        let page = store.chats_of(ann, cursor.as_deref(), 2).await.unwrap();
        listed.extend(page.chats.iter().map(|row| row.chat.id));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(listed, [chats[1], chats[4], chats[3], chats[2], chats[0]]);
}

//! The use-cases from command to publication, on the embedded store, with a recorder in the place of the sockets.
//!
//! - `sending`: once, whatever happens on the way
//! - `order`: what may begin beside what, and which is told first
//! - `contacts`: who share a chat hear of each other's presence

mod contacts;
mod order;
mod sending;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{Context, Sent, Service};
use crate::clock::SystemClock;
use crate::command::{
    AddMembers, Body, ClientId, CreateGroup, JoinRoom, Limits, ListMessages, MarkRead, MemberList,
    RemoveMember, Rename, SendMessage, Title, Typing,
};
use crate::error::ChatError;
use crate::ids::{ChatId, ConnectionId, Ids, MessageId, UserId};
use crate::model::{NewUser, Window};
use crate::publish::{Audience, Outbound, Publish, ServerEvent};
use crate::rate_limit::{Rate, RateLimiter};
use crate::store::{EmbeddedStore, FaultyStore, Location, Store};

/// Takes down what would have gone to the sockets.
#[derive(Default)]
struct Recorder(Mutex<Vec<Outbound>>);

#[async_trait]
impl Publish for Recorder {
    async fn publish(&self, outbound: Outbound) {
        self.0.lock().unwrap().push(outbound);
    }
}

impl Recorder {
    /// What was published since the last look.
    fn take(&self) -> Vec<Outbound> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn messages(&self) -> Vec<MessageId> {
        let published = self.take().into_iter();
        published
            .filter_map(|outbound| match outbound {
                Outbound::Event(_, ServerEvent::MessageNew { message }) => Some(message.id),
                _ => None,
            })
            .collect()
    }
}

/// The body of a message that fails.
const FAULT: &str = "fail";

/// A service with a group of two, and a stranger.
struct Fixture {
    store: Arc<dyn Store>,
    service: Arc<Service>,
    recorder: Arc<Recorder>,
    alice: UserId,
    bob: UserId,
    stranger: UserId,
    chat: ChatId,
}

async fn fixture() -> Fixture {
    fixture_with(None).await
}

async fn fixture_with(patience: Option<Duration>) -> Fixture {
    fixture_on(Location::Memory, patience).await
}

async fn fixture_on(location: Location, patience: Option<Duration>) -> Fixture {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(location, ids, clock.clone()).unwrap());
    let store: Arc<dyn Store> = Arc::new(FaultyStore::failing_on(store, FAULT.into()));
    let recorder = Arc::new(Recorder::default());
    let rate_limiter = RateLimiter::new(Rate {
        max: 10,
        window: Duration::from_secs(10),
    });
    let context = Context {
        store: store.clone(),
        rate_limiter,
        clock,
        patience,
    };
    let service = Arc::new(Service::new(context, recorder.clone()));
    let user = |name: &str| NewUser {
        email: format!("{name}@example.org"),
        name: name.into(),
        birthdate: None,
        password_hash: "unused".into(),
    };
    let [alice, bob, stranger] = ["alice", "bob", "stranger"].map(user);
    let alice = store.create_user(alice).await.unwrap().unwrap().id;
    let bob = store.create_user(bob).await.unwrap().unwrap().id;
    let stranger = store.create_user(stranger).await.unwrap().unwrap().id;
    let others = MemberList::new(vec![bob]).unwrap();
    let (chat, created) = service
        .perform(alice, CreateGroup { others, title: None })
        .await
        .unwrap();
    assert!(created);
    recorder.take();
    Fixture {
        store,
        service,
        recorder,
        alice,
        bob,
        stranger,
        chat: chat.id,
    }
}

impl Fixture {
    fn message(&self, client_id: &str, body: &str) -> SendMessage {
        SendMessage {
            chat: self.chat,
            client_id: Some(ClientId::new(client_id.into()).unwrap()),
            body: Body::new(body, Limits { body_max_bytes: 100 }).unwrap(),
            rate_limited: true,
        }
    }

    async fn send(&self, sender: UserId, client_id: &str, body: &str) -> Result<Sent, ChatError> {
        self.service.perform(sender, self.message(client_id, body)).await
    }

    /// All messages, newest first.
    async fn listed(&self) -> Vec<MessageId> {
        let list = ListMessages {
            chat: self.chat,
            window: Window::Newest,
            limit: 200,
        };
        let page = self.service.read(self.alice, list).await.unwrap();
        page.messages.iter().map(|message| message.id).collect()
    }

    async fn stored(&self) -> usize {
        self.listed().await.len()
    }
}

#[tokio::test]
async fn a_stranger_can_do_nothing_and_nothing_is_published() {
    let fixture = fixture().await;
    let (chat, connection) = (fixture.chat, ConnectionId(1));
    let service = &fixture.service;
    let message = fixture.send(fixture.alice, "c", "x").await.unwrap().message.id;
    fixture.recorder.take();
    let refusals = [
        service
            .perform(fixture.stranger, JoinRoom { chat, connection })
            .await
            .unwrap_err(),
        fixture.send(fixture.stranger, "c", "x").await.unwrap_err(),
        service
            .perform(
                fixture.stranger,
                Typing {
                    chat,
                    connection,
                    active: true,
                },
            )
            .await
            .unwrap_err(),
        service
            .perform(fixture.stranger, MarkRead { chat, message })
            .await
            .unwrap_err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.code(), "FORBIDDEN");
    }
    assert!(fixture.recorder.take().is_empty());
    assert_eq!(fixture.stored().await, 1);
}

#[tokio::test]
async fn a_receipt_is_told_only_when_the_cursor_moved() {
    let fixture = fixture().await;
    let (chat, bob) = (fixture.chat, fixture.bob);
    let older = fixture.send(fixture.alice, "1", "x").await.unwrap().message.id;
    let newer = fixture.send(fixture.alice, "2", "x").await.unwrap().message.id;
    fixture.recorder.take();

    let read = fixture
        .service
        .perform(bob, MarkRead { chat, message: newer })
        .await
        .unwrap();
    assert_eq!(read.membership.last_read_message_id, Some(newer));
    let told = fixture.recorder.take();
    assert!(
        matches!(
            told[..],
            [Outbound::Event(
                Audience::Room(_),
                ServerEvent::ReceiptUpdate { .. }
            )]
        ),
        "{told:?}"
    );

    for message in [newer, older] {
        let read = fixture
            .service
            .perform(bob, MarkRead { chat, message })
            .await
            .unwrap();
        assert_eq!(read.membership.last_read_message_id, Some(newer));
        assert!(fixture.recorder.take().is_empty());
    }
}

#[tokio::test]
async fn a_receipt_for_no_message_or_another_chats_message_is_refused() {
    let fixture = fixture().await;
    let other = CreateGroup {
        others: MemberList::new(vec![fixture.bob]).unwrap(),
        title: None,
    };
    let (other, _) = fixture.service.perform(fixture.alice, other).await.unwrap();
    let elsewhere = SendMessage {
        chat: other.id,
        ..fixture.message("c", "x")
    };
    let elsewhere = fixture
        .service
        .perform(fixture.alice, elsewhere)
        .await
        .unwrap()
        .message
        .id;
    let nowhere: MessageId = "000000000000000000000000".parse().unwrap();

    let read = |message| {
        fixture.service.perform(
            fixture.bob,
            MarkRead {
                chat: fixture.chat,
                message,
            },
        )
    };
    assert_eq!(read(elsewhere).await.unwrap_err().code(), "VALIDATION_ERROR");
    assert_eq!(read(nowhere).await.unwrap_err().code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_removed_member_leaves_the_room_first_and_is_told_with_the_others() {
    let fixture = fixture().await;
    let (chat, bob) = (fixture.chat, fixture.bob);
    fixture
        .service
        .perform(fixture.alice, RemoveMember { chat, user: bob })
        .await
        .unwrap();
    let told = fixture.recorder.take();
    let [
        Outbound::Evict(user, room),
        Outbound::Event(Audience::Users(users), event),
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*user, *room), (bob, chat));
    assert_eq!(users[..], [fixture.alice, bob]);
    assert!(matches!(event, ServerEvent::ChatUpdate { chat } if chat.member_ids == [fixture.alice]));
    assert_eq!(fixture.send(bob, "c", "x").await.unwrap_err().code(), "FORBIDDEN");
}

#[tokio::test]
async fn a_new_member_and_a_new_title_are_told_to_every_member() {
    let fixture = fixture().await;
    let (chat, everyone) = (fixture.chat, [fixture.alice, fixture.bob, fixture.stranger]);
    let users = MemberList::new(vec![fixture.stranger]).unwrap();
    fixture
        .service
        .perform(fixture.alice, AddMembers { chat, users })
        .await
        .unwrap();
    let title = Title::new("Plans".into()).unwrap();
    fixture
        .service
        .perform(fixture.alice, Rename { chat, title })
        .await
        .unwrap();
    let told = fixture.recorder.take();
    assert_eq!(told.len(), 2);
    for outbound in told {
        let Outbound::Event(Audience::Users(users), ServerEvent::ChatUpdate { .. }) = outbound else {
            panic!("{outbound:?}");
        };
        assert_eq!(users, everyone);
    }
}

#[tokio::test]
async fn typing_goes_to_the_room_without_the_one_who_types() {
    let fixture = fixture().await;
    let (chat, connection) = (fixture.chat, ConnectionId(7));
    fixture
        .service
        .perform(
            fixture.alice,
            Typing {
                chat,
                connection,
                active: false,
            },
        )
        .await
        .unwrap();
    let told = fixture.recorder.take();
    assert!(
        matches!(
            told[..],
            [Outbound::Event(Audience::RoomExcept(_, ConnectionId(7)), _)]
        ),
        "{told:?}"
    );
    let Outbound::Event(_, event) = &told[0] else {
        panic!("{told:?}")
    };
    let expected = serde_json::json!({"chatId": chat, "userId": fixture.alice, "state": "stop"});
    assert_eq!(serde_json::to_value(event).unwrap(), expected);
}

#[tokio::test]
async fn a_failure_leaves_nothing_behind_and_has_an_id_of_its_own() {
    let fixture = fixture().await;
    let mut ids = std::collections::HashSet::new();
    // More than the rate limit allows: a failure does not count.
    for _ in 0..12 {
        let failed = fixture.send(fixture.alice, "c1", FAULT).await.unwrap_err();
        assert_eq!((failed.code(), failed.status().as_u16()), ("INTERNAL", 500));
        ids.insert(failed.correlation_id());
    }
    assert_eq!(ids.len(), 12);
    assert!(fixture.recorder.take().is_empty());
    assert_eq!(fixture.stored().await, 0);
    let later = fixture.send(fixture.alice, "c1", "hello").await.unwrap();
    assert!(!later.repeated);
}

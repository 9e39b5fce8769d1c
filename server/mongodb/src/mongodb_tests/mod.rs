//! What only the store on MongoDB promises: several processes on one database, errors at the start that say what to do.
//!
//! - `queries`: an index for every query, and concerns that let an ack mean durable

mod queries;

use std::net::TcpListener;
use std::time::Instant;

use futures_util::TryStreamExt as _;
use mongodb::IndexModel;
use mongodb::bson::Document;

use super::*;
use chatspec_server_core::clock::{ManualClock, SystemClock, Timestamp};
use chatspec_server_core::command::{OpenDirect, Title};
use chatspec_server_core::ids::{MessageId, RawId};
use chatspec_server_core::model::Window;
use chatspec_services::mongodb::{Database, MongoDb};
use chatspec_store_suite::{
    Place as _, chat, chats, found, group, list, message, page, permit, reopening, search, send, user,
};

/// A database of its own.
struct Place(Database);

#[async_trait]
impl chatspec_store_suite::Place for Place {
    fn new() -> Self {
        Self(Database::new_in(MongoDb::shared().unwrap()))
    }

    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.connect(Arc::new(SystemClock)).await.unwrap())
    }

    /// A database removes itself.
    async fn clear(self) {}
}

impl Place {
    /// A store there; others keep the MongoDB busy, so a start that finds it so is tried again, and calls are waited for.
    async fn connect(&self, clock: Arc<dyn Clock>) -> Result<MongoStore, ConnectError> {
        const ATTEMPTS: usize = 10;
        let options = patient(self.0.uri());
        let ids = Arc::new(Ids::new(clock.clone()));
        for _ in 1..ATTEMPTS {
            match MongoStore::connect(&options, ids.clone(), clock.clone()).await {
                Err(ConnectError::Unreachable { .. }) => {}
                done => return done,
            }
        }
        MongoStore::connect(&options, ids, clock).await
    }
}

/// A MongoDB that is waited for: a stand-in may be slow.
fn patient(uri: &str) -> MongoOptions {
    MongoOptions {
        uri: uri.to_owned(),
        patience: Duration::from_mins(1),
    }
}

chatspec_store_suite::suite!(Place);

#[tokio::test(flavor = "multi_thread")]
async fn it_is_reopened() {
    reopening::<Place>().await;
}

async fn open(place: &Place, clock: Arc<dyn Clock>) -> Result<MongoStore, ConnectError> {
    place.connect(clock).await
}

/// A process whose clock stands still at that time.
async fn at(place: &Place, ms: u64) -> Arc<dyn Store> {
    Arc::new(open(place, Arc::new(ManualClock::at(ms))).await.unwrap())
}

/// Sends a message, or sends it again; gives its id.
async fn id_of(store: &Arc<dyn Store>, sender: UserId, chat: ChatId, key: Option<&str>) -> MessageId {
    match send(store, sender, chat, key, "the quick fox").await {
        Append::Stored(message) | Append::Repeat(message) => message.id,
        Append::NotMember => panic!("a member"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_twice_finds_the_indexes_and_another_definition_is_told() {
    let place = Place::new();
    let clock = || Arc::new(SystemClock);
    open(&place, clock()).await.unwrap();
    let store = open(&place, clock()).await.unwrap();
    let sessions = store.db.database().collection::<Document>("sessions");
    let indexes: Vec<IndexModel> = sessions
        .list_indexes()
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    let by_end = indexes
        .into_iter()
        .find(|index| index.keys.contains_key("expiresAt"))
        .unwrap();
    assert_eq!(by_end.options.unwrap().expire_after, Some(Duration::ZERO));

    let messages = store.db.database().collection::<Document>("messages");
    messages.drop_index(indexes::MESSAGE_BY_CHAT.0).await.unwrap();
    let options = mongodb::options::IndexOptions::builder()
        .name(indexes::MESSAGE_BY_CHAT.0.to_owned())
        .build();
    let other = IndexModel::builder()
        .keys(doc! {"body": 1})
        .options(options)
        .build();
    messages.create_index(other).await.unwrap();
    let refused = open(&place, clock()).await;
    assert!(
        matches!(refused, Err(ConnectError::Prepare { .. })),
        "{:?}",
        refused.err()
    );
    place.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_one_chat_grow_across_processes_whose_clocks_disagree() {
    let place = Place::new();
    let ahead = at(&place, 4_000_000_000_000).await;
    let behind = at(&place, 1_700_000_000_000).await;
    let (ann, bob) = (user(&behind, "ann").await, user(&behind, "bob").await);
    let chat = group(&behind, ann, &[bob]).await.id;
    let mut ids = Vec::new();
    for store in [&behind, &ahead, &behind, &ahead, &behind] {
        ids.push(id_of(store, ann, chat, None).await);
    }
    assert!(ids.is_sorted(), "{ids:?}");
    assert!(ids[2].created_at() >= ids[1].created_at());
    // A key is one message, whichever process it comes to.
    let one = id_of(&ahead, bob, chat, Some("key")).await;
    assert_eq!(id_of(&behind, bob, chat, Some("key")).await, one);
    place.clear().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_commit_was_forgotten_is_stored_once() {
    let place = Place::new();
    let store = open(&place, Arc::new(SystemClock)).await.unwrap();
    let db = store.db.clone();
    let store: Arc<dyn Store> = Arc::new(store);
    let (ann, bob) = (user(&store, "ann").await, user(&store, "bob").await);
    let chat = group(&store, ann, &[bob]).await.id;
    for key in [None, Some("key-1")] {
        let command = message(chat, key, "once");
        let attempts = messages::Attempts::default();
        let mut stored = Vec::new();
        // As when the database has forgotten the first commit: the same call begins again.
        for _ in 0..2 {
            let context = (db.clone(), command.clone(), attempts.clone());
            let appended = db.transaction(context, move |session, (db, command, attempts)| {
                messages::insert(db, session, ann, command, attempts).boxed()
            });
            match appended.await.unwrap() {
                Append::Stored(message) => stored.push(message.id),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(stored[0], stored[1]);
    }
    assert_eq!(db.messages.count_documents(doc! {}).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_go_on_after_what_an_earlier_process_has_kept() {
    let place = Place::new();
    let store = at(&place, 4_000_000_000_000).await;
    let newest = user(&store, "ann").await;
    let clock = Arc::new(ManualClock::at(1_700_000_000_000));
    let ids = Arc::new(Ids::new(clock.clone()));
    MongoStore::connect(&patient(place.0.uri()), ids.clone(), clock)
        .await
        .unwrap();
    assert!(ids.next::<RawId>() > *newest.raw());
    place.clear().await;
}

async fn refusal(uri: &str) -> String {
    let clock = Arc::new(SystemClock);
    let options = patient(uri);
    let refused = MongoStore::connect(&options, Arc::new(Ids::new(clock.clone())), clock).await;
    refused.err().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_told_within_five_seconds() {
    // It takes connections and says nothing. At port 1 nobody listens.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_at = mute.local_addr().unwrap();
    for (uri, told) in [
        ("mongodb://127.0.0.1:1/x".to_owned(), "is it running"),
        (format!("mongodb://{mute_at}/x"), "is it running"),
        ("nonsense".to_owned(), "--mongodb-uri"),
        ("mongodb://user:hush@".to_owned(), "percent-encoded"),
        ("mongodb://user:hush?x@h/x".to_owned(), "percent-encoded"),
        ("mongodb://user:hush@127.0.0.1:1/x".to_owned(), "is it running"),
        ("mongodb+srv://no-such-host.invalid/x".to_owned(), "--mongodb-uri"),
    ] {
        let began = Instant::now();
        let text = refusal(&uri).await;
        assert!(text.contains(told), "{uri}: {text}");
        assert!(!text.contains("hush"), "{text}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{uri} took {:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_refused_is_told_and_not_shown() {
    let mongodb = MongoDb::obtain_ours().unwrap();
    let uri = mongodb
        .database("x")
        .replacen("mongodb://", "mongodb://nobody:hush@", 1);
    let text = refusal(&uri).await;
    assert!(text.contains("refuses the user and password"), "{text}");
    assert!(!text.contains("hush"), "{text}");
}

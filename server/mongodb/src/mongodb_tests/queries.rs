//! What the store really asks its database: every query is served by an index, every write is durable.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use futures_util::TryStreamExt as _;
use mongodb::IndexModel;
use mongodb::bson::{Bson, Document};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;

use super::*;

/// Calls everything that the store offers at least once.
async fn use_everything(store: &Arc<dyn Store>) {
    let (ann, bob) = (user(store, "ann").await, user(store, "bob").await);
    let carol = user(store, "carol").await;
    store.ping().await.unwrap();
    assert!(store.credentials("ann@example.org").await.unwrap().is_some());
    let session = Session {
        token: [7; 32],
        user: ann,
        expires_at: Timestamp::from_millis(4_000_000_000_000),
    };
    store.create_session(session).await.unwrap();
    assert!(store.session([7; 32]).await.unwrap().is_some());
    assert!(store.revoke_session([7; 32]).await.unwrap());

    let open = permit(store, ann, OpenDirect { peer: bob }).await;
    let Create::Created(direct) = store.create_chat((&open).into()).await.unwrap() else {
        panic!("it is new");
    };
    assert!(matches!(
        store.create_chat((&open).into()).await.unwrap(),
        Create::Existing(_)
    ));
    for _ in 0..2 {
        id_of(store, ann, direct.id, None).await;
    }
    let chat = group(store, ann, &[bob]).await.id;
    let title = Title::new("Team".to_owned()).unwrap();
    let rename = permit(store, ann, Rename { chat, title }).await;
    assert!(store.rename(&rename).await.unwrap().is_some());
    let users = list(&[carol]);
    let add = permit(store, ann, AddMembers { chat, users }).await;
    assert!(matches!(store.add_members(&add).await.unwrap(), Add::Added(_)));

    let first = id_of(store, ann, chat, Some("key")).await;
    assert_eq!(id_of(store, ann, chat, Some("key")).await, first);
    let second = id_of(store, ann, chat, None).await;
    for window in [Window::Newest, Window::Before(second), Window::After(first)] {
        assert!(!page(store, ann, chat, window, 1).await.messages.is_empty());
    }
    let read = permit(store, bob, MarkRead { chat, message: first }).await;
    assert_eq!(store.chat_of_message(&read).await.unwrap(), Some(chat));
    assert!(matches!(
        store.advance_cursor(&read).await.unwrap(),
        Advance::Moved(_)
    ));
    assert!(matches!(
        store.advance_cursor(&read).await.unwrap(),
        Advance::Unchanged(_)
    ));
    let next = chats(store, bob, None, 1).await.next_cursor;
    assert!(next.is_some());
    assert_eq!(chats(store, bob, next, 1).await.chats.len(), 1);
    for chat in [None, Some(chat)] {
        let found = found(store, bob, search("quick fox", chat, Some(second), 10)).await;
        assert!(!found.messages.is_empty());
    }
    assert_eq!(store.contacts_of(bob).await.unwrap().len(), 2);
    let leave = permit(store, ann, RemoveMember { chat, user: ann }).await;
    assert!(matches!(
        store.remove_member(&leave).await.unwrap(),
        Remove::Removed(_)
    ));
    assert_eq!(super::chat(store, bob, chat).await.id, chat);
}

/// A query as it went to the database.
#[derive(Debug)]
struct Query {
    collection: String,
    filter: Document,
    sort: Document,
    hint: Option<String>,
}

/// The queries in a command: none where it only inserts or asks about the database itself.
fn queries(name: &str, command: &Document) -> Vec<Query> {
    let text = |document: &Document, key| document.get_str(key).ok().map(str::to_owned);
    let part = |document: &Document, key| document.get_document(key).cloned().unwrap_or_default();
    let collection = text(command, name).unwrap_or_default();
    let query = |filter, sort, hint| Query {
        collection: collection.clone(),
        filter,
        sort,
        hint,
    };
    let each = |list, filter| -> Vec<Query> {
        let statements = command.get_array(list).unwrap().iter();
        let statements = statements.map(|statement| statement.as_document().unwrap());
        statements
            .map(|statement| query(part(statement, filter), Document::new(), text(statement, "hint")))
            .collect()
    };
    let hint = text(command, "hint");
    match name {
        "find" => vec![query(part(command, "filter"), part(command, "sort"), hint)],
        "findAndModify" => vec![query(part(command, "query"), part(command, "sort"), hint)],
        "aggregate" => {
            let stages = command.get_array("pipeline").unwrap();
            let filter = part(stages[0].as_document().unwrap(), "$match");
            vec![query(filter, Document::new(), hint)]
        }
        "update" => each("updates", "q"),
        "delete" => each("deletes", "q"),
        _ => Vec::new(),
    }
}

/// Fields that may be looked at in the documents themselves, since the index has left only a few of them.
const RESIDUAL: &[(&str, &str, &str)] = &[
    ("chats", "memberIds", "of one chat"),
    ("chats", "lastMessage._id", "of one chat"),
    ("chats", "$or", "of chats with the same activity"),
    (
        "chat_memberships",
        "role",
        "of the members of one chat, at most a thousand",
    ),
    ("chat_memberships", "lastReadMessageId", "of one membership"),
];

/// Why the index does not serve the query, if so: equalities must be a prefix of it, and what is sorted or compared by
/// must come next.
fn unfit(query: &Query, keys: &Document) -> Option<String> {
    let is_operator = |value: &Bson| {
        let first = value
            .as_document()
            .and_then(|document| document.keys().next().cloned());
        first.filter(|key| key.starts_with('$'))
    };
    let point = |field: &str| {
        let value = query.filter.get(field)?;
        let operator = is_operator(value);
        matches!(operator.as_deref(), None | Some("$in" | "$all")).then_some(())
    };
    let fields: Vec<&String> = keys.keys().collect();
    let points = fields.iter().take_while(|field| point(field).is_some()).count();
    let rest = &fields[points..];
    let sorted: Vec<&String> = query.sort.keys().collect();
    let one_place = points > 0 && query.sort.keys().all(|field| point(field).is_some());
    if !one_place && !rest.starts_with(&sorted) {
        return Some(format!("sorting by {sorted:?} does not follow"));
    }
    let directions = query.sort.iter().map(|(field, direction)| {
        let number = |value: &Bson| value.as_i32().map(i64::from).or(value.as_i64()).unwrap();
        number(direction) * number(keys.get(field).unwrap())
    });
    if directions.collect::<HashSet<_>>().len() > 1 {
        return Some("the sort goes both ways".to_owned());
    }
    let ranged = rest.first().is_some_and(|field| query.filter.contains_key(field));
    let only_sorted = query.filter.is_empty() && !sorted.is_empty();
    // Read as a whole, once at the start; it holds a record per transaction that ever ran beside others today.
    let whole = query.filter.is_empty() && query.collection == "transaction_sessions";
    if whole {
        return None;
    }
    if points == 0 && !ranged && !only_sorted {
        return Some("nothing narrows it down".to_owned());
    }
    let residual = |field: &str| {
        let known = RESIDUAL
            .iter()
            .any(|(collection, known, _)| *collection == query.collection && *known == field);
        known
            || fields[..points].iter().any(|covered| *covered == field)
            || rest.first().is_some_and(|next| *next == field)
    };
    let other = query.filter.keys().find(|field| !residual(field))?;
    Some(format!("{other} is not in it"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_is_served_by_an_index_that_exists() {
    let place = Place::new();
    let seen: Arc<Mutex<Vec<Query>>> = Arc::default();
    let mut client_options = connect::client_options(&patient(place.0.uri())).await.unwrap();
    let log = seen.clone();
    client_options.command_event_handler = Some(EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event {
            log.lock()
                .unwrap()
                .extend(queries(&started.command_name, &started.command));
        }
    }));
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    let store = MongoStore::with(client_options, Duration::from_mins(1), ids, clock)
        .await
        .unwrap();
    let store = Arc::new(store);
    let any: Arc<dyn Store> = store.clone();
    use_everything(&any).await;

    let database = store.db.database();
    let mut indexes: BTreeMap<(String, String), Document> = BTreeMap::new();
    for collection in [
        "users",
        "sessions",
        "chats",
        "chat_memberships",
        "messages",
        "transaction_sessions",
    ] {
        let found = database
            .collection::<Document>(collection)
            .list_indexes()
            .await
            .unwrap();
        for IndexModel { keys, options, .. } in found.try_collect::<Vec<_>>().await.unwrap() {
            indexes.insert((collection.to_owned(), options.unwrap().name.unwrap()), keys);
        }
    }
    let mut used = HashSet::new();
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.len() > 40, "{} queries seen", seen.len());
    for query in seen {
        let index = query.hint.clone().unwrap_or_else(|| "_id_".to_owned());
        let place = (query.collection.clone(), index.clone());
        let keys = indexes
            .get(&place)
            .unwrap_or_else(|| panic!("{index}, named by {query:?}, does not exist"));
        if let Some(why) = unfit(&query, keys) {
            panic!("{index} {keys} does not serve {query:?}: {why}");
        }
        used.insert(place);
    }
    // An index that serves no query costs every write. These are for the database itself, or are always there.
    let expiring = [indexes::SESSION_BY_END.0, indexes::RECORD_BY_TIME.0, "_id_"];
    let unused: Vec<_> = indexes
        .keys()
        .filter(|place| !used.contains(*place) && !expiring.contains(&place.1.as_str()))
        .collect();
    assert_eq!(unused, Vec::<&(String, String)>::new());
    place.clear().await;
}

/// What a command is promised by, if it is one that reads or writes documents: outside of transactions, and at their
/// end, writes ask for a majority and its journals, and reads for what a majority holds.
fn unsafe_in(name: &str, command: &Document) -> Option<String> {
    let durable = doc! {"w": "majority", "j": true};
    let (key, wanted) = match name {
        "commitTransaction" => ("writeConcern", durable),
        _ if command.contains_key("autocommit") => return None,
        "insert" | "update" | "delete" | "findAndModify" => ("writeConcern", durable),
        "find" | "aggregate" => ("readConcern", doc! {"level": "majority"}),
        _ => return None,
    };
    let given = command.get_document(key).ok();
    (given != Some(&wanted)).then(|| format!("{name} has {key} {given:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_durable_and_every_read_is_of_what_lasts() {
    let place = Place::new();
    let seen: Arc<Mutex<Vec<(String, Document)>>> = Arc::default();
    let mut client_options = connect::client_options(&patient(place.0.uri())).await.unwrap();
    let log = seen.clone();
    client_options.command_event_handler = Some(EventHandler::callback(move |event| {
        if let CommandEvent::Started(started) = event {
            log.lock().unwrap().push((started.command_name, started.command));
        }
    }));
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    let store = MongoStore::with(client_options, Duration::from_mins(1), ids, clock)
        .await
        .unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    use_everything(&store).await;
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let commits = seen
        .iter()
        .filter(|(name, _)| name == "commitTransaction")
        .count();
    assert!(commits >= 6, "{commits} transactions seen");
    let wrong: Vec<_> = seen
        .iter()
        .filter_map(|(name, command)| unsafe_in(name, command))
        .collect();
    assert_eq!(wrong, Vec::<String>::new());
    place.clear().await;
}

#[test]
fn an_index_that_does_not_fit_is_seen() {
    let query = |filter, sort| Query {
        collection: "messages".to_owned(),
        filter,
        sort,
        hint: None,
    };
    let keys = doc! {"chatId": 1, "_id": 1};
    let newest = query(doc! {"chatId": 1}, doc! {"_id": -1});
    assert_eq!(unfit(&newest, &keys), None);
    for (filter, sort) in [
        (doc! {}, doc! {}),
        (doc! {"senderId": 1}, doc! {}),
        (doc! {"chatId": 1, "senderId": 1}, doc! {}),
        (doc! {"chatId": 1}, doc! {"createdAt": -1}),
        (doc! {"chatId": {"$gt": 1}}, doc! {"_id": -1}),
        (doc! {"_id": {"$gt": 1}}, doc! {"_id": 1}),
    ] {
        let query = query(filter, sort);
        assert!(unfit(&query, &keys).is_some(), "{query:?}");
    }
}

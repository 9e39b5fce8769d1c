//! What only the embedded store promises: indexes for every statement, and data that outlives the process.

use std::sync::Arc;

use super::*;
use crate::clock::SystemClock;
use crate::model::NewUser;
use crate::store::Store as _;

fn open(folder: &Path) -> Result<EmbeddedStore, OpenError> {
    let clock = Arc::new(SystemClock);
    let ids = Arc::new(Ids::new(clock.clone()));
    EmbeddedStore::open(Location::Folder(folder.to_owned()), ids, clock)
}

fn user(name: &str) -> NewUser {
    NewUser {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        birthdate: None,
        password_hash: "unused".to_owned(),
    }
}

#[test]
fn no_statement_reads_a_whole_table() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    for statement in [
        users::INSERT_USER,
        users::USER_BY_EMAIL,
        users::USER_EXISTS,
        users::INSERT_SESSION,
        users::SESSION,
        users::DELETE_SESSION,
        users::DELETE_ENDED_SESSIONS,
        chats::INSERT_CHAT,
        chats::CHAT,
        chats::CHAT_OF_PAIR,
        chats::CHATS_OF,
        chats::RENAME,
        chats::TOUCH,
        chats::UNREAD,
        chats::LAST_MESSAGE,
        members::INSERT_MEMBER,
        members::FACTS,
        members::MEMBERS,
        members::MEMBERSHIP,
        members::DELETE_MEMBER,
        members::ADMIN,
        members::PROMOTE,
        members::PROMOTE_ALL,
        members::ADVANCE,
        members::CONTACTS,
        messages::INSERT_MESSAGE,
        messages::INDEX_WORDS,
        messages::MESSAGE_BY_KEY,
        messages::CHAT_OF_MESSAGE,
        messages::NTH,
        messages::NEWEST,
        messages::BEFORE,
        messages::AFTER,
        messages::SEARCH,
    ] {
        let mut plan = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
            .unwrap();
        let mut rows = plan.raw_query();
        while let Some(row) = rows.next().unwrap() {
            let step: String = row.get("detail").unwrap();
            // The word index is a virtual table: a scan of it is a look-up by its own rules.
            let whole_table = step.starts_with("SCAN") && !step.contains("VIRTUAL TABLE");
            assert!(!whole_table, "{statement}\n{step}");
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let before = store.create_user(user("ann")).await.unwrap().unwrap();
    store.close().await.unwrap();
    assert!(store.create_user(user("late")).await.is_err());
    drop(store);
    let store = open(folder.path()).unwrap();
    let known = store.credentials("ann@example.org").await.unwrap().unwrap();
    assert_eq!(known.user, before);
    let after = store.create_user(user("bob")).await.unwrap().unwrap();
    assert!(after.id > before.id);
}

#[test]
fn a_folder_has_one_server_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::InUse(_))));
    drop(store);
    assert!(open(folder.path()).is_ok());
}

#[test]
fn what_is_no_database_of_ours_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("chat.db"), "not a database, by any reading").unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::Database(_))));

    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    let connection = Connection::open(folder.path().join("chat.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(open(folder.path()), Err(OpenError::Newer { found: 99 })));
    assert!(matches!(
        open(Path::new("/dev/null/folder")),
        Err(OpenError::Folder { .. })
    ));
}

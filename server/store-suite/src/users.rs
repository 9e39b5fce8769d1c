//! Users and sessions.

use super::user;
use chatspec_server_core::clock::Timestamp;
use chatspec_server_core::model::{NewUser, Session};
use chatspec_server_core::store::Store;
use futures_util::future::join_all;
use std::sync::Arc;

pub async fn an_email_address_is_registered_once(store: Arc<dyn Store>) {
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

pub async fn sessions_end_when_they_are_revoked(store: Arc<dyn Store>) {
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

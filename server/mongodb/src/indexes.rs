//! The indexes: every query names the one that serves it, and MongoDB refuses a query whose index is missing.

use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::{Document, doc};
use mongodb::error::Result;
use mongodb::options::{Hint, IndexOptions};

use super::Db;
use super::sessions::ON_RECORD;

/// An index, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Index(pub(super) &'static str);

impl From<Index> for Hint {
    fn from(index: Index) -> Self {
        Self::Name(index.0.to_owned())
    }
}

/// Users, by their normalised e-mail address; unique.
pub(super) const USER_BY_EMAIL: Index = Index("user_by_email");
/// Sessions, by their end, after which MongoDB deletes them.
pub(super) const SESSION_BY_END: Index = Index("session_by_end");
/// Records of transactions' sessions, by their making, a day after which MongoDB deletes them.
pub(super) const RECORD_BY_TIME: Index = Index("record_by_time");
/// Direct chats, by their pair; unique.
pub(super) const CHAT_BY_PAIR: Index = Index("chat_by_pair");
/// The chats of a user, by activity.
pub(super) const CHAT_BY_MEMBER: Index = Index("chat_by_member");
/// The memberships of a chat, by user; unique.
pub(super) const MEMBERSHIP_BY_CHAT: Index = Index("membership_by_chat");
/// The memberships of a user, by chat.
pub(super) const MEMBERSHIP_BY_USER: Index = Index("membership_by_user");
/// The messages of a chat, in the order of sending.
pub(super) const MESSAGE_BY_CHAT: Index = Index("message_by_chat");
/// One message per key (MSG-05, MSG-19); unique. What was sent without a key is not in it.
pub(super) const MESSAGE_BY_KEY: Index = Index("message_by_key");
/// The messages of a chat with a word, in the order of sending.
pub(super) const MESSAGE_BY_WORD: Index = Index("message_by_word");

/// Makes the indexes that are missing. One that is there with another definition is an error: it is the operator's to
/// decide what becomes of it.
pub(super) async fn ensure(db: &Db) -> Result<()> {
    db.users
        .create_index(unique(USER_BY_EMAIL, doc! {"email": 1}))
        .await?;
    let by_end = expiring(SESSION_BY_END, "expiresAt", Duration::ZERO);
    db.sessions.create_index(by_end).await?;
    let by_time = expiring(RECORD_BY_TIME, "recordedAt", ON_RECORD);
    db.records.create_index(by_time).await?;
    db.chats
        .create_indexes([
            unique_where_present(CHAT_BY_PAIR, doc! {"pair": 1}, "pair"),
            plain(CHAT_BY_MEMBER, doc! {"memberIds": 1, "updatedAt": -1, "_id": -1}),
        ])
        .await?;
    db.memberships
        .create_indexes([
            unique(MEMBERSHIP_BY_CHAT, doc! {"chatId": 1, "userId": 1}),
            plain(MEMBERSHIP_BY_USER, doc! {"userId": 1, "chatId": 1}),
        ])
        .await?;
    let key = doc! {"chatId": 1, "senderId": 1, "clientId": 1};
    db.messages
        .create_indexes([
            plain(MESSAGE_BY_CHAT, doc! {"chatId": 1, "_id": 1}),
            unique_where_present(MESSAGE_BY_KEY, key, "clientId"),
            plain(MESSAGE_BY_WORD, doc! {"chatId": 1, "words": 1, "_id": 1}),
        ])
        .await?;
    Ok(())
}

fn plain(index: Index, keys: Document) -> IndexModel {
    let options = IndexOptions::builder().name(index.0.to_owned()).build();
    IndexModel::builder().keys(keys).options(options).build()
}

fn unique(index: Index, keys: Document) -> IndexModel {
    let options = IndexOptions::builder()
        .name(index.0.to_owned())
        .unique(true)
        .build();
    IndexModel::builder().keys(keys).options(options).build()
}

fn unique_where_present(index: Index, keys: Document, field: &str) -> IndexModel {
    let options = IndexOptions::builder()
        .name(index.0.to_owned())
        .unique(true)
        .partial_filter_expression(doc! {field: {"$exists": true}})
        .build();
    IndexModel::builder().keys(keys).options(options).build()
}

fn expiring(index: Index, field: &str, after: Duration) -> IndexModel {
    let options = IndexOptions::builder()
        .name(index.0.to_owned())
        .expire_after(after)
        .build();
    IndexModel::builder()
        .keys(doc! {field: 1})
        .options(options)
        .build()
}

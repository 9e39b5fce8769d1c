//! Chats: creating, finding, listing.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use futures_util::{FutureExt as _, TryStreamExt as _};
use mongodb::ClientSession;
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Result;
use mongodb::options::ReturnDocument;

use super::documents::{ChatDoc, date, from_oid, oid};
use super::indexes::{CHAT_BY_MEMBER, CHAT_BY_PAIR, MEMBERSHIP_BY_USER, MESSAGE_BY_CHAT};
use super::transaction::is_duplicate;
use super::{Db, members, users};
use chatspec_server_core::clock::Timestamp;
use chatspec_server_core::command::Rename;
use chatspec_server_core::ids::{ChatId, UserId};
use chatspec_server_core::model::{Chat, ChatCursor, ChatPage, ChatSummary, LastMessage};
use chatspec_server_core::policy::NewChat;
use chatspec_server_core::store::Create;

pub(super) async fn create(db: Db, new: NewChat) -> Result<Create> {
    if let Some(unknown) = users::first_unknown(&db, &new.others()).await? {
        return Ok(Create::UnknownUser(unknown));
    }
    let pair = new.pair().map(|(low, high)| format!("{low}:{high}"));
    let context = (db.clone(), new, pair.clone());
    let created = db.transaction(context, |session, (db, new, pair)| {
        insert(db, session, new, pair.clone()).boxed()
    });
    match created.await {
        Err(error) if is_duplicate(&error) => {
            let existing = db
                .find_committed(&db.chats, doc! {"pair": pair}, CHAT_BY_PAIR)
                .await?;
            Ok(Create::Existing(existing.ok_or(error)?.into()))
        }
        created => created,
    }
}

async fn insert(db: &Db, session: &mut ClientSession, new: &NewChat, pair: Option<String>) -> Result<Create> {
    let id: ChatId = db.ids.next();
    let at = date(id.created_at());
    let doc = ChatDoc {
        id: oid(id),
        kind: new.kind,
        title: new.title.clone(),
        pair,
        created_by: oid(new.creator),
        member_ids: new.members.iter().map(|(user, _)| oid(*user)).collect(),
        created_at: at,
        updated_at: at,
        message_count: 0,
        last_message: None,
    };
    db.chats.insert_one(&doc).session(&mut *session).await?;
    members::insert(db, session, id, &new.members).await?;
    Ok(Create::Created(doc.into()))
}

pub(super) async fn find(db: Db, id: ChatId) -> Result<Option<Chat>> {
    Ok(db.chats.find_one(doc! {"_id": oid(id)}).await?.map(Chat::from))
}

pub(super) async fn rename(db: Db, command: Rename) -> Result<Option<Chat>> {
    let title = doc! {"title": {"$literal": command.title.as_str()}};
    let renamed = db
        .chats
        .find_one_and_update(doc! {"_id": oid(command.chat)}, touched(db.clock.now(), title))
        .return_document(ReturnDocument::After);
    Ok(renamed.await?.map(Chat::from))
}

/// An update that sets `fields` and moves `updatedAt`, strictly, even within one millisecond (MSG-16).
pub(super) fn touched(now: Timestamp, mut fields: Document) -> Vec<Document> {
    let later = doc! {"$max": [{"$add": ["$updatedAt", 1_i64]}, date(now)]};
    fields.insert("updatedAt", later);
    vec![doc! {"$set": fields}]
}

pub(super) async fn list(db: Db, user: UserId, after: Option<ChatCursor>, limit: u32) -> Result<ChatPage> {
    let mut filter = doc! {"memberIds": oid(user)};
    if let Some(ChatCursor { at, chat }) = after {
        let at = date(at);
        filter.insert("updatedAt", doc! {"$lte": at});
        filter.insert(
            "$or",
            [doc! {"updatedAt": {"$lt": at}}, doc! {"_id": {"$lt": oid(chat)}}],
        );
    }
    // One more than asked for tells whether there is a next page.
    let chats = db
        .chats
        .find(filter)
        .sort(doc! {"updatedAt": -1, "_id": -1})
        .limit(i64::from(limit) + 1)
        .hint(CHAT_BY_MEMBER.into())
        .await?;
    let mut docs: Vec<ChatDoc> = chats.try_collect().await?;
    let more = docs.len() > limit as usize;
    docs.truncate(limit as usize);
    let read = read_cursors(&db, user, &docs).await?;
    let summaries = docs.into_iter().map(async |mut doc| {
        let last_message = doc.last_message.take().map(LastMessage::from);
        let chat = Chat::from(doc);
        Ok::<_, mongodb::error::Error>(ChatSummary {
            unread_count: unread(&db, chat.id, read.get(&chat.id)).await?,
            last_message,
            chat,
        })
    });
    let chats = try_join_all(summaries).await?;
    let next_cursor = chats.last().filter(|_| more);
    let next_cursor = next_cursor.map(|summary| ChatCursor::after(&summary.chat));
    Ok(ChatPage { chats, next_cursor })
}

/// How far the user has read in each of these chats; nothing where they have not begun.
async fn read_cursors(db: &Db, user: UserId, chats: &[ChatDoc]) -> Result<HashMap<ChatId, Bson>> {
    let ids: Vec<_> = chats.iter().map(|chat| chat.id).collect();
    let memberships = db
        .memberships
        .find(doc! {"userId": oid(user), "chatId": {"$in": ids}})
        .hint(MEMBERSHIP_BY_USER.into())
        .await?;
    memberships
        .try_filter_map(async |membership| {
            let read = membership.last_read_message_id;
            Ok(read.map(|read| (from_oid(membership.chat_id), Bson::ObjectId(read))))
        })
        .try_collect()
        .await
}

async fn unread(db: &Db, chat: ChatId, read: Option<&Bson>) -> Result<u64> {
    let mut newer = doc! {"chatId": oid(chat)};
    if let Some(read) = read {
        newer.insert("_id", doc! {"$gt": read.clone()});
    }
    db.messages
        .count_documents(newer)
        .hint(MESSAGE_BY_CHAT.into())
        .await
}

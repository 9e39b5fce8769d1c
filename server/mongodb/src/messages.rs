//! Messages: storing, paging, searching.

use std::sync::Arc;

use futures_util::{FutureExt as _, TryStreamExt as _};
use mongodb::ClientSession;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use mongodb::error::Result;
use mongodb::options::ReturnDocument;
use parking_lot::Mutex;
use serde::Deserialize;

use super::chats::touched;
use super::documents::{ChatDoc, IdDoc, LastMessageDoc, MessageDoc, date, from_oid, oid};
use super::indexes::{CHAT_BY_MEMBER, Index, MESSAGE_BY_CHAT, MESSAGE_BY_KEY, MESSAGE_BY_WORD};
use super::transaction::is_duplicate;
use super::{Db, members, words};
use chatspec_server_core::command::{ClientId, ListMessages, Search, SendMessage};
use chatspec_server_core::ids::{ChatId, MessageId, RawId, UserId};
use chatspec_server_core::model::{LastMessage, Message, MessagePage, Window};
use chatspec_server_core::policy::membership::admins_after;
use chatspec_server_core::store::Append;

/// The ids under which one call has tried to store its message, one for each time that its transaction was begun.
///
/// A database that goes away in the middle of a commit may have done it all the same, and have forgotten that when it is
/// back. Then the transaction is begun again, or given up, though its message is there.
#[derive(Clone, Default)]
pub(super) struct Attempts(Arc<Mutex<Vec<ObjectId>>>);

impl Attempts {
    fn add(&self, id: ObjectId) {
        self.0.lock().push(id);
    }

    /// The message, if one of the attempts has stored it.
    async fn done(&self, db: &Db) -> Result<Option<Append>> {
        let ids = self.0.lock().clone();
        if ids.is_empty() {
            return Ok(None);
        }
        let message = db.messages.find_one(doc! {"_id": {"$in": ids}}).await?;
        Ok(message.map(|message| Append::Stored(message.into())))
    }
}

/// The insert decides whether this is a repeat, and nothing is looked up before it.
pub(super) async fn append(db: Db, sender: UserId, command: SendMessage) -> Result<Append> {
    let attempts = Attempts::default();
    let context = (db.clone(), sender, command.clone(), attempts.clone());
    let appended = db.transaction(context, |session, (db, sender, command, attempts)| {
        insert(db, session, *sender, command, attempts).boxed()
    });
    match appended.await {
        Err(error) if is_duplicate(&error) => {
            let client_id = command.client_id.as_ref().map(ClientId::as_str);
            let key = doc! {"chatId": oid(command.chat), "senderId": oid(sender), "clientId": client_id};
            let earlier = db.find_committed(&db.messages, key, MESSAGE_BY_KEY).await?;
            Ok(Append::Repeat(earlier.ok_or(error)?.into()))
        }
        Err(error) => attempts.done(&db).await?.ok_or(error),
        appended => appended,
    }
}

/// Stores the message in a transaction, unless an earlier one of the same `attempts` has done so.
pub(super) async fn insert(
    db: &Db,
    session: &mut ClientSession,
    sender: UserId,
    command: &SendMessage,
    attempts: &Attempts,
) -> Result<Append> {
    if let Some(done) = attempts.done(db).await? {
        return Ok(done);
    }
    let Some((id, chat)) = claim_position(db, session, sender, command).await? else {
        return Ok(Append::NotMember);
    };
    attempts.add(oid(id));
    let body = command.body.as_str();
    let doc = MessageDoc {
        id: oid(id),
        chat_id: oid(command.chat),
        sender_id: oid(sender),
        body: body.to_owned(),
        client_id: command.client_id.as_ref().map(|id| id.as_str().to_owned()),
        created_at: date(id.created_at()),
        edited_at: None,
        deleted: false,
        words: words::of(body),
    };
    db.messages.insert_one(&doc).session(&mut *session).await?;
    if admins_after(chat.kind).is_some_and(|messages| i64::from(messages) == chat.message_count) {
        members::promote_all(db, session, command.chat).await?;
    }
    Ok(Append::Stored(doc.into()))
}

/// Makes the message the chat's newest, if its sender is a member; gives its id and the chat. All who write in one
/// chat meet here, so that ids grow in the order of commits, whichever process they were drawn in.
async fn claim_position(
    db: &Db,
    session: &mut ClientSession,
    sender: UserId,
    command: &SendMessage,
) -> Result<Option<(MessageId, ChatDoc)>> {
    let mine = doc! {"_id": oid(command.chat), "memberIds": oid(sender)};
    loop {
        let id: MessageId = db.ids.next();
        let last = LastMessageDoc {
            id: oid(id),
            sender_id: oid(sender),
            body: LastMessage::preview(command.body.as_str()),
            created_at: date(id.created_at()),
        };
        let fields = doc! {
            "lastMessage": {"$literal": mongodb::bson::serialize_to_bson(&last)?},
            "messageCount": {"$add": ["$messageCount", 1_i64]},
        };
        let mut while_newest = mine.clone();
        while_newest.insert("lastMessage._id", doc! {"$not": {"$gte": oid(id)}});
        let placed = db
            .chats
            .find_one_and_update(while_newest, touched(id.created_at(), fields))
            .return_document(ReturnDocument::After)
            .session(&mut *session)
            .await?;
        if let Some(chat) = placed {
            return Ok(Some((id, chat)));
        }
        // Not a member, or the chat has a message of a process whose clock is ahead of ours.
        match db.chats.find_one(mine.clone()).session(&mut *session).await? {
            Some(ChatDoc {
                last_message: Some(last),
                ..
            }) => db.ids.start_after(RawId::from_bytes(last.id.bytes())),
            _ => return Ok(None),
        }
    }
}

pub(super) async fn chat_of(db: Db, id: MessageId) -> Result<Option<ChatId>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Place {
        chat_id: ObjectId,
    }
    let messages = db.messages.clone_with_type::<Place>();
    let place = messages
        .find_one(doc! {"_id": oid(id)})
        .projection(doc! {"chatId": 1});
    Ok(place.await?.map(|place| from_oid(place.chat_id)))
}

pub(super) async fn page(db: Db, command: ListMessages) -> Result<MessagePage> {
    let mut filter = doc! {"chatId": oid(command.chat)};
    let direction = match command.window {
        Window::Newest => -1,
        Window::Before(id) => {
            filter.insert("_id", doc! {"$lt": oid(id)});
            -1
        }
        Window::After(id) => {
            filter.insert("_id", doc! {"$gt": oid(id)});
            1
        }
    };
    read(&db, filter, direction, command.limit, MESSAGE_BY_CHAT).await
}

pub(super) async fn search(db: Db, user: UserId, command: Search) -> Result<MessagePage> {
    let words = words::of(&command.query);
    if words.is_empty() {
        return Ok(MessagePage::cut(Vec::new(), command.limit));
    }
    let mine = chats_of(&db, user, command.chat).await?;
    let mut filter = doc! {"chatId": {"$in": mine}, "words": {"$all": words}};
    if let Some(before) = command.before {
        filter.insert("_id", doc! {"$lt": oid(before)});
    }
    read(&db, filter, -1, command.limit, MESSAGE_BY_WORD).await
}

/// The ids of the user's chats, or of the one `chat` if it is one of them.
async fn chats_of(db: &Db, user: UserId, chat: Option<ChatId>) -> Result<Vec<ObjectId>> {
    let chats = db.chats.clone_with_type::<IdDoc>();
    let mine = match chat {
        Some(chat) => chats.find(doc! {"_id": oid(chat), "memberIds": oid(user)}),
        None => chats
            .find(doc! {"memberIds": oid(user)})
            .hint(CHAT_BY_MEMBER.into()),
    };
    let mine = mine.projection(doc! {"_id": 1}).await?;
    mine.map_ok(|chat| chat.id).try_collect().await
}

/// Messages by id, and one more than asked for, which tells whether there is a next page.
async fn read(db: &Db, filter: Document, direction: i32, limit: u32, index: Index) -> Result<MessagePage> {
    let messages = db
        .messages
        .find(filter)
        .projection(doc! {"words": 0})
        .sort(doc! {"_id": direction})
        .limit(i64::from(limit) + 1)
        .hint(index.into())
        .await?;
    let messages: Vec<Message> = messages.map_ok(Message::from).try_collect().await?;
    Ok(MessagePage::cut(messages, limit))
}

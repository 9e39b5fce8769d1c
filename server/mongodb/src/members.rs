//! Who belongs to which chat, and how far they have read.

use std::collections::HashSet;

use futures_util::future::try_join;
use futures_util::{FutureExt as _, TryStreamExt as _};
use mongodb::ClientSession;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use mongodb::error::{Error, Result};
use mongodb::options::ReturnDocument;
use serde::Deserialize;

use super::chats::touched;
use super::documents::{MembershipDoc, date, from_oid, oid};
use super::indexes::{CHAT_BY_MEMBER, MEMBERSHIP_BY_CHAT};
use super::{Db, users};
use chatspec_server_core::command::{AddMembers, MarkRead, RemoveMember};
use chatspec_server_core::ids::{ChatId, MembershipId, UserId};
use chatspec_server_core::model::{Chat, ChatKind, Facts, Role};
use chatspec_server_core::policy::membership::{NEWCOMER, has_room, successor};
use chatspec_server_core::store::{Add, Advance, Remove};

/// Chats are never deleted, so this is a database that others have written to.
#[derive(Debug, thiserror::Error)]
#[error("chat {0} is gone")]
struct Gone(ChatId);

pub(super) async fn insert(
    db: &Db,
    session: &mut ClientSession,
    chat: ChatId,
    newcomers: &[(UserId, Role)],
) -> Result<()> {
    let docs = newcomers.iter().map(|(user, role)| {
        let id: MembershipId = db.ids.next();
        let at = date(id.created_at());
        MembershipDoc {
            id: oid(id),
            chat_id: oid(chat),
            user_id: oid(*user),
            role: *role,
            last_read_message_id: None,
            created_at: at,
            updated_at: at,
        }
    });
    db.memberships.insert_many(docs).session(session).await?;
    Ok(())
}

pub(super) async fn facts(db: Db, chat: ChatId, actor: UserId) -> Result<Option<Facts>> {
    #[derive(Deserialize)]
    struct Kind {
        r#type: ChatKind,
    }
    let chats = db.chats.clone_with_type::<Kind>();
    let kind = chats
        .find_one(doc! {"_id": oid(chat)})
        .projection(doc! {"type": 1});
    let membership = db
        .memberships
        .find_one(doc! {"chatId": oid(chat), "userId": oid(actor)})
        .hint(MEMBERSHIP_BY_CHAT.into());
    let (kind, membership) = try_join(kind.into_future(), membership.into_future()).await?;
    Ok(kind.map(|kind| Facts {
        kind: kind.r#type,
        role: membership.map(|membership| membership.role),
    }))
}

pub(super) async fn add(db: Db, command: AddMembers) -> Result<Add> {
    if let Some(unknown) = users::first_unknown(&db, command.users.as_slice()).await? {
        return Ok(Add::UnknownUser(unknown));
    }
    db.transaction((db.clone(), command), |session, (db, command)| {
        add_known(db, session, command).boxed()
    })
    .await
}

/// What is read here is still so when it is written: otherwise the write to the chat meets another, and all begins
/// again.
async fn add_known(db: &Db, session: &mut ClientSession, command: &AddMembers) -> Result<Add> {
    let (id, users) = (command.chat, command.users.as_slice());
    let gone = || Error::custom(Gone(id));
    let chat = db
        .chats
        .find_one(doc! {"_id": oid(id)})
        .session(&mut *session)
        .await?;
    let present: HashSet<UserId> = chat
        .ok_or_else(gone)?
        .member_ids
        .into_iter()
        .map(from_oid::<UserId>)
        .collect();
    if let Some(member) = users.iter().find(|user| present.contains(user)) {
        return Ok(Add::AlreadyMember(*member));
    }
    if !has_room(present.len(), users.len()) {
        return Ok(Add::TooMany);
    }
    let more = doc! {"memberIds": {"$concatArrays": ["$memberIds", users.iter().copied().map(oid).collect::<Vec<_>>()]}};
    let chat = db
        .chats
        .find_one_and_update(doc! {"_id": oid(id)}, touched(db.clock.now(), more))
        .return_document(ReturnDocument::After)
        .session(&mut *session)
        .await?;
    let newcomers: Vec<_> = users.iter().map(|user| (*user, NEWCOMER)).collect();
    insert(db, session, id, &newcomers).await?;
    chat.map(|chat| Add::Added(chat.into())).ok_or_else(gone)
}

pub(super) async fn remove(db: Db, command: RemoveMember) -> Result<Remove> {
    db.transaction((db.clone(), command), |session, (db, command)| {
        remove_present(db, session, command).boxed()
    })
    .await
}

async fn remove_present(db: &Db, session: &mut ClientSession, command: &RemoveMember) -> Result<Remove> {
    let RemoveMember { chat: id, user } = *command;
    let now = db.clock.now();
    let fewer =
        doc! {"memberIds": {"$filter": {"input": "$memberIds", "cond": {"$ne": ["$$this", oid(user)]}}}};
    let chat = db
        .chats
        .find_one_and_update(doc! {"_id": oid(id), "memberIds": oid(user)}, touched(now, fewer))
        .return_document(ReturnDocument::After)
        .session(&mut *session)
        .await?;
    let Some(chat) = chat else {
        return Ok(Remove::NotMember);
    };
    db.memberships
        .delete_one(doc! {"chatId": oid(id), "userId": oid(user)})
        .hint(MEMBERSHIP_BY_CHAT.into())
        .session(&mut *session)
        .await?;
    let admin = db
        .memberships
        .find_one(doc! {"chatId": oid(id), "role": "admin"})
        .hint(MEMBERSHIP_BY_CHAT.into())
        .session(&mut *session)
        .await?;
    let chat = Chat::from(chat);
    if let Some(successor) = successor(&chat.member_ids, admin.is_some()) {
        db.memberships
            .update_one(
                doc! {"chatId": oid(id), "userId": oid(successor)},
                doc! {"$set": {"role": "admin", "updatedAt": date(now)}},
            )
            .hint(MEMBERSHIP_BY_CHAT.into())
            .session(&mut *session)
            .await?;
    }
    Ok(Remove::Removed(chat))
}

/// Makes every member of a chat an admin.
pub(super) async fn promote_all(db: &Db, session: &mut ClientSession, chat: ChatId) -> Result<()> {
    db.memberships
        .update_many(
            doc! {"chatId": oid(chat), "role": "member"},
            doc! {"$set": {"role": "admin", "updatedAt": date(db.clock.now())}},
        )
        .hint(MEMBERSHIP_BY_CHAT.into())
        .session(session)
        .await?;
    Ok(())
}

pub(super) async fn advance(db: Db, reader: UserId, command: MarkRead) -> Result<Advance> {
    let MarkRead { chat, message } = command;
    let membership = doc! {"chatId": oid(chat), "userId": oid(reader)};
    let mut behind = membership.clone();
    // Also where there is no cursor yet.
    behind.insert("lastReadMessageId", doc! {"$not": {"$gte": oid(message)}});
    let moved = db
        .memberships
        .find_one_and_update(
            behind,
            doc! {"$set": {"lastReadMessageId": oid(message), "updatedAt": date(db.clock.now())}},
        )
        .return_document(ReturnDocument::After)
        .hint(MEMBERSHIP_BY_CHAT.into());
    if let Some(moved) = moved.await? {
        return Ok(Advance::Moved(moved.into()));
    }
    let unchanged = db
        .memberships
        .find_one(membership)
        .hint(MEMBERSHIP_BY_CHAT.into());
    Ok(match unchanged.await? {
        Some(membership) => Advance::Unchanged(membership.into()),
        None => Advance::NotMember,
    })
}

pub(super) async fn contacts(db: Db, user: UserId) -> Result<Vec<UserId>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Members {
        member_ids: Vec<ObjectId>,
    }
    let mut chats = db
        .chats
        .clone_with_type::<Members>()
        .find(doc! {"memberIds": oid(user)})
        .projection(doc! {"memberIds": 1})
        .hint(CHAT_BY_MEMBER.into())
        .await?;
    let mut contacts = HashSet::new();
    while let Some(chat) = chats.try_next().await? {
        contacts.extend(chat.member_ids.into_iter().map(from_oid::<UserId>));
    }
    contacts.remove(&user);
    Ok(contacts.into_iter().collect())
}

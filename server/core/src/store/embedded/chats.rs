//! Chats: creating, finding, listing.

use rusqlite::types::Value;
use rusqlite::{Connection, Result, params};

use super::members;
use super::rows::{all, chat, execute, first};
use super::users::first_unknown;
use crate::clock::Timestamp;
use crate::ids::{ChatId, Ids, UserId};
use crate::model::{Chat, ChatCursor, ChatPage, ChatSummary, LastMessage};
use crate::policy::NewChat;
use crate::store::Create;

pub(super) const INSERT_CHAT: &str =
    "INSERT INTO chats (id, kind, title, pair, created_by, created_at, updated_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (pair) DO NOTHING";
pub(super) const CHAT: &str = "SELECT * FROM chats WHERE id = ?1";
pub(super) const CHAT_OF_PAIR: &str = "SELECT * FROM chats WHERE pair = ?1";
pub(super) const CHATS_OF: &str = "SELECT c.*, s.last_read FROM memberships s JOIN chats c ON c.id = s.chat
     WHERE s.user = ?1 AND (c.updated_at, c.id) < (?2, ?3)
     ORDER BY c.updated_at DESC, c.id DESC LIMIT ?4";
pub(super) const RENAME: &str =
    "UPDATE chats SET title = ?2, updated_at = max(updated_at + 1, ?3) WHERE id = ?1";
pub(super) const TOUCH: &str = "UPDATE chats SET updated_at = max(updated_at + 1, ?2) WHERE id = ?1";
pub(super) const UNREAD: &str = "SELECT count(*) FROM messages WHERE chat = ?1 AND id > ?2";
pub(super) const LAST_MESSAGE: &str =
    "SELECT id, sender, body, created_at FROM messages WHERE chat = ?1 ORDER BY id DESC LIMIT 1";

pub(super) fn create(connection: &Connection, ids: &Ids, new: NewChat) -> Result<Create> {
    if let Some(unknown) = first_unknown(connection, &new.others())? {
        return Ok(Create::UnknownUser(unknown));
    }
    let id: ChatId = ids.next();
    let at = id.created_at();
    let pair = new
        .pair()
        .map(|(low, high)| [*low.raw().as_bytes(), *high.raw().as_bytes()].concat());
    let row = params![id, new.kind, new.title, pair, new.creator, at];
    if execute(connection, INSERT_CHAT, row)? == 0 {
        let existing = first(connection, CHAT_OF_PAIR, [pair], chat)?;
        let existing = existing.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        return Ok(Create::Existing(with_members(connection, existing)?));
    }
    for (user, role) in new.members {
        members::insert(connection, ids, id, user, role)?;
    }
    let created = find(connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(Create::Created(created))
}

pub(super) fn find(connection: &Connection, id: ChatId) -> Result<Option<Chat>> {
    first(connection, CHAT, [id], chat)?
        .map(|chat| with_members(connection, chat))
        .transpose()
}

fn with_members(connection: &Connection, mut chat: Chat) -> Result<Chat> {
    chat.member_ids = members::of(connection, chat.id)?;
    Ok(chat)
}

pub(super) fn rename(
    connection: &Connection,
    id: ChatId,
    title: &str,
    now: Timestamp,
) -> Result<Option<Chat>> {
    execute(connection, RENAME, params![id, title, now])?;
    find(connection, id)
}

/// Moves `updatedAt`, strictly, even within one millisecond (MSG-16).
pub(super) fn touch(connection: &Connection, id: ChatId, at: Timestamp) -> Result<()> {
    execute(connection, TOUCH, params![id, at]).map(drop)
}

pub(super) fn list(
    connection: &Connection,
    user: UserId,
    after: Option<ChatCursor>,
    limit: u32,
) -> Result<ChatPage> {
    let (ms, id) = match after {
        Some(ChatCursor { at, chat: id }) => (
            Value::Integer(i64::try_from(at.as_millis()).unwrap_or(i64::MAX)),
            id.raw().as_bytes().to_vec(),
        ),
        // Before everything.
        None => (Value::Integer(i64::MAX), Vec::new()),
    };
    // One more than asked for tells whether there is a next page.
    let mut rows = all(connection, CHATS_OF, params![user, ms, id, limit + 1], |row| {
        Ok((chat(row)?, row.get::<_, Option<Vec<u8>>>("last_read")?))
    })?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = rows
        .last()
        .filter(|_| more)
        .map(|(chat, _)| ChatCursor::after(chat));
    let summaries = rows.into_iter().map(|(chat, last_read)| {
        let unread_count = first(
            connection,
            UNREAD,
            params![chat.id, last_read.unwrap_or_default()],
            |row| row.get::<_, u32>(0),
        )?;
        Ok(ChatSummary {
            unread_count: unread_count.map_or(0, u64::from),
            last_message: last_message(connection, chat.id)?,
            chat: with_members(connection, chat)?,
        })
    });
    Ok(ChatPage {
        chats: summaries.collect::<Result<_>>()?,
        next_cursor,
    })
}

fn last_message(connection: &Connection, chat: ChatId) -> Result<Option<LastMessage>> {
    first(connection, LAST_MESSAGE, [chat], |row| {
        let body: String = row.get("body")?;
        Ok(LastMessage {
            id: row.get("id")?,
            sender_id: row.get("sender")?,
            body: LastMessage::preview(&body),
            created_at: row.get("created_at")?,
        })
    })
}

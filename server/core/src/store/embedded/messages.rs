//! Messages: storing, paging, searching.

use rusqlite::{Connection, Result, params};

use super::rows::{all, execute, first, message};
use super::{chats, members};
use crate::command::{ListMessages, Search, SendMessage};
use crate::ids::{ChatId, Ids, MessageId, UserId};
use crate::model::{Facts, Message, MessagePage, Role, Window};
use crate::policy::membership::admins_after;
use crate::store::Append;

pub(super) const INSERT_MESSAGE: &str =
    "INSERT INTO messages (id, chat, sender, client_id, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
     ON CONFLICT (chat, sender, client_id) WHERE client_id IS NOT NULL DO NOTHING";
/// `docsize` is the word index's own table of what is in it.
pub(super) const INDEX_WORDS: &str = "INSERT INTO messages_text (rowid, body) SELECT seq, body FROM messages
     WHERE seq > (SELECT ifnull(max(id), 0) FROM messages_text_docsize) ORDER BY seq";
pub(super) const MESSAGE_BY_KEY: &str =
    "SELECT * FROM messages WHERE chat = ?1 AND sender = ?2 AND client_id = ?3";
pub(super) const CHAT_OF_MESSAGE: &str = "SELECT chat FROM messages WHERE id = ?1";
pub(super) const NTH: &str = "SELECT 1 FROM messages WHERE chat = ?1 LIMIT 1 OFFSET ?2 - 1";
pub(super) const NEWEST: &str = "SELECT * FROM messages WHERE chat = ?1 ORDER BY id DESC LIMIT ?2";
pub(super) const BEFORE: &str =
    "SELECT * FROM messages WHERE chat = ?1 AND id < ?3 ORDER BY id DESC LIMIT ?2";
pub(super) const AFTER: &str = "SELECT * FROM messages WHERE chat = ?1 AND id > ?3 ORDER BY id LIMIT ?2";
/// `seq` grows with `id`, and the word index is in the order of `seq`: the newest come first without sorting.
pub(super) const SEARCH: &str = "SELECT m.* FROM messages_text t
     JOIN messages m ON m.seq = t.rowid
     JOIN memberships s ON s.chat = m.chat AND s.user = ?1
     WHERE messages_text MATCH ?2 AND (?3 IS NULL OR m.chat = ?3) AND (?4 IS NULL OR m.id < ?4)
     ORDER BY t.rowid DESC LIMIT ?5";

/// After so many messages their words are put into the index, so that a search need not wait for long.
const INDEX_EVERY: i64 = 256;

/// Runs on the writer alone: the id is drawn inside the transaction, so ids grow in the order of commits.
pub(super) fn append(
    connection: &Connection,
    ids: &Ids,
    sender: UserId,
    command: &SendMessage,
) -> Result<Append> {
    let chat = command.chat;
    let Some(Facts {
        kind,
        role: Some(role),
    }) = members::facts(connection, chat, sender)?
    else {
        return Ok(Append::NotMember);
    };
    let id: MessageId = ids.next();
    let (created_at, body) = (id.created_at(), command.body.as_str());
    let client_id = command.client_id.as_ref().map(|id| id.as_str().to_owned());
    let row = params![id, chat, sender, client_id, body, created_at];
    if execute(connection, INSERT_MESSAGE, row)? == 0 {
        let earlier = first(
            connection,
            MESSAGE_BY_KEY,
            params![chat, sender, client_id],
            message,
        )?;
        return earlier
            .map(Append::Repeat)
            .ok_or(rusqlite::Error::QueryReturnedNoRows);
    }
    if connection.last_insert_rowid() % INDEX_EVERY == 0 {
        index_words(connection)?;
    }
    chats::touch(connection, chat, created_at)?;
    if let Some(messages) = admins_after(kind)
        && role != Role::Admin
        && first(connection, NTH, params![chat, messages], |_| Ok(()))?.is_some()
    {
        members::promote_all(connection, chat, created_at)?;
    }
    Ok(Append::Stored(Message {
        id,
        chat_id: chat,
        sender_id: sender,
        body: command.body.shared(),
        client_id,
        created_at,
        edited_at: None,
        deleted: false,
    }))
}

/// Puts the words of all messages into the index that are not there yet. A word costs a fraction when many are put in
/// together, so a message does not wait for it, and a search sees to it first.
pub(super) fn index_words(connection: &Connection) -> Result<()> {
    execute(connection, INDEX_WORDS, []).map(|_| ())
}

pub(super) fn chat_of(connection: &Connection, id: MessageId) -> Result<Option<ChatId>> {
    first(connection, CHAT_OF_MESSAGE, [id], |row| row.get(0))
}

pub(super) fn page(connection: &Connection, command: &ListMessages) -> Result<MessagePage> {
    let (chat, limit) = (command.chat, command.limit);
    let rows = match command.window {
        Window::Newest => all(connection, NEWEST, params![chat, limit + 1], message),
        Window::Before(id) => all(connection, BEFORE, params![chat, limit + 1, id], message),
        Window::After(id) => all(connection, AFTER, params![chat, limit + 1, id], message),
    };
    Ok(MessagePage::cut(rows?, limit))
}

pub(super) fn search(connection: &Connection, user: UserId, command: &Search) -> Result<MessagePage> {
    let (words, limit) = (every_word(&command.query), command.limit);
    if words.is_empty() {
        return Ok(MessagePage::cut(Vec::new(), limit));
    }
    let row = params![user, words, command.chat, command.before, limit + 1];
    Ok(MessagePage::cut(all(connection, SEARCH, row, message)?, limit))
}

/// The full-text query for messages that contain every word of `text`; operators in it are words like any other.
fn every_word(text: &str) -> String {
    let words = text
        .split(|c: char| c.is_whitespace() || c == '\0')
        .filter(|word| !word.is_empty());
    words
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect::<Vec<_>>()
        .join(" ")
}

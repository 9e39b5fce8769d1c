//! Who belongs to which chat, and how far they have read.

use rusqlite::{Connection, Result, params};

use super::chats;
use super::rows::{all, execute, first, membership};
use super::users::first_unknown;
use crate::clock::Timestamp;
use crate::command::{AddMembers, MarkRead, RemoveMember};
use crate::ids::{ChatId, Ids, MembershipId, UserId};
use crate::model::{Facts, Role};
use crate::policy::membership::{NEWCOMER, has_room, successor};
use crate::store::{Add, Advance, Remove};

pub(super) const INSERT_MEMBER: &str =
    "INSERT INTO memberships (chat, user, id, role, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
pub(super) const FACTS: &str = "SELECT c.kind, s.role FROM chats c
     LEFT JOIN memberships s ON s.chat = c.id AND s.user = ?2 WHERE c.id = ?1";
pub(super) const MEMBERS: &str = "SELECT user FROM memberships WHERE chat = ?1 ORDER BY id";
pub(super) const MEMBERSHIP: &str = "SELECT * FROM memberships WHERE chat = ?1 AND user = ?2";
pub(super) const DELETE_MEMBER: &str = "DELETE FROM memberships WHERE chat = ?1 AND user = ?2";
pub(super) const ADMIN: &str = "SELECT 1 FROM memberships WHERE chat = ?1 AND role = 'admin' LIMIT 1";
pub(super) const PROMOTE: &str =
    "UPDATE memberships SET role = 'admin', updated_at = ?3 WHERE chat = ?1 AND user = ?2";
pub(super) const PROMOTE_ALL: &str =
    "UPDATE memberships SET role = 'admin', updated_at = ?2 WHERE chat = ?1 AND role = 'member'";
pub(super) const ADVANCE: &str = "UPDATE memberships SET last_read = ?3, updated_at = ?4
     WHERE chat = ?1 AND user = ?2 AND (last_read IS NULL OR last_read < ?3)";
pub(super) const CONTACTS: &str = "SELECT DISTINCT other.user FROM memberships mine
     JOIN memberships other ON other.chat = mine.chat WHERE mine.user = ?1 AND other.user <> ?1";

pub(super) fn insert(
    connection: &Connection,
    ids: &Ids,
    chat: ChatId,
    user: UserId,
    role: Role,
) -> Result<()> {
    let id: MembershipId = ids.next();
    execute(
        connection,
        INSERT_MEMBER,
        params![chat, user, id, role, id.created_at()],
    )
    .map(drop)
}

pub(super) fn facts(connection: &Connection, chat: ChatId, actor: UserId) -> Result<Option<Facts>> {
    first(connection, FACTS, params![chat, actor], |row| {
        Ok(Facts {
            kind: row.get("kind")?,
            role: row.get("role")?,
        })
    })
}

/// The members of a chat, longest-standing first.
pub(super) fn of(connection: &Connection, chat: ChatId) -> Result<Vec<UserId>> {
    all(connection, MEMBERS, [chat], |row| row.get(0))
}

fn is_member(connection: &Connection, chat: ChatId, user: UserId) -> Result<bool> {
    Ok(first(connection, MEMBERSHIP, params![chat, user], |_| Ok(()))?.is_some())
}

pub(super) fn add(connection: &Connection, ids: &Ids, command: &AddMembers) -> Result<Add> {
    let (chat, users) = (command.chat, command.users.as_slice());
    if let Some(unknown) = first_unknown(connection, users)? {
        return Ok(Add::UnknownUser(unknown));
    }
    for user in users {
        if is_member(connection, chat, *user)? {
            return Ok(Add::AlreadyMember(*user));
        }
    }
    if !has_room(of(connection, chat)?.len(), users.len()) {
        return Ok(Add::TooMany);
    }
    for user in users {
        insert(connection, ids, chat, *user, NEWCOMER)?;
    }
    let at = ids.next::<MembershipId>().created_at();
    chats::touch(connection, chat, at)?;
    chats::find(connection, chat)?
        .map(Add::Added)
        .ok_or(rusqlite::Error::QueryReturnedNoRows)
}

pub(super) fn remove(connection: &Connection, now: Timestamp, command: &RemoveMember) -> Result<Remove> {
    let RemoveMember { chat, user } = *command;
    if execute(connection, DELETE_MEMBER, params![chat, user])? == 0 {
        return Ok(Remove::NotMember);
    }
    let an_admin_is_left = first(connection, ADMIN, [chat], |_| Ok(()))?.is_some();
    if let Some(successor) = successor(&of(connection, chat)?, an_admin_is_left) {
        execute(connection, PROMOTE, params![chat, successor, now])?;
    }
    chats::touch(connection, chat, now)?;
    chats::find(connection, chat)?
        .map(Remove::Removed)
        .ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// Makes every member of a chat an admin.
pub(super) fn promote_all(connection: &Connection, chat: ChatId, now: Timestamp) -> Result<()> {
    execute(connection, PROMOTE_ALL, params![chat, now]).map(drop)
}

pub(super) fn advance(
    connection: &Connection,
    reader: UserId,
    now: Timestamp,
    command: &MarkRead,
) -> Result<Advance> {
    let MarkRead { chat, message } = *command;
    let moved = execute(connection, ADVANCE, params![chat, reader, message, now])? == 1;
    Ok(
        match first(connection, MEMBERSHIP, params![chat, reader], membership)? {
            None => Advance::NotMember,
            Some(membership) if moved => Advance::Moved(membership),
            Some(membership) => Advance::Unchanged(membership),
        },
    )
}

pub(super) fn contacts(connection: &Connection, user: UserId) -> Result<Vec<UserId>> {
    all(connection, CONTACTS, [user], |row| row.get(0))
}

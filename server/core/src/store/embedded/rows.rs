//! Between rows and the model.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

use crate::clock::Timestamp;
use crate::ids::{ChatId, MembershipId, MessageId, RawId, UserId};
use crate::model::{Chat, ChatKind, Membership, Message, Role, User};

macro_rules! id_column {
    ($($id:ident),*) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.raw().as_bytes().as_slice()))
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Ok(RawId::column_result(value)?.into())
            }
        }
    )*};
}

id_column!(UserId, ChatId, MessageId, MembershipId);

impl FromSql for RawId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value
            .as_blob()?
            .try_into()
            .map_err(|error| FromSqlError::Other(Box::new(error)))?;
        Ok(RawId::from_bytes(bytes))
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(
            i64::try_from(self.as_millis()).unwrap_or(i64::MAX),
        ))
    }
}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let ms = value.as_i64()?;
        u64::try_from(ms)
            .map(Timestamp::from_millis)
            .map_err(|_| FromSqlError::OutOfRange(ms))
    }
}

macro_rules! text_column {
    ($type:ident { $($variant:ident = $text:literal),* }) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(match self {
                    $($type::$variant => $text,)*
                }))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? {
                    $($text => Ok($type::$variant),)*
                    _ => Err(FromSqlError::InvalidType),
                }
            }
        }
    };
}

text_column!(Role { Admin = "admin", Member = "member" });
text_column!(ChatKind { Direct = "dm", Group = "group" });

pub(super) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        birthdate: row.get("birthdate")?,
        created_at: row.get("created_at")?,
    })
}

pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get("id")?,
        chat_id: row.get("chat")?,
        sender_id: row.get("sender")?,
        body: row.get("body")?,
        client_id: row.get("client_id")?,
        created_at: row.get("created_at")?,
        edited_at: row.get("edited_at")?,
        deleted: row.get("deleted")?,
    })
}

pub(super) fn membership(row: &Row<'_>) -> rusqlite::Result<Membership> {
    Ok(Membership {
        id: row.get("id")?,
        chat_id: row.get("chat")?,
        user_id: row.get("user")?,
        role: row.get("role")?,
        last_read_message_id: row.get("last_read")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// A chat without its members, which are rows of their own.
pub(super) fn chat(row: &Row<'_>) -> rusqlite::Result<Chat> {
    Ok(Chat {
        id: row.get("id")?,
        kind: row.get("kind")?,
        title: row.get("title")?,
        created_by: row.get("created_by")?,
        member_ids: Vec::new(),
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// All rows of a statement, which is prepared once per connection.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

/// The first row of a statement, if there is one.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    use rusqlite::OptionalExtension as _;
    connection.prepare_cached(sql)?.query_row(params, read).optional()
}

/// How many rows a statement changed.
pub(super) fn execute(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params)
}

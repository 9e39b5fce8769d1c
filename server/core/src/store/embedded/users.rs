//! Users and sessions.

use rusqlite::{Connection, Result, params};

use super::rows::{execute, first, user};
use crate::clock::Timestamp;
use crate::ids::UserId;
use crate::model::{Credentials, NewUser, Session, TokenHash, User};

pub(super) const INSERT_USER: &str =
    "INSERT INTO users (id, email, name, birthdate, password_hash, created_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (email) DO NOTHING";
pub(super) const USER_BY_EMAIL: &str = "SELECT * FROM users WHERE email = ?1";
pub(super) const USER_EXISTS: &str = "SELECT 1 FROM users WHERE id = ?1";
pub(super) const INSERT_SESSION: &str = "INSERT INTO sessions (token, user, expires_at) VALUES (?1, ?2, ?3)";
pub(super) const SESSION: &str = "SELECT * FROM sessions WHERE token = ?1";
pub(super) const DELETE_SESSION: &str = "DELETE FROM sessions WHERE token = ?1";
pub(super) const DELETE_ENDED_SESSIONS: &str = "DELETE FROM sessions WHERE expires_at < ?1";

pub(super) fn insert_user(connection: &Connection, id: UserId, new: NewUser) -> Result<Option<User>> {
    let created_at = id.created_at();
    let row = params![
        id,
        new.email,
        new.name,
        new.birthdate,
        new.password_hash,
        created_at
    ];
    let inserted = execute(connection, INSERT_USER, row)?;
    let NewUser {
        email,
        name,
        birthdate,
        ..
    } = new;
    Ok((inserted == 1).then_some(User {
        id,
        email,
        name,
        birthdate,
        created_at,
    }))
}

pub(super) fn credentials(connection: &Connection, email: &str) -> Result<Option<Credentials>> {
    first(connection, USER_BY_EMAIL, [email], |row| {
        Ok(Credentials {
            user: user(row)?,
            password_hash: row.get("password_hash")?,
        })
    })
}

/// The first of `users` that does not exist.
pub(super) fn first_unknown(connection: &Connection, users: &[UserId]) -> Result<Option<UserId>> {
    for user in users {
        if first(connection, USER_EXISTS, [user], |_| Ok(()))?.is_none() {
            return Ok(Some(*user));
        }
    }
    Ok(None)
}

/// Keeps a session, and forgets those that have ended: logging in is rare enough to pay for it.
pub(super) fn insert_session(connection: &Connection, session: &Session, now: Timestamp) -> Result<()> {
    execute(connection, DELETE_ENDED_SESSIONS, [now])?;
    execute(
        connection,
        INSERT_SESSION,
        params![session.token, session.user, session.expires_at],
    )?;
    Ok(())
}

pub(super) fn session(connection: &Connection, token: TokenHash) -> Result<Option<Session>> {
    first(connection, SESSION, [token], |row| {
        Ok(Session {
            token: row.get("token")?,
            user: row.get("user")?,
            expires_at: row.get("expires_at")?,
        })
    })
}

pub(super) fn delete_session(connection: &Connection, token: TokenHash) -> Result<bool> {
    Ok(execute(connection, DELETE_SESSION, [token])? > 0)
}

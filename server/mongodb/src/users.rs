//! Users and sessions.

use std::collections::HashSet;

use futures_util::TryStreamExt as _;
use mongodb::bson::doc;
use mongodb::error::Result;

use super::Db;
use super::documents::{IdDoc, UserDoc, binary, date, from_oid, oid};
use super::indexes::USER_BY_EMAIL;
use super::transaction::is_duplicate;
use chatspec_server_core::ids::UserId;
use chatspec_server_core::model::{Credentials, NewUser, Session, TokenHash, User};

pub(super) async fn create(db: Db, new: NewUser) -> Result<Option<User>> {
    let id: UserId = db.ids.next();
    let doc = UserDoc {
        id: oid(id),
        email: new.email,
        name: new.name,
        birthdate: new.birthdate,
        password_hash: new.password_hash,
        created_at: date(id.created_at()),
    };
    match db.users.insert_one(&doc).await {
        Ok(_) => Ok(Some(Credentials::from(doc).user)),
        Err(error) if is_duplicate(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn credentials(db: Db, email: String) -> Result<Option<Credentials>> {
    let user = db
        .users
        .find_one(doc! {"email": email})
        .hint(USER_BY_EMAIL.into());
    Ok(user.await?.map(Credentials::from))
}

/// The first of `users` that does not exist.
pub(super) async fn first_unknown(db: &Db, users: &[UserId]) -> Result<Option<UserId>> {
    let known = db
        .users
        .clone_with_type::<IdDoc>()
        .find(doc! {"_id": {"$in": users.iter().copied().map(oid).collect::<Vec<_>>()}})
        .projection(doc! {"_id": 1})
        .await?;
    let known: HashSet<UserId> = known
        .map_ok(|user| from_oid::<UserId>(user.id))
        .try_collect()
        .await?;
    Ok(users.iter().copied().find(|user| !known.contains(user)))
}

pub(super) async fn create_session(db: Db, session: Session) -> Result<()> {
    db.sessions.insert_one(super::SessionDoc::from(session)).await?;
    Ok(())
}

pub(super) async fn session(db: Db, token: TokenHash) -> Result<Option<Session>> {
    let found = db.sessions.find_one(doc! {"_id": binary(token)}).await?;
    Ok(found.map(|doc| doc.of(token)))
}

pub(super) async fn revoke_session(db: Db, token: TokenHash) -> Result<bool> {
    let deleted = db.sessions.delete_one(doc! {"_id": binary(token)}).await?;
    Ok(deleted.deleted_count > 0)
}

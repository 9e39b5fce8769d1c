//! Between documents and the model. An id is an `ObjectId`, a time a date, a missing value a missing field.

use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime};
use serde::{Deserialize, Serialize};

use chatspec_server_core::clock::Timestamp;
use chatspec_server_core::ids::RawId;
use chatspec_server_core::model::{
    Chat, ChatKind, Credentials, LastMessage, Membership, Message, Role, Session, TokenHash, User,
};

/// An id as the database keeps it.
pub(super) fn oid(id: impl Into<RawId>) -> ObjectId {
    ObjectId::from_bytes(*id.into().as_bytes())
}

/// An id as the database has kept it.
pub(super) fn from_oid<T: From<RawId>>(kept: ObjectId) -> T {
    RawId::from_bytes(kept.bytes()).into()
}

pub(super) fn date(at: Timestamp) -> DateTime {
    DateTime::from_millis(i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
}

fn timestamp(at: DateTime) -> Timestamp {
    Timestamp::from_millis(u64::try_from(at.timestamp_millis()).unwrap_or(0))
}

pub(super) fn binary(token: TokenHash) -> Binary {
    Binary {
        subtype: BinarySubtype::Generic,
        bytes: token.to_vec(),
    }
}

/// Of any document, its id alone.
#[derive(Deserialize)]
pub(super) struct IdDoc {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserDoc {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) email: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) birthdate: Option<String>,
    pub(super) password_hash: String,
    pub(super) created_at: DateTime,
}

impl From<UserDoc> for Credentials {
    fn from(doc: UserDoc) -> Self {
        Self {
            user: User {
                id: from_oid(doc.id),
                email: doc.email,
                name: doc.name,
                birthdate: doc.birthdate,
                created_at: timestamp(doc.created_at),
            },
            password_hash: doc.password_hash,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDoc {
    /// The hash of the token.
    #[serde(rename = "_id")]
    pub(super) token: Binary,
    pub(super) user_id: ObjectId,
    pub(super) expires_at: DateTime,
}

impl From<Session> for SessionDoc {
    fn from(session: Session) -> Self {
        Self {
            token: binary(session.token),
            user_id: oid(session.user),
            expires_at: date(session.expires_at),
        }
    }
}

impl SessionDoc {
    /// The session of this token.
    pub(super) fn of(self, token: TokenHash) -> Session {
        Session {
            token,
            user: from_oid(self.user_id),
            expires_at: timestamp(self.expires_at),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatDoc {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    #[serde(rename = "type")]
    pub(super) kind: ChatKind,
    pub(super) title: Option<String>,
    /// Both members of a direct chat, the same for either order of the two: it exists once per pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pair: Option<String>,
    pub(super) created_by: ObjectId,
    /// Longest-standing first. Written in the same transactions as the memberships.
    pub(super) member_ids: Vec<ObjectId>,
    pub(super) created_at: DateTime,
    pub(super) updated_at: DateTime,
    pub(super) message_count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_message: Option<LastMessageDoc>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LastMessageDoc {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) sender_id: ObjectId,
    pub(super) body: String,
    pub(super) created_at: DateTime,
}

impl From<LastMessageDoc> for LastMessage {
    fn from(doc: LastMessageDoc) -> Self {
        Self {
            id: from_oid(doc.id),
            sender_id: from_oid(doc.sender_id),
            body: doc.body,
            created_at: timestamp(doc.created_at),
        }
    }
}

impl From<ChatDoc> for Chat {
    fn from(doc: ChatDoc) -> Self {
        Self {
            id: from_oid(doc.id),
            kind: doc.kind,
            title: doc.title,
            created_by: from_oid(doc.created_by),
            member_ids: doc.member_ids.into_iter().map(from_oid).collect(),
            created_at: timestamp(doc.created_at),
            updated_at: timestamp(doc.updated_at),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MembershipDoc {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) chat_id: ObjectId,
    pub(super) user_id: ObjectId,
    pub(super) role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_read_message_id: Option<ObjectId>,
    pub(super) created_at: DateTime,
    pub(super) updated_at: DateTime,
}

impl From<MembershipDoc> for Membership {
    fn from(doc: MembershipDoc) -> Self {
        Self {
            id: from_oid(doc.id),
            chat_id: from_oid(doc.chat_id),
            user_id: from_oid(doc.user_id),
            role: doc.role,
            last_read_message_id: doc.last_read_message_id.map(from_oid),
            created_at: timestamp(doc.created_at),
            updated_at: timestamp(doc.updated_at),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageDoc {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) chat_id: ObjectId,
    pub(super) sender_id: ObjectId,
    pub(super) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    pub(super) created_at: DateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edited_at: Option<DateTime>,
    pub(super) deleted: bool,
    /// What a search compares; never read.
    #[serde(default)]
    pub(super) words: Vec<String>,
}

impl From<MessageDoc> for Message {
    fn from(doc: MessageDoc) -> Self {
        Self {
            id: from_oid(doc.id),
            chat_id: from_oid(doc.chat_id),
            sender_id: from_oid(doc.sender_id),
            body: doc.body.into(),
            client_id: doc.client_id,
            created_at: timestamp(doc.created_at),
            edited_at: doc.edited_at.map(timestamp),
            deleted: doc.deleted,
        }
    }
}

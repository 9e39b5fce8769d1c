//! Making users, chats and memberships through the contract's REST API.

use serde_json::{Value, json};

use crate::client::http::{Http, id_at};
use crate::expect::Found;

/// A user that exists at the target.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its JWT.
    pub access_token: String,
    /// Its session token.
    pub session_token: String,
}

/// Registers a user.
pub async fn register(http: &Http, email: &str, password: &str, name: &str) -> Found<Account> {
    let body = json!({"email": email, "password": password, "name": name});
    let reply = http.post("/v1/auth/register", &body).await?;
    account(reply.expect(&[201])?)
}

/// Logs a user in once more.
pub async fn login(http: &Http, email: &str, password: &str) -> Found<Account> {
    let reply = http
        .post("/v1/auth/login", &json!({"email": email, "password": password}))
        .await?;
    account(reply.expect(&[200])?)
}

fn account(body: &Value) -> Found<Account> {
    Ok(Account {
        id: id_at(body, "/user/id")?,
        access_token: id_at(body, "/accessToken")?,
        session_token: id_at(body, "/sessionToken")?,
    })
}

/// Creates a chat of this type; gives the ChatDTO.
pub async fn create_chat(http: &Http, kind: &str, members: &[&str], title: Option<&str>) -> Found<Value> {
    let mut body = json!({"type": kind, "memberIds": members});
    if let Some(title) = title {
        body["title"] = title.into();
    }
    let reply = http.post("/v1/chats", &body).await?;
    reply.expect(&[200, 201]).cloned()
}

/// Adds members; gives the ChatDTO.
pub async fn add_members(http: &Http, chat: &str, users: &[&str]) -> Found<Value> {
    let reply = http
        .post(&format!("/v1/chats/{chat}/members"), &json!({"userIds": users}))
        .await?;
    reply.expect(&[200]).cloned()
}

/// Removes a member.
pub async fn remove_member(http: &Http, chat: &str, user: &str) -> Found {
    let reply = http.delete(&format!("/v1/chats/{chat}/members/{user}")).await?;
    reply.expect(&[204]).map(|_| ())
}

//! Chats and memberships.

use serde_json::{Value, json};

use super::people::User;
use super::{Scene, Step, Stop};
use crate::client::http::id_at;
use crate::target::provision;

/// A chat made for one scenario.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Its id at the target.
    pub id: String,
    /// Who made it, and is its admin.
    pub admin: User,
    /// The ChatDTO as the target gave it. Its `memberIds` hold the witness too, where there is one.
    pub dto: Value,
    /// Whether the kit's witness is a member, so that fences need no member of the scenario.
    pub(super) witnessed: bool,
}

impl Scene {
    /// A group of these users, the first its admin, and the kit's witness as a further, hidden member: what the witness
    /// does is filtered out of what clients show, but it counts among `memberIds`, `unreadCount` and `lastMessage`.
    pub async fn group(&self, admin: &User, others: &[&User]) -> Result<Chat, Stop> {
        let witness = self.witness().await?;
        let mut members: Vec<&str> = others.iter().map(|user| user.id.as_str()).collect();
        members.push(&witness.user().id);
        self.create(admin, "group", &members, true).await
    }

    /// A group of exactly these users, for scenarios that look at member lists or unread counts. Its fences are posted
    /// over REST by the admin.
    pub async fn plain_group(&self, admin: &User, others: &[&User]) -> Result<Chat, Stop> {
        let members: Vec<&str> = others.iter().map(|user| user.id.as_str()).collect();
        self.create(admin, "group", &members, false).await
    }

    /// The DM of these two. Its fences are posted over REST by the first.
    pub async fn dm(&self, one: &User, other: &User) -> Result<Chat, Stop> {
        self.create(one, "dm", &[&other.id], false).await
    }

    /// Adds a member over REST, as the admin.
    pub async fn add_member(&self, chat: &Chat, user: &User) -> Result<Value, Stop> {
        provision::add_members(&self.rest(&chat.admin), &chat.id, &[&user.id])
            .await
            .step(&format!("adding {} to the chat", user.name))
    }

    /// Removes a member over REST, as the admin.
    pub async fn remove_member(&self, chat: &Chat, user: &User) -> Result<(), Stop> {
        provision::remove_member(&self.rest(&chat.admin), &chat.id, &user.id)
            .await
            .step(&format!("removing {} from the chat", user.name))
    }

    /// Changes the title over REST, as the admin; gives the ChatDTO.
    pub async fn rename(&self, chat: &Chat, title: &str) -> Result<Value, Stop> {
        let path = format!("/v1/chats/{}", chat.id);
        let reply = self
            .rest(&chat.admin)
            .patch(&path, &json!({"title": title}))
            .await?;
        Ok(reply.expect(&[200]).step("renaming the chat")?.clone())
    }

    async fn create(
        &self,
        admin: &User,
        kind: &str,
        members: &[&str],
        witnessed: bool,
    ) -> Result<Chat, Stop> {
        let title = (kind == "group").then(|| self.unique("chatspec"));
        let dto = provision::create_chat(&self.rest(admin), kind, members, title.as_deref())
            .await
            .step(&format!("creating a {kind}"))?;
        Ok(Chat {
            id: id_at(&dto, "/_id")?,
            admin: admin.clone(),
            dto,
            witnessed,
        })
    }
}

//! Chats and memberships.

use super::people::User;
use super::{Scene, Step, Stop};
use crate::client::http::id_at;
use crate::targets::profile::operation::Operation;
use crate::targets::provision::ProvisionError;
use crate::targets::provision::template::TemplateValues;

/// A chat made for one scenario.
#[derive(Clone, Debug)]
pub struct Chat {
    /// Its id at the target.
    pub id: String,
    /// Who made it, and is its admin.
    pub admin: User,
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
    pub async fn add_member(&self, chat: &Chat, user: &User) -> Result<(), Stop> {
        self.change_member(Operation::AddMember, &chat.admin, &chat.id, user)
            .await
            .step(&format!("adding {} to the chat", user.name))
    }

    /// Removes a member over REST, as the admin.
    pub async fn remove_member(&self, chat: &Chat, user: &User) -> Result<(), Stop> {
        self.change_member(Operation::RemoveMember, &chat.admin, &chat.id, user)
            .await
            .step(&format!("removing {} from the chat", user.name))
    }

    /// Adds or removes a member of the chat with this id.
    pub(super) async fn change_member(
        &self,
        operation: Operation,
        admin: &User,
        chat: &str,
        user: &User,
    ) -> Result<(), ProvisionError> {
        let fill = TemplateValues::default()
            .with("chat", chat)
            .with("user", user.id.as_str());
        self.ask(operation, admin, &fill).await.map(drop)
    }

    /// Changes the title over REST, as the admin.
    pub async fn rename(&self, chat: &Chat, title: &str) -> Result<(), Stop> {
        let fill = TemplateValues::default()
            .with("chat", chat.id.as_str())
            .with("title", title);
        let renamed = self.ask(Operation::Rename, &chat.admin, &fill).await;
        renamed.step("renaming the chat").map(drop)
    }

    async fn create(
        &self,
        admin: &User,
        kind: &str,
        members: &[&str],
        witnessed: bool,
    ) -> Result<Chat, Stop> {
        let title = (kind == "group").then(|| self.unique("chatspec"));
        let id = self
            .create_chat(admin, kind, members, title.as_deref())
            .await
            .step(&format!("creating a {kind}"))?;
        Ok(Chat {
            id,
            admin: admin.clone(),
            witnessed,
        })
    }

    /// Creates a chat over REST; gives its id.
    pub(super) async fn create_chat(
        &self,
        creator: &User,
        kind: &str,
        members: &[&str],
        title: Option<&str>,
    ) -> Result<String, ProvisionError> {
        let mut everyone = vec![creator.id.as_str()];
        everyone.extend(members);
        let fill = TemplateValues::default()
            .with("kind", kind)
            .with("members", members)
            .with("everyone", everyone)
            .with("creator", creator.id.as_str())
            .with("title", title);
        Ok(id_at(
            &self.ask(Operation::CreateChat, creator, &fill).await?,
            "/_id",
        )?)
    }
}

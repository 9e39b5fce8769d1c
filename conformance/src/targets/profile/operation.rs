//! What the kit asks of a target beside its sockets.

use serde::Deserialize;
use strum::{Display, IntoStaticStr, VariantArray};

/// What the kit asks of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display, IntoStaticStr, VariantArray, Deserialize)]
#[strum(serialize_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Makes a user.
    Register,
    /// Logs in a user who has just been made.
    Login,
    /// Ends a session.
    Logout,
    /// Makes a chat.
    CreateChat,
    /// Shows a chat.
    GetChat,
    /// Changes a title.
    Rename,
    /// Adds a member.
    AddMember,
    /// Removes a member.
    RemoveMember,
    /// Posts a message.
    PostMessage,
    /// Lists messages.
    ListMessages,
    /// Lists chats.
    ListChats,
    /// Searches messages.
    Search,
}

impl Operation {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Its name in a target file, and to a provisioning program.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What its templates may speak of.
    pub const fn placeholders(self) -> &'static [&'static str] {
        match self {
            Self::Register | Self::Login => &["email", "password", "name", "handle"],
            Self::Logout => &[],
            Self::CreateChat => &["kind", "members", "everyone", "creator", "title"],
            Self::GetChat => &["chat"],
            Self::Rename => &["chat", "title"],
            Self::AddMember | Self::RemoveMember => &["chat", "user"],
            Self::PostMessage => &["chat", "body"],
            Self::ListMessages => &["chat", "limit", "before", "after"],
            Self::ListChats => &["limit"],
            Self::Search => &["text", "chat", "limit"],
        }
    }

    /// What can be told of an answer, or of each item of a list.
    pub const fn gives(self) -> &'static [&'static str] {
        match self {
            Self::Register | Self::Login => &["userId", "accessToken", "sessionToken"],
            Self::CreateChat | Self::PostMessage | Self::Search => &["_id"],
            Self::GetChat => &["updatedAt"],
            Self::ListMessages => &["_id", "body", "senderId", "clientId", "createdAt"],
            Self::ListChats => &["_id", "unreadCount"],
            Self::Logout | Self::Rename | Self::AddMember | Self::RemoveMember => &[],
        }
    }

    /// What an answer, or each item of a list, must hold. Who a new user is, and its tokens, may come from logging in.
    pub const fn needs(self) -> &'static [&'static str] {
        match self {
            Self::CreateChat | Self::PostMessage | Self::Search => &["_id"],
            Self::GetChat => &["updatedAt"],
            Self::ListMessages => &["_id", "body"],
            Self::ListChats => &["_id", "unreadCount"],
            _ => &[],
        }
    }
}

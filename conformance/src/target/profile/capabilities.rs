//! What a target does not offer.

use std::fmt;

use serde::Deserialize;

/// What the target offers. What it does not is unverified, and never green; that it works all the same is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability of its own")]
pub struct Capabilities {
    /// Session tokens beside JWTs.
    pub session_tokens: bool,
    /// Tokens in the query string of the handshake.
    pub query_tokens: bool,
    /// Ending a session.
    pub logout: bool,
    /// Chats of two that exist once per pair.
    pub direct_chats: bool,
    /// Showing one chat.
    pub get_chat: bool,
    /// Changing a title.
    pub rename: bool,
    /// Adding a member to a group.
    pub add_member: bool,
    /// Removing a member from a group.
    pub remove_member: bool,
    /// Posting a message by REST.
    pub post_message: bool,
    /// Listing messages.
    pub list_messages: bool,
    /// Listing the messages after a known one.
    pub after_cursor: bool,
    /// Listing chats with the number of unread messages in each.
    pub list_chats: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            session_tokens: true,
            query_tokens: true,
            logout: true,
            direct_chats: true,
            get_chat: true,
            rename: true,
            add_member: true,
            remove_member: true,
            post_message: true,
            list_messages: true,
            after_cursor: true,
            list_chats: true,
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Session tokens beside JWTs.
    SessionTokens,
    /// Tokens in the query string.
    QueryTokens,
    /// Ending a session.
    Logout,
    /// Chats of two.
    DirectChats,
    /// Showing one chat.
    GetChat,
    /// Changing a title.
    Rename,
    /// Adding a member.
    AddMember,
    /// Removing a member.
    RemoveMember,
    /// Posting a message by REST.
    PostMessage,
    /// Listing messages.
    ListMessages,
    /// Listing the messages after a known one.
    AfterCursor,
    /// Listing chats.
    ListChats,
}

impl Capability {
    /// Its key in a target file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::SessionTokens => "session_tokens",
            Self::QueryTokens => "query_tokens",
            Self::Logout => "logout",
            Self::DirectChats => "direct_chats",
            Self::GetChat => "get_chat",
            Self::Rename => "rename",
            Self::AddMember => "add_member",
            Self::RemoveMember => "remove_member",
            Self::PostMessage => "post_message",
            Self::ListMessages => "list_messages",
            Self::AfterCursor => "after_cursor",
            Self::ListChats => "list_chats",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Capabilities {
    /// Whether the target file says that this is offered.
    pub const fn offers(&self, capability: Capability) -> bool {
        match capability {
            Capability::SessionTokens => self.session_tokens,
            Capability::QueryTokens => self.query_tokens,
            Capability::Logout => self.logout,
            Capability::DirectChats => self.direct_chats,
            Capability::GetChat => self.get_chat,
            Capability::Rename => self.rename,
            Capability::AddMember => self.add_member,
            Capability::RemoveMember => self.remove_member,
            Capability::PostMessage => self.post_message,
            Capability::ListMessages => self.list_messages,
            Capability::AfterCursor => self.after_cursor,
            Capability::ListChats => self.list_chats,
        }
    }
}

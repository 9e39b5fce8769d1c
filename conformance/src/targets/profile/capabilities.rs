//! What a target does not offer.

use std::collections::BTreeMap;

use serde::Deserialize;
use strum::{Display, EnumString, VariantArray};

use super::operation::Operation;

/// Whether the target offers something; what is not said, it does. What it does not is unverified, and never green; that it
/// works all the same is told.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Capabilities(BTreeMap<Capability, bool>);

/// What a target may go without. Where that is a request as such, both have the same name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Display, EnumString, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Capability {
    /// Session tokens beside JWTs.
    SessionTokens,
    /// Tokens in the query string of the handshake.
    QueryTokens,
    /// Ending a session.
    Logout,
    /// Chats of two that exist once per pair.
    DirectChats,
    /// Showing one chat.
    GetChat,
    /// Changing a title.
    Rename,
    /// Adding a member to a group.
    AddMember,
    /// Removing a member from a group.
    RemoveMember,
    /// Posting a message by REST.
    PostMessage,
    /// Listing messages.
    ListMessages,
    /// Listing the messages after a known one.
    AfterCursor,
    /// Listing chats with the number of unread messages in each.
    ListChats,
    /// Searching messages.
    Search,
}

impl Capability {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The one of a request that a target may go without; others have to be there.
    pub fn of(operation: Operation) -> Option<Self> {
        operation.name().parse().ok()
    }
}

impl Capabilities {
    /// A target without these.
    pub fn without(absent: impl IntoIterator<Item = Capability>) -> Self {
        Self(absent.into_iter().map(|absent| (absent, false)).collect())
    }

    /// Whether the target offers this.
    pub fn offers(&self, capability: Capability) -> bool {
        self.0.get(&capability).copied().unwrap_or(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nothing_can_be_judged_without_has_to_be_there() {
        let needed = [Operation::Register, Operation::Login, Operation::CreateChat];
        for operation in Operation::ALL {
            let capability = Capability::of(*operation);
            assert_eq!(capability.is_none(), needed.contains(operation), "{operation}");
        }
    }

    #[test]
    fn what_is_not_said_is_offered() {
        let capabilities: Capabilities = toml::from_str("rename = false").unwrap();
        assert!(!capabilities.offers(Capability::Rename) && capabilities.offers(Capability::Logout));
        let told = toml::from_str::<Capabilities>("renaming = false")
            .unwrap_err()
            .to_string();
        assert!(told.contains("line 1") && told.contains("renaming"), "{told}");
    }
}

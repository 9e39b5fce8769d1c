//! What can be read: each question is put to the store with a permit, as a change is.

use async_trait::async_trait;

use crate::command::{ListChats, ListMessages, ReadChat, Search};
use crate::error::ChatError;
use crate::model::{Chat, ChatPage, MessagePage};
use crate::policy::{Permit, Rule};
use crate::store::Store;

/// A command that reads, and changes nothing.
#[async_trait]
pub trait Query: Rule + Send + Sync + Sized + 'static {
    /// What is read.
    type Answer: Send + 'static;

    /// Reads it.
    async fn answer(permit: Permit<Self>, store: &dyn Store) -> Result<Self::Answer, ChatError>;
}

macro_rules! query {
    ($command:ty, $answer:ty, |$store:ident, $permit:ident| $read:expr) => {
        #[async_trait]
        impl Query for $command {
            type Answer = $answer;

            async fn answer($permit: Permit<Self>, $store: &dyn Store) -> Result<$answer, ChatError> {
                Ok($read)
            }
        }
    };
}

query!(ReadChat, Chat, |store, permit| {
    store.chat(&permit).await?.ok_or(ChatError::NoSuchChat)?
});
query!(ListChats, ChatPage, |store, permit| store.chats(&permit).await?);
query!(ListMessages, MessagePage, |store, permit| {
    store.messages(&permit).await?
});
query!(Search, MessagePage, |store, permit| store.search(&permit).await?);

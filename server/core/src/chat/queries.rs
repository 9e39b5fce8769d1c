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

#[async_trait]
impl Query for ReadChat {
    type Answer = Chat;

    async fn answer(permit: Permit<Self>, store: &dyn Store) -> Result<Chat, ChatError> {
        store.chat(&permit).await?.ok_or(ChatError::NoSuchChat)
    }
}

#[async_trait]
impl Query for ListChats {
    type Answer = ChatPage;

    async fn answer(permit: Permit<Self>, store: &dyn Store) -> Result<ChatPage, ChatError> {
        Ok(store.chats(&permit).await?)
    }
}

#[async_trait]
impl Query for ListMessages {
    type Answer = MessagePage;

    async fn answer(permit: Permit<Self>, store: &dyn Store) -> Result<MessagePage, ChatError> {
        Ok(store.messages(&permit).await?)
    }
}

#[async_trait]
impl Query for Search {
    type Answer = MessagePage;

    async fn answer(permit: Permit<Self>, store: &dyn Store) -> Result<MessagePage, ChatError> {
        Ok(store.search(&permit).await?)
    }
}

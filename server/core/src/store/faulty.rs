//! A store that fails when it is told to: a rehearsal of what a broken disk, or a database that has gone away, does. It is put
//! around the real store where a server is started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{Add, Advance, Append, Create, Pending, Remove, Result, Store, StoreError};
use crate::command::{
    AddMembers, ListChats, ListMessages, MarkRead, ReadChat, RemoveMember, Rename, Search, SendMessage,
};
use crate::ids::{ChatId, UserId};
use crate::model::{Chat, ChatPage, Credentials, Facts, MessagePage, NewUser, Session, TokenHash, User};
use crate::policy::{NewChat, Permit};

/// Takes a [`FaultyStore`] down and brings it up again. Clones switch the same store.
#[derive(Clone, Debug, Default)]
pub struct StoreSwitch(Arc<AtomicBool>);

impl StoreSwitch {
    /// From now on, calls fail.
    pub fn take_down(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// From now on, calls work.
    pub fn bring_up(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Acquire) {
            return Err(StoreError::new(Rehearsed::Down));
        }
        Ok(())
    }
}

/// A failure that was asked for.
#[derive(Debug, thiserror::Error)]
enum Rehearsed {
    #[error("the store was taken down for a rehearsal")]
    Down,
    #[error("a failure was rehearsed, as --fault-body asks for")]
    Body,
}

/// A store around another one, with a switch and a message that fails.
pub struct FaultyStore {
    inner: Arc<dyn Store>,
    switch: StoreSwitch,
    fault_body: Option<String>,
}

impl FaultyStore {
    /// A store that fails while `switch` is down.
    pub fn switched(inner: Arc<dyn Store>, switch: StoreSwitch) -> Self {
        Self {
            inner,
            switch,
            fault_body: None,
        }
    }

    /// A store that fails to keep messages with exactly this body.
    pub fn failing_on(inner: Arc<dyn Store>, body: String) -> Self {
        Self {
            inner,
            switch: StoreSwitch::default(),
            fault_body: Some(body),
        }
    }
}

/// Calls of the inner store, made only while the switch is up.
macro_rules! switched {
    ($(fn $call:ident($($argument:ident: $type:ty),*) -> $returns:ty;)*) => {
        #[async_trait]
        impl Store for FaultyStore {
            $(
                async fn $call(&self, $($argument: $type),*) -> Result<$returns> {
                    self.switch.check()?;
                    self.inner.$call($($argument),*).await
                }
            )*

            async fn close(&self) -> Result<()> {
                self.inner.close().await
            }

            fn append(&self, permit: &Permit<SendMessage>) -> Pending<'_, Append> {
                let fails = self.fault_body.as_deref() == Some(permit.command().body.as_str());
                let rehearsed = if fails { Err(StoreError::new(Rehearsed::Body)) } else { self.switch.check() };
                match rehearsed {
                    Ok(()) => self.inner.append(permit),
                    Err(error) => Pending::Done(Err(error)),
                }
            }
        }
    };
}

switched! {
    fn ping() -> ();
    fn create_user(user: NewUser) -> Option<User>;
    fn credentials(email: &str) -> Option<Credentials>;
    fn create_session(session: Session) -> ();
    fn session(token: TokenHash) -> Option<Session>;
    fn revoke_session(token: TokenHash) -> bool;
    fn facts(chat: ChatId, actor: UserId) -> Option<Facts>;
    fn chat(permit: &Permit<ReadChat>) -> Option<Chat>;
    fn chats(permit: &Permit<ListChats>) -> ChatPage;
    fn create_chat(new: NewChat) -> Create;
    fn rename(permit: &Permit<Rename>) -> Option<Chat>;
    fn add_members(permit: &Permit<AddMembers>) -> Add;
    fn remove_member(permit: &Permit<RemoveMember>) -> Remove;
    fn chat_of_message(permit: &Permit<MarkRead>) -> Option<ChatId>;
    fn messages(permit: &Permit<ListMessages>) -> MessagePage;
    fn advance_cursor(permit: &Permit<MarkRead>) -> Advance;
    fn search(permit: &Permit<Search>) -> MessagePage;
    fn contacts_of(user: UserId) -> Vec<UserId>;
}

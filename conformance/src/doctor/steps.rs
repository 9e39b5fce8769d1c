//! The steps, in their order.

use serde_json::{Value, json};

use crate::client::Client;
use crate::client::raw::RawClient;
use crate::expect::Mismatch;
use crate::expect::event::event;
use crate::scene::chats::Chat;
use crate::scene::connect::Handshake;
use crate::scene::people::User;
use crate::scene::{Scene, Stop};
use crate::targets::jwt::Minter;
use crate::targets::profile::Provision;
use crate::targets::profile::capabilities::Capability;
use crate::targets::profile::operation::Operation;
use crate::targets::provision::ProvisionError;

/// One step.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) what: StepKind,
    /// The steps without which it cannot be tried.
    pub(super) after: &'static [&'static str],
}

/// What a step tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    /// A request beside the sockets.
    Rest(Operation),
    /// A direct chat.
    Direct,
    /// Paging forward.
    After,
    /// The everyday handshake.
    Connect,
    /// A token in the query string.
    Query,
    /// A session token.
    Session,
    /// A token that the kit has minted.
    Minted,
    /// Joining a room.
    Join,
    /// Sending a message and getting it.
    Send,
}

const fn step(name: &'static str, what: StepKind, after: &'static [&'static str]) -> Step {
    Step { name, what, after }
}

pub(super) const ALL: [Step; 19] = [
    step("register", StepKind::Rest(Operation::Register), &[]),
    step("connect", StepKind::Connect, &["register"]),
    step("query token", StepKind::Query, &["register"]),
    step("session token", StepKind::Session, &["register"]),
    step("minted token", StepKind::Minted, &["register"]),
    step(
        "create a group",
        StepKind::Rest(Operation::CreateChat),
        &["register"],
    ),
    step("create a DM", StepKind::Direct, &["register"]),
    step(
        "show a chat",
        StepKind::Rest(Operation::GetChat),
        &["create a group"],
    ),
    step("rename", StepKind::Rest(Operation::Rename), &["create a group"]),
    step(
        "add a member",
        StepKind::Rest(Operation::AddMember),
        &["create a group"],
    ),
    step(
        "remove a member",
        StepKind::Rest(Operation::RemoveMember),
        &["create a group", "add a member"],
    ),
    step(
        "post a message",
        StepKind::Rest(Operation::PostMessage),
        &["create a group"],
    ),
    step(
        "list messages",
        StepKind::Rest(Operation::ListMessages),
        &["create a group"],
    ),
    step(
        "list messages after one",
        StepKind::After,
        &["create a group", "list messages"],
    ),
    step(
        "list chats",
        StepKind::Rest(Operation::ListChats),
        &["create a group"],
    ),
    step(
        "search",
        StepKind::Rest(Operation::Search),
        &["create a group", "post a message"],
    ),
    step("join a room", StepKind::Join, &["connect", "create a group"]),
    step(
        "send a message",
        StepKind::Send,
        &["connect", "create a group", "join a room"],
    ),
    step(
        "log out",
        StepKind::Rest(Operation::Logout),
        &["register", "session token"],
    ),
];

/// The target under examination: what the steps have made there so far, for those that come after.
pub(super) struct Examination<'a> {
    scene: &'a Scene,
    users: Vec<User>,
    chat: Option<Chat>,
    posted: Vec<String>,
    clients: Vec<Client>,
}

impl<'a> Examination<'a> {
    pub(super) const fn new(scene: &'a Scene) -> Self {
        Self {
            scene,
            users: Vec::new(),
            chat: None,
            posted: Vec::new(),
            clients: Vec::new(),
        }
    }

    /// Takes a step; gives what was seen, as a sentence for people. The error is why it does not work.
    pub(super) async fn take(&mut self, what: StepKind) -> Result<String, Stop> {
        match what {
            StepKind::Rest(operation) => self.ask(operation).await,
            StepKind::Direct => {
                let dm = self.scene.dm(self.user(0)?, self.user(1)?).await?;
                Ok(format!("its id is {}", dm.id))
            }
            StepKind::After => self.list_after().await,
            StepKind::Connect => self.connect().await,
            StepKind::Query => {
                let handshake = Handshake::bare().query_token(&self.user(0)?.access_token);
                let let_in = self.let_in(handshake).await;
                self.declared(Capability::QueryTokens, let_in)
            }
            StepKind::Session => {
                let user = self.user(0)?;
                let Some(token) = self.scene.any_session_token(user) else {
                    return self.scene.session_token(user).map(str::to_owned);
                };
                let let_in = self.let_in(Handshake::token(token)).await;
                self.declared(Capability::SessionTokens, let_in)
            }
            StepKind::Minted => self.minted().await,
            StepKind::Join => self.join().await,
            StepKind::Send => self.send().await,
        }
    }

    async fn ask(&mut self, operation: Operation) -> Result<String, Stop> {
        let scene = self.scene;
        match operation {
            Operation::Register | Operation::Login => {
                self.users = scene.users(["alice", "bob", "carol"]).await?.to_vec();
                let ids: Vec<&str> = self.users.iter().map(|user| user.id.as_str()).collect();
                Ok(format!("three users: {}", ids.join(" ")))
            }
            Operation::CreateChat => {
                let chat = scene.plain_group(self.user(0)?, &[self.user(1)?]).await?;
                let told = format!("its id is {}", chat.id);
                self.chat = Some(chat);
                Ok(told)
            }
            Operation::GetChat => {
                let shown = scene.chat(self.user(1)?, self.chat()?).await?;
                Ok(format!("updatedAt is {}", shown["updatedAt"]))
            }
            Operation::Rename => {
                let title = scene.unique("renamed");
                scene.rename(self.chat()?, &title).await?;
                Ok(format!("to \"{title}\""))
            }
            Operation::AddMember => {
                scene.add_member(self.chat()?, self.user(2)?).await?;
                Ok("carol".to_owned())
            }
            Operation::RemoveMember => {
                scene.remove_member(self.chat()?, self.user(2)?).await?;
                Ok("carol".to_owned())
            }
            Operation::PostMessage => {
                for n in 1..=2 {
                    let body = scene.unique(&format!("message {n}"));
                    let posted = scene.post_message(self.user(0)?, self.chat()?, &body).await?;
                    self.posted
                        .push(posted["_id"].as_str().unwrap_or_default().to_owned());
                }
                Ok(format!("their ids are {}", self.posted.join(" ")))
            }
            Operation::ListMessages => {
                let listed = ids(&scene.messages(self.user(1)?, self.chat()?).await?);
                let newest_first: Vec<&String> = self.posted.iter().rev().collect();
                if listed.iter().collect::<Vec<_>>() == newest_first {
                    Ok(format!("{} messages, the newest first", listed.len()))
                } else {
                    let expected = format!(
                        "the two that were posted, the newest first, {}",
                        json!(newest_first)
                    );
                    Err(Mismatch::new(expected, &json!(listed)).into())
                }
            }
            Operation::ListChats => {
                let chat = self.chat()?.id.clone();
                let listed = scene.chats(self.user(1)?).await?;
                let mine = listed.iter().find(|row| row["_id"] == chat.as_str());
                match mine {
                    Some(row) => Ok(format!("unreadCount is {}", row["unreadCount"])),
                    None => Err(Mismatch::new(chat, &json!(ids(&listed))).into()),
                }
            }
            Operation::Search => self.search().await,
            // The token would be in the file for the next run.
            Operation::Logout if matches!(scene.profile().provision, Provision::Static { .. }) => {
                Err(Stop::Unverified(
                    "not tried: it would revoke a session token of the file of users".to_owned(),
                ))
            }
            Operation::Logout => {
                scene.logout(self.user(0)?).await?;
                Ok("alice".to_owned())
            }
        }
    }

    async fn search(&self) -> Result<String, Stop> {
        let scene = self.scene;
        let body = scene.unique("sought");
        let posted = scene.post_message(self.user(0)?, self.chat()?, &body).await?;
        let found = scene.search(self.user(1)?, self.chat()?, &body).await?;
        // An index may lag behind.
        Ok(if found.iter().any(|id| posted["_id"] == id.as_str()) {
            "the message is found".to_owned()
        } else {
            format!(
                "a list of {}, without the message that was posted just now",
                found.len()
            )
        })
    }

    async fn list_after(&self) -> Result<String, Stop> {
        let (user, chat) = (self.user(1)?, self.chat()?);
        let Some(first) = self.posted.first().map(String::as_str) else {
            return Err(Stop::Unverified(
                "not tried: no messages could be posted".to_owned(),
            ));
        };
        let listed = ids(&self.scene.page(user, chat, 10, "after", Some(first)).await?);
        if listed.as_slice() == self.posted.get(1..).unwrap_or_default() {
            Ok("the one message after the first".to_owned())
        } else {
            let expected = format!("the one message after the first, {}", json!(self.posted.get(1)));
            Err(Mismatch::new(expected, &json!(listed)).into())
        }
    }

    async fn connect(&mut self) -> Result<String, Stop> {
        let everyday = self.scene.connect(self.user(0)?).await?;
        let raw: RawClient = self.scene.connect_raw(self.user(1)?).await?;
        self.clients = vec![everyday, (*raw).clone()];
        Ok("CONNECT is accepted".to_owned())
    }

    async fn minted(&self) -> Result<String, Stop> {
        let profile = self.scene.profile();
        let Some(minter) = Minter::new(&profile.auth) else {
            return Err(Stop::Unverified(
                "the target's key is not known: without it, expired and forged tokens cannot be tried"
                    .to_owned(),
            ));
        };
        let token = minter.sign(&minter.claims(&self.user(0)?.id))?;
        if matches!(profile.provision, Provision::Jwt { .. }) {
            return Ok("every user already connects with a minted token".to_owned());
        }
        self.let_in(Handshake::token(token)).await
    }

    async fn let_in(&self, handshake: Handshake) -> Result<String, Stop> {
        let client = self.scene.attempt("alice", &handshake).await?.accepted()?;
        client.close().await;
        Ok("CONNECT is accepted".to_owned())
    }

    /// What is declared absent, and works or does not.
    fn declared(&self, capability: Capability, tried: Result<String, Stop>) -> Result<String, Stop> {
        if self.scene.profile().capabilities.offers(capability) {
            return tried;
        }
        let works = tried.is_ok();
        Err(ProvisionError::NotOffered { capability, works }.into())
    }

    async fn join(&self) -> Result<String, Stop> {
        for client in &self.clients {
            self.scene.join(client, self.chat()?).await?;
        }
        Ok("room:join is acknowledged".to_owned())
    }

    async fn send(&self) -> Result<String, Stop> {
        let [sender, listener] = self.clients.as_slice() else {
            return Err(Stop::Harness("two clients".to_owned()));
        };
        let body = self.scene.unique("hello");
        self.scene.send(sender, self.chat()?, &body).await?;
        let heard = event("message:new").at("/message/body", body.as_str());
        listener.expect(&heard).await.map_err(Stop::from)?;
        Ok("message:send is acknowledged, and message:new arrives".to_owned())
    }

    fn user(&self, which: usize) -> Result<&User, Stop> {
        let missing = || Stop::Harness("a user that was not made".to_owned());
        self.users.get(which).ok_or_else(missing)
    }

    fn chat(&self) -> Result<&Chat, Stop> {
        let missing = || Stop::Harness("a chat that was not made".to_owned());
        self.chat.as_ref().ok_or_else(missing)
    }
}

fn ids(listed: &[Value]) -> Vec<String> {
    listed
        .iter()
        .map(|each| each["_id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

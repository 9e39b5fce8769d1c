//! Proving that something did not happen.
//!
//! After the forbidden thing would have happened, a sentinel goes down the same path to the socket in question. When it
//! has arrived, and a settle time has passed since (a server may handle two events at once), what is not there will not
//! come.
//!
//! - In a room, the sentinel is a message of the **witness**: a further, hidden member of the scene's groups.
//! - To a socket that is in no room, it is a `chat:update` on its user room: a spare user is added to, or removed from, a
//!   group that only that user and the kit's service accounts are in. Every user has a fence group of its own, so that no two users
//!   of a scenario become contacts through it.
//!
//! Sentinels never show up in what scenarios see of an inbox or a listing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use super::chats::Chat;
use super::people::User;
use super::{Scene, Step, Stop};
use crate::client::Client;
use crate::event::Event;
use crate::expect::event::Pattern;
use crate::expect::{Found, ack};
use crate::targets::profile::operation::Operation;
use crate::transcript::TranscriptLine;
use crate::transcript::annotation::Annotation;
use crate::verdict::Blocked;

/// Which path the sentinel takes.
#[derive(Clone, Copy, Debug)]
pub enum Fence<'a> {
    /// The client is in this chat's room: a message into the room.
    Room(&'a Chat),
    /// The client is not in this chat's room, but `insider` is: a message into the room which the insider must get, then
    /// a `chat:update` to the client.
    Outside {
        /// The chat whose events must not arrive.
        chat: &'a Chat,
        /// A client that is in its room.
        insider: &'a Client,
    },
    /// What must not arrive comes through the user room: a `chat:update` to the client.
    User,
}

/// Two users of the kit itself, shared by the whole run, that fence groups are made of; they never connect.
#[derive(Debug)]
pub(super) struct ServiceAccounts {
    admin: User,
    spare: User,
}

/// The fences of one scene, made when they are first needed.
#[derive(Debug, Default)]
pub(super) struct Fences {
    witness: OnceCell<Witness>,
    groups: parking_lot::Mutex<HashMap<String, Arc<Mutex<Option<Group>>>>>,
}

/// The hidden member of the scene's groups.
#[derive(Debug)]
pub(super) struct Witness {
    user: User,
    connection: Mutex<Connection>,
}

#[derive(Debug, Default)]
struct Connection {
    client: Option<Client>,
    joined: HashSet<String>,
    sent: Vec<Instant>,
}

#[derive(Debug)]
struct Group {
    id: String,
    spare_is_in: bool,
}

const SENTINEL: &str = "chatspec fence";

/// Whether a line of the transcript is about a fence, and so of no interest to who reads about a failure.
pub(super) fn is_own(line: &TranscriptLine) -> bool {
    line.text.contains(SENTINEL) || line.client.starts_with("witness") || line.client.starts_with("fence-")
}

impl Witness {
    pub(super) const fn user(&self) -> &User {
        &self.user
    }
}

impl Scene {
    /// Nothing that matches has reached, or will reach, the client. The outer error means that the fence itself did not
    /// work; the inner result is for [`Scene::check`].
    pub async fn absent(&self, client: &Client, pattern: &Pattern, fence: Fence<'_>) -> Result<Found, Stop> {
        Ok(self.exactly(0, client, pattern, fence).await?.map(|_| ()))
    }

    /// Exactly `n` events that match have reached, or will reach, the client.
    pub async fn exactly(
        &self,
        n: usize,
        client: &Client,
        pattern: &Pattern,
        fence: Fence<'_>,
    ) -> Result<Found<Vec<Event>>, Stop> {
        // What has to come may take another way than the sentinel, through another process for instance, and be later.
        client.wait_for(n, pattern, self.timing().deadline()).await;
        match fence {
            Fence::Room(chat) => self.fence_room(chat, &[client]).await?,
            Fence::Outside { chat, insider } => {
                self.fence_room(chat, &[insider]).await?;
                self.fence_user(&[client]).await?;
            }
            Fence::User => self.fence_user(&[client]).await?,
        }
        client.annotate(Annotation::counted(n, pattern));
        Ok(pattern
            .exactly(n, &client.all_events())
            .map_err(|mismatch| mismatch.at(client.name())))
    }

    /// Sends a sentinel into the room and waits until all these clients, which are in it, have it; then settles.
    pub async fn fence_room(&self, chat: &Chat, clients: &[&Client]) -> Result<(), Stop> {
        let body = self.unique(SENTINEL);
        self.hidden.hide_body(&body);
        if !(chat.witnessed && self.send_as_witness(chat, &body).await?) {
            let poster = if chat.witnessed {
                self.witness().await?.user()
            } else {
                &chat.admin
            };
            self.post_message(poster, chat, &body).await?;
        }
        let is_sentinel = |event: &Event| {
            event.name == "message:new"
                && event.data().pointer("/message/body").and_then(Value::as_str) == Some(&body)
        };
        for client in clients {
            let Some(event) = client
                .wait_unfiltered(self.timing().deadline(), is_sentinel)
                .await
            else {
                return Err(not_fenced("a message sent into the room", "MSG-02", client));
            };
            client.annotate(Annotation::heard(&event, None));
        }
        self.sleep(self.timing().settle()).await;
        Ok(())
    }

    /// Provokes a `chat:update` on the user room of each client and waits until it has arrived; then settles.
    pub async fn fence_user(&self, clients: &[&Client]) -> Result<(), Stop> {
        for client in clients {
            let Some(user) = client.user_id() else {
                return Err(Stop::Harness(format!("{} has no user to fence", client.name())));
            };
            self.fence_one_user(client, user).await?;
        }
        self.sleep(self.timing().settle()).await;
        Ok(())
    }

    async fn fence_one_user(&self, client: &Client, user: &str) -> Result<(), Stop> {
        let service_accounts = self.service_accounts().await?;
        let group = {
            let mut groups = self.fences.groups.lock();
            groups.entry(user.to_owned()).or_default().clone()
        };
        let mut group = group.lock().await;
        let Group { id, spare_is_in } = match &mut *group {
            Some(group) => group,
            none => {
                let id = self
                    .create_chat(&service_accounts.admin, "group", &[user], Some(SENTINEL))
                    .await
                    .step("creating a fence group")?;
                self.hidden.hide_chat(&id);
                none.insert(Group {
                    id,
                    spare_is_in: false,
                })
            }
        };
        let mark = client.mark();
        let change = if *spare_is_in {
            Operation::RemoveMember
        } else {
            Operation::AddMember
        };
        self.change_member(change, &service_accounts.admin, id, &service_accounts.spare)
            .await
            .step("fencing")?;
        *spare_is_in = !*spare_is_in;
        let arrived = client.wait_unfiltered(self.timing().deadline(), |event| {
            let chat = &event.data()["chat"];
            let has_spare = chat["memberIds"].as_array().is_some_and(|members| {
                members
                    .iter()
                    .any(|member| member == service_accounts.spare.id.as_str())
            });
            event.name == "chat:update"
                && event.is_after(mark)
                && chat["_id"] == id.as_str()
                && has_spare == *spare_is_in
        });
        match arrived.await {
            Some(event) => {
                client.annotate(Annotation::heard(&event, Some(mark)));
                Ok(())
            }
            None => Err(not_fenced(
                "a chat:update provoked in the user room",
                "CHAT-01",
                client,
            )),
        }
    }

    /// Sends through the witness' own socket, while its rate limit allows; otherwise false.
    async fn send_as_witness(&self, chat: &Chat, body: &str) -> Result<bool, Stop> {
        let witness = self.witness().await?;
        let mut connection = witness.connection.lock().await;
        let limits = &self.profile().limits;
        let window = std::time::Duration::from_millis(limits.rate_window_ms) + self.timing().margin();
        connection.sent.retain(|sent| sent.elapsed() < window);
        if connection.sent.len() + 1 >= limits.rate_max {
            return Ok(false);
        }
        let client = match &connection.client {
            Some(client) if client.closed().is_none() => client.clone(),
            _ => {
                connection.joined.clear();
                let client: Client = (*self.connect_raw(&witness.user).await?).clone();
                connection.client = Some(client.clone());
                client
            }
        };
        if connection.joined.insert(chat.id.clone()) {
            self.join(&client, chat).await?;
        }
        connection.sent.push(Instant::now());
        let payload = json!({"chatId": chat.id, "clientId": uuid::Uuid::new_v4().to_string(), "body": body});
        let reply = client
            .request("message:send", payload)
            .await
            .step("sending a fence")?;
        Ok(ack::ok(&reply).is_ok())
    }

    /// The scene's witness, registered when it is first needed.
    pub(super) async fn witness(&self) -> Result<&Witness, Stop> {
        self.fences
            .witness
            .get_or_try_init(|| async {
                let user = self.user("witness").await?;
                self.hidden.hide_user(&user.id);
                Ok(Witness {
                    user,
                    connection: Mutex::default(),
                })
            })
            .await
    }

    async fn service_accounts(&self) -> Result<&ServiceAccounts, Stop> {
        self.context
            .service_accounts
            .get_or_try_init(|| async {
                let [admin, spare] = self.users(["fence-admin", "fence-spare"]).await?;
                Ok(ServiceAccounts { admin, spare })
            })
            .await
    }
}

/// What was to prove that nothing else had come did not come itself.
fn not_fenced(what: &str, requirement: &str, client: &Client) -> Stop {
    Stop::Blocked(Box::new(Blocked {
        step: Some(format!("fence as {}", client.name())),
        requirement: Some(requirement.to_owned()),
        mismatch: None,
        why: format!(
            "{what}, to prove that nothing else has come, did not reach {}",
            client.name()
        ),
    }))
}

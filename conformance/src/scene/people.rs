//! Users, and REST as one of them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::chats::Chat;
use super::{Context, Scene, Step, Stop};
use crate::client::http::Http;
use crate::expect::{Found, field};
use crate::target::provision::{self, Account};
use crate::transcript::Transcript;

/// A user made for one scenario.
#[derive(Clone, Debug)]
pub struct User {
    /// What the scenario calls it, as in `alice`.
    pub name: String,
    /// Its id at the target.
    pub id: String,
    /// Its e-mail address, which no other run has.
    pub email: String,
    /// Its password.
    pub password: String,
    /// Its JWT.
    pub access_token: String,
    /// Its session token.
    pub session_token: String,
}

/// How long a registration may take.
const REGISTERED_WITHIN: Duration = Duration::from_secs(30);
/// Registrations at once.
pub(super) const REGISTRATIONS: usize = 4;

impl Context {
    pub(super) async fn register(
        &self,
        name: &str,
        transcript: &std::sync::Arc<Transcript>,
    ) -> Result<User, Stop> {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let email = format!("{name}.{}.{number}@chatspec.example", self.run);
        let password = format!("pw-{}-{number}", self.run);
        let mut http = self.http(name, None, transcript);
        // Hashing a password is meant to be slow: where many ask for it at once, they would wait for each other, and how
        // long that takes is no promise of the protocol.
        http.deadline = http.deadline.max(REGISTERED_WITHIN);
        let _turn = self.registrations.acquire().await;
        let Account {
            id,
            access_token,
            session_token,
        } = provision::register(&http, &email, &password, name)
            .await
            .step(&format!("registering {name}"))?;
        Ok(User {
            name: name.to_owned(),
            id,
            email,
            password,
            access_token,
            session_token,
        })
    }

    pub(super) fn http(
        &self,
        who: &str,
        token: Option<&str>,
        transcript: &std::sync::Arc<Transcript>,
    ) -> Http {
        Http {
            client: self.target.http().clone(),
            base: self.target.next_url().clone(),
            who: who.to_owned(),
            token: token.map(ToOwned::to_owned),
            headers: Vec::new(),
            transcript: transcript.clone(),
            deadline: self.timing().deadline(),
        }
    }
}

impl Scene {
    /// Registers a user; the name is for the reader, and may be used again.
    pub async fn user(&self, name: &str) -> Result<User, Stop> {
        self.context.register(name, &self.transcript).await
    }

    /// Registers several users at once: `let [alice, bob] = scene.users(["alice", "bob"]).await?;`
    pub async fn users<const N: usize>(&self, names: [&str; N]) -> Result<[User; N], Stop> {
        let users = futures_util::future::try_join_all(names.map(|name| self.user(name))).await?;
        users
            .try_into()
            .map_err(|_| Stop::Harness("another number of users than asked for".to_owned()))
    }

    /// REST as this user, with its access token.
    pub fn rest(&self, user: &User) -> Http {
        self.context
            .http(&user.name, Some(&user.access_token), &self.transcript)
    }

    /// REST as nobody.
    pub fn rest_as_nobody(&self) -> Http {
        self.context.http("nobody", None, &self.transcript)
    }

    /// Logs the user in once more; gives it with new tokens.
    pub async fn login(&self, user: &User) -> Result<User, Stop> {
        let account = provision::login(&self.rest_as_nobody(), &user.email, &user.password)
            .await
            .step(&format!("logging in {}", user.name))?;
        Ok(User {
            access_token: account.access_token,
            session_token: account.session_token,
            ..user.clone()
        })
    }

    /// Logs out, which revokes the user's session token.
    pub async fn logout(&self, user: &User) -> Result<(), Stop> {
        let http = self
            .context
            .http(&user.name, Some(&user.session_token), &self.transcript);
        let reply = http.send(reqwest::Method::POST, "/v1/auth/logout", None).await?;
        reply.expect(&[204]).step(&format!("logging out {}", user.name))?;
        Ok(())
    }

    /// The newest messages of a chat as this user reads them over REST, newest first, at most 200, without the kit's own.
    pub async fn messages(&self, user: &User, chat: &Chat) -> Result<Vec<Value>, Stop> {
        let path = format!("/v1/chats/{}/messages?limit=200", chat.id);
        let reply = self.rest(user).get(&path).await?;
        let mut messages = list(reply.expect(&[200]).step("listing messages")?, "/messages")?;
        messages.retain(|message| {
            !message["body"]
                .as_str()
                .is_some_and(|body| self.hidden.is_hidden_body(body))
        });
        Ok(messages)
    }

    /// The user's chats as REST lists them, at most 100, latest activity first, without the kit's own.
    pub async fn chats(&self, user: &User) -> Result<Vec<Value>, Stop> {
        let reply = self.rest(user).get("/v1/chats?limit=100").await?;
        let mut chats = list(reply.expect(&[200]).step("listing chats")?, "/chats")?;
        chats.retain(|chat| {
            !chat["_id"]
                .as_str()
                .is_some_and(|id| self.hidden.is_hidden_chat(id))
        });
        Ok(chats)
    }

    /// Posts a message over REST, which has no rate limit; gives the MessageDTO.
    pub async fn post_message(&self, user: &User, chat: &Chat, body: &str) -> Result<Value, Stop> {
        let path = format!("/v1/chats/{}/messages", chat.id);
        let reply = self
            .rest(user)
            .post(&path, &serde_json::json!({"body": body}))
            .await?;
        Ok(reply.expect(&[201]).step("posting a message")?.clone())
    }
}

fn list(body: &Value, pointer: &str) -> Found<Vec<Value>> {
    let value = field(body, pointer)?;
    value.as_array().cloned().ok_or_else(|| {
        crate::expect::Mismatch::new(format!("a list at {pointer}"), crate::expect::show(body))
    })
}

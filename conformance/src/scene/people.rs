//! Users, and REST as one of them.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::chats::Chat;
use super::{Context, Scene, Step, Stop};
use crate::client::http::{Http, Reply};
use crate::expect::{Mismatch, MismatchKind};
use crate::private::Private;
use crate::targets::profile::capabilities::Capability;
use crate::targets::profile::operation::Operation;
use crate::targets::provision::template::TemplateValues;
use crate::targets::provision::{Account, NewUser, ProvisionError, Requester};
use crate::transcript::annotation::Annotation;
use crate::transcript::{Direction, Transcript};

/// A user made for one scenario.
#[derive(Clone)]
pub struct User {
    /// What the scenario calls it, as in `alice`.
    pub name: String,
    /// Its id at the target.
    pub id: String,
    /// What it connects with, a JWT where the target has them.
    pub access_token: String,
    account: Account,
}

impl fmt::Debug for User {
    /// Without the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({} {})", self.name, self.id)
    }
}

fn remark_on(account: &Account) -> Annotation {
    Annotation::Registered {
        id: account.id.clone(),
        access_token: Private(account.access_token.clone()),
        session_token: account.session_token.clone().map(Private),
    }
}

/// How long a registration may take.
const REGISTERED_WITHIN: Duration = Duration::from_secs(30);
/// Registrations at once.
pub(super) const REGISTRATIONS: usize = 4;

impl Context {
    pub(super) async fn register(&self, name: &str, scene: &Scene) -> Result<User, Stop> {
        let transcript = &scene.transcript;
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let email = format!("{name}.{}.{number}@chatspec.example", self.run);
        let password = format!("pw-{}-{number}", self.run);
        let mut http = self.http(name, None, transcript);
        // Hashing a password is meant to be slow: where many ask for it at once, they would wait for each other, and how
        // long that takes is no promise of the protocol.
        http.deadline = http.deadline.max(REGISTERED_WITHIN);
        transcript.hide(&password);
        let _turn = self.registrations.acquire().await;
        let person = NewUser {
            name: name.to_owned(),
            handle: format!("{}_{}_{number}", name.replace('-', "_"), self.run),
            email,
            password,
            scenario: scene.scenario,
            scene: scene.number,
        };
        let account = self.target.provisioner().register(&http, &person).await;
        let account = account.step(&format!("registering {name}"))?;
        self.target.tokens().register(&account);
        transcript.hide(&account.access_token);
        transcript.hide(account.session_token.as_deref().unwrap_or_default());
        transcript.write(name, Direction::Note, &format!("is user {}", account.id));
        transcript.annotate(name, remark_on(&account));
        Ok(User {
            name: person.name,
            id: account.id.clone(),
            access_token: account.access_token.clone(),
            account,
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
            base: self.target.rest_url().clone(),
            who: who.to_owned(),
            auth: token.map(|token| self.target.provisioner().auth_header(token)),
            headers: Vec::new(),
            answers_with_tokens: false,
            transcript: transcript.clone(),
            deadline: self.timing().deadline(),
        }
    }
}

impl Scene {
    /// Registers a user; the name is for the reader, and may be used again.
    pub async fn user(&self, name: &str) -> Result<User, Stop> {
        self.context.register(name, self).await
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

    /// The user's session token; stops the scenario where the target has none.
    pub fn session_token<'a>(&self, user: &'a User) -> Result<&'a str, Stop> {
        let offers = self.profile().capabilities.offers(Capability::SessionTokens);
        match &user.account.session_token {
            Some(token) if offers => Ok(token),
            None if offers => Err(Stop::blocked(
                "registering gives no session token: say where it is in rest.register.reply, or set \
                 capabilities.session_tokens = false",
            )),
            _ => Err(ProvisionError::NotOffered {
                capability: Capability::SessionTokens,
                works: false,
            }
            .into()),
        }
    }

    /// The user's session token, if one has been given, whatever the target file says.
    pub fn any_session_token<'a>(&self, user: &'a User) -> Option<&'a str> {
        user.account.session_token.as_deref()
    }

    /// Logs out, which revokes the user's session token.
    pub async fn logout(&self, user: &User) -> Result<(), Stop> {
        let token = self.session_token(user)?;
        let http = self.context.http(&user.name, Some(token), &self.transcript);
        let requester = Requester {
            http: &http,
            account: Some(&user.account),
        };
        let nothing = TemplateValues::default();
        let done = self
            .context
            .target
            .provisioner()
            .ask(Operation::Logout, requester, &nothing);
        done.await.step(&format!("logging out {}", user.name))?;
        Ok(())
    }

    /// The newest messages of a chat as this user reads them over REST, newest first, at most 200, without the kit's own.
    pub async fn messages(&self, user: &User, chat: &Chat) -> Result<Vec<Value>, Stop> {
        let page = TemplateValues::default()
            .with("chat", chat.id.as_str())
            .with("limit", 200);
        let mut messages = self
            .list(Operation::ListMessages, user, page)
            .await
            .step("listing messages")?;
        messages.retain(|message| {
            !message["body"]
                .as_str()
                .is_some_and(|body| self.hidden.is_hidden_body(body))
        });
        Ok(messages)
    }

    /// One page of a chat's messages as this user reads it over REST: with `by` = `before`, those before `id`, newest first;
    /// with `after`, those after it, oldest first.
    pub async fn page(
        &self,
        user: &User,
        chat: &Chat,
        limit: usize,
        by: &str,
        id: Option<&str>,
    ) -> Result<Vec<Value>, ProvisionError> {
        let page = TemplateValues::default()
            .with("chat", chat.id.as_str())
            .with("limit", limit)
            .with(by, id);
        self.list(Operation::ListMessages, user, page).await
    }

    /// The ids of the messages that a search over REST finds for this text: at most 20, the newest first.
    pub async fn search(&self, user: &User, chat: &Chat, text: &str) -> Result<Vec<String>, ProvisionError> {
        let fill = TemplateValues::default()
            .with("text", text)
            .with("chat", chat.id.as_str())
            .with("limit", 20);
        let found = self.list(Operation::Search, user, fill).await?;
        let id = |message: &Value| message["_id"].as_str().map(str::to_owned);
        Ok(found.iter().filter_map(id).collect())
    }

    /// The user's chats as REST lists them, at most 100, latest activity first, without the kit's own.
    pub async fn chats(&self, user: &User) -> Result<Vec<Value>, Stop> {
        let page = TemplateValues::default().with("limit", 100);
        let mut chats = self
            .list(Operation::ListChats, user, page)
            .await
            .step("listing chats")?;
        chats.retain(|chat| {
            !chat["_id"]
                .as_str()
                .is_some_and(|id| self.hidden.is_hidden_chat(id))
        });
        Ok(chats)
    }

    /// What the target answers a page of this origin that lists chats, or, where it has no REST API, opens a connection over
    /// long-polling.
    pub async fn as_page_of(&self, origin: &str, user: &User) -> Result<Reply, Stop> {
        let http = self.rest(user);
        let header = ("origin", origin);
        let page = TemplateValues::default().with("limit", 1);
        let asked = self
            .context
            .target
            .provisioner()
            .request(Operation::ListChats, &http, &page, header);
        if let Some(reply) = asked.await? {
            return Ok(reply);
        }
        let path = format!("{}?EIO=4&transport=polling", self.profile().handshake.path);
        Ok(self.sockets_http().header(header.0, header.1).get(&path).await?)
    }

    /// HTTP where Socket.IO listens, as nobody.
    pub(super) fn sockets_http(&self) -> Http {
        let mut http = self.context.http("nobody", None, &self.transcript);
        http.base.clone_from(self.context.target.next_url());
        http
    }

    /// A chat as this user sees it over REST: the ChatDTO.
    pub async fn chat(&self, user: &User, chat: &Chat) -> Result<Value, ProvisionError> {
        let fill = TemplateValues::default().with("chat", chat.id.as_str());
        self.ask(Operation::GetChat, user, &fill).await
    }

    /// Posts a message over REST, which has no rate limit; gives the MessageDTO.
    pub async fn post_message(&self, user: &User, chat: &Chat, body: &str) -> Result<Value, Stop> {
        let fill = TemplateValues::default()
            .with("chat", chat.id.as_str())
            .with("body", body);
        self.ask(Operation::PostMessage, user, &fill)
            .await
            .step("posting a message")
    }

    /// Asks for something beside the sockets, as this user.
    pub(super) async fn ask(
        &self,
        operation: Operation,
        user: &User,
        fill: &TemplateValues,
    ) -> Result<Value, ProvisionError> {
        let http = self.rest(user);
        let requester = Requester {
            http: &http,
            account: Some(&user.account),
        };
        self.context
            .target
            .provisioner()
            .ask(operation, requester, fill)
            .await
    }

    async fn list(
        &self,
        operation: Operation,
        user: &User,
        fill: TemplateValues,
    ) -> Result<Vec<Value>, ProvisionError> {
        match self.ask(operation, user, &fill).await? {
            Value::Array(items) => Ok(items),
            other => {
                Err(Mismatch::of(MismatchKind::Http, [format!("a list from {operation}")], &other).into())
            }
        }
    }
}

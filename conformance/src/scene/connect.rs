//! Connections, everyday and raw, and the requests that are mere steps.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::chats::Chat;
use super::people::User;
use super::{Scene, Step, Stop};
use crate::client::inbox::Inbox;
use crate::client::polling::Polling;
use crate::client::raw::{self, RawClient};
use crate::client::{Client, Transport, socketio};
use crate::expect::{Found, Mismatch, MismatchKind, Words, ack, text};
use crate::targets::profile::{Connecting, TokenPlace};
use crate::targets::websocket_url;

/// What a WebSocket asks Engine.IO for.
const WEBSOCKET: &str = "?EIO=4&transport=websocket";

/// How to ask for a connection, where that is what a scenario is about.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    auth: Option<Value>,
    query: Vec<(String, String)>,
    namespace: Option<String>,
}

impl Handshake {
    /// Without any token.
    pub fn bare() -> Self {
        Self::default()
    }

    /// With this token in the CONNECT payload; any JSON, since a token may be of a wrong type.
    pub fn token(token: impl Into<Value>) -> Self {
        Self::bare().auth(json!({"token": token.into()}))
    }

    /// With this CONNECT payload as it is.
    #[must_use]
    pub fn auth(mut self, payload: Value) -> Self {
        self.auth = Some(payload);
        self
    }

    /// With this token in the query string.
    #[must_use]
    pub fn query_token(mut self, token: &str) -> Self {
        self.query.push(("token".to_owned(), token.to_owned()));
        self
    }

    /// To this namespace instead of `/`.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }
}

/// What became of a [`Handshake`].
#[derive(Debug)]
pub enum Answer {
    /// CONNECT was accepted.
    Accepted(RawClient),
    /// CONNECT was refused with this payload; the connection may still be open.
    Refused(Value, RawClient),
    /// There was no answer, the connection is open.
    Silence(RawClient),
    /// The connection was closed, or never opened, without an answer.
    Closed(String),
}

impl Answer {
    /// The client, if CONNECT was accepted.
    pub fn accepted(self) -> crate::expect::Found<RawClient> {
        match self {
            Self::Accepted(client) => Ok(client),
            other => Err(Mismatch::of(
                MismatchKind::Connection,
                ["CONNECT to be accepted"],
                other.words(),
            )),
        }
    }

    /// The payload of the `CONNECT_ERROR` and the client, if CONNECT was refused.
    pub fn refused(self) -> crate::expect::Found<(Value, RawClient)> {
        match self {
            Self::Refused(payload, client) => Ok((payload, client)),
            other => Err(Mismatch::of(
                MismatchKind::Connection,
                ["CONNECT_ERROR"],
                other.words(),
            )),
        }
    }

    fn words(&self) -> Words {
        match self {
            Self::Accepted(_) => "CONNECT was accepted".into(),
            Self::Refused(payload, _) => Words::from("CONNECT_ERROR ").json(payload),
            Self::Silence(_) => "no answer; the connection is open".into(),
            Self::Closed(why) => Words::from("the connection was closed").varying(format!(": {why}")),
        }
    }
}

impl Scene {
    /// Connects with the user's access token, as an everyday client.
    pub async fn connect(&self, user: &User) -> Result<Client, Stop> {
        let name = self.name_for(&user.name);
        let inbox = Arc::new(Inbox::default());
        let (payload, query) = self.credentials(user);
        let target = self.context.target.next_url();
        // What is not to be in the address is not put there: `rust_socketio` shows it in its errors.
        let address = match (self.profile().handshake.path.as_str(), query) {
            ("/socket.io/", query) if query.is_empty() => Ok(target.clone()),
            (path, query) => target.join(&format!("{path}?{}", query.trim_start_matches('&'))),
        };
        let address = address.map_err(|error| Stop::Harness(error.to_string()))?;
        let transport = socketio::connect(
            address.as_str(),
            payload,
            &name,
            inbox.clone(),
            self.transcript.clone(),
            self.timing().connect(),
        )
        .await
        .step(&format!("connecting as {name}"))?;
        Ok(self.client(&name, Some(user), inbox, Transport::SocketIo(transport)))
    }

    /// Connects with the user's access token, as a raw client.
    pub async fn connect_raw(&self, user: &User) -> Result<RawClient, Stop> {
        self.connect_raw_at(self.context.target.next_url(), user).await
    }

    /// Connects as a raw client at an address that may be that of a [`FaultyLine`](super::line::FaultyLine).
    pub(super) async fn connect_raw_at(&self, base: &Url, user: &User) -> Result<RawClient, Stop> {
        let (payload, query) = self.credentials(user);
        let path = format!("{}{query}", self.engine());
        let client = self.open_raw_at(base, &path, &user.name, Some(user)).await?;
        client.connect("/", payload.as_ref())?;
        match client.answer("/", self.timing().connect()).await? {
            Ok(_) => Ok(client),
            Err(payload) => {
                let refused = Words::from("CONNECT_ERROR ").json(&payload);
                let mismatch = Mismatch::of(MismatchKind::Connection, ["CONNECT to be accepted"], refused);
                Err(mismatch).step(&format!("connecting as {}", client.name()))
            }
        }
    }

    /// Asks for a connection in any way, and tells what became of it.
    pub async fn attempt(&self, who: &str, handshake: &Handshake) -> Result<Answer, Stop> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&handshake.query)
            .finish();
        let path = match query {
            query if query.is_empty() => self.engine(),
            query => format!("{}&{query}", self.engine()),
        };
        let client = match self.open_raw(&path, who, None).await {
            Ok(client) => client,
            Err(Stop::Blocked(blocked)) => return Ok(Answer::Closed(blocked.why)),
            Err(stop) => return Err(stop),
        };
        let namespace = handshake.namespace.as_deref().unwrap_or("/");
        client.connect(namespace, handshake.auth.as_ref())?;
        Ok(match client.answer(namespace, self.timing().deadline()).await {
            Ok(Ok(_)) => Answer::Accepted(client),
            Ok(Err(payload)) => Answer::Refused(payload, client),
            Err(_) => match client.closed() {
                Some(why) => Answer::Closed(why),
                None => Answer::Silence(client),
            },
        })
    }

    /// A WebSocket after the Engine.IO handshake, before CONNECT: for frames written by hand.
    pub async fn raw(&self, who: &str) -> Result<RawClient, Stop> {
        self.open_raw(&self.engine(), who, None).await
    }

    /// A session over HTTP long-polling, before CONNECT.
    pub async fn polling(&self) -> Found<Polling> {
        let http = self
            .sockets_http()
            .header("content-type", "text/plain; charset=utf-8");
        Polling::open(http, &self.profile().handshake.path).await
    }

    /// A WebSocket that asks to take over a session of long-polling.
    pub async fn take_over(&self, session: &Polling, who: &str) -> Result<RawClient, Stop> {
        let path = format!("{}&sid={}", self.engine(), session.sid());
        self.dial(session.base(), &path, who, None).await
    }

    /// Joins the chat's room.
    pub async fn join(&self, client: &Client, chat: &Chat) -> Result<(), Stop> {
        self.step(client, "room:join", json!({"chatId": chat.id})).await?;
        Ok(())
    }

    /// Leaves the chat's room.
    pub async fn leave(&self, client: &Client, chat: &Chat) -> Result<(), Stop> {
        self.step(client, "room:leave", json!({"chatId": chat.id}))
            .await?;
        Ok(())
    }

    /// Sends a message under a client id of its own; gives the message's id.
    pub async fn send(&self, client: &Client, chat: &Chat, body: &str) -> Result<String, Stop> {
        let client_id = uuid::Uuid::new_v4().to_string();
        let payload = json!({"chatId": chat.id, "clientId": client_id, "body": body});
        let data = self.step(client, "message:send", payload).await?;
        Ok(text(&data, "/serverId").step("message:send")?.to_owned())
    }

    /// Marks a message as read.
    pub async fn read(&self, client: &Client, chat: &Chat, message_id: &str) -> Result<(), Stop> {
        self.step(
            client,
            "receipt:read",
            json!({"chatId": chat.id, "messageId": message_id}),
        )
        .await?;
        Ok(())
    }

    /// A request that is a mere step: it must succeed; gives the ack's data.
    pub async fn step(&self, client: &Client, event: &str, payload: Value) -> Result<Value, Stop> {
        let reply = client.request(event, payload).await.step(event)?;
        Ok(ack::ok(&reply)
            .step(&format!("{event} as {}", client.name()))?
            .clone())
    }

    fn engine(&self) -> String {
        format!("{}{WEBSOCKET}", self.profile().handshake.path)
    }

    /// Where a user opens a WebSocket of its own, and its CONNECT payload.
    pub(crate) fn address(&self, user: &User) -> Result<(Url, Option<Value>), Stop> {
        let (payload, query) = self.credentials(user);
        let path = format!("{}{query}", self.engine());
        let url = websocket_url(self.context.target.next_url(), &path);
        Ok((url.map_err(|error| Stop::Harness(error.to_string()))?, payload))
    }

    /// How a user asks for a connection: the CONNECT payload, and what goes into the query string behind the rest.
    fn credentials(&self, user: &User) -> (Option<Value>, String) {
        let Connecting {
            token_in,
            token_field,
            ..
        } = &self.profile().handshake;
        match token_in {
            TokenPlace::Payload => {
                let payload = [(token_field.clone(), user.access_token.as_str().into())];
                (Some(Value::Object(payload.into_iter().collect())), String::new())
            }
            TokenPlace::Query => {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair(token_field, &user.access_token)
                    .finish();
                (None, format!("&{query}"))
            }
        }
    }

    async fn open_raw(&self, path: &str, who: &str, user: Option<&User>) -> Result<RawClient, Stop> {
        self.open_raw_at(self.context.target.next_url(), path, who, user)
            .await
    }

    async fn open_raw_at(
        &self,
        base: &Url,
        path: &str,
        who: &str,
        user: Option<&User>,
    ) -> Result<RawClient, Stop> {
        let client = self.dial(base, path, who, user).await?;
        client
            .opened(self.timing().connect())
            .await
            .step(&format!("connecting as {}", client.name()))?;
        Ok(client)
    }

    async fn dial(&self, base: &Url, path: &str, who: &str, user: Option<&User>) -> Result<RawClient, Stop> {
        let name = self.name_for(who);
        let url = websocket_url(base, path).map_err(|error| Stop::Harness(error.to_string()))?;
        let inbox = Arc::new(Inbox::default());
        let transport = raw::dial(
            url.as_str(),
            &name,
            inbox.clone(),
            self.transcript.clone(),
            self.timing().connect(),
        )
        .await
        .step(&format!("connecting as {name}"))?;
        Ok(RawClient::new(self.client(
            &name,
            user,
            inbox,
            Transport::Raw(transport),
        )))
    }

    fn client(&self, name: &str, user: Option<&User>, inbox: Arc<Inbox>, transport: Transport) -> Client {
        let client = Client::new(
            name,
            user.map(|user| user.id.clone()),
            inbox,
            self.hidden.clone(),
            self.transcript.clone(),
            self.timing().deadline(),
            transport,
        );
        self.keep(&client);
        client
    }

    /// `alice`, then `alice#2`, and so on.
    fn name_for(&self, who: &str) -> String {
        let mut names = self.names.lock();
        let count = names.entry(who.to_owned()).or_insert(0);
        *count += 1;
        if *count == 1 {
            who.to_owned()
        } else {
            format!("{who}#{count}")
        }
    }
}

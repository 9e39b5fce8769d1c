//! From the text of a packet to the text of its ack, on the store in memory, one request after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use chatspec_server_core::auth::{Authenticator, Keys};
use chatspec_server_core::chat::{Context, Service};
use chatspec_server_core::clock::{Clock, SystemClock};
use chatspec_server_core::command::{CreateGroup, Limits, MemberList};
use chatspec_server_core::config::Config;
use chatspec_server_core::gateway::{self, Gateway, Sockets};
use chatspec_server_core::ids::{ChatId, ConnectionId, Ids, UserId};
use chatspec_server_core::metrics::Metrics;
use chatspec_server_core::model::NewUser;
use chatspec_server_core::presence::{Contacts, PresenceRegistry};
use chatspec_server_core::rate_limit::{Rate, RateLimiter};
use chatspec_server_core::store::{EmbeddedStore, Location, Store};
use divan::Bencher;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// A request by its name, with the packet that asks for it in a chat, each with another number.
type Request = (&'static str, fn(&str, u64) -> Value);

const REQUESTS: [Request; 5] = [
    ("presence:ping", |_, _| json!(["presence:ping", {}])),
    ("room:join", |chat, _| json!(["room:join", {"chatId": chat}])),
    (
        "typing:start",
        |chat, _| json!(["typing:start", {"chatId": chat}]),
    ),
    ("message:send", |chat, number| send(chat, &number.to_string())),
    ("message:send, a repeat", |chat, _| send(chat, "the same")),
];

fn send(chat: &str, client_id: &str) -> Value {
    json!(["message:send", {"chatId": chat, "clientId": client_id, "body": "x".repeat(100)}])
}

#[divan::bench(args = REQUESTS.map(|(name, _)| name))]
fn request(bencher: Bencher<'_, '_>, name: &str) {
    if let Err(error) = measured(bencher, name) {
        // The others go on; what is missing shows.
        eprintln!("{name} cannot be measured: {error:#}");
    }
}

fn measured(bencher: Bencher<'_, '_>, name: &str) -> anyhow::Result<()> {
    let (_, packet) = REQUESTS
        .into_iter()
        .find(|(known, _)| *known == name)
        .context("no such request")?;
    let runtime = Runtime::new()?;
    let fixture = runtime.block_on(Fixture::open())?;
    let chat = fixture.chat.to_string();
    let number = AtomicU64::new(0);
    let next = || packet(&chat, number.fetch_add(1, Ordering::Relaxed)).to_string();
    // What is measured must be what succeeds.
    let ack = runtime.block_on(fixture.answer(&next()));
    anyhow::ensure!(ack.starts_with(r#"{"ok":true"#), "it is answered {ack}");
    bencher
        .with_inputs(next)
        .bench_local_refs(|packet| runtime.block_on(fixture.answer(packet)));
    Ok(())
}

/// A gateway to which nobody is connected, and a chat.
struct Fixture {
    gateway: Gateway,
    user: UserId,
    chat: ChatId,
}

impl Fixture {
    async fn open() -> anyhow::Result<Self> {
        let config = Config::default();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(Location::Memory, ids, clock.clone())?);
        let metrics = Arc::new(Metrics::new()?);
        let (_layer, io) = gateway::layer(&config);
        io.ns("/", async || ());
        let sockets = Arc::new(Sockets::new(io, metrics.clone()));
        let rate = Rate {
            max: usize::MAX,
            window: Duration::from_millis(1),
        };
        let context = Context {
            store: store.clone(),
            rate_limiter: RateLimiter::new(rate),
            clock: clock.clone(),
            patience: None,
        };
        let contacts = Contacts {
            store: store.clone(),
            publisher: sockets.clone(),
        };
        let gateway = Gateway {
            service: Arc::new(Service::new(context, sockets.clone())),
            auth: Arc::new(Authenticator::new(
                Keys::open(config.key_options())?,
                store.clone(),
                clock,
                60,
            )),
            presence: PresenceRegistry::new(Arc::new(contacts), Duration::ZERO),
            sockets,
            metrics,
            limits: Limits {
                body_max_bytes: 1_000,
            },
        };
        let (user, other) = (register(&*store, "alice").await?, register(&*store, "bob").await?);
        let others = MemberList::new(vec![other]).map_err(anyhow::Error::msg)?;
        let group = CreateGroup { others, title: None };
        let (chat, _) = gateway.service.perform(user, group).await?;
        Ok(Self {
            gateway,
            user,
            chat: chat.id,
        })
    }

    /// The ack of a packet, as text; what a socket does with both is the library's.
    async fn answer(&self, packet: &str) -> String {
        let mut packet: Vec<Value> = serde_json::from_str(packet).unwrap_or_default();
        let event = packet.drain(..1.min(packet.len())).next().unwrap_or_default();
        let event = event.as_str().unwrap_or_default();
        let reply = self
            .gateway
            .answer(self.user, ConnectionId(1), event, &packet)
            .await;
        serde_json::to_string(&reply).unwrap_or_default()
    }
}

async fn register(store: &dyn Store, name: &str) -> anyhow::Result<UserId> {
    let user = NewUser {
        email: format!("{name}@example.org"),
        name: name.to_owned(),
        birthdate: None,
        password_hash: "unused".to_owned(),
    };
    Ok(store.create_user(user).await?.context("the address is taken")?.id)
}

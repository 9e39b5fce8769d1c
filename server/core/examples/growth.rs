//! How what a message costs grows with rooms and with stored messages, and what telling contacts of a presence costs with the
//! chats that a user is in. Without sockets: `chatspec load` has those.
//!
//! Usage: `growth [ROUNDS]`, by default 5; all sizes take turns in each round. Prints a table in Markdown: the median of the
//! rounds, and what it is of the smallest size's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use chatspec_server_core::chat::{Context, Service};
use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::command::{
    Body, ClientId, CreateGroup, Limits, ListMessages, MemberList, SendMessage,
};
use chatspec_server_core::ids::{ChatId, Ids, UserId};
use chatspec_server_core::model::{NewUser, Window};
use chatspec_server_core::publish::{Outbound, Publish};
use chatspec_server_core::rate_limit::{Rate, RateLimiter};
use chatspec_server_core::store::{EmbeddedStore, Location, Store};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Members of a chat.
const MEMBERS: usize = 10;
/// Requests that are under way at the same time.
const AT_ONCE: usize = 64;
/// Messages of one measurement.
const MESSAGES: usize = 5_000;
/// Contacts of one measurement, whatever the number of askings that takes.
const CONTACTS: usize = 50_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(5), |text| text.parse());
    let rounds = rounds.context("ROUNDS is a number")?;

    let mut fixtures = Vec::new();
    for rooms in [10, 100, 1_000, 10_000] {
        fixtures.push((
            format!("{rooms} rooms"),
            Fixture::open(rooms, MEMBERS * 10).await?,
        ));
    }
    compare(
        "a message",
        "µs per message",
        &fixtures,
        rounds,
        async |fixture| fixture.send(MESSAGES).await,
    )
    .await?;

    let mut fixtures = Vec::new();
    for stored in [1_000, 100_000, 1_000_000] {
        let fixture = Fixture::open(100, MEMBERS * 10).await?;
        fixture.send(stored).await?;
        fixtures.push((format!("{stored} stored messages"), fixture));
    }
    compare(
        "a message",
        "µs per message",
        &fixtures,
        rounds,
        async |fixture| fixture.send(MESSAGES).await,
    )
    .await?;
    compare(
        "the newest page",
        "µs per page",
        &fixtures,
        rounds,
        async |fixture| fixture.read(MESSAGES).await,
    )
    .await?;
    drop(fixtures);

    let mut fixtures = Vec::new();
    for chats in [10, 100, 1_000] {
        // Everyone is somebody else: the contacts are as many as the seats beside the user's own.
        let fixture = Fixture::open(chats, chats * (MEMBERS - 1) + 1).await?;
        fixtures.push((format!("{chats} chats per user"), fixture));
    }
    compare(
        "whom to tell of a presence",
        "µs per contact",
        &fixtures,
        rounds,
        async |fixture| fixture.contacts().await,
    )
    .await
}

/// Measures all fixtures in turn, round by round, and prints what came of it.
async fn compare(
    what: &str,
    unit: &str,
    fixtures: &[(String, Fixture)],
    rounds: usize,
    measure: impl AsyncFn(&Fixture) -> anyhow::Result<Duration>,
) -> anyhow::Result<()> {
    let mut taken = vec![Vec::new(); fixtures.len()];
    for _ in 0..rounds {
        for ((_, fixture), taken) in fixtures.iter().zip(&mut taken) {
            taken.push(measure(fixture).await?);
        }
    }
    println!("\n| {what} | {unit} | of the first |\n|---|---|---|");
    let mut first = None;
    for ((name, _), mut taken) in fixtures.iter().zip(taken) {
        taken.sort_unstable();
        let median = taken
            .get(taken.len() / 2)
            .copied()
            .unwrap_or_default()
            .as_secs_f64()
            * 1e6;
        let ratio = median / *first.get_or_insert(median);
        println!("| {name} | {median:.2} | {ratio:.2} |");
    }
    Ok(())
}

/// Chats and users on a store in memory; nobody is connected.
struct Fixture {
    service: Service,
    store: Arc<dyn Store>,
    /// The first of them is in all chats, the others take turns.
    users: Vec<UserId>,
    chats: Vec<ChatId>,
    number: AtomicU64,
}

struct Nobody;

#[async_trait]
impl Publish for Nobody {
    async fn publish(&self, _: Outbound) {}
}

impl Fixture {
    async fn open(chats: usize, users: usize) -> anyhow::Result<Self> {
        let clock = Arc::new(SystemClock);
        let ids = Arc::new(Ids::new(clock.clone()));
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(Location::Memory, ids, clock.clone())?);
        let rate = Rate {
            max: usize::MAX,
            window: Duration::from_millis(1),
        };
        let context = Context {
            store: store.clone(),
            rate_limiter: RateLimiter::new(rate),
            clock,
            patience: None,
        };
        let mut fixture = Self {
            service: Service::new(context, Arc::new(Nobody)),
            store,
            users: Vec::new(),
            chats: Vec::new(),
            number: AtomicU64::default(),
        };
        fixture.users = stream::iter(0..users)
            .map(|number| fixture.register(number))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        fixture.chats = stream::iter(0..chats)
            .map(|number| fixture.found(number))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(fixture)
    }

    async fn register(&self, number: usize) -> anyhow::Result<UserId> {
        let user = NewUser {
            email: format!("{number}@example.org"),
            name: number.to_string(),
            birthdate: None,
            password_hash: "unused".to_owned(),
        };
        Ok(self
            .store
            .create_user(user)
            .await?
            .context("the address is taken")?
            .id)
    }

    async fn found(&self, number: usize) -> anyhow::Result<ChatId> {
        let others = self.users.len() - 1;
        let member = |seat: usize| self.users[1 + (number * (MEMBERS - 1) + seat) % others];
        let others = MemberList::new((0..MEMBERS - 1).map(member).collect()).map_err(|why| anyhow!(why))?;
        let group = CreateGroup { others, title: None };
        let (chat, _) = self.service.perform(self.users[0], group).await?;
        Ok(chat.id)
    }

    /// Sends so many messages, to all chats in turn.
    async fn send(&self, messages: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        stream::iter(0..messages)
            .map(|_| self.send_one())
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(began.elapsed() / u32::try_from(messages)?)
    }

    async fn send_one(&self) -> anyhow::Result<()> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let chat = self.chats[usize::try_from(number)? % self.chats.len()];
        let words = format!(
            "message {number} of a conversation that goes on and on about {}",
            number % 997
        );
        let message = SendMessage {
            chat,
            client_id: Some(ClientId::new(number.to_string()).map_err(|why| anyhow!(why))?),
            body: Body::new(
                &words,
                Limits {
                    body_max_bytes: 1_000,
                },
            )
            .map_err(|why| anyhow!(why))?,
            rate_limited: true,
        };
        self.service.perform(self.users[0], message).await?;
        Ok(())
    }

    /// Reads the newest page so many times, of all chats in turn.
    async fn read(&self, pages: usize) -> anyhow::Result<Duration> {
        let began = Instant::now();
        stream::iter(self.chats.iter().cycle().take(pages))
            .map(|chat| {
                let list = ListMessages {
                    chat: *chat,
                    window: Window::Newest,
                    limit: 20,
                };
                self.service.read(self.users[0], list)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(began.elapsed() / u32::try_from(pages)?)
    }

    /// Asks for the contacts of the first user until so many have been named as in every other fixture.
    async fn contacts(&self) -> anyhow::Result<Duration> {
        let each = self.users.len() - 1;
        let (began, mut named) = (Instant::now(), 0);
        while named < CONTACTS {
            let contacts = self.store.contacts_of(self.users[0]).await?;
            anyhow::ensure!(
                contacts.len() == each,
                "{} contacts instead of {each}",
                contacts.len()
            );
            named += each;
        }
        Ok(began.elapsed() / u32::try_from(named)?)
    }
}

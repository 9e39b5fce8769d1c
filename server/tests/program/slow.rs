//! The database takes its time: what it does not manage in time fails, what was acknowledged is kept, and what needs no
//! database is answered as ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chatspec_services::mongodb::MongoDb;
use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::burst::{Burst, all_were_announced, wait_until};
use crate::chatter::{Person, Socket};
use crate::process::Server;

/// Between server and database: hands everything on, later.
struct Brake {
    address: String,
    delay_ms: Arc<AtomicU64>,
}

impl Brake {
    async fn before(database: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let delay_ms = Arc::new(AtomicU64::new(0));
        let delay = delay_ms.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&database).await.unwrap();
                server.set_nodelay(true).unwrap();
                client.set_nodelay(true).unwrap();
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(hand_on(from_client, to_server, delay.clone()));
                tokio::spawn(hand_on(from_server, to_client, Arc::default()));
            }
        });
        Self { address, delay_ms }
    }

    fn delay(&self, ms: u64) {
        self.delay_ms.store(ms, Ordering::Relaxed);
    }
}

async fn hand_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay_ms: Arc<AtomicU64>,
) {
    let mut buffer = vec![0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let delay = delay_ms.load(Ordering::Relaxed);
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_filled_faster_than_it_can_take() {
    const CHATS: usize = 4;
    // One of ours has one host, and is found at no other address than that of the brake.
    let mongodb = tokio::task::spawn_blocking(MongoDb::obtain_ours)
        .await
        .unwrap()
        .unwrap();
    let uri = mongodb.database("chatspec");
    let host = uri.split("://").nth(1).unwrap().split('/').next().unwrap();
    let brake = Brake::before(host.to_owned()).await;
    let braked = uri.replacen(host, &brake.address, 1);
    let args = [
        "--mongodb-uri",
        &braked,
        "--mongodb-timeout-ms",
        "1500",
        "--rate-max",
        "1000000",
    ];
    let server = Server::start(&args);
    let url = server.url();
    let (ann, bob) = (Person::register(&url).await, Person::register(&url).await);
    let (mut bursts, mut listeners) = (Vec::new(), Vec::new());
    for _ in 0..CHATS {
        let chat = ann.group(&url, &bob).await;
        let sockets = Arc::new(vec![ann.connect(&url).await, bob.connect(&url).await]);
        listeners.push(bob.join(&url, &chat).await);
        bursts.push((chat, sockets, Arc::new(Burst::default())));
    }
    // Each message takes three calls at least, which together take longer than the server waits.
    brake.delay(600);
    let sending = tokio::spawn(join_all(bursts.clone().into_iter().map(
        |(chat, sockets, burst)| async move {
            burst.run(&sockets, &chat).await;
        },
    )));
    let failures = || {
        bursts
            .iter()
            .map(|(_, _, burst)| burst.failures().len())
            .sum::<usize>()
    };
    wait_until("failures", || failures() >= 20).await;
    let idle = bob.connect(&url).await;
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(
            idle.request("presence:ping", &json!({})).await.unwrap()["ok"],
            true
        );
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    }
    brake.delay(0);
    for (_, _, burst) in &bursts {
        burst.until_acked(burst.acked().len() + 5).await;
        burst.end();
    }
    sending.await.unwrap();
    for ((chat, sockets, burst), listener) in bursts.iter().zip(&listeners) {
        assert!(sockets.iter().all(Socket::is_open), "a connection was lost");
        assert_eq!(
            burst.acked().len(),
            burst.sent().len(),
            "in the end, every message is acknowledged"
        );
        burst.is_kept(&bob, &url, chat).await;
        all_were_announced(listener, &bob, &url, chat).await;
        assert_eq!(bob.messages(&url, chat).await.len(), burst.sent().len());
    }
    println!("{} failures while it was slow, 0 lost, 0 doubled", failures());
}

//! The database goes away in the middle of a burst and comes back: requests fail with a correlation id that the log
//! knows, the server says that it is not ready, no connection is lost, and neither is any acknowledged message.

use std::fs;
use std::sync::Arc;
use std::time::Instant;

use chatspec_services::mongodb::MongoDb;
use serde_json::json;

use crate::burst::{Burst, all_were_announced, wait_until};
use crate::chatter::{Person, Socket};
use crate::process::Server;

const OUTAGES: usize = 3;

/// A database that can be taken away.
async fn a_mongodb() -> Arc<MongoDb> {
    let obtained = tokio::task::spawn_blocking(MongoDb::obtain_ours).await;
    Arc::new(obtained.unwrap().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_and_comes_back() {
    let mongodb = a_mongodb().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let args = [
        "--mongodb-uri",
        &mongodb.database("chatspec"),
        "--mongodb-timeout-ms",
        "1000",
        "--rate-max",
        "1000000",
    ];
    let server = Server::logging(&args, log.reopen().unwrap());
    let url = server.url();
    let (ann, bob) = (Person::register(&url).await, Person::register(&url).await);
    let chat = ann.group(&url, &bob).await;
    let sockets = Arc::new(vec![ann.connect(&url).await, bob.connect(&url).await]);
    let listener = bob.join(&url, &chat).await;
    let burst = Arc::new(Burst::default());
    let sending = tokio::spawn({
        let (burst, sockets, chat) = (burst.clone(), sockets.clone(), chat.clone());
        async move { burst.run(&sockets, &chat).await }
    });
    for _ in 0..OUTAGES {
        burst.until_acked(burst.acked().len() + 10).await;
        let failed = burst.failures().len();
        switch(&mongodb, MongoDb::take_down).await;
        wait_until("failures", || burst.failures().len() >= failed + 20).await;
        assert!(server.get("/readyz").starts_with("HTTP/1.1 503"));
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
        // What needs no store is answered as ever.
        let pong = bob.connect(&url).await.request("presence:ping", &json!({})).await;
        assert_eq!(pong.unwrap()["ok"], true);

        switch(&mongodb, MongoDb::bring_up).await;
        let back = Instant::now();
        wait_until("readiness", || server.get("/readyz").starts_with("HTTP/1.1 200")).await;
        println!("ready {} ms after the database", back.elapsed().as_millis());
    }
    burst.until_acked(burst.acked().len() + 10).await;
    burst.end();
    sending.await.unwrap();

    assert!(sockets.iter().all(Socket::is_open), "a connection was lost");
    assert_eq!(
        burst.acked().len(),
        burst.sent().len(),
        "in the end, every message is acknowledged"
    );
    assert!(listener.is_open(), "a connection was lost");
    burst.is_kept(&bob, &url, &chat).await;
    all_were_announced(&listener, &bob, &url, &chat).await;
    assert_eq!(bob.messages(&url, &chat).await.len(), burst.sent().len());
    let log = fs::read_to_string(log.path()).unwrap();
    for id in burst.failures() {
        assert!(log.contains(&id), "{id} is not in the log");
    }
    println!(
        "{OUTAGES} outages, {} acknowledged, {} failures, 0 lost, 0 doubled",
        burst.acked().len(),
        burst.failures().len()
    );
}

/// A server can be stopped while its database is away.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_stops_when_told_to() {
    let mongodb = a_mongodb().await;
    let log = tempfile::NamedTempFile::new().unwrap();
    let args = ["--mongodb-uri", &mongodb.database("chatspec")];
    let mut server = Server::logging(&args, log.reopen().unwrap());
    let ann = Person::register(&server.url()).await;
    let socket = ann.connect(&server.url()).await;
    switch(&mongodb, MongoDb::take_down).await;
    let join = json!({"chatId": "0123456789abcdef01234567"});
    let refused = socket.request("room:join", &join).await.unwrap();
    assert_eq!(refused["error"], "INTERNAL");
    server.signal("-TERM");
    assert_eq!(server.ended(), Some(0));
    let log = fs::read_to_string(log.path()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}

async fn switch(
    mongodb: &Arc<MongoDb>,
    how: fn(&MongoDb) -> Result<(), chatspec_services::mongodb::SwitchError>,
) {
    let mongodb = mongodb.clone();
    tokio::task::spawn_blocking(move || how(&mongodb))
        .await
        .unwrap()
        .unwrap();
}

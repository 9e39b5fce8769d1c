//! Killed with SIGKILL in the middle of a burst, again and again: what was acknowledged is there, once, after the next
//! start, and what was not acknowledged can be sent again under its key.

use std::sync::Arc;

use chatspec_services::mongodb::{Database, MongoDb};
use serde_json::json;

use crate::burst::Burst;
use crate::chatter::Person;
use crate::process::Server;

const ROUNDS: usize = 20;
const SECRET: &str = "only for these tests, 32 bytes or more";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_disk_survives() {
    let folder = tempfile::tempdir().unwrap();
    rounds("disk", &["--data", folder.path().to_str().unwrap()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_mongodb_survives() {
    let database = Database::new_in(MongoDb::shared().unwrap());
    rounds("MongoDB", &["--mongodb-uri", database.uri()]).await;
}

async fn rounds(store: &str, args: &[&str]) {
    let lasting = ["--jwt-secret", SECRET, "--rate-max", "1000000"];
    let args = [args, &lasting].concat();
    let server = Server::start(&args);
    let (ann, bob) = (
        Person::register(&server.url()).await,
        Person::register(&server.url()).await,
    );
    server.kill();
    let (mut acked, mut open) = (0, 0);
    for round in 0..ROUNDS {
        let server = Server::start(&args);
        let url = server.url();
        let chat = ann.group(&url, &bob).await;
        let sockets = Arc::new(vec![ann.connect(&url).await, ann.connect(&url).await]);
        let burst = Arc::new(Burst::default());
        let sending = tokio::spawn({
            let (burst, sockets, chat) = (burst.clone(), sockets.clone(), chat.clone());
            async move { burst.run(&sockets, &chat).await }
        });
        // Sooner and later in the life of a server.
        burst.until_acked(1 + 2 * round).await;
        server.kill();
        sending.await.unwrap();

        let server = Server::start(&args);
        let url = server.url();
        burst.is_kept(&bob, &url, &chat).await;
        // Sent again, each is what it was, or is stored now.
        let (was_acked, sent) = (burst.acked(), burst.sent());
        for key in &sent {
            let path = format!("/v1/chats/{chat}/messages");
            let message = ann
                .post(&url, &path, &json!({"clientId": key, "body": "again"}))
                .await;
            if let Some(id) = was_acked.get(key) {
                assert_eq!(message["_id"], id.as_str());
                assert_eq!(message["body"], format!("of {key}"));
            }
        }
        burst.is_kept(&bob, &url, &chat).await;
        assert_eq!(ann.messages(&url, &chat).await.len(), sent.len(), "each key once");
        acked += was_acked.len();
        open += sent.len() - was_acked.len();
        server.kill();
    }
    assert!(open >= ROUNDS, "the kills were to come in the middle of a burst");
    println!("{store}: {ROUNDS} kills, {acked} acknowledged, {open} under way, 0 lost, 0 doubled");
}

//! A target that the kit starts: with a free port, a MongoDB in its environment, and an end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chatspec::targets::Target;
use chatspec::targets::profile::Profile;
use chatspec_server_core::Server;
use chatspec_server_core::clock::SystemClock;
use chatspec_server_core::config::Config;
use chatspec_server_core::ids::Ids;
use chatspec_server_mongodb::{MongoOptions, MongoStore};
use tokio::net::TcpListener;

/// What is started is a test of this program, which serves until it is stopped.
const TARGET: &str = r#"
urls = ["http://127.0.0.1:{{port}}"]

[launch]
command = "PORT={{port}} exec 'PROGRAM' --ignored --exact the_program_that_is_started"
ready_url = "http://127.0.0.1:{{port}}/readyz"

[services]
mongodb = "MONGODB_OF_THE_PROGRAM"
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the other test has the kit start it"]
async fn the_program_that_is_started() {
    let Ok(uri) = std::env::var("MONGODB_OF_THE_PROGRAM") else {
        return;
    };
    let port: u16 = std::env::var("PORT").unwrap().parse().unwrap();
    let clock = Arc::new(SystemClock);
    let options = MongoOptions {
        uri,
        patience: Duration::from_secs(3),
    };
    let store = MongoStore::connect(&options, Arc::new(Ids::new(clock.clone())), clock).await;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let server = Server::new(Config::default(), Arc::new(store.unwrap()));
    server
        .serve(listener, || {}, std::future::pending())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_started_on_a_database_and_stopped() {
    let program = std::env::current_exe().unwrap();
    let text = TARGET.replace("PROGRAM'", &format!("{}'", program.display()));
    let target = Target::start(Profile::parse(&text).unwrap()).await.unwrap();
    let ready = target.urls()[0].join("/readyz").unwrap();
    assert!(reqwest::get(ready.clone()).await.unwrap().status().is_success());
    // A database that is the kit's own can be taken away; one of `MONGODB_URI` cannot.
    if let Some(store) = target.store() {
        store.take_down().await.unwrap();
        assert_eq!(reqwest::get(ready.clone()).await.unwrap().status(), 503);
        store.bring_up().await.unwrap();
    } else {
        assert!(
            std::env::var("MONGODB_URI").is_ok(),
            "the database was not the kit's"
        );
    }
    tokio::task::spawn_blocking(|| drop(target)).await.unwrap();
    let began = Instant::now();
    while reqwest::get(ready.clone()).await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "it still answers");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

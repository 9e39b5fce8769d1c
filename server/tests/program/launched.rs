//! The program started by the kit, as any target is: with a free port, a MongoDB in its environment, and an end.

use std::time::{Duration, Instant};

use chatspec::target::Target;
use chatspec::target::profile::Profile;

const TARGET: &str = r#"
urls = ["http://127.0.0.1:{{port}}"]

[launch]
command = "PROGRAM --listen 127.0.0.1:{{port}}"
ready_url = "http://127.0.0.1:{{port}}/readyz"

[services]
mongodb = "CHATSPEC_MONGODB_URI"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_kit_starts_it_on_a_database_and_stops_it() {
    let text = TARGET.replace("PROGRAM", env!("CARGO_BIN_EXE_chatspec-server"));
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

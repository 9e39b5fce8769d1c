//! The way through a container engine.

use std::env;
use std::fmt;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::doc;
use testcontainers::core::{IntoContainerPort as _, WaitFor};
use testcontainers::runners::SyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _};

use super::server_thread::Server;

/// Says that the engine is behind TLS.
const TLS: &str = "DOCKER_TLS_VERIFY";
/// What to start.
const IMAGE: &str = "CHATSPEC_MONGO_IMAGE";
/// The official image, unless something else is asked for.
const OFFICIAL: &str = "mongo:8";
/// Where a MongoDB listens inside.
const PORT: u16 = 27_017;
/// How long a start may take, once the image is there.
const START_WITHIN: Duration = Duration::from_mins(1);
/// How many ports are tried when others take them.
const PORTS: usize = 5;
/// How long an orderly end may take.
const STOP_WITHIN_SECONDS: i32 = 10;

/// Our Docker client is built without a TLS of its own, and would speak in the clear, which no such engine understands.
fn refuse_tls(host: Option<&str>, verify: bool) -> Result<(), String> {
    let socket = host.is_none_or(|host| ["unix:", "npipe:"].iter().any(|scheme| host.starts_with(scheme)));
    if !socket && (verify || host.is_some_and(|host| host.starts_with("https:"))) {
        return Err(format!(
            "the Docker engine of DOCKER_HOST is behind TLS, which is not supported: forward its socket, as with \
             ssh -L /tmp/docker.sock:/var/run/docker.sock HOST and DOCKER_HOST=unix:///tmp/docker.sock, without {TLS}"
        ));
    }
    Ok(())
}

/// The name of an image, and its tag.
#[derive(Debug)]
pub(super) struct Image {
    name: String,
    tag: String,
}

impl Image {
    pub(super) fn from_env() -> Self {
        Self::parse(&env::var(IMAGE).unwrap_or_else(|_| OFFICIAL.to_owned()))
    }

    /// A colon before the last slash belongs to the registry's port.
    fn parse(text: &str) -> Self {
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.tag)
    }
}

/// A container with a MongoDB in it.
pub(super) struct Container {
    container: testcontainers::Container<GenericImage>,
    uri: String,
}

impl Container {
    /// Starts one, as a replica set of one; gives its connection string.
    pub(super) fn start(image: &Image) -> Result<(Self, String), String> {
        refuse_tls(
            env::var("DOCKER_HOST").ok().as_deref(),
            env::var_os(TLS).is_some(),
        )?;
        retry_while_taken(|| {
            // A port that the engine chooses is another one after each start.
            let port = free_port().map_err(|error| error.to_string())?;
            Self::start_on(port, image)
        })
    }

    fn start_on(port: u16, image: &Image) -> Result<(Self, String), String> {
        let container = GenericImage::new(&image.name, &image.tag)
            .with_wait_for(WaitFor::message_on_stdout("Waiting for connections"))
            .with_mapped_port(port, PORT.tcp())
            .with_cmd(["--replSet", "rs0", "--bind_ip_all"])
            .with_startup_timeout(START_WITHIN)
            .start()
            .map_err(|error| chain(&error))?;
        let host = container.get_host().map_err(|error| chain(&error))?;
        // The image may hold a stand-in that many connections make slow.
        let uri = format!("mongodb://{host}:{port}/?directConnection=true&maxPoolSize=10");
        let started = Self { container, uri };
        started.make_writable()?;
        let uri = started.uri.clone();
        Ok((started, uri))
    }

    /// Makes it a replica set, unless it is one, and waits until it takes writes.
    fn make_writable(&self) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(make_writable(&self.uri))
    }
}

async fn make_writable(uri: &str) -> Result<(), String> {
    const PACE: Duration = Duration::from_millis(100);
    let client = Client::with_uri_str(uri)
        .await
        .map_err(|error| error.to_string())?;
    let admin = client.database("admin");
    let began = Instant::now();
    loop {
        let hello = admin.run_command(doc! {"hello": 1}).await;
        let why = match hello {
            Ok(hello)
                if hello.get_bool("isWritablePrimary").unwrap_or_default()
                    && hello.contains_key("setName") =>
            {
                return Ok(());
            }
            Ok(hello) if !hello.contains_key("setName") => {
                let members = [doc! {"_id": 0, "host": format!("127.0.0.1:{PORT}")}];
                let set = doc! {"replSetInitiate": {"_id": "rs0", "members": members}};
                // It may have been initiated since; the next look tells.
                admin.run_command(set).await.err().map(|error| error.to_string())
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        if began.elapsed() > START_WITHIN {
            let why = why.unwrap_or_else(|| "it has no primary".to_owned());
            return Err(format!("the container runs, but does not accept writes: {why}"));
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Between the search for a free port and its use by the engine, somebody else may take it.
fn retry_while_taken<T>(mut start: impl FnMut() -> Result<T, String>) -> Result<T, String> {
    let taken = |why: &str| {
        ["port is already allocated", "address already in use"]
            .iter()
            .any(|told| why.contains(told))
    };
    for _ in 1..PORTS {
        match start() {
            Err(why) if taken(&why) => {}
            other => return other,
        }
    }
    start()
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// An error with its causes, where the outermost says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let more = source.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        next = source.source();
    }
    text
}

impl Server for Container {
    fn take_down(&mut self) -> Result<(), String> {
        self.container
            .stop_with_timeout(Some(STOP_WITHIN_SECONDS))
            .map_err(|error| chain(&error))
    }

    fn bring_up(&mut self) -> Result<(), String> {
        self.container.start().map_err(|error| chain(&error))?;
        self.make_writable()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_meanwhile_makes_it_try_another() {
        let taken = "driver failed: Bind for 0.0.0.0:35665 failed: port is already allocated";
        let started = |answers: &[Result<u16, &str>]| {
            let mut answers = answers.iter();
            let next = || {
                answers
                    .next()
                    .copied()
                    .unwrap_or(Err("no more"))
                    .map_err(str::to_owned)
            };
            (retry_while_taken(next), answers.len())
        };
        assert_eq!(started(&[Err(taken), Err(taken), Ok(3), Ok(4)]), (Ok(3), 1));
        assert_eq!(
            started(&[Err("no image"), Ok(2)]),
            (Err("no image".to_owned()), 1)
        );
        assert_eq!(started(&[Err(taken); 9]), (Err(taken.to_owned()), 4));
    }

    #[test]
    fn an_engine_behind_tls_is_refused_in_plain_words() {
        let refused = |host, verify| refuse_tls(host, verify).is_err();
        assert!(refused(Some("tcp://engine.example:2376"), true));
        assert!(refused(Some("https://engine.example:2376"), false));
        assert!(!refused(Some("tcp://127.0.0.1:2375"), false));
        assert!(!refused(Some("unix:///var/run/docker.sock"), true));
        assert!(!refused(None, true));
    }

    #[test]
    fn images_are_read_as_engines_do() {
        let read = |text| Image::parse(text).to_string();
        assert_eq!(read("mongo:8"), "mongo:8");
        assert_eq!(read("mongo"), "mongo:latest");
        assert_eq!(
            read("registry.example:5000/mongo"),
            "registry.example:5000/mongo:latest"
        );
        assert_eq!(
            read("registry.example:5000/mongo:7.0"),
            "registry.example:5000/mongo:7.0"
        );
    }
}

//! The server under test: starting it, and making users there.
//!
//! - [`profile`]: what is known about a target beforehand, from a TOML file
//! - [`mod@launch`]: starting it, where the kit is to do that
//! - [`mod@reference`]: the reference server, started inside the kit's process
//! - [`provision`]: making users, chats and memberships
//! - [`jwt`]: minting tokens with the target's key
//! - [`jwks`]: serving the public half of it
//! - [`tokens`]: which token belongs to which user
//! - [`tail`]: what a process wrote last
//! - [`store`]: taking the target's store away for a while

pub mod jwks;
pub mod jwt;
pub mod launch;
pub mod profile;
pub mod provision;
pub mod reference;
pub mod store;
pub mod tail;
pub mod tokens;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use thiserror::Error;
use url::Url;

use crate::services::mongodb::{Database, MongoDb, NoMongoDb};
use jwks::{Jwks, JwksError};
use jwt::Minter;
use launch::{LaunchError, Launched};
use profile::Profile;
use provision::{ProvisionSetupError, Provisioner};
use store::StoreSwitch;
use tokens::Tokens;

/// A target that can be talked to.
#[derive(Debug)]
pub struct Target {
    /// What is known about it.
    pub profile: Profile,
    urls: Vec<Url>,
    /// Where the REST API is, if that is somewhere else.
    rest: Option<Url>,
    next: AtomicUsize,
    http: reqwest::Client,
    store: Option<StoreSwitch>,
    provisioner: Provisioner,
    tokens: Tokens,
    running: Option<Running>,
}

/// What runs for a target and ends with it, the target itself before what it needs.
#[derive(Debug)]
enum Running {
    Reference {
        _server: reference::Running,
    },
    Launched {
        server: Mutex<Launched>,
        _mongodb: Option<Database>,
        _jwks: Option<Jwks>,
    },
}

/// Why there is no target to talk to.
#[derive(Debug, Error)]
pub enum TargetError {
    /// A URL that is none, or of a scheme other than http and https.
    #[error("{url}: {why}. Give the address of the server, as in http://127.0.0.1:4000")]
    Url {
        /// The URL as it was given.
        url: String,
        /// Why it is no usable URL.
        why: String,
    },
    /// No URL at all.
    #[error("there is no URL to test: give --url, or urls in the target file")]
    NoUrl,
    /// HTTP cannot be spoken at all on this machine.
    #[error("the HTTP client could not be set up: {0}")]
    Http(#[from] reqwest::Error),
    /// Users cannot be made.
    #[error(transparent)]
    Provision(#[from] ProvisionSetupError),
    /// It cannot be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// It was to have a MongoDB.
    #[error("services.mongodb: {0}")]
    MongoDb(#[from] NoMongoDb),
    /// Something in the kit broke off.
    #[error("the kit is at fault: {0}")]
    Fault(#[from] tokio::task::JoinError),
    /// It was to have the public keys.
    #[error("auth.jwks_env: {0}")]
    Jwks(#[from] JwksError),
}

impl Target {
    /// A target at the profile's URLs.
    pub fn new(profile: Profile) -> Result<Self, TargetError> {
        let urls = profile
            .urls
            .iter()
            .map(|url| parse(url))
            .collect::<Result<Vec<_>, _>>()?;
        if urls.is_empty() {
            return Err(TargetError::NoUrl);
        }
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            store: StoreSwitch::of(&profile.hooks, &profile.folder),
            provisioner: Provisioner::new(&profile)?,
            rest: profile.rest.url.as_deref().map(parse).transpose()?,
            profile,
            urls,
            next: AtomicUsize::new(0),
            http,
            tokens: Tokens::default(),
            running: None,
        })
    }

    /// The target of a profile, started first where the profile says how.
    pub async fn start(mut profile: Profile) -> Result<Self, TargetError> {
        let Some(launch) = profile.launch.clone() else {
            return Self::new(profile);
        };
        let mut env = Vec::new();
        let mongodb = match &profile.services.mongodb {
            Some(variable) => {
                let mongodb = tokio::task::spawn_blocking(MongoDb::obtain).await??;
                let database = Database::new_in(Arc::new(mongodb));
                env.push((variable.clone(), database.uri().to_owned()));
                Some(database)
            }
            None => None,
        };
        let jwks = match profile.auth.jwks_env.clone() {
            Some(variable) => {
                let jwks = serve_keys(&mut profile).await?;
                env.push((variable, jwks.url.clone()));
                Some(jwks)
            }
            None => None,
        };
        let started = launch::launch(&launch, &profile.folder, &profile.urls, &env).await?;
        profile.urls = started.urls;
        if let Some(url) = &mut profile.rest.url {
            *url = url.replace(launch::PORT, &started.port);
        }
        let mut target = Self::new(profile)?;
        let ours = mongodb.as_ref().and_then(Database::ours);
        target.store = target.store.or(ours.map(StoreSwitch::MongoDb));
        target.running = Some(Running::Launched {
            server: Mutex::new(started.launched),
            _mongodb: mongodb,
            _jwks: jwks,
        });
        Ok(target)
    }

    /// Keeps a server that the kit has started, until the target is dropped.
    #[must_use]
    pub fn keeping(mut self, running: reference::Running) -> Self {
        self.store = Some(running.store_switch());
        self.running = Some(Running::Reference { _server: running });
        self
    }

    /// Records the tokens of every user made from now on in `tokens`, which a proxy may share.
    #[must_use]
    pub fn with_tokens(mut self, tokens: Tokens) -> Self {
        self.tokens = tokens;
        self
    }

    /// The record of which token belongs to which user.
    pub const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The exit status and the last output of a target that the kit started, if it has ended.
    pub fn exit_report(&self) -> Option<String> {
        match &self.running {
            Some(Running::Launched { server, .. }) => server.lock().exit_report(),
            _ => None,
        }
    }

    /// The process group that it runs as, where the kit has started it.
    pub fn process_group(&self) -> Option<u32> {
        match &self.running {
            Some(Running::Launched { server, .. }) => server.lock().process_group(),
            _ => None,
        }
    }

    /// How users, chats and all else are made there.
    pub const fn provisioner(&self) -> &Provisioner {
        &self.provisioner
    }

    /// How its store can be taken away, if it can.
    pub const fn store(&self) -> Option<&StoreSwitch> {
        self.store.as_ref()
    }

    /// The URLs under test.
    pub fn urls(&self) -> &[Url] {
        &self.urls
    }

    /// The URL for the next client: they take turns.
    pub fn next_url(&self) -> &Url {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        // There is at least one: `new` sees to it.
        &self.urls[turn % self.urls.len()]
    }

    /// Where the REST API is, if that is somewhere else.
    pub const fn own_rest_url(&self) -> Option<&Url> {
        self.rest.as_ref()
    }

    /// The URL for the next REST request.
    pub fn rest_url(&self) -> &Url {
        self.rest.as_ref().unwrap_or_else(|| self.next_url())
    }

    /// The HTTP client that all share.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }
}

/// Serves the public half of the target's key, which is made first where there is none.
async fn serve_keys(profile: &mut Profile) -> Result<Jwks, TargetError> {
    if profile.auth.private_key.is_none() {
        let algorithm = profile.auth.algorithm;
        let key = tokio::task::spawn_blocking(move || jwt::new_private_key(algorithm)).await?;
        profile.auth.private_key = Some(key.map_err(JwksError::Key)?);
    }
    let minter = Minter::new(&profile.auth).ok_or(ProvisionSetupError::NoKey)?;
    Ok(Jwks::serve(&minter).await?)
}

fn parse(text: &str) -> Result<Url, TargetError> {
    let wrong = |why: String| TargetError::Url {
        url: text.to_owned(),
        why,
    };
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!(
            "the scheme {} is neither http nor https",
            url.scheme()
        )));
    }
    Ok(url)
}

/// The WebSocket address of the same port: path and query are replaced.
pub fn websocket_url(base: &Url, path_and_query: &str) -> Result<Url, TargetError> {
    let wrong = |why: String| TargetError::Url {
        url: base.to_string(),
        why,
    };
    let mut url = base
        .join(path_and_query)
        .map_err(|error| wrong(error.to_string()))?;
    let scheme = if base.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme)
        .map_err(|()| wrong("no WebSocket address can be made of it".to_owned()))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_take_turns() {
        let profile = |urls: &[&str]| Profile {
            urls: urls.iter().map(ToString::to_string).collect(),
            ..Profile::default()
        };
        assert!(matches!(Target::new(profile(&[])), Err(TargetError::NoUrl)));
        for wrong in ["ftp://x", "nonsense", "localhost:4000"] {
            assert!(
                matches!(Target::new(profile(&[wrong])), Err(TargetError::Url { .. })),
                "{wrong}"
            );
        }
        let target = Target::new(profile(&["http://a:1", "http://b:2"])).unwrap();
        let turns: Vec<_> = (0..3).map(|_| target.next_url().port()).collect();
        assert_eq!(turns, [Some(1), Some(2), Some(1)]);
    }

    #[test]
    fn websocket_addresses_follow_the_scheme() {
        let url = websocket_url(&Url::parse("https://chat.example/").unwrap(), "/socket.io/?EIO=4").unwrap();
        assert_eq!(url.as_str(), "wss://chat.example/socket.io/?EIO=4");
    }
}

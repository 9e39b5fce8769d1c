//! A proxy between clients and a target, on this machine: it sees everything, and rules may change some of it.
//!
//! ```text
//! http ─┬─► routes ─────────┐
//!       └─► wire ─► frames ─┴─► flow ─► state ─► apply(rules) ─► what passes, and what happens beside it
//! ```
//!
//! - [`Proxy`]: started, and its addresses
//! - `http`: requests and answers, and the upgrade to a WebSocket; `routes`: which request is which
//! - `wire`: what goes over a WebSocket; `frames`: WebSocket frames out of a stream of bytes
//! - [`rule`]: what is to be done to what passes; [`when`]: under which conditions
//! - [`state`]: who is behind a connection, and what belongs to what; `memory`: what was seen before
//! - `view`: frames as rules see them; `flow`: from a frame to what is to be done; `apply`: the part that rules decide
//!
//! Without rules it is transparent: bytes of a WebSocket pass as they are, whatever they mean, in their order; HTTP passes
//! with all headers but those that are for the next neighbour alone. A side that does not read is waited for.
//!
//! Rules are about text messages of Socket.IO that come in one frame and have nothing binary in them, and about the HTTP
//! requests of a target file. All else passes untouched, long-polling too.

mod apply;
mod flow;
mod frames;
mod http;
mod memory;
mod routes;
pub mod rule;
pub mod state;
mod view;
pub mod when;
mod wire;

use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use thiserror::Error;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use crate::targets::profile::rest::Rest;
use crate::targets::tokens::Tokens;
use http::Listener;
use routes::Routes;
use rule::{Observation, Rule};
use state::State;
use wire::Links;

/// A proxy that runs until this is dropped.
pub struct Proxy {
    urls: Vec<String>,
    shared: Arc<Shared>,
    _stop: DropGuard,
}

/// What a proxy is to do, and what it is told; by default it does nothing.
#[derive(Clone, Debug, Default)]
pub struct Instructions {
    /// What is done to what passes.
    pub rules: Vec<Rule>,
    /// What is worth remembering.
    pub observations: Vec<Observation>,
    /// How the target's REST API is spoken.
    pub rest: Rest,
    /// Which token belongs to which user; for a token that is not in it, the `sub` of a JWT names the user.
    pub tokens: Tokens,
}

/// What all connections of a proxy share.
struct Shared {
    http: reqwest::Client,
    routes: Routes,
    state: Mutex<State>,
    links: Mutex<Links>,
    stop: CancellationToken,
}

impl Shared {
    /// What is known; for a moment only, and never while something is awaited.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// How connections are reached; for a moment only, too.
    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock()
    }
}

/// Why a proxy does not run.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// No port could be opened.
    #[error("the proxy cannot listen on 127.0.0.1: {0}")]
    Port(#[from] io::Error),
    /// HTTP cannot be spoken at all on this machine.
    #[error("the HTTP client of the proxy could not be set up: {0}")]
    Http(#[from] reqwest::Error),
}

impl Proxy {
    /// Starts a proxy that listens on a free port of 127.0.0.1 for each of these addresses.
    pub async fn start(targets: &[Url], instructions: Instructions) -> Result<Self, ProxyError> {
        let Instructions {
            rules,
            observations,
            rest,
            tokens,
        } = instructions;
        let http = reqwest::Client::builder()
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // An upgrade to a WebSocket is a thing of HTTP/1.1.
            .http1_only()
            .build()?;
        let stop = CancellationToken::new();
        let shared = Arc::new(Shared {
            http,
            routes: Routes::of(&rest),
            state: Mutex::new(State::new(rules, observations, tokens)),
            links: Mutex::default(),
            stop: stop.clone(),
        });
        let mut urls = Vec::new();
        for target in targets {
            let listener = Listener {
                target: target.clone(),
                shared: shared.clone(),
            };
            urls.push(listener.open().await?);
        }
        Ok(Self {
            urls,
            shared,
            _stop: stop.drop_guard(),
        })
    }

    /// How often a rule was about something that passed.
    pub fn fired(&self) -> usize {
        self.shared.state().fired
    }

    /// Where it listens: an address for each of the target's, in the same order.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({})", self.urls.join(" "))
    }
}

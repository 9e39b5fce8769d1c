//! A proxy between clients and a target, on this machine: it sees everything, and may be told to spoil some of it.
//!
//! - [`Proxy`]: started, and its addresses
//! - `http`: requests and answers, and the upgrade to a WebSocket
//! - `wire`: what goes over a WebSocket
//! - `frames`: WebSocket frames out of a stream of bytes
//!
//! Without rules it is transparent: bytes of a WebSocket pass as they are, whatever they mean, in their order; HTTP passes
//! with all headers but those that are for the next neighbour alone. A side that does not read is waited for.

mod frames;
mod http;
mod wire;

use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use http::Door;

/// A proxy that runs until this is dropped.
#[derive(Debug)]
pub struct Proxy {
    urls: Vec<String>,
    _stop: DropGuard,
}

/// What all connections of a proxy share.
struct Shared {
    http: reqwest::Client,
    stop: CancellationToken,
}

/// Why a proxy does not run.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// No port.
    #[error("a proxy cannot be started on 127.0.0.1: {0}")]
    Port(#[from] io::Error),
    /// HTTP cannot be spoken at all on this machine.
    #[error("the HTTP client of a proxy could not be set up: {0}")]
    Http(#[from] reqwest::Error),
}

impl Proxy {
    /// Starts a proxy with a door, which is a free port on 127.0.0.1, for each of these addresses.
    pub async fn start(targets: &[Url]) -> Result<Self, ProxyError> {
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
            stop: stop.clone(),
        });
        let mut urls = Vec::new();
        for target in targets {
            let door = Door {
                target: target.clone(),
                shared: shared.clone(),
            };
            urls.push(door.open().await?);
        }
        Ok(Self {
            urls,
            _stop: stop.drop_guard(),
        })
    }

    /// Where it listens: an address for each of the target's, in the same order.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }
}

//! From a configuration and a store to a running server, and back to nothing.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::auth::{Authenticator, KeyError, Keys, Passwords};
use crate::chat::{Context, Service};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::gateway::{self, Gateway, Sockets};
use crate::metrics::Metrics;
use crate::presence::{Contacts, PresenceRegistry};
use crate::rate_limit::RateLimiter;
use crate::rest::{self, RestState};
use crate::store::{FaultyStore, Store};
use crate::{health, publish::Publish};

/// Why the server could not start, or ended otherwise than asked to; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There is no usable key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An origin is none.
    #[error("--cors-origin {0:?} is no origin; give scheme and host, as in https://app.example")]
    Origin(String),
    /// Something that the configuration asks for is not available.
    #[error("{0}")]
    Setup(String),
    /// The listener failed.
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// What a server is made of.
pub struct Server {
    config: Config,
    store: Arc<dyn Store>,
    patience: Option<Duration>,
    pages: Router,
}

impl Server {
    /// A server that keeps everything in `store`.
    pub fn new(config: Config, store: Arc<dyn Store>) -> Self {
        Self {
            config,
            store,
            patience: None,
            pages: Router::new(),
        }
    }

    /// How long a request waits for the store at most; for ever where nothing is said.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Serves these pages as well.
    #[must_use]
    pub fn with_pages(mut self, pages: Router) -> Self {
        self.pages = pages;
        self
    }

    /// Serves on `listener` until `shutdown`; calls `ready` when everything is set up and the first request can come. At the
    /// end it stops accepting, closes all connections and the store, and returns, at the latest after
    /// [`Config::shutdown_ms`].
    pub async fn serve(
        self,
        listener: TcpListener,
        ready: impl FnOnce() + Send,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let grace = Duration::from_millis(self.config.shutdown_ms);
        let running = self.build()?;
        ready();
        serve(running, grace, listener, shutdown).await
    }

    fn build(self) -> Result<Running, ServeError> {
        let Self {
            config,
            store,
            patience,
            pages,
        } = self;
        let config = &config;
        let store = match config.fault_body.clone() {
            Some(body) => Arc::new(FaultyStore::failing_on(store, body)),
            None => store,
        };
        let setup = |error: &dyn std::fmt::Display| ServeError::Setup(error.to_string());
        let cors = cors(&config.cors_origins)?;
        let keys = Keys::open(config.key_options())?;
        let passwords = Passwords::new(config.password_cost()).map_err(|error| setup(&error))?;
        let metrics = Arc::new(Metrics::new().map_err(|error| setup(&error))?);

        let clock = Arc::new(SystemClock);
        let (layer, io) = gateway::layer(config);
        let sockets = Arc::new(Sockets::new(io.clone(), metrics.clone()));
        let publisher: Arc<dyn Publish> = sockets.clone();
        let auth = Arc::new(Authenticator::new(
            keys,
            store.clone(),
            clock.clone(),
            config.session_seconds,
        ));
        let rate_limiter = RateLimiter::new(config.rate());
        let context = Context {
            store: store.clone(),
            rate_limiter,
            clock,
            patience,
        };
        let service = Arc::new(Service::new(context, publisher.clone()));
        let contacts = Arc::new(Contacts {
            store: store.clone(),
            publisher,
        });
        let presence = PresenceRegistry::new(contacts, Duration::from_millis(config.presence_window_ms));
        let limits = config.limits();

        let rest = RestState {
            service: service.clone(),
            auth: auth.clone(),
            passwords,
            limits,
            body_limit: usize::try_from(config.max_payload_bytes).unwrap_or(usize::MAX),
        };
        let gateway = Gateway {
            service,
            auth,
            presence,
            sockets,
            metrics: metrics.clone(),
            limits,
        };
        gateway::open(&io, Arc::new(gateway));

        // CORS stands outside the Socket.IO layer, whose answers need its headers too.
        let routes = rest::router(rest)
            .merge(health::router(store.clone(), metrics))
            .merge(pages)
            .layer(layer)
            .layer(cors);
        Ok(Running { routes, io, store })
    }
}

async fn serve(
    server: Running,
    grace: Duration,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let (stop, stopping) = tokio::sync::watch::channel(false);

    // Small packets must not wait for each other's acknowledgement.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let mut until_stop = stopping.clone();
    let http = axum::serve(listener, server.routes).with_graceful_shutdown(async move {
        // An error means that the sender was dropped: stop as well.
        let _ = until_stop.wait_for(|stop| *stop).await;
    });
    let mut http = tokio::spawn(http.into_future());

    tokio::select! {
        () = shutdown => {}
        ended = &mut http => return ended.map_err(std::io::Error::other)?.map_err(ServeError::from),
    }
    tracing::info!("stopping");
    let _ = stop.send(true);
    let closing = async {
        server.io.close().await;
        let _ = (&mut http).await;
    };
    let deadline = tokio::time::Instant::now() + grace;
    if tokio::time::timeout_at(deadline, closing).await.is_err() {
        tracing::warn!("some connections did not close in time");
        http.abort();
    }
    // The store has a moment in any case.
    let deadline = deadline.max(tokio::time::Instant::now() + Duration::from_secs(1));
    match tokio::time::timeout_at(deadline, server.store.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "the store did not close cleanly"),
        Err(_) => tracing::error!("the store did not close in time"),
    }
    tracing::info!("stopped");
    Ok(())
}

/// The parts that live as long as the server.
struct Running {
    routes: Router,
    io: socketioxide::SocketIo,
    store: Arc<dyn Store>,
}

/// Answers to configured origins, and to no other (TRANS-03).
fn cors(origins: &[String]) -> Result<CorsLayer, ServeError> {
    let parsed = origins.iter().map(|origin| {
        let plausible = origin.contains("://") && !origin.ends_with('/') && !origin.contains('*');
        HeaderValue::from_str(origin)
            .ok()
            .filter(|_| plausible)
            .ok_or_else(|| ServeError::Origin(origin.clone()))
    });
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
    ];
    let headers: [HeaderName; 2] = [header::AUTHORIZATION, header::CONTENT_TYPE];
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::list(parsed.collect::<Result<Vec<_>, _>>()?))
        .allow_methods(methods)
        .allow_headers(headers)
        .allow_credentials(true))
}

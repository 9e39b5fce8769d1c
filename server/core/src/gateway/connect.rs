//! The handshake, and what a connection is from then on (contract §2).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Query;
use parking_lot::Mutex;
use serde_json::Value;
use socketioxide::SocketIo;
use socketioxide::extract::{SocketRef, TryData};
use socketioxide::handler::ConnectHandler as _;
use socketioxide::socket::DisconnectReason;
use tokio::sync::mpsc::Receiver;

use super::Gateway;
use super::queue::{Queued, Request, process, queue};
use super::sockets::Room;
use crate::auth::{AuthError, Refused};
use crate::error::ChatError;
use crate::ids::{ConnectionId, UserId};
use crate::presence::Lifecycle;

/// The one answer to every refused handshake, whatever the cause (AUTH-14).
#[derive(Debug, thiserror::Error)]
#[error("UNAUTHORIZED")]
struct Unauthorized;

/// What the middleware hands on to the connection.
#[derive(Clone)]
struct Admitted {
    user: UserId,
    connection: ConnectionId,
    lifecycle: Lifecycle,
    requests: Arc<Mutex<Option<Receiver<Box<Request>>>>>,
}

pub(super) fn open(io: &SocketIo, gateway: Arc<Gateway>) {
    let numbers = Arc::new(AtomicU64::new(1));
    let admit = {
        let gateway = gateway.clone();
        async move |socket: SocketRef, TryData(auth): TryData<Value>| {
            let connection = ConnectionId(numbers.fetch_add(1, Ordering::Relaxed));
            admit(gateway.clone(), socket, connection, auth.ok()).await
        }
    };
    let begin = async move |socket: SocketRef| begin(&gateway, &socket);
    io.ns("/", begin.with(admit));
}

/// Decides whether a connection is let in. Everything that the library may call later is registered here and before
/// the first await, so that nothing which the client sends early is lost; it waits in the queue until [`begin`].
async fn admit(
    gateway: Arc<Gateway>,
    socket: SocketRef,
    connection: ConnectionId,
    auth: Option<Value>,
) -> Result<(), Unauthorized> {
    let (queue, requests) = queue();
    let lifecycle = Lifecycle::default();
    socket.extensions.insert(queue);
    socket.on_fallback(async |_: Queued| {});
    let on_close = (gateway.clone(), lifecycle.clone());
    socket.on_disconnect(async move |socket: SocketRef, reason: DisconnectReason| {
        let (gateway, lifecycle) = on_close;
        end(&gateway, &lifecycle, &socket, reason);
    });

    let query = Query::<HashMap<String, String>>::try_from_uri(&socket.req_parts().uri);
    let token = token(
        auth,
        query.ok().and_then(|Query(mut query)| query.remove("token")),
    );
    let identity = match token {
        Some(token) => gateway.auth.authenticate(&token).await,
        None => Err(Refused::Missing.into()),
    };
    let user = identity.map_err(|error| {
        match error {
            AuthError::Refused(reason) => {
                tracing::info!(socket = connection.0, status = "refused", %reason, "connection");
            }
            AuthError::Store(error) => {
                // This logs the cause; the client gets the same refusal as for any other reason.
                let _ = ChatError::from(error);
            }
        }
        gateway.metrics.connection_refused();
        Unauthorized
    })?;
    // In the user's room from the start (AUTH-11).
    socket.join(Room::User(user).to_string());
    let requests = Arc::new(Mutex::new(Some(requests)));
    socket.extensions.insert(Admitted {
        user,
        connection,
        lifecycle,
        requests,
    });
    Ok(())
}

/// The token of a handshake: the payload's where it has one, whatever its type (AUTH-15), else the query's.
fn token(auth: Option<Value>, query: Option<String>) -> Option<String> {
    let in_payload = match auth {
        Some(Value::Object(mut fields)) => fields.remove("token"),
        _ => None,
    };
    match in_payload {
        Some(Value::String(token)) => Some(token),
        Some(_) => None,
        None => query,
    }
}

/// The connection is established: its requests are processed, and its user counts as connected.
fn begin(gateway: &Arc<Gateway>, socket: &SocketRef) {
    let Some(Admitted {
        user,
        connection,
        lifecycle,
        requests,
    }) = socket.extensions.get::<Admitted>()
    else {
        return;
    };
    let Some(requests) = requests.lock().take() else {
        return;
    };
    tracing::info!(%user, socket = connection.0, status = "connected", "connection");
    // Added before its user is announced, so that who hears of it and answers at once is delivered.
    gateway.sockets.add(connection, user, socket.clone());
    tokio::spawn(process(gateway.clone(), user, connection, requests));
    gateway.metrics.connected();
    if !lifecycle.connect(&gateway.presence, user) {
        gateway.sockets.remove(connection);
        gateway.metrics.disconnected();
    }
}

fn end(gateway: &Gateway, lifecycle: &Lifecycle, socket: &SocketRef, reason: DisconnectReason) {
    let Some(Admitted { user, connection, .. }) = socket.extensions.remove::<Admitted>() else {
        return;
    };
    tracing::info!(%user, socket = connection.0, status = "disconnected", %reason, "connection");
    if lifecycle.close(&gateway.presence, user) {
        gateway.sockets.remove(connection);
        gateway.metrics.disconnected();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_payloads_token_wins_even_when_it_is_no_text() {
        let query = || Some("from query".to_owned());
        assert_eq!(
            token(Some(json!({"token": "from payload"})), query()).unwrap(),
            "from payload"
        );
        for bad in [json!({"token": null}), json!({"token": 7}), json!({"token": {}})] {
            assert_eq!(token(Some(bad), query()), None);
        }
    }

    #[test]
    fn without_one_in_the_payload_the_querys_token_counts() {
        for payload in [None, Some(json!({})), Some(json!(null)), Some(json!("text"))] {
            assert_eq!(token(payload, Some("from query".into())).unwrap(), "from query");
        }
        assert_eq!(token(None, None), None);
    }
}

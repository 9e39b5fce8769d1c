//! HTTP through the proxy: requests and answers with their headers and bodies, and the upgrade to a WebSocket.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use reqwest::Body;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::Shared;
use super::wire;
use crate::client::http::innermost;

/// One address of the target, and what all its doors share.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) target: Url,
    pub(super) shared: Arc<Shared>,
}

/// What is between two neighbours on the way and no part of the message (RFC 9110, section 7.6.1).
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

impl Door {
    /// Listens on a free port; gives the address.
    pub(super) async fn open(self) -> io::Result<String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let stop = self.shared.stop.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => self.clone().serve(stream),
                    // As long as there are too many open files, for instance.
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        }));
        Ok(url)
    }

    fn serve(self, stream: TcpStream) {
        stream.set_nodelay(true).ok();
        let stop = self.shared.stop.clone();
        let service = service_fn(move |request| {
            let door = self.clone();
            async move { Ok::<_, Infallible>(pass(door, request).await) }
        });
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::spawn(stop.run_until_cancelled_owned(connection));
    }
}

/// Passes a request on, and gives the answer.
async fn pass(door: Door, mut request: Request<Incoming>) -> Response<Body> {
    let upgrade = wants_websocket(request.headers())
        .then(|| request.extensions_mut().remove::<OnUpgrade>())
        .flatten();
    match ask(&door, request, upgrade.is_some()).await {
        Ok(answer) => match upgrade {
            Some(upgrade) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                connect(&door, upgrade, answer)
            }
            _ => answered(answer),
        },
        Err(error) => {
            let why = format!("{} cannot be asked: {}", door.target, innermost(&error));
            let mut failed = Response::new(Body::from(why));
            *failed.status_mut() = StatusCode::BAD_GATEWAY;
            failed
        }
    }
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

async fn ask(door: &Door, request: Request<Incoming>, upgrade: bool) -> reqwest::Result<reqwest::Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let base = door.target.as_str().trim_end_matches('/');
    let mut headers = parts.headers;
    end_to_end(&mut headers, upgrade);
    // It names the proxy; the target gets its own name.
    headers.remove(header::HOST);
    let request = door
        .shared
        .http
        .request(parts.method, format!("{base}{path}"))
        .headers(headers);
    let request = if body.is_end_stream() {
        request
    } else {
        request.body(Body::wrap(body))
    };
    request.send().await
}

fn answered(answer: reqwest::Response) -> Response<Body> {
    let mut answer = Response::from(answer);
    end_to_end(answer.headers_mut(), false);
    answer
}

/// Answers that the WebSocket is open, and connects both ends as soon as that has been read.
fn connect(door: &Door, upgrade: OnUpgrade, answer: reqwest::Response) -> Response<Body> {
    let mut opened = Response::new(Body::default());
    *opened.status_mut() = answer.status();
    opened.headers_mut().clone_from(answer.headers());
    end_to_end(opened.headers_mut(), true);
    let stop = door.shared.stop.clone();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        if let (Ok(client), Ok(server)) = tokio::join!(upgrade, answer.upgrade()) {
            wire::relay(TokioIo::new(client), server).await;
        }
    }));
    opened
}

/// Takes the headers out that are for the next neighbour alone; those that open a WebSocket stay where there is to be one.
fn end_to_end(headers: &mut HeaderMap, upgrade: bool) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        let opens = *name == header::CONNECTION || *name == header::UPGRADE;
        if !(upgrade && opens) {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn left(upgrade: bool) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "Upgrade, X-Private"),
            ("upgrade", "websocket"),
            ("x-private", "1"),
            ("transfer-encoding", "chunked"),
            ("authorization", "Bearer x"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        end_to_end(&mut headers, upgrade);
        headers.keys().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_for_the_next_neighbour_is_not_passed_on() {
        assert_eq!(left(false), ["authorization"]);
        assert_eq!(left(true), ["connection", "upgrade", "authorization"]);
    }
}

//! HTTP through the proxy: requests and answers with their headers and bodies, and the upgrade to a WebSocket.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use reqwest::Body;
use serde_json::{Map, Value, json};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::Shared;
use super::wire;
use crate::client::http::innermost;

/// An address on which the proxy listens for one address of the target.
#[derive(Clone)]
pub(super) struct Listener {
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

impl Listener {
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
            let listener = self.clone();
            async move { Ok::<_, Infallible>(pass(listener, request).await) }
        });
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::spawn(stop.run_until_cancelled_owned(connection));
    }
}

/// Passes a request on, and gives the answer.
async fn pass(listener: Listener, mut request: Request<Incoming>) -> Response<Body> {
    let upgrade = wants_websocket(request.headers())
        .then(|| request.extensions_mut().remove::<OnUpgrade>())
        .flatten();
    let passed = match upgrade {
        Some(upgrade) => open(&listener, request, upgrade).await,
        None => exchange(&listener, request).await,
    };
    passed.unwrap_or_else(|why| {
        let mut failed = Response::new(Body::from(format!(
            "{} cannot be reached: {why}",
            listener.target
        )));
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    })
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// Asks the target what the proxy was asked.
async fn ask(
    listener: &Listener,
    parts: &hyper::http::request::Parts,
    body: Option<Body>,
    upgrade: bool,
) -> Result<reqwest::Response, String> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let base = listener.target.as_str().trim_end_matches('/');
    let mut headers = parts.headers.clone();
    end_to_end(&mut headers, upgrade);
    // It names the proxy; the target gets its own name.
    headers.remove(header::HOST);
    let request = listener
        .shared
        .http
        .request(parts.method.clone(), format!("{base}{path}"))
        .headers(headers);
    let request = match body {
        Some(body) => request.body(body),
        None => request,
    };
    request.send().await.map_err(|error| innermost(&error))
}

/// A request and its answer. Those that the kit makes beside the sockets are looked at; all others just pass.
async fn exchange(listener: &Listener, request: Request<Incoming>) -> Result<Response<Body>, String> {
    let (parts, body) = request.into_parts();
    let body = (!body.is_end_stream()).then_some(body);
    let found = listener
        .shared
        .routes
        .find(parts.method.as_str(), parts.uri.path());
    let Some((operation, path)) = found else {
        let answer = ask(listener, &parts, body.map(Body::wrap), false).await?;
        return Ok(passed_on(answer));
    };
    let asked = match body {
        Some(body) => Some(whole(body).await?),
        None => None,
    };
    let answer = passed_on(ask(listener, &parts, asked.clone().map(Body::from), false).await?);
    let (mut head, body) = answer.into_parts();
    let body = whole(body).await?;

    let request = json!({
        "path": path, "query": query(&parts.uri), "headers": shown(&parts.headers),
        "body": asked.map(|body| as_json(&body)),
    });
    let mut view = json!({
        "packet": "answer", "operation": operation.name(), "request": request, "status": head.status.as_u16(),
        "headers": shown(&head.headers), "data": as_json(&body),
    });
    let headers = view["headers"].clone();
    let edited = {
        let mut state = listener.shared.state();
        view["conn"] = state.asker(&parts.headers);
        state.learn_answer(operation, &view);
        state.http(view)
    };
    let Some(edited) = edited else {
        return Ok(Response::from_parts(head, body.into()));
    };
    change(&mut head, &headers, &edited);
    Ok(Response::from_parts(head, edited["data"].to_string().into()))
}

async fn whole<B>(body: B) -> Result<Bytes, String>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: std::fmt::Display,
{
    let collected = body.collect().await.map_err(|error| error.to_string())?;
    Ok(collected.to_bytes())
}

fn as_json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn query(uri: &Uri) -> Value {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    Value::Object(
        pairs
            .map(|(name, value)| (name.into_owned(), value.into()))
            .collect(),
    )
}

fn shown(headers: &HeaderMap) -> Value {
    let shown = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
    Value::Object(shown.collect::<Map<_, _>>())
}

/// Makes status and headers what rules have made of them.
fn change(head: &mut hyper::http::response::Parts, before: &Value, edited: &Value) {
    if let Some(status) = edited["status"]
        .as_u64()
        .and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok())
    {
        head.status = status;
    }
    // The body may be of another length now.
    head.headers.remove(header::CONTENT_LENGTH);
    let changed = edited["headers"].as_object().into_iter().flatten();
    for (name, value) in changed.filter(|(name, value)| before[name.as_str()] != **value) {
        let Ok(name) = name.parse::<HeaderName>() else {
            continue;
        };
        match value.as_str().and_then(|value| HeaderValue::from_str(value).ok()) {
            Some(value) => drop(head.headers.insert(name, value)),
            None => drop(head.headers.remove(name)),
        }
    }
}

fn passed_on(answer: reqwest::Response) -> Response<Body> {
    let mut answer = Response::from(answer);
    end_to_end(answer.headers_mut(), false);
    answer
}

/// Has the target open a WebSocket, and connects both ends as soon as the client has read that it is open.
async fn open(
    listener: &Listener,
    request: Request<Incoming>,
    upgrade: OnUpgrade,
) -> Result<Response<Body>, String> {
    let (parts, _) = request.into_parts();
    let answer = ask(listener, &parts, None, true).await?;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(passed_on(answer));
    }
    let mut opened = Response::new(Body::default());
    *opened.status_mut() = answer.status();
    opened.headers_mut().clone_from(answer.headers());
    end_to_end(opened.headers_mut(), true);
    let token = query(&parts.uri)["token"].as_str().map(str::to_owned);
    let shared = listener.shared.clone();
    let stop = shared.stop.clone();
    tokio::spawn(stop.run_until_cancelled_owned(async move {
        if let (Ok(client), Ok(server)) = tokio::join!(upgrade, answer.upgrade()) {
            wire::relay(&shared, token, TokioIo::new(client), server).await;
        }
    }));
    Ok(opened)
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

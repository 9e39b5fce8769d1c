//! HTTP long-polling: Engine.IO packets in the bodies of GET and POST.

use reqwest::Method;
use serde_json::Value;
use url::Url;

use super::http::Http;
use crate::expect::{Found, Mismatch, MismatchKind, text};
use crate::text::shorten;

/// Between two packets of one body.
const SEPARATOR: char = '\u{1e}';

/// A session over long-polling; pings are answered while something is awaited.
#[derive(Debug)]
pub struct Polling {
    http: Http,
    path: String,
    sid: String,
    handshake: Value,
    /// Received and not yet asked for.
    packets: Vec<String>,
}

impl Polling {
    /// Opens a session where Socket.IO listens; CONNECT is not sent.
    pub(crate) async fn open(http: Http, listens_at: &str) -> Found<Self> {
        let path = format!("{listens_at}?EIO=4&transport=polling");
        let reply = http.get(&path).await?;
        reply.expect(&[200])?;
        let mut packets: Vec<String> = reply.text.split(SEPARATOR).map(str::to_owned).collect();
        let opened = packets.remove(0);
        let handshake: Value = opened
            .strip_prefix('0')
            .and_then(|json| serde_json::from_str(json).ok())
            .ok_or_else(|| {
                Mismatch::of(
                    MismatchKind::Connection,
                    ["an Engine.IO handshake"],
                    shorten(&opened),
                )
            })?;
        let sid = text(&handshake, "/sid")?.to_owned();
        Ok(Self {
            http,
            path: format!("{path}&sid={sid}"),
            sid,
            handshake,
            packets,
        })
    }

    /// The id of the session, by which a WebSocket can take it over.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The payload of the Engine.IO handshake, as in [`RawClient::handshake`](super::raw::RawClient::handshake).
    pub const fn handshake(&self) -> &Value {
        &self.handshake
    }

    /// Where the session is: it stays at one address.
    pub(crate) const fn base(&self) -> &Url {
        &self.http.base
    }

    /// Sends one packet.
    pub async fn send(&self, packet: &str) -> Found {
        let reply = self
            .http
            .send(Method::POST, &self.path, Some(packet.to_owned()))
            .await?;
        reply.expect(&[200]).map(drop)
    }

    /// Polls once; what comes is kept for [`Polling::receive`].
    pub async fn poll(&mut self) -> Found {
        let reply = self.http.get(&self.path).await?;
        reply.expect(&[200])?;
        for packet in reply.text.split(SEPARATOR) {
            if packet == "2" {
                self.send("3").await?;
            } else {
                self.packets.push(packet.to_owned());
            }
        }
        Ok(())
    }

    /// Polls until a packet with one of these beginnings has come, and takes it out.
    pub async fn receive(&mut self, beginnings: &[&str]) -> Found<String> {
        /// More polls than any answer takes; an endless stream of something else ends here.
        const POLLS: usize = 20;
        for _ in 0..POLLS {
            let found = self
                .packets
                .iter()
                .position(|packet| beginnings.iter().any(|beginning| packet.starts_with(beginning)));
            if let Some(found) = found {
                return Ok(self.packets.remove(found));
            }
            self.poll().await?;
        }
        let expected = beginnings
            .iter()
            .map(|beginning| format!("a packet {beginning}…"));
        Err(Mismatch::of(
            MismatchKind::Connection,
            expected,
            format!("none of them in {POLLS} polls"),
        ))
    }
}

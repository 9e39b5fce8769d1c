//! A client whose network fails at a chosen moment: its way to the target leads through a proxy of the scene's own.
//!
//! The worst moments are those that the client cannot tell from others: an ack that was sent and never arrived looks like a
//! request that was never received.

use serde::Deserialize as _;
use serde_json::Value;
use url::Url;

use super::people::User;
use super::{Scene, Stop};
use crate::client::raw::RawClient;
use crate::proxy::rule::Rule;
use crate::proxy::{Instructions, Proxy};

/// The way of some clients to the target. What goes over it ends when this is dropped.
#[derive(Debug)]
pub struct FaultyLine {
    url: Url,
    _proxy: Proxy,
}

impl Scene {
    /// A line to the target on which this [`Rule`], as JSON, is applied to what passes.
    pub async fn line(&self, rule: Value) -> Result<FaultyLine, Stop> {
        let fault = |why: String| Stop::Harness(format!("a line that fails: {why}"));
        let rule = Rule::deserialize(rule).map_err(|error| fault(error.to_string()))?;
        rule.check().map_err(fault)?;
        let instructions = Instructions {
            rules: vec![rule],
            ..Instructions::default()
        };
        let target = self.context.target.next_url().clone();
        let proxy = Proxy::start(&[target], instructions).await;
        let proxy = proxy.map_err(|error| fault(error.to_string()))?;
        let url = proxy.urls().first().and_then(|url| Url::parse(url).ok());
        let url = url.ok_or_else(|| fault("the proxy has no address".to_owned()))?;
        Ok(FaultyLine { url, _proxy: proxy })
    }

    /// Connects over a line with the user's access token, as a raw client.
    pub async fn connect_over(&self, line: &FaultyLine, user: &User) -> Result<RawClient, Stop> {
        self.connect_raw_at(&line.url, user).await
    }
}

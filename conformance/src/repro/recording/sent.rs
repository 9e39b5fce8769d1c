//! What goes out: connections, events, closing.

use serde_json::Value;
use url::Url;

use super::super::steps::{Ack, Action, Ask, Step};
use super::super::{NotReproducible, frames, wanted};
use super::{Client, Item, Reader};
use crate::transcript::record::Entry;

/// A frame that is longer is beyond what servers take.
const LONGEST: usize = 700_000;

impl<'a> Reader<'a> {
    pub(super) fn sent(&mut self, at: usize, entry: &'a Entry) -> Result<(), NotReproducible> {
        let Some(decoded) = &entry.decoded else {
            return frames(format!("{} sends {}", entry.client, entry.text));
        };
        if decoded["http"] == "request" {
            return self.request(at, entry, decoded);
        }
        let namespace = decoded["namespace"].as_str().unwrap_or("/");
        if namespace != "/" || entry.text.len() > LONGEST || entry.text.starts_with("45") {
            let shown: String = entry.text.chars().take(60).collect();
            return frames(format!("{} sends {shown}", entry.client));
        }
        match decoded["packet"].as_str() {
            Some("connect") => self.connect(at, entry, decoded),
            Some("disconnect") => {
                let helps = self.client(&entry.client)?.helps;
                let client = entry.client.clone();
                self.push(Action::Close { client }, helps);
                Ok(())
            }
            Some("event") if decoded["event"].is_string() => self.event(at, entry, decoded),
            _ => frames(format!("{} sends {}", entry.client, entry.text)),
        }
    }

    fn connect(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), NotReproducible> {
        // The everyday client says where it connects, the raw one has said so before.
        let address = match self.opening.remove(entry.client.as_str()) {
            Some(address) => Some(address),
            None => decoded["url"].as_str(),
        };
        let address = address.and_then(|address| Url::parse(address).ok());
        let query = address.iter().flat_map(Url::query_pairs);
        let query = query.filter(|(name, _)| !matches!(name.as_ref(), "EIO" | "transport"));
        let query: Vec<(String, String)> = query.map(|(name, value)| (name.into(), value.into())).collect();
        let auth = Some(&decoded["data"]).filter(|auth| !auth.is_null());
        let given = auth.and_then(|auth| auth["token"].as_str());
        let tokens = given
            .into_iter()
            .chain(query.iter().map(|(_, value)| value.as_str()));
        let tokens: Vec<(&str, Option<&str>)> = tokens.map(|token| (token, self.names.name(token))).collect();
        if tokens
            .iter()
            .any(|(token, name)| name.is_none() && token.starts_with("ey"))
        {
            return Err(NotReproducible::Minted);
        }
        let accepted = match self.answers.to(at).map(|answer| &answer["packet"]) {
            Some(packet) if packet == "connect" => true,
            Some(packet) if packet == "connect_error" => false,
            _ => return frames(format!("{} is not answered", entry.client)),
        };
        let user = tokens.first().and_then(|(_, name)| {
            let (user, _) = (*name)?.rsplit_once('.')?;
            self.users.iter().find(|known| known.name == user)
        });
        let helps = user.is_some_and(|user| user.helps);
        let query = query
            .iter()
            .map(|(name, value)| (name.clone(), self.names.text(value).into()));
        let action = Action::Connect {
            client: entry.client.clone(),
            query: query.collect(),
            auth: auth.map(|auth| self.names.value(auth)),
            refused: !accepted,
        };
        self.clients.push(Client {
            name: entry.client.clone(),
            accepted,
            helps,
        });
        self.push(action, helps);
        Ok(())
    }

    fn event(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), NotReproducible> {
        let sender = self.client(&entry.client)?;
        if !sender.accepted {
            return frames(format!("{} sends though it was refused", entry.client));
        }
        let helps = sender.helps;
        let client = entry.client.clone();
        let event = decoded["event"].as_str().unwrap_or_default().to_owned();
        let recorded = decoded["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        let args = recorded.iter().map(|arg| self.names.value(arg)).collect();
        let Some(answer) = self.answers.to(at) else {
            let ack = !decoded["ack"].is_null();
            let action = Action::Send {
                client,
                event,
                args,
                ack,
            };
            self.push(action, helps);
            return Ok(());
        };
        let reply = &answer["args"][0];
        if reply["error"] == "INTERNAL" {
            return frames("the server fails on purpose");
        }
        let ack = match self.answers.of_many(at) {
            Some(outcome) => Ack::OneOf(outcome),
            None => wanted::ack(&mut self.names, &event, recorded, reply),
        };
        let ask = Ask {
            client,
            event,
            args,
            ack,
        };
        if self.answers.is_joined(at)
            && let Some(Item::Step(Step {
                action: Action::Ask(asks),
                fence: false,
                ..
            })) = self.items.last_mut()
        {
            asks.push(ask);
        } else {
            self.push(Action::Ask(vec![ask]), helps);
        }
        Ok(())
    }
}

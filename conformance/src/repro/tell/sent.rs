//! What goes out: connections, events, closing.

use serde_json::Value;
use url::Url;

use super::super::story::{Ack, Ask, Client, Step};
use super::super::term::{Term, Var};
use super::super::{Untold, wanted};
use super::{Teller, Told};
use crate::transcript::record::Entry;

/// A frame that is longer is beyond what servers take.
const LONGEST: usize = 700_000;

impl<'a> Teller<'a> {
    pub(super) fn sent(&mut self, at: usize, entry: &'a Entry) -> Result<(), Untold> {
        let Some(decoded) = &entry.decoded else {
            return Err(Untold::Frames(format!("{} sends {}", entry.client, entry.text)));
        };
        if decoded["http"] == "request" {
            return self.request(at, entry, decoded);
        }
        let namespace = decoded["namespace"].as_str().unwrap_or("/");
        if namespace != "/" || entry.text.len() > LONGEST || entry.text.starts_with("45") {
            let shown: String = entry.text.chars().take(60).collect();
            return Err(Untold::Frames(format!("{} sends {shown}", entry.client)));
        }
        match decoded["packet"].as_str() {
            Some("connect") => self.connect(at, entry, decoded),
            Some("disconnect") => {
                let client = self.client(&entry.client)?;
                self.push(Step::Close(client), client);
                Ok(())
            }
            Some("event") if decoded["event"].is_string() => self.event(at, entry, decoded),
            _ => Err(Untold::Frames(format!("{} sends {}", entry.client, entry.text))),
        }
    }

    fn connect(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), Untold> {
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
        let tokens: Vec<(&str, Option<Var>)> = tokens.map(|token| (token, self.names.var(token))).collect();
        if tokens
            .iter()
            .any(|(token, var)| var.is_none() && token.starts_with("ey"))
        {
            return Err(Untold::Minted);
        }
        let accepted = match self.answers.to(at).map(|answer| &answer["packet"]) {
            Some(packet) if packet == "connect" => true,
            Some(packet) if packet == "connect_error" => false,
            _ => return Err(Untold::Frames(format!("{} is not answered", entry.client))),
        };
        let user = tokens.first().and_then(|(_, var)| match var {
            Some(Var::Token(user) | Var::Session(user)) => Some(*user),
            _ => None,
        });
        let client = self.clients.len();
        self.clients.push(Client {
            name: entry.client.clone(),
            user,
        });
        if accepted {
            self.connected.insert(client);
        }
        let query = query
            .into_iter()
            .map(|(name, value)| (name, self.names.text(&value)));
        let step = Step::Connect {
            client,
            query: query.collect(),
            auth: auth.map(|auth| self.names.term(auth)),
            accepted,
            judge: Vec::new(),
        };
        self.push(step, client);
        Ok(())
    }

    fn event(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), Untold> {
        let client = self.client(&entry.client)?;
        if !self.connected.contains(&client) {
            return Err(Untold::Frames(format!(
                "{} sends though it was refused",
                entry.client
            )));
        }
        let event = decoded["event"].as_str().unwrap_or_default().to_owned();
        let args = decoded["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        let terms: Vec<Term> = args.iter().map(|arg| self.names.term(arg)).collect();
        let Some(answer) = self.answers.to(at) else {
            let step = Step::Tell {
                client,
                event,
                args: terms,
                asks: !decoded["ack"].is_null(),
            };
            self.push(step, client);
            return Ok(());
        };
        let reply = &answer["args"][0];
        if reply["error"] == "INTERNAL" {
            return Err(Untold::Frames("the server fails on purpose".to_owned()));
        }
        let (ack, binds) = match self.answers.of_many(at) {
            Some(outcome) => (Ack::Counted(outcome), Vec::new()),
            None => wanted::ack(&mut self.names, &event, args, reply),
        };
        let ask = Ask {
            client,
            event,
            args: terms,
            ack,
            binds,
        };
        match self.told.last_mut() {
            Some(Told::Step(Step::Ask { asks, .. })) if self.answers.is_joined(at) => asks.push(ask),
            _ => {
                let step = Step::Ask {
                    asks: vec![ask],
                    judge: Vec::new(),
                };
                self.push(step, client);
            }
        }
        Ok(())
    }
}

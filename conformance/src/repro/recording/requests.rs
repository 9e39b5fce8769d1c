//! Requests to the REST API, and users.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::names::placeholder;
use super::super::steps::{Action, Answer};
use super::super::{NotReproducible, frames, rest, wanted};
use super::{Reader, User};
use crate::targets::profile::operation::Operation;
use crate::transcript::record::Entry;

impl<'a> Reader<'a> {
    pub(super) fn request(
        &mut self,
        at: usize,
        entry: &'a Entry,
        decoded: &'a Value,
    ) -> Result<(), NotReproducible> {
        let (method, path) = (&decoded["method"], &decoded["path"]);
        let (method, path) = (
            method.as_str().unwrap_or_default(),
            path.as_str().unwrap_or_default(),
        );
        let Some((operation, values)) = rest::recognise(method, path, &decoded["body"]) else {
            return frames(format!("{} sends {method} {path}", entry.client));
        };
        if operation == Operation::Register {
            self.register(entry);
            return Ok(());
        }
        let Some(user) = self.users.iter().rfind(|user| user.recorded == entry.client) else {
            return frames(format!("{} acts without having registered", entry.client));
        };
        let (user, helps) = (user.name.clone(), user.helps);
        let id = Value::from(placeholder(&format!("{user}.id")));
        let mut fill: BTreeMap<String, Value> = values
            .iter()
            .map(|(name, value)| (name.clone(), self.names.value(value)))
            .collect();
        if let Some(limit) = values.get("limit").and_then(Value::as_str) {
            let number = limit.parse::<u32>().map_or_else(|_| limit.into(), Value::from);
            fill.insert("limit".to_owned(), number);
        }
        if operation == Operation::CreateChat {
            let members = fill.get("members").and_then(Value::as_array);
            let everyone = std::iter::once(&id).chain(members.into_iter().flatten());
            let everyone = everyone.cloned().collect();
            fill.insert("everyone".to_owned(), everyone);
            fill.insert("creator".to_owned(), id);
        }
        let answer = self.answers.to(at).map_or(&Value::Null, |answer| &answer["body"]);
        let answer = self.answer(operation, helps, answer);
        let fence = self.is_fence(&decoded["body"]) || helps;
        let action = Action::Rest {
            user,
            operation,
            fill,
            answer,
            call: None,
        };
        self.push(action, fence);
        Ok(())
    }

    fn register(&mut self, entry: &'a Entry) {
        let recorded = entry.client.as_str();
        let (name, helps) = match recorded {
            "witness" => ("witness", true),
            "fence-admin" => ("helper", true),
            "fence-spare" => ("spare", true),
            name => (name, false),
        };
        let earlier = self.users.iter().filter(|user| user.recorded == recorded).count();
        let name = match earlier {
            0 => name.to_owned(),
            earlier => format!("{name} {}", earlier + 1),
        };
        let waiting = self.registering.entry(recorded).or_default();
        waiting.push_back(self.users.len());
        self.users.push(User {
            recorded,
            name: name.clone(),
            helps,
        });
        self.push(Action::Register { user: name }, helps);
    }

    /// What matters of the answer to a request.
    fn answer(&mut self, operation: Operation, helps: bool, answer: &Value) -> Answer {
        let rows = |name: &str| answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
        match (operation, answer["_id"].as_str()) {
            (Operation::CreateChat, Some(id)) if self.names.name(id).is_none() => {
                self.chats += 1;
                let chat = match self.chats {
                    1 => "chat".to_owned(),
                    number => format!("chat {number}"),
                };
                self.names.bind(id, chat.as_str());
                if helps {
                    self.fences.insert(chat.clone());
                }
                Answer::Id(chat)
            }
            (Operation::PostMessage, Some(id)) => Answer::Id(self.names.bind_message(id)),
            (Operation::ListMessages, _) => {
                let messages = rows("messages").iter();
                Answer::Messages(messages.map(|row| wanted::listed(&self.names, row)).collect())
            }
            (Operation::ListChats, _) => {
                let counts = rows("chats").iter().filter_map(|row| {
                    let chat = self.names.name(row["_id"].as_str()?)?;
                    Some((chat, row["unreadCount"].as_u64()?))
                });
                let counts = counts.filter(|(chat, _)| !self.fences.contains(*chat));
                Answer::Unread(counts.map(|(chat, count)| (placeholder(chat), count)).collect())
            }
            _ => Answer::Nothing,
        }
    }
}

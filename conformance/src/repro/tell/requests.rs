//! Requests to the REST API, and users.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::story::{Part, Step, Take, User};
use super::super::term::{Term, Var};
use super::super::{Untold, rest, wanted};
use super::{Teller, Told};
use crate::targets::profile::operation::Operation;
use crate::transcript::record::Entry;

impl<'a> Teller<'a> {
    pub(super) fn request(&mut self, at: usize, entry: &'a Entry, decoded: &'a Value) -> Result<(), Untold> {
        let (method, path) = (&decoded["method"], &decoded["path"]);
        let (method, path) = (
            method.as_str().unwrap_or_default(),
            path.as_str().unwrap_or_default(),
        );
        let Some((operation, values)) = rest::recognise(method, path, &decoded["body"]) else {
            return Err(Untold::Frames(format!("{} sends {method} {path}", entry.client)));
        };
        if operation == Operation::Register {
            self.register(entry);
            return Ok(());
        }
        let named = self
            .users
            .iter()
            .rposition(|user| user.name == called(&entry.client));
        let user = named.ok_or_else(|| Untold::users(&entry.client))?;
        let mut fill: BTreeMap<String, Term> = values
            .iter()
            .map(|(name, value)| (name.clone(), self.names.term(value)))
            .collect();
        if let Some(Value::String(limit)) = values.get("limit") {
            let number = limit.parse::<u32>().map(|limit| Term::Number(limit.into()));
            fill.insert("limit".to_owned(), number.unwrap_or_else(|_| Term::plain(limit)));
        }
        if operation == Operation::CreateChat {
            let mut everyone = vec![Term::var(Var::User(user))];
            if let Some(Term::List(members)) = fill.get("members") {
                everyone.extend(members.iter().cloned());
            }
            fill.insert("creator".to_owned(), Term::var(Var::User(user)));
            fill.insert("everyone".to_owned(), Term::List(everyone));
        }
        let answer = self.answers.to(at).map_or(&Value::Null, |answer| &answer["body"]);
        let take = self.taken(operation, user, answer);
        let fence = self.is_fence(&decoded["body"]) || self.users[user].part != Part::Player;
        let step = Step::Rest {
            user,
            operation,
            fill,
            take,
            judge: Vec::new(),
        };
        self.told.push(Told::step(step, fence));
        Ok(())
    }

    fn register(&mut self, entry: &'a Entry) {
        let (name, part) = match entry.client.as_str() {
            "witness" => ("witness", Part::Witness),
            "fence-admin" => ("helper", Part::Helper),
            "fence-spare" => ("spare", Part::Helper),
            name => (name, Part::Player),
        };
        let user = self.users.len();
        self.users.push(User {
            name: name.to_owned(),
            part,
        });
        self.registering.entry(&entry.client).or_default().push_back(user);
        self.told.push(Told::Fence(Step::Register(user)));
    }

    /// What is taken from the answer to a request.
    fn taken(&mut self, operation: Operation, user: usize, answer: &Value) -> Take {
        let rows = |name: &str| answer[name].as_array().map(Vec::as_slice).unwrap_or_default();
        match (operation, answer["_id"].as_str()) {
            (Operation::CreateChat, Some(id)) if self.names.var(id).is_none() => {
                let chat = Var::Chat(self.chats);
                self.chats += 1;
                self.names.bind(id, chat);
                if self.users[user].part != Part::Player {
                    self.fences.insert(chat);
                }
                Take::Id(chat)
            }
            (Operation::PostMessage, Some(id)) => Take::Id(self.names.bind_message(id)),
            (Operation::ListMessages, _) => {
                let messages = rows("messages").iter();
                Take::Messages(messages.map(|row| wanted::listed(&self.names, row)).collect())
            }
            (Operation::ListChats, _) => {
                let counts = rows("chats").iter().filter_map(|row| {
                    let chat = self.names.var(row["_id"].as_str()?)?;
                    Some((chat, row["unreadCount"].as_u64()?))
                });
                Take::Unread(counts.filter(|(chat, _)| !self.fences.contains(chat)).collect())
            }
            _ => Take::Nothing,
        }
    }
}

/// The name of a user in the story.
fn called(client: &str) -> &str {
    match client {
        "fence-admin" => "helper",
        "fence-spare" => "spare",
        name => name,
    }
}

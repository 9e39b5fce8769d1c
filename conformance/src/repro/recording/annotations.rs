//! What the kit has meant: who is registered, what was waited for, counted and judged.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::super::steps::Action;
use super::super::{NotReproducible, frames, limits, wanted};
use super::{Item, Reader};
use crate::event::Mark;
use crate::transcript::annotation::Annotation;
use crate::transcript::record::Entry;

impl Reader<'_> {
    pub(super) fn annotation(
        &mut self,
        entry: &Entry,
        annotation: &Annotation,
    ) -> Result<(), NotReproducible> {
        match annotation {
            Annotation::Registered {
                id,
                access_token,
                session_token,
            } => {
                let waiting = self.registering.get_mut(entry.client.as_str());
                let Some(user) = waiting.and_then(VecDeque::pop_front) else {
                    return frames(format!("{} acts without having registered", entry.client));
                };
                let name = &self.users[user].name;
                self.names.bind(id, format!("{name}.id"));
                self.names.bind(&access_token.0, format!("{name}.token"));
                if let Some(token) = session_token {
                    self.names.bind(&token.0, format!("{name}.session"));
                }
            }
            Annotation::Judged(id) if limits::of_requirement(id).is_some() => {}
            Annotation::Judged(id) => self.items.push(Item::Judged(id.clone())),
            Annotation::Marked(mark) => {
                let client = self.client(&entry.client)?.name.clone();
                // The same place again is a mark of its own: where a script is, more may have come by then.
                let number = self.marked.entry(client.clone()).or_default();
                *number += 1;
                let name = format!("{client} {number}");
                self.marks.insert((client.clone(), *mark), name.clone());
                self.push(Action::Mark { client, name }, false);
            }
            Annotation::Heard { event, data, after } => {
                let client = self.client(&entry.client)?.name.clone();
                let fence = self.is_fence(data);
                let wanted = if fence {
                    wanted::sentinel(&self.names, data)
                } else {
                    wanted::event(&mut self.names, event, data)
                };
                let action = Action::Hear {
                    since: self.since(&client, *after),
                    client,
                    event: event.clone(),
                    wanted,
                };
                self.push(action, fence);
            }
            Annotation::Looked { event, data } => self.looked(&entry.client, event, data)?,
            Annotation::Counted {
                n,
                event,
                conditions,
                after,
            } => {
                let client = self.client(&entry.client)?.name.clone();
                let Some(conditions) = conditions else {
                    return frames(format!("{event} is counted by more than its fields"));
                };
                let conditions = conditions
                    .iter()
                    .map(|(pointer, value)| (pointer.clone(), self.names.value(value)));
                let action = Action::Count {
                    times: *n,
                    since: self.since(&client, *after),
                    client,
                    event: event.clone(),
                    wanted: wanted::at_pointers(conditions),
                };
                self.push(action, false);
            }
        }
        Ok(())
    }

    /// Of several senders, the contract orders the messages of each.
    fn looked(&mut self, client: &str, event: &str, data: &[Value]) -> Result<(), NotReproducible> {
        let client = self.client(client)?.name.clone();
        let mut by_sender: Vec<(&Value, Vec<Value>)> = Vec::new();
        for data in data.iter().filter(|_| event == "message:new") {
            let sender = &data["message"]["senderId"];
            let wanted = json!({"message": {"_id": self.names.value(&data["message"]["_id"])}});
            match by_sender.iter_mut().find(|(known, _)| *known == sender) {
                Some((_, list)) => list.push(wanted),
                None => by_sender.push((sender, vec![wanted])),
            }
        }
        for (_, wanted) in by_sender.into_iter().filter(|(_, list)| list.len() > 1) {
            let action = Action::Order {
                client: client.clone(),
                event: event.to_owned(),
                wanted,
            };
            self.push(action, false);
        }
        Ok(())
    }

    fn since(&self, client: &str, after: Option<Mark>) -> Option<String> {
        self.marks.get(&(client.to_owned(), after?)).cloned()
    }
}

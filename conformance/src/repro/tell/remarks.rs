//! What the kit has meant: who is registered, what was waited for, counted and judged.

use std::collections::VecDeque;

use serde_json::Value;

use super::super::story::Step;
use super::super::term::{Term, Var};
use super::super::{Untold, limits, wanted};
use super::{Teller, Told};
use crate::event::Mark;
use crate::transcript::annotation::Annotation;
use crate::transcript::record::Entry;

impl Teller<'_> {
    pub(super) fn remark(&mut self, entry: &Entry, remark: &Annotation) -> Result<(), Untold> {
        match remark {
            Annotation::Registered {
                id,
                access_token,
                session_token,
            } => {
                let waiting = self.registering.get_mut(entry.client.as_str());
                let user = waiting.and_then(VecDeque::pop_front);
                let user = user.ok_or_else(|| Untold::users(&entry.client))?;
                self.names.bind(id, Var::User(user));
                self.names.bind(&access_token.0, Var::Token(user));
                if let Some(token) = session_token {
                    self.names.bind(&token.0, Var::Session(user));
                }
            }
            Annotation::Judged(id) if limits::of_requirement(id).is_some() => {}
            Annotation::Judged(id) => self.told.push(Told::Judged(id.clone())),
            Annotation::Marked(mark) => {
                let client = self.client(&entry.client)?;
                // The same place again is a mark of its own: where a script is, more may have come by then.
                let since = self.since;
                self.since += 1;
                self.marks.insert((client, *mark), since);
                self.told.push(Told::Fence(Step::Mark { client, since }));
            }
            Annotation::Heard { event, data, after } => {
                let client = self.client(&entry.client)?;
                let fence = self.is_fence(data);
                let (wanted, binds) = if fence {
                    (wanted::sentinel(&self.names, data), Vec::new())
                } else {
                    wanted::event(&mut self.names, event, data)
                };
                let step = Step::Hear {
                    client,
                    event: event.clone(),
                    wanted,
                    since: self.since(client, *after),
                    binds,
                    judge: Vec::new(),
                };
                self.told.push(Told::step(step, fence));
            }
            Annotation::Looked { event, data } => self.looked(&entry.client, event, data)?,
            Annotation::Counted {
                n,
                event,
                conditions,
                after,
            } => {
                let client = self.client(&entry.client)?;
                let Some(conditions) = conditions else {
                    return Err(Untold::Frames(format!(
                        "{event} is counted by more than its fields"
                    )));
                };
                self.told.push(Told::Step(Step::Count {
                    n: *n,
                    client,
                    event: event.clone(),
                    wanted: wanted::at_pointers(&self.names, conditions),
                    since: self.since(client, *after),
                    judge: Vec::new(),
                }));
            }
        }
        Ok(())
    }

    /// Of several senders, the contract orders the messages of each.
    fn looked(&mut self, client: &str, event: &str, data: &[Value]) -> Result<(), Untold> {
        let client = self.client(client)?;
        let mut by_sender: Vec<(&Value, Vec<Term>)> = Vec::new();
        for data in data.iter().filter(|_| event == "message:new") {
            let sender = &data["message"]["senderId"];
            let id = [("/message/_id".to_owned(), data["message"]["_id"].clone())];
            let wanted = wanted::at_pointers(&self.names, &id);
            match by_sender.iter_mut().find(|(known, _)| *known == sender) {
                Some((_, list)) => list.push(wanted),
                None => by_sender.push((sender, vec![wanted])),
            }
        }
        for (_, wanted) in by_sender.into_iter().filter(|(_, list)| list.len() > 1) {
            self.told.push(Told::Step(Step::Order {
                client,
                event: event.to_owned(),
                wanted,
                judge: Vec::new(),
            }));
        }
        Ok(())
    }

    fn since(&self, client: usize, after: Option<Mark>) -> Option<usize> {
        self.marks.get(&(client, after?)).copied()
    }
}

//! The steps of a story as statements.
//!
//! - `Writer`: all of it, one step after the other
//! - `comments`: what is said between them
//! - `sockets`: what a client does and hears
//! - `requests`: what goes to the REST API
//! - `values`: values, texts and names
//! - `lines`: lines of the body of a function

mod comments;
mod lines;
mod requests;
mod sockets;
mod values;

use std::collections::BTreeSet;

use super::super::Untold;
use super::super::story::{Step, Story};
use super::super::term::{Term, Var};
use super::code::Code;
use super::{Api, Dialect};
use crate::contract::Contract;
use comments::{is_act, is_prelude};
use lines::Lines;

/// Writes one story for one target in one language.
pub(super) struct Writer<'a> {
    story: &'a Story,
    contract: &'a Contract,
    api: &'a Api,
    dialect: &'a dyn Dialect,
    /// What some step needs.
    needed: BTreeSet<Var>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        story: &'a Story,
        contract: &'a Contract,
        api: &'a Api,
        dialect: &'a dyn Dialect,
    ) -> Self {
        Self {
            story,
            contract,
            api,
            dialect,
            needed: story.needed().into_iter().collect(),
        }
    }

    /// The body of the function that tells the story.
    pub(super) fn story(&self) -> Result<String, Untold> {
        let mut lines = Lines::new(self.dialect);
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let mut before: Option<&Step> = None;
        let mut shared: Option<&Term> = None;
        for (at, step) in self.story.steps.iter().enumerate() {
            if let Some(comment) = self.comment(before, step) {
                lines.blank();
                lines.comment(comment);
            } else if is_act(step) && before.is_some_and(|before| !is_prelude(before, step)) {
                lines.blank();
            }
            for id in step.judge() {
                if told.insert(id)
                    && let Some(rule) = self.contract.requirement(id)
                {
                    lines.comment(&format!("{id} ({}): {}", rule.level.word(), rule.statement));
                }
            }
            match step {
                Step::Hear { wanted, .. } if self.is_shared(wanted, shared, at) => {
                    if shared != Some(wanted) {
                        lines.statement("wanted = ", &self.value(wanted));
                        shared = Some(wanted);
                    }
                    self.hear(step, Code::atom("wanted"), &mut lines);
                }
                step => self.step(step, &mut lines)?,
            }
            if !matches!(step, Step::Mark { .. }) {
                before = Some(step);
            }
        }
        let body = lines.text();
        let names = ["reply", "ack", "acks", "wanted", "heard"];
        let used: Vec<&str> = names
            .into_iter()
            .filter(|name| body.contains(&format!("{}{name} = ", " ".repeat(self.dialect.step()))))
            .collect();
        let variables = self.dialect.variables(&used);
        let variables = variables.map(|line| format!("{}{line}\n", " ".repeat(self.dialect.step())));
        Ok(format!("{}{body}", variables.unwrap_or_default())
            .trim_end()
            .to_owned())
    }

    fn step(&self, step: &Step, lines: &mut Lines<'_>) -> Result<(), Untold> {
        match step {
            Step::Register(user) => {
                let name = self.dialect.quote(&self.story.users[*user].name);
                let code = Code::seq("await register(", [Code::atom(name)], ")");
                lines.statement(&self.dialect.declare(&self.user(*user)), &code);
            }
            Step::Rest {
                user,
                operation,
                fill,
                take,
                judge,
            } => self.request(*user, *operation, fill, take, judge, lines)?,
            Step::Connect {
                client,
                auth,
                query,
                accepted,
                judge,
            } => self.connect(*client, auth.as_ref(), query, *accepted, judge, lines),
            Step::Ask { asks, judge } => match asks.as_slice() {
                [ask] => self.ask(ask, judge, lines),
                asks => self.together(asks, judge, lines),
            },
            Step::Tell {
                client,
                event,
                args,
                asks,
            } => {
                let open = if *asks { "await nudge(" } else { "await tell(" };
                lines.statement("", &self.sending(open, *client, event, args));
            }
            Step::Close(client) => {
                let client = Code::atom(self.client(*client));
                lines.statement("", &Code::seq("await close(", [client], ")"));
            }
            Step::Pause { ms } => {
                let seconds = format!("{}.{}", ms / 1000, ms % 1000 / 100);
                lines.statement("", &Code::seq("await pause(", [Code::atom(seconds)], ")"));
            }
            Step::Mark { client, since } => {
                let code = Code::seq("later(", [Code::atom(self.client(*client))], ")");
                lines.statement(&self.dialect.declare(&self.later(*client, *since)), &code);
            }
            Step::Hear { wanted, .. } => self.hear(step, self.value(wanted), lines),
            Step::Order {
                client,
                event,
                wanted,
                judge,
            } => {
                let list = Code::seq("[", wanted.iter().map(|one| self.value(one)), "]");
                let mut args = vec![Code::atom(self.client(*client)), self.quoted(event), list];
                args.extend(self.ids(judge));
                lines.statement("", &Code::seq("order(", args, ")"));
            }
            Step::Count {
                n,
                client,
                event,
                wanted,
                since,
                judge,
            } => {
                let mut args = vec![Code::atom(n.to_string()), self.hearing(*client, *since)];
                args.extend([self.quoted(event), self.value(wanted)]);
                args.extend(self.ids(judge));
                lines.statement("", &Code::seq("await exactly(", args, ")"));
            }
        }
        Ok(())
    }
}

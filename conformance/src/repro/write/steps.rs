//! The steps of a story as statements.
//!
//! - `Writer`: all of it, and what a client does and hears
//! - `requests`: what goes to the REST API
//! - `values`: values, texts and names
//! - `lines`: lines of the body of a function

mod lines;
mod requests;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use super::super::Untold;
use super::super::story::{Ack, Ask, Bind, Part, Step, Story};
use super::super::term::{Piece, Term, Var};
use super::code::Code;
use super::{Api, Dialect, only_var};
use crate::contract::Contract;
use crate::target::profile::TokenPlace;
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

    /// What is to be said before a step, where it begins something.
    fn comment(&self, before: Option<&Step>, step: &Step) -> Option<&'static str> {
        match step {
            Step::Register(user) => match self.story.users[*user].part {
                Part::Player if !matches!(before, Some(Step::Register(_))) => Some("Who takes part."),
                Part::Player => None,
                Part::Witness => Some(
                    "A member of whom nobody expects anything: what this one sends shows that all before it has come.",
                ),
                Part::Helper if before.is_some_and(|before| self.is_fence(before)) => None,
                Part::Helper => Some("These cause the chat:update that shows that all before it has come."),
            },
            Step::Ask { asks, .. } if asks.len() > 1 => {
                Some("All at once: none of them waits for the answer to another.")
            }
            step if self.is_fence(step) && is_act(step) => {
                let begins = before.is_none_or(|before| !self.is_fence(before));
                begins
                    .then_some("A fence: when this has arrived, what was sent before it has arrived as well.")
            }
            _ => None,
        }
    }

    /// Whether a step belongs to a fence.
    fn is_fence(&self, step: &Step) -> bool {
        let helps = |user: usize| self.story.users[user].part != Part::Player;
        let of = |client: usize| self.story.clients[client].user.is_some_and(helps);
        match step {
            Step::Register(user) => helps(*user),
            Step::Rest { user, fill, .. } => helps(*user) || fill.values().any(is_sentinel),
            Step::Connect { client, .. } | Step::Close(client) | Step::Tell { client, .. } => of(*client),
            Step::Ask { asks, .. } => asks.iter().all(|ask| of(ask.client)),
            _ => false,
        }
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

    fn hear(&self, step: &Step, wanted: Code, lines: &mut Lines<'_>) {
        let Step::Hear {
            client,
            event,
            since,
            binds,
            judge,
            ..
        } = step
        else {
            return;
        };
        let mut args = vec![self.hearing(*client, *since), self.quoted(event), wanted];
        args.extend(self.ids(judge));
        self.bound(binds, &Code::seq("await hear(", args, ")"), lines);
    }

    /// Whether several clients are to hear this, and it is too long to be said to each of them.
    fn is_shared(&self, wanted: &Term, shared: Option<&Term>, at: usize) -> bool {
        const SHORT: usize = 60;
        let mut later = self.story.steps[at + 1..].iter();
        let again = later.any(|step| matches!(step, Step::Hear { wanted: later, .. } if later == wanted));
        (again || shared == Some(wanted)) && self.value(wanted).line().chars().count() > SHORT
    }

    fn connect(
        &self,
        client: usize,
        auth: Option<&Term>,
        query: &[(String, Term)],
        accepted: bool,
        judge: &[String],
        lines: &mut Lines<'_>,
    ) {
        let (auth, query) = self.credentials(auth, query);
        let null = || Code::atom(self.dialect.null());
        let mut args = vec![self.quoted(&self.story.clients[client].name)];
        args.push(auth.as_ref().map_or_else(null, |auth| self.value(auth)));
        let ids = self.ids(judge);
        if !query.is_empty() || !ids.is_empty() {
            let fields = query
                .iter()
                .map(|(name, value)| (name.clone(), self.value(value)));
            args.push(if query.is_empty() {
                null()
            } else {
                self.dialect.object(fields.collect())
            });
        }
        args.extend(ids);
        if accepted {
            let before = self.dialect.declare(&self.client(client));
            lines.statement(&before, &Code::seq("await connect(", args, ")"));
        } else {
            lines.statement("", &Code::seq("await refused(", args, ")"));
        }
    }

    /// Where the token goes, for a user who asks in the ordinary way: what the target file says.
    fn credentials(
        &self,
        auth: Option<&Term>,
        query: &[(String, Term)],
    ) -> (Option<Term>, Vec<(String, Term)>) {
        let ordinary = match auth {
            Some(Term::Object(fields)) => match fields.as_slice() {
                [(name, token)] if name == "token" => only_var(token).map(|_| token.clone()),
                _ => None,
            },
            _ => None,
        };
        let handshake = &self.api.handshake;
        match ordinary {
            Some(token) if query.is_empty() => {
                let field = vec![(handshake.token_field.clone(), token)];
                match handshake.token_in {
                    TokenPlace::Payload => (Some(Term::Object(field)), Vec::new()),
                    TokenPlace::Query => (None, field),
                }
            }
            _ => (auth.cloned(), query.to_vec()),
        }
    }

    fn ask(&self, ask: &Ask, judge: &[String], lines: &mut Lines<'_>) {
        lines.statement(
            "ack = ",
            &self.sending("await ask(", ask.client, &ask.event, &ask.args),
        );
        self.acknowledged("ack", ask, judge, lines);
    }

    fn acknowledged(&self, ack: &str, ask: &Ask, judge: &[String], lines: &mut Lines<'_>) {
        let mut args = vec![Code::atom(ack), self.ack(&ask.ack)];
        args.extend(self.ids(judge));
        lines.statement("", &Code::seq("same(", args, ")"));
        self.bindings(&ask.binds, ack, lines);
    }

    fn ack(&self, ack: &Ack) -> Code {
        let Ack::Like(term) = ack else {
            return Code::atom("ANSWER");
        };
        if let Term::Object(fields) = term {
            let named: Vec<(&str, &Term)> = fields.iter().map(|(name, term)| (name.as_str(), term)).collect();
            match named.as_slice() {
                [("ok", Term::Bool(true)), ("error", Term::Absent)] => return Code::atom("OK"),
                [
                    ("ok", Term::Bool(false)),
                    ("error", code),
                    ("message", Term::Words),
                    ("data", Term::Absent),
                ] => {
                    return Code::seq("refusal(", [self.value(code)], ")");
                }
                _ => {}
            }
        }
        self.value(term)
    }

    fn together(&self, asks: &[Ask], judge: &[String], lines: &mut Lines<'_>) {
        let started = asks
            .iter()
            .map(|ask| self.sending("ask(", ask.client, &ask.event, &ask.args));
        lines.statement("acks = ", &self.dialect.together(started.collect()));
        let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
        for ask in asks {
            if let Ack::Counted(outcome) = &ask.ack {
                *outcomes.entry(outcome).or_default() += 1;
            }
        }
        if !outcomes.is_empty() {
            let counts = outcomes
                .into_iter()
                .map(|(name, count)| (name.to_owned(), Code::atom(count.to_string())));
            let mut args = vec![Code::atom("acks"), self.dialect.object(counts.collect())];
            args.extend(self.ids(judge));
            lines.statement("", &Code::seq("tally(", args, ")"));
            return;
        }
        let binds = |ask: &Ask| ask.binds.iter().any(|bind| self.needed.contains(&bind.var));
        if asks.iter().all(|ask| ask.ack == asks[0].ack && !binds(ask)) {
            let mut args = vec![Code::atom("acks"), self.ack(&asks[0].ack)];
            args.extend(self.ids(judge));
            lines.statement("", &Code::seq("each(", args, ")"));
            return;
        }
        for (n, ask) in asks.iter().enumerate() {
            self.acknowledged(&format!("acks[{n}]"), ask, judge, lines);
        }
    }

    fn sending(&self, open: &str, client: usize, event: &str, args: &[Term]) -> Code {
        let head = [Code::atom(self.client(client)), self.quoted(event)];
        let args = args.iter().map(|arg| self.value(arg));
        Code::seq(open, head.into_iter().chain(args), ")")
    }

    /// A statement whose value tells something, where that is needed.
    fn bound(&self, binds: &[Bind], code: &Code, lines: &mut Lines<'_>) {
        if binds.iter().any(|bind| self.needed.contains(&bind.var)) {
            lines.statement("heard = ", code);
            self.bindings(binds, "heard", lines);
        } else {
            lines.statement("", code);
        }
    }

    fn bindings(&self, binds: &[Bind], value: &str, lines: &mut Lines<'_>) {
        for bind in binds.iter().filter(|bind| self.needed.contains(&bind.var)) {
            let code = Code::seq("at(", [Code::atom(value), self.quoted(&bind.pointer)], ")");
            lines.statement(&self.dialect.declare(&self.var(bind.var)), &code);
        }
    }
}

/// Whether a step does something, instead of looking at what came of it.
const fn is_act(step: &Step) -> bool {
    !matches!(step, Step::Hear { .. } | Step::Count { .. } | Step::Order { .. })
}

/// Steps that belong together without a line between them.
const fn is_prelude(before: &Step, step: &Step) -> bool {
    matches!(
        (before, step),
        (Step::Register(_), Step::Register(_))
            | (
                Step::Connect { accepted: true, .. },
                Step::Connect { accepted: true, .. }
            )
            | (
                Step::Connect { accepted: false, .. },
                Step::Connect { accepted: false, .. }
            )
            | (Step::Tell { .. }, Step::Tell { .. })
            | (Step::Close(_), Step::Close(_))
    )
}

fn is_sentinel(term: &Term) -> bool {
    matches!(term, Term::Text(pieces)
        if matches!(pieces.as_slice(), [Piece::Fresh { label, .. }] if label == "fence"))
}

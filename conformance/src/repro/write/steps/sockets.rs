//! What a client does and hears.

use std::collections::BTreeMap;

use super::Writer;
use super::lines::Lines;
use crate::repro::story::{Ack, Ask, Bind, Step};
use crate::repro::term::Term;
use crate::repro::write::code::Code;
use crate::repro::write::only_var;
use crate::targets::profile::TokenPlace;

impl Writer<'_> {
    pub(super) fn hear(&self, step: &Step, wanted: Code, lines: &mut Lines<'_>) {
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
    pub(super) fn is_shared(&self, wanted: &Term, shared: Option<&Term>, at: usize) -> bool {
        const SHORT: usize = 60;
        let mut later = self.story.steps[at + 1..].iter();
        let again = later.any(|step| matches!(step, Step::Hear { wanted: later, .. } if later == wanted));
        (again || shared == Some(wanted)) && self.value(wanted).line().chars().count() > SHORT
    }

    pub(super) fn connect(
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

    pub(super) fn ask(&self, ask: &Ask, judge: &[String], lines: &mut Lines<'_>) {
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

    pub(super) fn together(&self, asks: &[Ask], judge: &[String], lines: &mut Lines<'_>) {
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

    pub(super) fn sending(&self, open: &str, client: usize, event: &str, args: &[Term]) -> Code {
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

//! The steps of a story as statements.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::Contract;
use crate::target::profile::TokenPlace;
use crate::target::profile::operation::Operation;
use crate::target::profile::rest::Template;

use super::super::Untold;
use super::super::rest::{Call, Header, call};
use super::super::story::{Ack, Ask, Bind, Part, Step, Story, Take};
use super::super::term::{Piece, Term, Var};
use super::code::{Code, wrapped};
use super::{Api, Dialect, only_var};

/// Characters of one kind in a row, beyond which their number is told instead.
const RUN: usize = 40;
/// Width of comments.
const COMMENT: usize = 90;

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

    /// The body of the function by which somebody registers.
    pub(super) fn sign_up(&self) -> Result<String, Untold> {
        let mut lines = Lines::new(self.dialect);
        let people = ["email", "password", "name", "handle"];
        let fill: BTreeMap<String, Term> = people
            .iter()
            .map(|what| ((*what).to_owned(), Term::var(Var::Person(what))))
            .collect();
        let (mut id, mut token, mut session) = (None, None, None);
        let mut requests = Vec::new();
        for operation in [Operation::Register, Operation::Login] {
            if !self.api.rest.has(operation) {
                continue;
            }
            let template = self.template(operation)?;
            let reply = format!("reply{}", if requests.is_empty() { "" } else { "2" });
            let place = |name: &str| {
                let pointer = template
                    .reply
                    .as_ref()
                    .map_or(Some(format!("/{name}")), |reply| reply.get(name).cloned());
                pointer.map(|pointer| format!("at({reply}, {})", self.dialect.quote(&pointer)))
            };
            id = place("userId").or(id);
            token = place("accessToken").or(token);
            session = place("sessionToken").or(session);
            let request = self.rest(
                self.dialect.null(),
                &call(&self.api.rest, operation, &fill)?,
                None,
            );
            requests.push((reply.clone(), request));
        }
        let (Some(id), Some(token)) = (id, token) else {
            return Err(Untold::Target(
                "rest.register.reply does not say where userId and accessToken are".to_owned(),
            ));
        };
        let used: Vec<&str> = people
            .into_iter()
            .filter(|what| {
                requests
                    .iter()
                    .any(|(_, code)| super::frame::has_word(&code.line(), what))
            })
            .collect();
        for line in self.dialect.person(&used) {
            lines.raw(&line);
        }
        for (reply, request) in requests {
            lines.statement(&self.dialect.declare(&reply), &request);
        }
        let session = session.filter(|_| self.needed.iter().any(|var| matches!(var, Var::Session(_))));
        lines.statement("return ", &self.dialect.user(&id, &token, session.as_deref()));
        Ok(lines.text().trim_end().to_owned())
    }

    /// The header that carries a token, as an object.
    pub(super) fn authorization(&self) -> String {
        // Split at a token that no template has in it.
        const TOKEN: &str = "\u{1}";
        let (name, value) = self.api.rest.auth_header(TOKEN);
        let parts: Vec<super::Part> = value
            .split(TOKEN)
            .enumerate()
            .flat_map(|(n, text)| {
                let token = (n > 0).then(|| super::Part::Code("token".to_owned()));
                let text = (!text.is_empty()).then(|| super::Part::Plain(text.to_owned()));
                token.into_iter().chain(text)
            })
            .collect();
        let value = Code::atom(self.parts(&parts));
        self.dialect.object(vec![(name, value)]).line()
    }

    fn template(&self, operation: Operation) -> Result<Template, Untold> {
        self.api.rest.template(operation).map_err(Untold::Target)
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
        self.bound(binds, Code::seq("await hear(", args, ")"), lines);
    }

    /// Whether several clients are to hear this, and it is too long to be said to each of them.
    fn is_shared(&self, wanted: &Term, shared: Option<&Term>, at: usize) -> bool {
        const SHORT: usize = 60;
        let mut later = self.story.steps[at + 1..].iter();
        let again = later.any(|step| matches!(step, Step::Hear { wanted: later, .. } if later == wanted));
        (again || shared == Some(wanted)) && self.value(wanted).line().chars().count() > SHORT
    }

    fn request(
        &self,
        user: usize,
        operation: Operation,
        fill: &BTreeMap<String, Term>,
        take: &Take,
        judge: &[String],
        lines: &mut Lines<'_>,
    ) -> Result<(), Untold> {
        let template = self.template(operation)?;
        let call = call(&self.api.rest, operation, fill)?;
        // Only a session token can be ended.
        let token = (operation == Operation::Logout).then(|| self.var(Var::Session(user)));
        let code = self.rest(&self.user(user), &call, token);
        let pointer = |name: &str| match &template.reply {
            Some(reply) => reply.get(name).cloned().unwrap_or_default(),
            None => format!("/{name}"),
        };
        let items = |names: &[&str]| {
            let mut args = vec![
                Code::atom("reply"),
                self.quoted(template.items.as_deref().unwrap_or_default()),
            ];
            if let Some(reply) = &template.reply {
                let named = names
                    .iter()
                    .filter_map(|name| Some(((*name).to_owned(), self.quoted(reply.get(*name)?))));
                args.push(self.dialect.object(named.collect()));
            }
            Code::seq("rows(", args, ")")
        };
        match take {
            Take::Id(var) if self.needed.contains(var) => {
                lines.statement("reply = ", &code);
                let code = Code::seq("at(", [Code::atom("reply"), self.quoted(&pointer("_id"))], ")");
                lines.statement(&self.dialect.declare(&self.var(*var)), &code);
            }
            Take::Nothing | Take::Id(_) => lines.statement("", &code),
            Take::Messages(messages) => {
                lines.statement("reply = ", &code);
                // What the target's listing does not tell is not compared.
                let told: Vec<&str> = ["_id", "body", "senderId"]
                    .into_iter()
                    .filter(|name| {
                        template
                            .reply
                            .as_ref()
                            .is_none_or(|reply| reply.contains_key(*name))
                    })
                    .collect();
                let rows = messages.iter().map(|message| self.value(&only(message, &told)));
                let mut args = vec![items(&told), Code::seq("[", rows, "]")];
                args.extend(self.ids(judge));
                lines.statement("", &Code::seq("same(", args, ")"));
            }
            Take::Unread(counts) => {
                lines.statement("reply = ", &code);
                for (chat, count) in counts {
                    let found = [items(&["_id", "unreadCount"]), Code::atom(self.var(*chat))];
                    let count = ("unreadCount".to_owned(), Code::atom(count.to_string()));
                    let mut args = vec![Code::seq("row(", found, ")"), self.dialect.object(vec![count])];
                    args.extend(self.ids(judge));
                    lines.statement("", &Code::seq("same(", args, ")"));
                }
            }
        }
        Ok(())
    }

    fn rest(&self, user: &str, call: &Call, token: Option<String>) -> Code {
        let status: Vec<Code> = call
            .status
            .iter()
            .map(|status| Code::atom(status.to_string()))
            .collect();
        let mut args = vec![
            Code::atom(user),
            self.quoted(&call.method),
            Code::atom(self.path(&call.path)),
            Code::atom(Code::seq("[", status, "]").line()),
        ];
        let more = !call.headers.is_empty() || token.is_some();
        match &call.body {
            Some(body) => args.push(self.value(body)),
            None if more => args.push(Code::atom(self.dialect.null())),
            None => {}
        }
        if more {
            let headers = call.headers.iter().map(|(name, header)| {
                let value = match header {
                    Header::Text(pieces) => self.text(pieces),
                    Header::Environment(name) => self.dialect.environment(name),
                };
                (name.clone(), Code::atom(value))
            });
            args.push(self.dialect.object(headers.collect()));
        }
        args.extend(token.map(Code::atom));
        Code::seq("await rest(", args, ")")
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
    fn bound(&self, binds: &[Bind], code: Code, lines: &mut Lines<'_>) {
        if binds.iter().any(|bind| self.needed.contains(&bind.var)) {
            lines.statement("heard = ", &code);
            self.bindings(binds, "heard", lines);
        } else {
            lines.statement("", &code);
        }
    }

    fn bindings(&self, binds: &[Bind], value: &str, lines: &mut Lines<'_>) {
        for bind in binds.iter().filter(|bind| self.needed.contains(&bind.var)) {
            let code = Code::seq("at(", [Code::atom(value), self.quoted(&bind.pointer)], ")");
            lines.statement(&self.dialect.declare(&self.var(bind.var)), &code);
        }
    }

    fn ids(&self, judge: &[String]) -> Vec<Code> {
        judge.iter().map(|id| self.quoted(id)).collect()
    }

    fn quoted(&self, text: &str) -> Code {
        Code::Atom(self.dialect.quote(text))
    }

    /// The events of a client, or of it since a mark.
    fn hearing(&self, client: usize, since: Option<usize>) -> Code {
        Code::Atom(match since {
            Some(since) => self.later(client, since),
            None => self.client(client),
        })
    }

    fn user(&self, user: usize) -> String {
        let name = &self.story.users[user].name;
        let earlier = self.story.users[..user]
            .iter()
            .filter(|earlier| earlier.name == *name)
            .count();
        self.dialect.name(&[name, &numbered(earlier)])
    }

    fn client(&self, client: usize) -> String {
        let name = &self.story.clients[client].name;
        let (base, number) = name.split_once('#').unwrap_or((name, ""));
        self.dialect.name(&[base, "socket", number])
    }

    fn later(&self, client: usize, since: usize) -> String {
        let name = &self.story.clients[client].name;
        let earlier =
            self.story.steps.iter().filter(
                |step| matches!(step, Step::Mark { client: c, since: s } if *c == client && *s < since),
            );
        let (base, number) = name.split_once('#').unwrap_or((name, ""));
        self.dialect
            .name(&[base, number, "later", &numbered(earlier.count())])
    }

    /// What a variable is called; those of one kind are numbered in the order in which they become known.
    fn var(&self, var: Var) -> String {
        let place = |is_kind: fn(&Var) -> bool| {
            self.needed
                .iter()
                .filter(|needed| is_kind(needed))
                .position(|needed| *needed == var)
                .unwrap_or_default()
        };
        match var {
            Var::User(user) => format!("{}.id", self.user(user)),
            Var::Token(user) => format!("{}.token", self.user(user)),
            Var::Session(user) => format!("{}.session", self.user(user)),
            Var::Chat(_) => self
                .dialect
                .name(&["chat", &numbered(place(|var| matches!(var, Var::Chat(_))))]),
            Var::Message(_) => self.dialect.name(&[
                "message",
                &(1 + place(|var| matches!(var, Var::Message(_)))).to_string(),
            ]),
            Var::Person(what) => what.to_owned(),
        }
    }

    fn value(&self, term: &Term) -> Code {
        match term {
            Term::Null => Code::atom(self.dialect.null()),
            Term::Bool(value) => Code::atom(self.dialect.bool(*value)),
            Term::Number(number) => Code::atom(number.to_string()),
            Term::Text(pieces) => Code::Atom(self.text(pieces)),
            Term::List(items) => Code::seq("[", items.iter().map(|item| self.value(item)), "]"),
            Term::Unordered(items) => {
                let list = Code::seq("[", items.iter().map(|item| self.value(item)), "]");
                Code::seq("unordered(", [list], ")")
            }
            Term::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.value(field)));
                self.dialect.object(fields.collect())
            }
            Term::Id => Code::atom("ID"),
            Term::Time => Code::atom("TIME"),
            Term::Words => Code::atom("WORDS"),
            Term::Absent => Code::atom("ABSENT"),
        }
    }

    fn text(&self, pieces: &[Piece]) -> String {
        let parts: Vec<super::Part> = pieces.iter().flat_map(|piece| self.part(piece, false)).collect();
        self.parts(&parts)
    }

    fn path(&self, pieces: &[Piece]) -> String {
        let parts: Vec<super::Part> = pieces.iter().flat_map(|piece| self.part(piece, true)).collect();
        self.parts(&parts)
    }

    fn parts(&self, parts: &[super::Part]) -> String {
        match parts {
            [super::Part::Plain(text)] => self.dialect.quote(text),
            [super::Part::Code(code)] => code.clone(),
            [] => self.dialect.quote(""),
            parts => self.dialect.concat(parts),
        }
    }

    fn part(&self, piece: &Piece, in_path: bool) -> Vec<super::Part> {
        let code = match piece {
            Piece::Plain(text) => return self.runs(text),
            // An id needs no encoding.
            Piece::Var(var @ (Var::User(_) | Var::Chat(_) | Var::Message(_))) => self.var(*var),
            Piece::Var(var) if in_path => self.dialect.encoded(&self.var(*var)),
            Piece::Var(var) => self.var(*var),
            Piece::Fresh { label, number } => {
                let number = number.map(|number| Code::atom(number.to_string()));
                let args = [self.quoted(label)].into_iter().chain(number);
                let fresh = Code::seq("fresh(", args, ")").line();
                if in_path {
                    self.dialect.encoded(&fresh)
                } else {
                    fresh
                }
            }
        };
        vec![super::Part::Code(code)]
    }

    /// A text with what is many times the same told as that.
    fn runs(&self, text: &str) -> Vec<super::Part> {
        let mut parts: Vec<super::Part> = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let mut times = 1;
            while rest.next_if_eq(&c).is_some() {
                times += 1;
            }
            match parts.last_mut() {
                _ if times > RUN => parts.push(super::Part::Code(self.dialect.repeat(c, times))),
                Some(super::Part::Plain(plain)) => plain.extend(std::iter::repeat_n(c, times)),
                _ => parts.push(super::Part::Plain(std::iter::repeat_n(c, times).collect())),
            }
        }
        parts
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

/// An object with only these of its fields.
fn only(term: &Term, names: &[&str]) -> Term {
    match term {
        Term::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| names.contains(&name.as_str()));
            Term::Object(kept.cloned().collect())
        }
        other => other.clone(),
    }
}

/// Nothing for the first of several, then 2, 3 and so on.
fn numbered(earlier: usize) -> String {
    if earlier == 0 {
        String::new()
    } else {
        (earlier + 1).to_string()
    }
}

/// Lines of the body of a function.
struct Lines<'a> {
    dialect: &'a dyn Dialect,
    text: String,
}

impl<'a> Lines<'a> {
    const fn new(dialect: &'a dyn Dialect) -> Self {
        Self {
            dialect,
            text: String::new(),
        }
    }

    fn statement(&mut self, before: &str, code: &Code) {
        let (step, end) = (self.dialect.step(), self.dialect.end());
        let code = code.lines(step, step, before.chars().count(), end.len());
        self.text
            .push_str(&format!("{}{before}{code}{end}\n", " ".repeat(step)));
    }

    fn raw(&mut self, line: &str) {
        self.text
            .push_str(&format!("{}{line}\n", " ".repeat(self.dialect.step())));
    }

    fn comment(&mut self, text: &str) {
        for line in wrapped(text, COMMENT) {
            self.raw(&format!("{}{line}", self.dialect.comment()));
        }
    }

    fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn text(self) -> String {
        self.text
    }
}

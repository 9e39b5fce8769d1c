//! Requests to the REST API, and who somebody is that registers there.

use std::collections::BTreeMap;

use super::super::super::Untold;
use super::super::super::rest::{Call, Header, call};
use super::super::super::story::Take;
use super::super::super::term::{Term, Var};
use super::super::code::Code;
use super::super::{Part, frame};
use super::{Lines, Writer};
use crate::targets::profile::operation::Operation;
use crate::targets::profile::rest::Template;

impl Writer<'_> {
    /// The body of the function by which somebody registers.
    pub(in super::super) fn sign_up(&self) -> Result<String, Untold> {
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
                    .any(|(_, code)| frame::has_word(&code.line(), what))
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
    pub(in super::super) fn authorization(&self) -> String {
        // Split at a token that no template has in it.
        const TOKEN: &str = "\u{1}";
        let (name, value) = self.api.rest.auth_header(TOKEN);
        let parts: Vec<Part> = value
            .split(TOKEN)
            .enumerate()
            .flat_map(|(n, text)| {
                let token = (n > 0).then(|| Part::Code("token".to_owned()));
                let text = (!text.is_empty()).then(|| Part::Plain(text.to_owned()));
                token.into_iter().chain(text)
            })
            .collect();
        let value = Code::atom(self.parts(&parts));
        self.dialect.object(vec![(name, value)]).line()
    }

    pub(super) fn template(&self, operation: Operation) -> Result<Template, Untold> {
        self.api.rest.template(operation).map_err(Untold::Target)
    }

    pub(super) fn request(
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

    pub(super) fn rest(&self, user: &str, call: &Call, token: Option<String>) -> Code {
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

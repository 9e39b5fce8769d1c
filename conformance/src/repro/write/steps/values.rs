//! Values, texts and names.

use super::super::super::story::Step;
use super::super::super::term::{Piece, Term, Var};
use super::super::Part;
use super::super::code::Code;
use super::Writer;

/// Characters of one kind in a row, beyond which their number is told instead.
const RUN: usize = 40;

impl Writer<'_> {
    pub(super) fn ids(&self, judge: &[String]) -> Vec<Code> {
        judge.iter().map(|id| self.quoted(id)).collect()
    }

    pub(super) fn quoted(&self, text: &str) -> Code {
        Code::Atom(self.dialect.quote(text))
    }

    /// The events of a client, or of it since a mark.
    pub(super) fn hearing(&self, client: usize, since: Option<usize>) -> Code {
        Code::Atom(match since {
            Some(since) => self.later(client, since),
            None => self.client(client),
        })
    }

    pub(super) fn user(&self, user: usize) -> String {
        let name = &self.story.users[user].name;
        let earlier = self.story.users[..user]
            .iter()
            .filter(|earlier| earlier.name == *name)
            .count();
        self.dialect.name(&[name, &numbered(earlier)])
    }

    pub(super) fn client(&self, client: usize) -> String {
        let name = &self.story.clients[client].name;
        let (base, number) = name.split_once('#').unwrap_or((name, ""));
        self.dialect.name(&[base, "socket", number])
    }

    pub(super) fn later(&self, client: usize, since: usize) -> String {
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
    pub(super) fn var(&self, var: Var) -> String {
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

    pub(super) fn value(&self, term: &Term) -> Code {
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

    pub(super) fn text(&self, pieces: &[Piece]) -> String {
        let parts: Vec<Part> = pieces.iter().flat_map(|piece| self.part(piece, false)).collect();
        self.parts(&parts)
    }

    pub(super) fn path(&self, pieces: &[Piece]) -> String {
        let parts: Vec<Part> = pieces.iter().flat_map(|piece| self.part(piece, true)).collect();
        self.parts(&parts)
    }

    pub(super) fn parts(&self, parts: &[Part]) -> String {
        match parts {
            [Part::Plain(text)] => self.dialect.quote(text),
            [Part::Code(code)] => code.clone(),
            [] => self.dialect.quote(""),
            parts => self.dialect.concat(parts),
        }
    }

    pub(super) fn part(&self, piece: &Piece, in_path: bool) -> Vec<Part> {
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
        vec![Part::Code(code)]
    }

    /// A text with what is many times the same told as that.
    pub(super) fn runs(&self, text: &str) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            let mut times = 1;
            while rest.next_if_eq(&c).is_some() {
                times += 1;
            }
            match parts.last_mut() {
                _ if times > RUN => parts.push(Part::Code(self.dialect.repeat(c, times))),
                Some(Part::Plain(plain)) => plain.extend(std::iter::repeat_n(c, times)),
                _ => parts.push(Part::Plain(std::iter::repeat_n(c, times).collect())),
            }
        }
        parts
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

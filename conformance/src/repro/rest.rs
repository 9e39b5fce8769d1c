//! REST requests: what one of the recording asks for, and how the target is asked the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::placeholders;
use crate::targets::profile::operation::Operation;
use crate::targets::profile::rest::{Rest, Template};
use crate::targets::provision::template::{TemplateValues, request};

use super::Untold;
use super::term::{Piece, Term};

/// What a request of the contract's API asks for, and with what; nothing where it is none.
pub fn recognise(method: &str, path: &str, body: &Value) -> Option<(Operation, BTreeMap<String, Value>)> {
    let contract = Rest::default();
    Operation::ALL
        .iter()
        .filter(|operation| contract.has(**operation))
        .find_map(|operation| {
            let template = contract.template(*operation).ok()?;
            let fill = captured(&template, method, path, body)?;
            Some((*operation, fill))
        })
}

fn captured(template: &Template, method: &str, path: &str, body: &Value) -> Option<BTreeMap<String, Value>> {
    if template.method.as_str() != method {
        return None;
    }
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let (segments, wanted) = (path.split('/'), template.path.split('/'));
    if segments.clone().count() != wanted.clone().count() {
        return None;
    }
    let mut found = BTreeMap::new();
    for (segment, wanted) in segments.zip(wanted) {
        match whole(wanted) {
            Some(name) => drop(found.insert(name.to_owned(), segment.into())),
            None if segment == wanted => {}
            None => return None,
        }
    }
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let name = template
            .query
            .get(key.as_ref())
            .and_then(Value::as_str)
            .and_then(whole)?;
        found.insert(name.to_owned(), value.into_owned().into());
    }
    if let Some(template) = &template.body {
        capture(template, body, &mut found);
    }
    Some(found)
}

/// The placeholder that a text is.
fn whole(text: &str) -> Option<&str> {
    text.strip_prefix("{{")?.strip_suffix("}}")
}

fn capture(template: &Value, actual: &Value, found: &mut BTreeMap<String, Value>) {
    match (template, actual) {
        (_, Value::Null) => {}
        (Value::String(text), actual) => {
            if let Some(name) = whole(text) {
                found.insert(name.to_owned(), actual.clone());
            }
        }
        (Value::Array(wanted), Value::Array(items)) => {
            for (wanted, item) in wanted.iter().zip(items) {
                capture(wanted, item, found);
            }
        }
        (Value::Object(fields), actual) => {
            for (name, wanted) in fields {
                capture(wanted, &actual[name], found);
            }
        }
        _ => {}
    }
}

/// A request as a script makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// As in `POST`.
    pub method: String,
    /// Path and query.
    pub path: Vec<Piece>,
    /// Headers beside the token.
    pub headers: Vec<(String, Header)>,
    /// The JSON body.
    pub body: Option<Term>,
    /// Status codes of success.
    pub status: Vec<u16>,
}

/// What a header holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// This.
    Text(Vec<Piece>),
    /// Something that a target file does not show, and so a script does not: the name of the environment variable that it
    /// takes it from.
    Environment(String),
}

/// The request by which a target is asked this.
pub fn call(rest: &Rest, operation: Operation, fill: &BTreeMap<String, Term>) -> Result<Call, Untold> {
    let template = rest.template(operation).map_err(Untold::Target)?;
    // The kit's own way of filling in, with a word in the place of each piece that is not plain.
    let mut words = Words::default();
    let mut filled = TemplateValues::default();
    for (name, term) in fill {
        filled = filled.with(name, words.value(term));
    }
    let request = request(&template, &filled).map_err(|mismatch| Untold::Target(mismatch.to_string()))?;
    let body = request.body.as_deref().map(serde_json::from_str::<Value>);
    let body = body
        .transpose()
        .map_err(|error| Untold::Target(error.to_string()))?;
    let headers = request.headers.iter().map(|(name, value)| {
        let private =
            rest.headers.0.contains_key(name) && placeholders::names(&rest.headers.0[name]).next().is_none();
        let header = if private {
            Header::Environment(variable(name))
        } else {
            Header::Text(words.pieces(value))
        };
        (name.clone(), header)
    });
    Ok(Call {
        method: template.method.to_string(),
        path: words.pieces(&request.path),
        headers: headers.collect(),
        body: body.as_ref().map(|body| words.term(body)),
        status: template.status.clone(),
    })
}

/// As in `CHAT_HEADER_X_KEY`.
fn variable(header: &str) -> String {
    let letters = header.to_uppercase();
    format!(
        "CHAT_HEADER_{}",
        letters.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
    )
}

/// Pieces that are not plain, as words that go through templates and percent-encoding unharmed.
#[derive(Default)]
struct Words(Vec<Piece>);

const OPEN: &str = "_chatspec-";
const CLOSE: &str = "-_";

impl Words {
    fn value(&mut self, term: &Term) -> Value {
        match term {
            Term::Bool(value) => (*value).into(),
            Term::Number(value) => value.clone().into(),
            Term::Text(pieces) => pieces
                .iter()
                .map(|piece| self.word(piece))
                .collect::<String>()
                .into(),
            Term::List(items) | Term::Unordered(items) => items
                .iter()
                .map(|item| self.value(item))
                .collect::<Vec<_>>()
                .into(),
            Term::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.value(field)))
                    .collect(),
            ),
            Term::Null | Term::Id | Term::Time | Term::Words | Term::Absent => Value::Null,
        }
    }

    fn word(&mut self, piece: &Piece) -> String {
        match piece {
            Piece::Plain(text) => text.clone(),
            other => {
                self.0.push(other.clone());
                format!("{OPEN}{}{CLOSE}", self.0.len() - 1)
            }
        }
    }

    fn term(&self, value: &Value) -> Term {
        Term::of(value, &|text| Term::Text(self.pieces(text)))
    }

    fn pieces(&self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((plain, piece, after)) = self.first(rest) {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(plain.to_owned()));
            }
            pieces.push(piece);
            rest = after;
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Plain(rest.to_owned()));
        }
        pieces
    }

    /// What is before the first word, the piece that it stands for, and what is behind it.
    fn first<'a>(&self, text: &'a str) -> Option<(&'a str, Piece, &'a str)> {
        let (plain, rest) = text.split_once(OPEN)?;
        let (number, after) = rest.split_once(CLOSE)?;
        let piece = self.0.get(number.parse::<usize>().ok()?)?;
        Some((plain, piece.clone(), after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::term::Var;
    use super::*;

    #[test]
    fn every_request_of_the_contract_is_recognised() {
        for (method, path, body, operation, fill) in [
            (
                "POST",
                "/v1/chats",
                json!({"type": "group", "memberIds": ["a"], "title": "t"}),
                Operation::CreateChat,
                json!({"kind": "group", "members": ["a"], "title": "t"}),
            ),
            (
                "POST",
                "/v1/chats/c/members",
                json!({"userIds": ["a"]}),
                Operation::AddMember,
                json!({"chat": "c", "user": "a"}),
            ),
            (
                "DELETE",
                "/v1/chats/c/members/a",
                json!(null),
                Operation::RemoveMember,
                json!({"chat": "c", "user": "a"}),
            ),
            (
                "GET",
                "/v1/chats/c/messages?limit=5&before=m",
                json!(null),
                Operation::ListMessages,
                json!({"chat": "c", "limit": "5", "before": "m"}),
            ),
            (
                "POST",
                "/v1/chats/c/messages",
                json!({"body": "b"}),
                Operation::PostMessage,
                json!({"chat": "c", "body": "b"}),
            ),
            (
                "POST",
                "/v1/auth/logout",
                json!(null),
                Operation::Logout,
                json!({}),
            ),
        ] {
            let found = recognise(method, path, &body).unwrap();
            assert_eq!(found.0, operation, "{method} {path}");
            assert_eq!(json!(found.1), fill, "{method} {path}");
        }
        assert!(recognise("GET", "/socket.io/?EIO=4&transport=polling", &json!(null)).is_none());
        assert!(recognise("PUT", "/v1/chats", &json!({})).is_none());
    }

    #[test]
    fn a_target_is_asked_in_its_own_words() {
        let rest: Rest = toml::from_str(
            "headers = { x-key = 'hush' }\n[create_chat]\nrequest = 'POST /rooms/{{creator}}'\nstatus = [200]\n\
             query = { label = '{{title}}' }\n\
             body = { kind = '{{kind}}', who = '{{members}}', note = 'by {{creator}}', x = '{{everyone}}' }\n\
             values = { kind = { dm = 'direct' } }\n",
        )
        .unwrap();
        let user = |n| Term::var(Var::User(n));
        let fill = BTreeMap::from([
            ("kind".to_owned(), Term::plain("dm")),
            ("members".to_owned(), Term::List(vec![user(1)])),
            ("creator".to_owned(), user(0)),
        ]);
        let call = call(&rest, Operation::CreateChat, &fill).unwrap();
        let plain = |text: &str| Piece::Plain(text.to_owned());
        assert_eq!(call.path, [plain("/rooms/"), Piece::Var(Var::User(0))]);
        let by = vec![plain("by "), Piece::Var(Var::User(0))];
        let body = vec![
            ("kind".to_owned(), Term::plain("direct")),
            ("note".to_owned(), Term::Text(by)),
            ("who".to_owned(), Term::List(vec![user(1)])),
        ];
        assert_eq!(call.body, Some(Term::Object(body)));
        let key = Header::Environment("CHAT_HEADER_X_KEY".to_owned());
        assert_eq!(call.headers, [("x-key".to_owned(), key)]);
        assert_eq!(call.status, [200]);
    }
}

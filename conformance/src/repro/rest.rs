//! REST requests: what one of the recording asks for, and how the target is asked the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::placeholders;
use crate::targets::profile::operation::Operation;
use crate::targets::profile::rest::{Rest, Template};
use crate::targets::provision::template::{TemplateValues, request};

use super::NotReproducible;
use super::names::placeholder;

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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// The token that goes with it, where it is not what the user connects with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Method, path and query, as in `POST /v1/chats`.
    pub request: String,
    /// Headers beside the token. A value that a target file does not show is taken from an environment variable.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// The JSON body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Status codes of success.
    pub status: Vec<u16>,
    /// Names for values of the answer, and JSON pointers to these.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub take: BTreeMap<String, String>,
    /// What the answer has to be like, where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Value>,
}

/// The request by which a target is asked this.
pub fn call(
    rest: &Rest,
    operation: Operation,
    fill: &BTreeMap<String, Value>,
) -> Result<Call, NotReproducible> {
    let refused = |why: String| NotReproducible::Target(why);
    let template = rest.template(operation).map_err(refused)?;
    let filled = fill
        .iter()
        .fold(TemplateValues::default(), |filled, (name, value)| {
            filled.with(name, value.clone())
        });
    let request = request(&template, &filled).map_err(|mismatch| refused(mismatch.to_string()))?;
    let body = request.body.as_deref().map(serde_json::from_str);
    let headers = request.headers.into_iter().map(|(name, value)| {
        let own = rest.headers.0.get(&name);
        let private = own.is_some_and(|template| placeholders::names(template).next().is_none());
        let value = if private {
            placeholder(&format!("env {}", variable(&name)))
        } else {
            value
        };
        (name, value.into())
    });
    Ok(Call {
        request: format!("{} {}", template.method, with_placeholders(&request.path)),
        headers: headers.collect(),
        body: body
            .transpose()
            .map_err(|error: serde_json::Error| refused(error.to_string()))?,
        status: template.status.clone(),
        token: None,
        take: BTreeMap::new(),
        reply: None,
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

/// A path in which placeholders are as they are, instead of percent-encoded.
fn with_placeholders(path: &str) -> String {
    let mut parts = path.split("%7B%7B");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once("%7D%7D").unwrap_or((part, ""));
        let name = url::form_urlencoded::parse(name.as_bytes()).next();
        let name = name.map_or(Cow::default(), |(name, _)| name);
        text += &placeholder(&name);
        text += after;
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        let fill = json!({"kind": "dm", "members": ["{{bob.id}}"], "creator": "{{alice.id}}", "title": "{{new a, b}}"});
        let fill: BTreeMap<String, Value> = serde_json::from_value(fill).unwrap();
        let call = call(&rest, Operation::CreateChat, &fill).unwrap();
        assert_eq!(call.request, "POST /rooms/{{alice.id}}?label={{new a, b}}");
        let body = json!({"kind": "direct", "note": "by {{alice.id}}", "who": ["{{bob.id}}"]});
        assert_eq!(call.body, Some(body));
        assert_eq!(json!(call.headers), json!({"x-key": "{{env CHAT_HEADER_X_KEY}}"}));
        assert_eq!(call.status, [200]);
    }
}

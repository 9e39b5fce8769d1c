//! Filling in the placeholders of a request template, and finding things in the answer.

use serde_json::{Map, Value};

use crate::expect::{Found, Mismatch};
use crate::placeholders;
use crate::targets::profile::rest::Template;

/// What the placeholders of a request stand for; what is not in it stands for nothing.
#[derive(Clone, Debug, Default)]
pub struct TemplateValues(Map<String, Value>);

impl TemplateValues {
    /// One more; nothing where there is no value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Null => {}
            value => {
                self.0.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// All of it, as a program is told.
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same in the words of a target.
    fn translated(&self, template: &Template) -> Self {
        let mut fill = self.clone();
        for (name, words) in &template.values {
            let word = fill
                .0
                .get(name)
                .and_then(Value::as_str)
                .and_then(|word| words.get(word));
            if let Some(word) = word.cloned() {
                fill.0.insert(name.clone(), word);
            }
        }
        fill
    }

    /// A text with its placeholders filled in by `encode`; nothing where one of them stands for nothing.
    fn text(&self, template: &str, encode: impl Fn(&str) -> String) -> Option<String> {
        placeholders::text(template, |name| {
            Some(encode(&placeholders::in_text(self.0.get(name)?)))
        })
    }

    /// JSON with its placeholders filled in; nothing where it is a text whose placeholder stands for nothing.
    pub(crate) fn json(&self, template: &Value) -> Option<Value> {
        placeholders::json(template, &|name| self.0.get(name).cloned())
    }
}

/// A request with everything filled in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

/// The request that a template makes of this.
pub(crate) fn request(template: &Template, fill: &TemplateValues) -> Found<Request> {
    let fill = fill.translated(template);
    let mut path = fill
        .text(&template.path, percent_encoded)
        .ok_or_else(|| Mismatch::fault(format!("{}: a placeholder stands for nothing", template.path)))?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &template.query {
        match fill.json(value) {
            Some(Value::String(value)) => query.append_pair(name, &value),
            Some(value) => query.append_pair(name, &value.to_string()),
            None => &mut query,
        };
    }
    let query = query.finish();
    if !query.is_empty() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&query);
    }
    let headers = template
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), fill.text(value, str::to_owned)?)));
    Ok(Request {
        path,
        headers: headers.collect(),
        body: template
            .body
            .as_ref()
            .and_then(|body| fill.json(body))
            .map(|body| body.to_string()),
    })
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// What the answer says, under the contract's names: an object, or a list of them.
pub(super) fn answer(template: &Template, needs: &[&str], body: &Value) -> Found<Value> {
    let Some(pointer) = &template.items else {
        return item(template, needs, body);
    };
    let items = body.pointer(pointer).and_then(Value::as_array);
    let items =
        items.ok_or_else(|| Mismatch::new(format!("a list at {pointer} (items)"), body).about(pointer))?;
    items.iter().map(|each| item(template, needs, each)).collect()
}

fn item(template: &Template, needs: &[&str], body: &Value) -> Found<Value> {
    let own = |name: &str| format!("/{name}");
    if let Some(missing) = needs.iter().find(|name| {
        let pointer = template
            .reply
            .as_ref()
            .map_or_else(|| Some(own(name)), |reply| reply.get(**name).cloned());
        pointer.is_none_or(|pointer| body.pointer(&pointer).is_none_or(Value::is_null))
    }) {
        let pointer = template
            .reply
            .as_ref()
            .and_then(|reply| reply.get(*missing).cloned());
        return Err(Mismatch::new(
            format!("{missing} at {}", pointer.unwrap_or_else(|| own(missing))),
            body,
        ));
    }
    let Some(reply) = &template.reply else {
        return Ok(body.clone());
    };
    let found = reply.iter().filter_map(|(name, pointer)| {
        let value = body.pointer(pointer).filter(|value| !value.is_null())?;
        Some((name.clone(), value.clone()))
    });
    Ok(Value::Object(found.collect()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::targets::profile::operation::Operation;
    use crate::targets::profile::rest::Rest;

    fn template(text: &str, operation: Operation) -> Template {
        toml::from_str::<Rest>(text).unwrap().template(operation).unwrap()
    }

    #[test]
    fn placeholders_keep_their_type_and_what_stands_for_nothing_is_left_out() {
        let template = template(
            "[create_chat]\nrequest = 'POST /rooms'\n\
             body = { direct = '{{kind}}', who = '{{members}}', label = '{{title}}', note = 'by {{creator}}' }\n\
             values = { kind = { dm = true, group = false } }",
            Operation::CreateChat,
        );
        let fill = TemplateValues::default()
            .with("kind", "dm")
            .with("members", json!(["a", "b"]))
            .with("creator", "c");
        let body: Value = serde_json::from_str(&request(&template, &fill).unwrap().body.unwrap()).unwrap();
        assert_eq!(body, json!({"direct": true, "who": ["a", "b"], "note": "by c"}));
    }

    #[test]
    fn paths_and_queries_are_encoded() {
        let template = template(
            "[list_messages]\nrequest = 'GET /rooms/{{chat}}/log?all=1'\n\
             query = { n = '{{limit}}', older = '{{before}}' }",
            Operation::ListMessages,
        );
        let fill = TemplateValues::default().with("chat", "a/b c").with("limit", 5);
        assert_eq!(
            request(&template, &fill).unwrap().path,
            "/rooms/a%2Fb%20c/log?all=1&n=5"
        );
    }

    #[test]
    fn answers_get_the_names_of_the_contract() {
        let template = template(
            "[list_messages]\nitems = '/posts'\nreply = { _id = '/pid', body = '/text', clientId = '/key' }",
            Operation::ListMessages,
        );
        let body = json!({"posts": [{"pid": "1", "text": "hi", "key": null}]});
        let needs = Operation::ListMessages.needs();
        assert_eq!(
            answer(&template, needs, &body).unwrap(),
            json!([{"_id": "1", "body": "hi"}])
        );
        let told = answer(&template, needs, &json!({"posts": [{"pid": "1"}]})).unwrap_err();
        assert!(told.to_string().contains("body at /text"), "{told}");
        let told = answer(&template, needs, &json!({"messages": []})).unwrap_err();
        assert!(told.to_string().contains("/posts"), "{told}");
    }
}

//! How a target's REST API is spoken: a template for each thing that the kit asks of it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::operation::Operation;
use crate::placeholders;
use crate::private::Private;

/// The contract's own templates, as TOML.
pub const CONTRACT: &str = include_str!("contract.toml");

/// The same, parsed; a test proves that it can be.
static OF_THE_CONTRACT: LazyLock<Rest> = LazyLock::new(|| toml::from_str(CONTRACT).unwrap_or_default());

/// The templates of a target file; what they leave out is the contract's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rest {
    /// Where the REST API is, if not where Socket.IO is.
    pub url: Option<String>,
    /// The header that carries a token, as in `authorization: Bearer {{token}}`.
    pub auth: Option<String>,
    /// Headers that every request carries.
    pub headers: Private<BTreeMap<String, String>>,
    /// Makes a user.
    pub register: Call,
    /// Logs a user in who has just been made, where that is what gives the tokens; by the contract, registering does.
    pub login: Option<Call>,
    /// Ends the session of a session token.
    pub logout: Call,
    /// Makes a chat, or finds the DM that there is.
    pub create_chat: Call,
    /// Shows a chat.
    pub get_chat: Call,
    /// Changes the title of a group.
    pub rename: Call,
    /// Adds one member to a group.
    pub add_member: Call,
    /// Removes one member from a group.
    pub remove_member: Call,
    /// Posts a message.
    pub post_message: Call,
    /// Lists messages of a chat.
    pub list_messages: Call,
    /// Lists the chats of a user.
    pub list_chats: Call,
    /// Searches the messages of a user's chats for a text.
    pub search: Call,
}

/// One request, and where in its answer things are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Call {
    /// Method and path, as in `POST /v1/chats`.
    pub request: Option<String>,
    /// What goes into the query string.
    pub query: Option<BTreeMap<String, Value>>,
    /// Headers beside the token.
    pub headers: Option<BTreeMap<String, String>>,
    /// The JSON body.
    pub body: Option<Value>,
    /// Status codes of success.
    pub status: Option<Vec<u16>>,
    /// JSON pointer to the list, where the answer holds one.
    pub items: Option<String>,
    /// JSON pointers by the contract's names.
    pub reply: Option<BTreeMap<String, String>>,
    /// What a placeholder stands for in this target's words.
    pub values: Option<BTreeMap<String, Map<String, Value>>>,
}

/// A request as it is made, with nothing left open.
#[derive(Clone, Debug)]
pub struct Template {
    /// Method of the request.
    pub method: Method,
    /// Where, with placeholders.
    pub path: String,
    /// The query string.
    pub query: BTreeMap<String, Value>,
    /// Headers beside the token.
    pub headers: BTreeMap<String, String>,
    /// The JSON body.
    pub body: Option<Value>,
    /// Status codes of success.
    pub status: Vec<u16>,
    /// JSON pointer to the list.
    pub items: Option<String>,
    /// JSON pointers by the contract's names; the answer as it is without.
    pub reply: Option<BTreeMap<String, String>>,
    /// What placeholders stand for.
    pub values: BTreeMap<String, Map<String, Value>>,
}

impl Rest {
    /// The template of an operation. The error names the key that is wrong and says what would be right.
    pub fn template(&self, operation: Operation) -> Result<Template, String> {
        let (own, contract) = (self.call(operation), OF_THE_CONTRACT.call(operation));
        let key = |name: &str| format!("rest.{operation}.{name}");
        let request = own.request.or(contract.request).unwrap_or_default();
        let (method, path) = split(&request).ok_or_else(|| {
            format!(
                "{}: \"{request}\" is no request: give a method and a path, as in \"POST /v1/chats\"",
                key("request")
            )
        })?;
        let template = Template {
            method,
            path,
            query: own.query.or(contract.query).unwrap_or_default(),
            headers: self
                .headers
                .0
                .clone()
                .into_iter()
                .chain(own.headers.or(contract.headers).unwrap_or_default())
                .collect(),
            body: own.body.or(contract.body),
            status: own.status.or(contract.status).unwrap_or_default(),
            items: own.items.or(contract.items),
            reply: own.reply.or(contract.reply),
            values: own.values.unwrap_or_default(),
        };
        template.check(operation)?;
        Ok(template)
    }

    /// The header that carries this token: name and value.
    pub fn auth_header(&self, token: &str) -> (String, String) {
        let template = self.auth.as_ref().or(OF_THE_CONTRACT.auth.as_ref());
        let template = template.map(String::as_str).unwrap_or_default();
        let (name, value) = template.split_once(':').unwrap_or(("authorization", template));
        (name.trim().to_owned(), value.trim().replace("{{token}}", token))
    }

    /// Looks at every template. The error names the key.
    pub fn check(&self) -> Result<(), String> {
        if let Some(auth) = &self.auth
            && !(auth.contains(':') && auth.contains("{{token}}"))
        {
            return Err(format!(
                "rest.auth: \"{auth}\" must be a header with {{{{token}}}} in it, as in \"{}\"",
                OF_THE_CONTRACT.auth.as_deref().unwrap_or_default()
            ));
        }
        if let Some(url) = &self.url
            && let Ok(parsed) = url::Url::parse(url)
            && parsed.path() != "/"
        {
            return Err(format!(
                "rest.url: {url} has a path, which belongs into the request of each table, as in \"POST {}/…\"",
                parsed.path().trim_end_matches('/')
            ));
        }
        Operation::ALL
            .iter()
            .filter(|operation| self.has(**operation))
            .try_for_each(|operation| self.template(*operation).map(drop))
    }

    /// Whether there is such a request: all but logging in are there by the contract.
    pub fn has(&self, operation: Operation) -> bool {
        operation != Operation::Login || self.login.is_some()
    }

    fn call(&self, operation: Operation) -> Call {
        let call = match operation {
            Operation::Login => return self.login.clone().unwrap_or_default(),
            Operation::Register => &self.register,
            Operation::Logout => &self.logout,
            Operation::CreateChat => &self.create_chat,
            Operation::GetChat => &self.get_chat,
            Operation::Rename => &self.rename,
            Operation::AddMember => &self.add_member,
            Operation::RemoveMember => &self.remove_member,
            Operation::PostMessage => &self.post_message,
            Operation::ListMessages => &self.list_messages,
            Operation::ListChats => &self.list_chats,
            Operation::Search => &self.search,
        };
        call.clone()
    }
}

fn split(request: &str) -> Option<(Method, String)> {
    let (method, path) = request.split_once(' ')?;
    let path = path.trim();
    // Any text is a method to HTTP.
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method);
    (known && path.starts_with('/')).then_some((method.parse().ok()?, path.to_owned()))
}

impl Template {
    /// The placeholders are known, and the pointers are pointers.
    fn check(&self, operation: Operation) -> Result<(), String> {
        let key = |name: &str| format!("rest.{operation}.{name}");
        let mut texts = vec![("request", self.path.as_str())];
        texts.extend(self.body.iter().flat_map(strings).map(|text| ("body", text)));
        texts.extend(self.query.values().flat_map(strings).map(|text| ("query", text)));
        texts.extend(self.headers.values().map(|value| ("headers", value.as_str())));
        for (name, text) in texts {
            if text.matches("{{").count() != text.matches("}}").count() {
                return Err(format!(
                    "{}: a placeholder is {{{{name}}}}, with both pairs of braces",
                    key(name)
                ));
            }
            for placeholder in placeholders::names(text) {
                if !operation.placeholders().contains(&placeholder) {
                    let known: Vec<String> = operation
                        .placeholders()
                        .iter()
                        .map(|known| format!("{{{{{known}}}}}"))
                        .collect();
                    return Err(format!(
                        "{}: {{{{{placeholder}}}}} is no placeholder here; there {}",
                        key(name),
                        if known.is_empty() {
                            "is none".to_owned()
                        } else {
                            format!("are {}", known.join(" "))
                        }
                    ));
                }
            }
        }
        if self.status.is_empty() {
            return Err(format!("{}: give at least one status code", key("status")));
        }
        let pointers = self
            .reply
            .iter()
            .flatten()
            .map(|(name, pointer)| (key(&format!("reply.{name}")), pointer));
        for (key, pointer) in pointers.chain(self.items.iter().map(|pointer| (key("items"), pointer))) {
            if !(pointer.is_empty() || pointer.starts_with('/')) {
                return Err(format!(
                    "{key}: \"{pointer}\" is no JSON pointer: it begins with a slash, as in \"/user/id\""
                ));
            }
        }
        if let Some(unknown) = self
            .reply
            .iter()
            .flatten()
            .find(|(name, _)| !operation.gives().contains(&name.as_str()))
        {
            return Err(format!(
                "{}: the kit asks for no such thing here, only for {}",
                key(&format!("reply.{}", unknown.0)),
                if operation.gives().is_empty() {
                    "nothing".to_owned()
                } else {
                    operation.gives().join(", ")
                }
            ));
        }
        for (placeholder, words) in &self.values {
            if !operation.placeholders().contains(&placeholder.as_str()) {
                return Err(format!(
                    "{}: there is no placeholder {{{{{placeholder}}}}} here",
                    key(&format!("values.{placeholder}"))
                ));
            }
            if let Some(word) = words
                .keys()
                .find(|word| placeholder == "kind" && !["dm", "group"].contains(&word.as_str()))
            {
                return Err(format!(
                    "{}: the kinds are dm and group, not {word}",
                    key("values.kind")
                ));
            }
        }
        if let Some(reply) = &self.reply
            && let Some(missing) = operation.needs().iter().find(|name| !reply.contains_key(**name))
        {
            return Err(format!("{}: say where {missing} is", key("reply")));
        }
        Ok(())
    }
}

/// Every text in a value, at any depth.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_the_contracts() {
        let rest: Rest = toml::from_str("[create_chat]\nrequest = 'PUT /rooms'\n").unwrap();
        let template = rest.template(Operation::CreateChat).unwrap();
        assert_eq!(
            (template.method.as_str(), template.path.as_str()),
            ("PUT", "/rooms")
        );
        assert_eq!(template.status, [200, 201]);
        assert!(template.body.unwrap().to_string().contains("memberIds"));
        Rest::default().check().unwrap();
        let nested = "[rename]\nbody = { chat = { about = { title = '{{title}}', n = [{ a = 1 }] } } }";
        toml::from_str::<Rest>(nested).unwrap().check().unwrap();
        // And the contract's are there.
        let contract: Rest = toml::from_str(CONTRACT).unwrap();
        assert!(contract.auth.is_some() && !contract.has(Operation::Login));
    }

    #[test]
    fn mistakes_are_told_with_the_key() {
        for (text, told) in [
            ("[rename]\nrequest = 'FETCH /x'", "rest.rename.request"),
            ("[rename]\nrequest = 'POST x'", "rest.rename.request"),
            (
                "[rename]\nbody = { t = '{{titel}}' }",
                "rest.rename.body: {{titel}}",
            ),
            ("[logout]\nbody = { t = '{{chat}}' }", "there is none"),
            ("[rename]\nstatus = []", "rest.rename.status"),
            ("[list_chats]\nitems = 'chats'", "rest.list_chats.items"),
            ("[create_chat]\nreply = {}", "say where _id is"),
            (
                "[register]\nreply = { userID = '/id' }",
                "rest.register.reply.userID",
            ),
            (
                "[register]\nbody = { mail = '{{ email }}' }",
                "{{ email }} is no placeholder",
            ),
            ("[register]\nbody = { mail = '{{email}' }", "both pairs of braces"),
            (
                "[create_chat]\nvalues = { knid = { dm = 1 } }",
                "rest.create_chat.values.knid",
            ),
            (
                "[create_chat]\nvalues = { kind = { direct = 1 } }",
                "dm and group",
            ),
            ("[login]\nbody = {}", "rest.login.request"),
            ("url = 'http://127.0.0.1:1/api'", "rest.url"),
            ("auth = 'X-Token'", "rest.auth"),
        ] {
            let rest: Rest = toml::from_str(text).unwrap();
            let error = rest.check().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn tokens_go_where_the_target_wants_them() {
        let rest: Rest = toml::from_str("auth = 'X-Auth-Token: {{token}}'").unwrap();
        assert_eq!(
            rest.auth_header("abc"),
            ("X-Auth-Token".to_owned(), "abc".to_owned())
        );
        assert_eq!(Rest::default().auth_header("abc").1, "Bearer abc");
    }
}

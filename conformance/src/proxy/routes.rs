//! Which request is which: by the templates of a target file.

use serde_json::{Map, Value};

use crate::targets::profile::operation::Operation;
use crate::targets::profile::rest::{Rest, Template};

/// The requests that the kit makes beside the sockets, by method and path.
#[derive(Debug, Default)]
pub(super) struct Routes(Vec<(Operation, Template)>);

impl Routes {
    pub(super) fn of(rest: &Rest) -> Self {
        let there = Operation::ALL.iter().filter(|operation| rest.has(**operation));
        // A template that is wrong is told where the target is looked at.
        Self(
            there
                .filter_map(|operation| Some((*operation, rest.template(*operation).ok()?)))
                .collect(),
        )
    }

    /// Which it is, and what stands in the place of the placeholders of its path.
    pub(super) fn find(&self, method: &str, path: &str) -> Option<(Operation, Map<String, Value>)> {
        self.0.iter().find_map(|(operation, template)| {
            let found = (template.method.as_str() == method).then(|| parts(&template.path, path))?;
            Some((*operation, found?))
        })
    }
}

fn parts(template: &str, path: &str) -> Option<Map<String, Value>> {
    let template = template.split('?').next().unwrap_or_default();
    let (wanted, there) = (template.split('/'), path.split('/'));
    if wanted.clone().count() != there.clone().count() {
        return None;
    }
    let mut parts = Map::new();
    for (wanted, there) in wanted.zip(there) {
        match wanted.strip_prefix("{{").and_then(|name| name.strip_suffix("}}")) {
            Some(name) => drop(parts.insert(name.to_owned(), there.into())),
            None if wanted == there => {}
            None => return None,
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_told_apart_by_method_and_path() {
        let routes = Routes::of(&Rest::default());
        let found = |method: &str, path: &str| {
            let (operation, parts) = routes.find(method, path)?;
            Some((operation, Value::Object(parts)))
        };
        for (method, path, operation, parts) in [
            ("GET", "/v1/chats", Operation::ListChats, json!({})),
            ("POST", "/v1/chats", Operation::CreateChat, json!({})),
            ("GET", "/v1/chats/c1", Operation::GetChat, json!({"chat": "c1"})),
            (
                "DELETE",
                "/v1/chats/c1/members/u1",
                Operation::RemoveMember,
                json!({"chat": "c1", "user": "u1"}),
            ),
            ("GET", "/v1/search/messages", Operation::Search, json!({})),
        ] {
            assert_eq!(found(method, path), Some((operation, parts)), "{method} {path}");
        }
        assert_eq!(found("GET", "/healthz"), None);
        assert_eq!(found("PUT", "/v1/chats"), None);
    }
}

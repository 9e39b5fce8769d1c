//! What the schemas say about one place in a value: which keys they know there, and which words.
//!
//! This is no validation: a value that does not fit has places all the same. Of alternatives (`oneOf`, `anyOf`) those count
//! that no `const` speaks against, as `"ok": true` does against an error; where it speaks against all, all of them count.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use url::Url;

/// One place in a value.
#[derive(Clone, Debug, Default)]
pub struct SchemaLocation<'a> {
    /// All that apply there; none where the schemas say nothing.
    rules: Vec<Rule<'a>>,
}

/// One schema that applies, in the document that it stands in.
#[derive(Clone, Copy, Debug)]
struct Rule<'a> {
    documents: &'a BTreeMap<String, Value>,
    id: &'a str,
    schema: &'a Value,
}

impl<'a> SchemaLocation<'a> {
    /// The value as a whole, of which the document with this id speaks.
    pub(super) fn top(documents: &'a BTreeMap<String, Value>, id: &str) -> Self {
        let rule = documents.get_key_value(id).map(|(id, schema)| Rule {
            documents,
            id,
            schema,
        });
        Self {
            rules: rule.into_iter().collect(),
        }
    }

    /// What is said about the keys of this value.
    pub fn keys(&self, value: &Map<String, Value>) -> Keys<'a> {
        let rules = expand(&self.rules, Some(value));
        Keys(
            rules
                .into_iter()
                .filter(|rule| rule.properties().is_some())
                .collect(),
        )
    }

    /// The elements of a list.
    #[must_use]
    pub fn elements(&self) -> Self {
        let rules = expand(&self.rules, None);
        Self {
            rules: rules.iter().filter_map(|rule| rule.at("items")).collect(),
        }
    }

    /// Every text that the schemas name as such here and below, as in an `enum`.
    pub fn words(&self) -> BTreeSet<&'a str> {
        let mut words = BTreeSet::new();
        for rule in &self.rules {
            rule.words(rule.schema, &mut words);
        }
        words
    }
}

/// What the schemas say about the keys of one object.
#[derive(Clone, Debug)]
pub struct Keys<'a>(Vec<Rule<'a>>);

impl<'a> Keys<'a> {
    /// The place behind this key; none where the schemas do not know the key. An object of which they name no key at all may
    /// have any.
    pub fn at(&self, key: &str) -> Option<SchemaLocation<'a>> {
        if self.0.is_empty() {
            return Some(SchemaLocation::default());
        }
        let rules: Vec<_> = self
            .0
            .iter()
            .filter_map(|rule| rule.at("properties")?.at(key))
            .collect();
        (!rules.is_empty()).then_some(SchemaLocation { rules })
    }
}

/// These rules, and all that they refer to or consist of. Without a value nothing speaks against an alternative.
fn expand<'a>(rules: &[Rule<'a>], value: Option<&Map<String, Value>>) -> Vec<Rule<'a>> {
    let mut all = Vec::new();
    for rule in rules {
        let parts: Vec<_> = rule
            .referred()
            .into_iter()
            .chain(rule.each("allOf"))
            .chain(["then", "else"].iter().filter_map(|part| rule.at(part)))
            .collect();
        all.extend(expand(&parts, value));
        for word in ["oneOf", "anyOf"] {
            let ways: Vec<_> = rule.each(word).map(|way| expand(&[way], value)).collect();
            let possible = |way: &&Vec<Rule>| !way.iter().any(|rule| rule.excludes(value));
            let fitting: Vec<_> = ways.iter().filter(possible).cloned().collect();
            all.extend(if fitting.is_empty() { ways } else { fitting }.concat());
        }
        all.push(*rule);
    }
    all
}

impl<'a> Rule<'a> {
    fn at(&self, key: &str) -> Option<Self> {
        self.schema.get(key).map(|schema| Self { schema, ..*self })
    }

    fn each(&self, key: &str) -> impl Iterator<Item = Self> {
        let parts = self.schema.get(key).and_then(Value::as_array);
        let of = *self;
        parts
            .into_iter()
            .flatten()
            .map(move |schema| Self { schema, ..of })
    }

    fn properties(&self) -> Option<&'a Map<String, Value>> {
        self.schema.get("properties")?.as_object()
    }

    /// What its `$ref` stands for.
    fn referred(&self) -> Option<Self> {
        let mut url = Url::parse(self.id)
            .ok()?
            .join(self.schema.get("$ref")?.as_str()?)
            .ok()?;
        let pointer = url.fragment().unwrap_or_default().to_owned();
        url.set_fragment(None);
        let (id, document) = self.documents.get_key_value(url.as_str())?;
        Some(Self {
            documents: self.documents,
            id,
            schema: document.pointer(&pointer)?,
        })
    }

    /// Whether a `const` of it contradicts the value.
    fn excludes(&self, value: Option<&Map<String, Value>>) -> bool {
        let contradicts = |(key, schema): (&String, &Value)| {
            let found = value.and_then(|value| value.get(key));
            schema
                .get("const")
                .zip(found)
                .is_some_and(|(wanted, found)| wanted != found)
        };
        self.properties()
            .is_some_and(|properties| properties.iter().any(contradicts))
    }

    fn words(&self, schema: &'a Value, words: &mut BTreeSet<&'a str>) {
        match schema {
            Value::Array(parts) => parts.iter().for_each(|part| self.words(part, words)),
            Value::Object(parts) => {
                let named = parts.get("enum").and_then(Value::as_array);
                words.extend(
                    named
                        .into_iter()
                        .flatten()
                        .chain(parts.get("const"))
                        .filter_map(Value::as_str),
                );
                let rule = Self { schema, ..*self };
                if let Some(rule) = rule.referred() {
                    rule.words(rule.schema, words);
                }
                // What stands in an example is no word of the contract.
                let said = parts.iter().filter(|(key, _)| *key != "examples");
                said.for_each(|(_, part)| self.words(part, words));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contract::Contract;

    fn known(place: &SchemaLocation<'_>, value: &Value, key: &str) -> bool {
        place.keys(value.as_object().unwrap()).at(key).is_some()
    }

    #[test]
    fn keys_are_known_through_references() {
        let contract = Contract::embedded().unwrap();
        let event = json!({"message": {}});
        let keys = contract
            .schemas
            .place("events/server/message-new")
            .keys(event.as_object().unwrap());
        assert!(keys.at("extra").is_none());
        let message = keys.at("message").unwrap();
        for key in ["_id", "editedAt", "deleted"] {
            assert!(known(&message, &json!({}), key), "{key}");
        }
        assert!(!known(&message, &json!({}), "readBy"));
    }

    #[test]
    fn a_success_may_not_have_what_only_an_error_has_and_the_other_way_round() {
        let contract = Contract::embedded().unwrap();
        let place = contract.schemas.place("acks/message-send");
        let (success, error, neither) = (json!({"ok": true}), json!({"ok": false}), json!({"ok": "yes"}));
        assert!(known(&place, &success, "data") && !known(&place, &success, "message"));
        assert!(known(&place, &error, "message") && !known(&place, &error, "data"));
        assert!(known(&place, &neither, "data") && known(&place, &neither, "message"));
        assert!(!known(&place, &neither, "extra"));
    }

    #[test]
    fn where_the_schemas_name_no_key_any_may_be() {
        let contract = Contract::embedded().unwrap();
        let refusal = json!({"message": "no"});
        let keys = contract
            .schemas
            .place("connect-error")
            .keys(refusal.as_object().unwrap());
        assert!(known(&keys.at("data").unwrap(), &json!({"code": 1}), "code"));
        assert!(keys.at("code").is_none());
        assert!(known(&contract.schemas.place("no/such"), &json!({}), "anything"));
    }

    #[test]
    fn elements_and_words_are_found() {
        let contract = Contract::embedded().unwrap();
        let place = contract.schemas.place("events/server/chat-update");
        assert_eq!(place.words(), BTreeSet::from(["dm", "group"]));
        let chat = place.keys(&Map::new()).at("chat").unwrap();
        let members = chat.keys(&Map::new()).at("memberIds").unwrap();
        assert_eq!(members.elements().rules.len(), 1);
        assert!(
            contract
                .schemas
                .place("acks/room-join")
                .words()
                .contains("INTERNAL")
        );
    }

    /// The schemas of what a server sends speak of keys in no way that is not read here.
    #[test]
    fn no_schema_of_what_a_server_sends_speaks_of_keys_in_another_way() {
        let contract = Contract::embedded().unwrap();
        for (id, document) in &contract.schemas.documents {
            let sent = ["/acks/", "/events/server/", "/dto/", "/connect-error"];
            if !sent.iter().any(|part| id.contains(part)) {
                continue;
            }
            for word in [
                "patternProperties",
                "additionalProperties",
                "unevaluatedProperties",
                "dependentSchemas",
                "propertyNames",
                "prefixItems",
                "$dynamicRef",
            ] {
                assert!(
                    !document.to_string().contains(&format!("\"{word}\":")),
                    "{id}: {word}"
                );
            }
        }
    }
}

//! The documents of the contract: embedded, served as they are, and read with every reference followed.

use std::collections::{BTreeMap, BTreeSet};

use include_dir::{Dir, include_dir};
use serde_yaml_ng::Value;

/// The socket side.
pub(super) const ASYNCAPI: &str = "asyncapi.yaml";
/// The REST side.
pub(super) const OPENAPI: &str = "openapi.yaml";

static SCHEMAS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../fixtures/schemas");

/// No chain of references is as long as this, unless it leads back to itself.
const HOPS: usize = 16;

/// The two documents and all that they refer to, by path. JSON is read as the YAML that it is, which keeps the order of fields.
pub(super) struct Contract {
    documents: BTreeMap<String, Document>,
}

struct Document {
    text: &'static str,
    value: Value,
}

/// Why the documents cannot be shown; a test proves that those which are embedded can.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContractError {
    /// A file is not there.
    #[error("{0} is not among the documents of the contract")]
    Missing(String),
    /// A file is not what it should be.
    #[error("{0} cannot be read: {1}")]
    Syntax(String, serde_yaml_ng::Error),
    /// A reference is broken.
    #[error("{file} refers to {reference}, which is not there")]
    Reference {
        /// The file with the reference.
        file: String,
        /// The reference, as it is written there.
        reference: String,
    },
}

impl Contract {
    /// Reads the documents and whatever they refer to, and nothing else.
    pub(super) fn load() -> Result<Self, ContractError> {
        let mut documents = BTreeMap::new();
        let mut wanted = vec![ASYNCAPI.to_owned(), OPENAPI.to_owned()];
        while let Some(path) = wanted.pop() {
            if documents.contains_key(&path) {
                continue;
            }
            let text = embedded(&path).ok_or_else(|| ContractError::Missing(path.clone()))?;
            let value =
                serde_yaml_ng::from_str(text).map_err(|error| ContractError::Syntax(path.clone(), error))?;
            wanted.extend(references(&value).map(|reference| Target::of(&path, reference).file));
            documents.insert(path, Document { text, value });
        }
        let contract = Self { documents };
        contract.check()?;
        Ok(contract)
    }

    fn check(&self) -> Result<(), ContractError> {
        for (file, document) in &self.documents {
            for reference in references(&document.value) {
                let broken = || ContractError::Reference {
                    file: file.clone(),
                    reference: reference.to_owned(),
                };
                self.at(&Target::of(file, reference)).ok_or_else(broken)?;
            }
        }
        Ok(())
    }

    /// Every document, by its path, as it is written.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.documents
            .iter()
            .map(|(path, document)| (path.as_str(), document.text))
    }

    /// One of the documents.
    pub(super) fn document(&self, path: &str) -> Result<Node<'_>, ContractError> {
        let whole = Target {
            file: path.to_owned(),
            pointer: String::new(),
        };
        self.at(&whole)
            .ok_or_else(|| ContractError::Missing(path.to_owned()))
    }

    /// What a reference leads to.
    pub(super) fn at(&self, target: &Target) -> Option<Node<'_>> {
        let (file, document) = self.documents.get_key_value(&target.file)?;
        let steps = target.pointer.split('/').skip(1);
        let value = steps
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .try_fold(&document.value, |value, step| value.get(step.as_str()))?;
        Some(Node {
            contract: self,
            file,
            value,
        })
    }
}

fn embedded(path: &str) -> Option<&'static str> {
    match path {
        ASYNCAPI => Some(include_str!("../../../fixtures/asyncapi.yaml")),
        OPENAPI => Some(include_str!("../../../fixtures/openapi.yaml")),
        _ => SCHEMAS.get_file(path.strip_prefix("schemas/")?)?.contents_utf8(),
    }
}

/// All references anywhere in a value.
fn references(value: &Value) -> impl Iterator<Item = &str> {
    let mut found = BTreeSet::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Mapping(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                open.extend(fields.values());
            }
            Value::Sequence(items) => open.extend(items),
            _ => {}
        }
    }
    found.into_iter()
}

/// Where a reference leads to: a file, and a JSON pointer into it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Target {
    file: String,
    pointer: String,
}

impl Target {
    /// Resolves a `reference` found in `file`.
    fn of(file: &str, reference: &str) -> Self {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if path.is_empty() {
            file.to_owned()
        } else {
            let mut steps: Vec<&str> = file.split('/').collect();
            steps.pop();
            for step in path.split('/') {
                match step {
                    ".." => drop(steps.pop()),
                    "." => {}
                    step => steps.push(step),
                }
            }
            steps.join("/")
        };
        Self {
            file,
            pointer: pointer.to_owned(),
        }
    }

    /// The last step of the pointer: what a definition is called.
    pub(super) fn name(&self) -> Option<&str> {
        self.pointer.rsplit_once('/').map(|(_, name)| name)
    }

    /// The file's name, without folders and ending.
    pub(super) fn stem(&self) -> &str {
        let name = self.file.rsplit_once('/').map_or(&*self.file, |(_, name)| name);
        name.split_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// A place in a document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    contract: &'a Contract,
    file: &'a str,
    value: &'a Value,
}

impl<'a> Node<'a> {
    /// The value of a key, which may be a reference.
    pub(super) fn written(self, key: &str) -> Option<Self> {
        self.value.get(key).map(|value| self.with(value))
    }

    /// The value of a key; where that is a reference, what it refers to.
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.written(key).map(Self::followed)
    }

    /// The text under a key; empty where there is none.
    pub(super) fn text(self, key: &str) -> &'a str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number under a key.
    pub(super) fn number(self, key: &str) -> Option<u64> {
        self.value.get(key).and_then(Value::as_u64)
    }

    /// Whether it says `true` under a key.
    pub(super) fn is(self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// The keys with their values, in the order of the document; empty where the value is no object.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'a str, Self)> {
        let fields = self.value.as_mapping().into_iter().flatten();
        fields.filter_map(move |(key, value)| Some((key.as_str()?, self.with(value))))
    }

    /// The items of a list; none where it is no list.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let items = self.value.as_sequence().into_iter().flatten();
        items.map(move |value| self.with(value))
    }

    /// The texts of the list under a key.
    pub(super) fn texts(self, key: &str) -> Vec<&'a str> {
        let list = self.value.get(key).and_then(Value::as_sequence);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Where this leads to, if it is a reference.
    pub(super) fn target(self) -> Option<Target> {
        let reference = self.value.get("$ref")?.as_str()?;
        Some(Target::of(self.file, reference))
    }

    /// What this leads to in the end, if it is a reference; otherwise itself.
    pub(super) fn followed(self) -> Self {
        let next = |node: &Self| node.target().and_then(|target| self.contract.at(&target));
        let chain = std::iter::successors(Some(self), next);
        chain.take(HOPS).last().unwrap_or(self)
    }

    /// The value itself.
    pub(super) const fn value(self) -> &'a Value {
        self.value
    }

    fn with(self, value: &'a Value) -> Self {
        Self { value, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_documents_refer_to_is_there() {
        let contract = Contract::load().unwrap();
        let files: BTreeSet<_> = contract.files().map(|(path, _)| path).collect();
        for path in [
            ASYNCAPI,
            OPENAPI,
            "schemas/common.json",
            "schemas/acks/error.json",
            "schemas/dto/last-message.json",
        ] {
            assert!(files.contains(path), "{path}");
        }
        assert!(!files.contains("schemas/report.json"), "that is the kit's");
    }

    #[test]
    fn references_are_relative_to_where_they_stand() {
        for (file, reference, target, pointer) in [
            ("openapi.yaml", "#/a/b", "openapi.yaml", "/a/b"),
            (
                "openapi.yaml",
                "schemas/dto/chat.json",
                "schemas/dto/chat.json",
                "",
            ),
            (
                "schemas/events/client/x.json",
                "../../common.json#/$defs/Body",
                "schemas/common.json",
                "/$defs/Body",
            ),
            (
                "schemas/acks/x.json",
                "./error.json",
                "schemas/acks/error.json",
                "",
            ),
        ] {
            let found = Target::of(file, reference);
            assert_eq!((&*found.file, &*found.pointer), (target, pointer));
        }
    }

    #[test]
    fn a_chain_of_references_is_followed_to_its_end() {
        let contract = Contract::load().unwrap();
        let channel = contract
            .document(ASYNCAPI)
            .unwrap()
            .get("channels")
            .and_then(|channels| channels.get("connection"))
            .unwrap();
        let message = channel
            .get("messages")
            .and_then(|all| all.get("messageSend"))
            .unwrap();
        assert_eq!(message.text("name"), "message:send");
        let schema = message
            .get("payload")
            .and_then(|payload| payload.get("schema"))
            .unwrap();
        assert_eq!(schema.text("title"), "message:send");
        let fields: Vec<_> = schema
            .get("properties")
            .unwrap()
            .entries()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(
            fields,
            ["chatId", "clientId", "body"],
            "in the order of the document"
        );
    }
}

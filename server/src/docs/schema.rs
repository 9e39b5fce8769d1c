//! JSON Schemas as people read them: fields with their types and limits, and the types that they name.

use maud::{Markup, html};

use super::contract::{Contract, Node, Target};
use super::page::{prose, scrolling};
use super::values::{limits, literal, pretty};

/// The types that a page names. Each is a link where it is named, and described once, at the end.
pub(super) struct Types<'a> {
    contract: &'a Contract,
    named: Vec<Target>,
}

/// A field, be it of an object within the object.
struct Field<'a> {
    /// As in `data.serverId`, or `keys[].kty`.
    path: String,
    required: bool,
    schema: Node<'a>,
}

impl<'a> Types<'a> {
    pub(super) const fn new(contract: &'a Contract) -> Self {
        Self {
            contract,
            named: Vec::new(),
        }
    }

    /// What a schema says about an object: its fields, and what holds between them.
    pub(super) fn object(&mut self, label: &str, schema: Node<'_>) -> Markup {
        let (mut fields, mut rules) = (Vec::new(), Vec::new());
        self.collect(schema, "", &mut fields, &mut rules);
        let alternatives = || schema.get("oneOf").into_iter().flat_map(Node::items);
        html! {
            @if !fields.is_empty() {
                (self.table(label, &fields))
            } @else if alternatives().next().is_none() {
                p.rule { "No field means anything." }
            }
            @for rule in rules { p.rule { (rule) } }
            @for alternative in alternatives() {
                @match alternative.target() {
                    Some(target) => p.rule { "Or: " (self.link(target)) },
                    None => (self.object(label, alternative)),
                }
            }
        }
    }

    /// The fields of a schema and of all that it is made of.
    fn collect<'s>(
        &mut self,
        schema: Node<'s>,
        prefix: &str,
        fields: &mut Vec<Field<'s>>,
        rules: &mut Vec<Markup>,
    ) {
        for part in schema.get("allOf").into_iter().flat_map(Node::items) {
            self.collect(part.followed(), prefix, fields, rules);
        }
        let required = schema.texts("required");
        for (name, property) in schema.get("properties").into_iter().flat_map(Node::entries) {
            let path = format!("{prefix}{name}");
            fields.push(Field {
                path: path.clone(),
                required: required.contains(&name),
                schema: property,
            });
            self.collect(property, &format!("{path}."), fields, rules);
            if let Some(items) = property.written("items") {
                self.collect(items, &format!("{path}[]."), fields, rules);
            }
        }
        if let Some(forbidden) = schema.get("not") {
            for name in forbidden.texts("required") {
                rules.push(html! { "Never with " code { (prefix) (name) } "." });
            }
        }
        if let (Some(condition), Some(consequence)) = (schema.get("if"), schema.get("then")) {
            rules.push(self.rule(condition, consequence));
        }
    }

    /// `Where type is "dm": title is null.`
    fn rule(&mut self, condition: Node<'_>, consequence: Node<'_>) -> Markup {
        let is = |node: Node<'_>| node.written("const").map(|value| literal(value.value()));
        let conditions = condition.get("properties").into_iter().flat_map(Node::entries);
        let fields = consequence.get("properties").into_iter().flat_map(Node::entries);
        html! {
            "Where "
            @for (name, node) in conditions { code { (name) } " is " code { (is(node).unwrap_or_default()) } }
            ": "
            @for (n, name) in consequence.texts("required").into_iter().enumerate() {
                @if n > 0 { "; " }
                code { (name) } " is required"
            }
            @for (n, (name, node)) in fields.enumerate() {
                @if n > 0 { "; " }
                code { (name) }
                @if node.written("type").is_some() { " is " (self.kind(node)) }
                @if let Some(limits) = limits(node) { " has " (limits) }
            }
            "."
        }
    }

    fn table(&mut self, label: &str, fields: &[Field<'_>]) -> Markup {
        let table = html! {
            table.fields {
                caption.unseen { (label) }
                thead { tr { th scope="col" { "Field" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                tbody {
                    @for Field { path, required, schema } in fields {
                        tr {
                            th scope="row" { code { (path) } @if !required { " " small { "optional" } } }
                            td { (self.kind(*schema)) @if let Some(limits) = limits(*schema) { small { (limits) } } }
                            td { (prose(meaning(*schema))) }
                        }
                    }
                }
            }
        };
        scrolling(label, &table)
    }

    /// Of which type a value is.
    pub(super) fn kind(&mut self, schema: Node<'_>) -> Markup {
        if let Some(target) = schema.target() {
            return self.link(target);
        }
        if let Some(value) = schema.written("const") {
            return html! { code { (literal(value.value())) } };
        }
        if let Some(values) = schema.written("enum") {
            return html! {
                @for (n, value) in values.items().enumerate() {
                    @if n > 0 { " or " }
                    code { (literal(value.value())) }
                }
            };
        }
        if let Some(items) = schema.written("items") {
            return html! { "list of " (self.kind(items)) };
        }
        let types = match schema.text("type") {
            "" => schema.texts("type"),
            one => vec![one],
        };
        html! {
            @if types.is_empty() { "anything" }
            @for (n, name) in types.into_iter().enumerate() {
                @if n > 0 { " or " }
                (name)
            }
        }
    }

    /// Names a type, which is then described on this page.
    pub(super) fn link(&mut self, target: Target) -> Markup {
        let name = self.name(&target);
        let link = html! { a href={ "#" (anchor(&name)) } { (name) } };
        if !self.named.contains(&target) {
            self.named.push(target);
        }
        link
    }

    /// What a type is called: as its definition is, or by its title.
    fn name(&self, target: &Target) -> String {
        let title = || self.contract.at(target).map_or("", |node| node.text("title"));
        match target.name() {
            Some(name) => name.to_owned(),
            None if title().is_empty() => target.stem().to_owned(),
            None => title().to_owned(),
        }
    }

    /// All types that were named so far, and those that they name.
    pub(super) fn tell(mut self) -> Markup {
        let contract = self.contract;
        let mut told = Vec::new();
        // The list grows while it is worked through.
        while let Some(target) = self.named.get(told.len()).cloned() {
            let name = self.name(&target);
            let markup = contract.at(&target).map(|schema| self.told(&name, schema));
            told.push((name.to_lowercase(), markup));
        }
        told.sort_by(|(one, _), (other, _)| one.cmp(other));
        html! { @for markup in told.into_iter().filter_map(|(_, markup)| markup) { (markup) } }
    }

    fn told(&mut self, name: &str, schema: Node<'_>) -> Markup {
        let structured = ["properties", "allOf"]
            .iter()
            .any(|key| schema.written(key).is_some());
        html! {
            article.type {
                h3 #(anchor(name)) { (name) }
                p { (prose(schema.text("description"))) }
                @if structured {
                    (self.object(&format!("Fields of {name}"), schema))
                } @else {
                    p.rule { (self.kind(schema)) @if let Some(limits) = limits(schema) { ", " (limits) } }
                }
                (example("Example", schema))
            }
        }
    }
}

/// The first example of a schema, folded.
pub(super) fn example(summary: &str, schema: Node<'_>) -> Markup {
    let first = schema.written("examples").and_then(|all| all.items().next());
    html! {
        @if let Some(first) = first {
            details { summary { (summary) } pre { code { (pretty(first.value())) } } }
        }
    }
}

/// What a field is for: in its own words, or in those of its type.
fn meaning(schema: Node<'_>) -> &str {
    match schema.text("description") {
        "" => schema.followed().text("description"),
        own => own,
    }
}

/// The anchor of a type's description.
fn anchor(name: &str) -> String {
    format!(
        "type-{}",
        name.to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::docs::contract::{ASYNCAPI, OPENAPI};

    /// What a schema can say that is shown, or that is of no interest to people.
    const SHOWN: [&str; 28] = [
        "$defs",
        "$id",
        "$ref",
        "$schema",
        "allOf",
        "const",
        "default",
        "description",
        "enum",
        "examples",
        "format",
        "if",
        "items",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "not",
        "oneOf",
        "pattern",
        "properties",
        "required",
        "then",
        "title",
        "type",
        "uniqueItems",
    ];

    fn keywords(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
        for (key, value) in schema.as_object().into_iter().flatten() {
            found.insert(key.clone());
            match key.as_str() {
                "properties" | "$defs" => {
                    for schema in value.as_object().into_iter().flat_map(|all| all.values()) {
                        keywords(schema, found);
                    }
                }
                "allOf" | "oneOf" => {
                    for schema in value.as_array().into_iter().flatten() {
                        keywords(schema, found);
                    }
                }
                "items" | "not" | "if" | "then" => keywords(value, found),
                _ => {}
            }
        }
    }

    #[test]
    fn nothing_that_a_schema_says_is_left_out() {
        let contract = Contract::load().unwrap();
        let mut found = BTreeSet::new();
        for (path, text) in contract
            .files()
            .filter(|(path, _)| ![ASYNCAPI, OPENAPI].contains(path))
        {
            let schema = serde_json::from_str(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            keywords(&schema, &mut found);
        }
        let known = SHOWN.map(str::to_owned).into();
        let unknown: Vec<_> = found.difference(&known).collect();
        assert!(unknown.is_empty(), "docs/schema.rs does not show {unknown:?}");
    }

    fn shown(path: &str) -> String {
        let contract = Contract::load().unwrap();
        let schema = contract.document(path).unwrap();
        let markup = Types::new(&contract).object("Fields", schema).into_string();
        [("<code>", "`"), ("</code>", "`"), ("&quot;", "\"")]
            .iter()
            .fold(markup, |text, (from, to)| text.replace(from, to))
    }

    #[test]
    fn fields_have_their_types_and_limits() {
        let body = shown("schemas/rest/create-chat.json");
        for part in [
            r#"`"dm"` or `"group"`"#,
            r##"list of <a href="#type-objectid">ObjectId</a><small>at least 1 item, no two alike</small>"##,
            "`title` <small>optional</small>",
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
        let body = shown("schemas/dto/message.json");
        assert!(body.contains("<small>at least 1 character</small>"), "{body}");
        let keys = shown("schemas/rest/jwks.json");
        assert!(keys.contains("`keys[].kty`"), "{keys}");
    }

    #[test]
    fn what_holds_between_fields_is_told() {
        for (path, rule) in [
            (
                "schemas/dto/chat.json",
                "Where `type` is `\"dm\"`: `title` is null; `memberIds` has exactly 2 items.",
            ),
            (
                "schemas/acks/error.json",
                "Where `error` is `\"INTERNAL\"`: `correlationId` is required.",
            ),
            ("schemas/acks/error.json", "Never with `data`."),
        ] {
            let text = shown(path);
            assert!(text.contains(rule), "{rule} in {text}");
        }
    }

    #[test]
    fn a_schema_made_of_others_has_all_their_fields() {
        let summary = shown("schemas/dto/chat-summary.json");
        for field in [
            "`memberIds`",
            "`unreadCount`",
            "`lastMessage` <small>optional</small>",
        ] {
            assert!(summary.contains(field), "{field} in {summary}");
        }
    }
}

//! JSON Schemas in short, as in `{ chatId: ObjectId, clientId?: string, state: "start" | "stop" }`.

use serde_json::Value;

use crate::json;

/// A table of Markdown.
pub(crate) fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    let rule = vec!["---".to_owned(); heads.len()];
    let rows = rows.into_iter().map(|cells| line(&cells));
    line(&heads) + &line(&rule).replace(' ', "") + &rows.collect::<String>()
}

/// Code in a cell of a table.
pub(crate) fn cell(code: &str) -> String {
    format!("`{}`", code.replace('|', "\\|"))
}

/// The schema of this name.
pub(crate) fn schema(name: &str) -> Value {
    json(&format!("fixtures/schemas/{name}.json"))
}

/// What a value of this schema looks like. References stay names, and of alternatives it is the first.
pub(crate) fn shape(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return name(reference);
    }
    if let Some(first) = schema["oneOf"].get(0) {
        return shape(first);
    }
    if let Some(all) = schema["allOf"].as_array() {
        return all.iter().map(shape).collect::<Vec<_>>().join(" & ");
    }
    if let Some(constant) = schema.get("const") {
        return constant.to_string();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    match &schema["type"] {
        Value::Array(types) => types
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" | "),
        Value::String(kind) if kind == "object" => object(schema),
        Value::String(kind) if kind == "array" => format!("{}[]", shape(&schema["items"])),
        Value::String(kind) => kind.clone(),
        other => panic!("no notation for the type {other} in {schema}"),
    }
}

fn object(schema: &Value) -> String {
    let Some(fields) = schema["properties"].as_object() else {
        return "{}".to_owned();
    };
    // In the order in which the schema requires them, and then what is optional.
    let required = schema["required"].as_array().into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let optional = fields
        .keys()
        .map(String::as_str)
        .filter(|name| !required.contains(name));
    let told = required
        .iter()
        .map(|name| format!("{name}: {}", shape(&fields[*name])))
        .chain(optional.map(|name| format!("{name}?: {}", shape(&fields[name]))));
    format!("{{ {} }}", told.collect::<Vec<_>>().join(", "))
}

/// The name that a reference goes by: that of the definition, or the title of the schema.
fn name(reference: &str) -> String {
    if let Some((_, definition)) = reference.split_once("#/$defs/") {
        return definition.to_owned();
    }
    let path = reference.trim_start_matches("../").trim_end_matches(".json");
    let path = path.strip_prefix("schemas/").unwrap_or(path);
    let known = ["dto/", "rest/", "acks/", "events/"]
        .iter()
        .any(|folder| path.starts_with(folder));
    let path = if known {
        path.to_owned()
    } else {
        format!("dto/{path}")
    };
    let title = schema(&path)["title"].clone();
    title
        .as_str()
        .unwrap_or_else(|| panic!("{reference} has no title"))
        .to_owned()
}

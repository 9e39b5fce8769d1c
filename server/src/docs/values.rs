//! Values as JSON writes them, and what they must keep to.

use maud::{Markup, html};
use serde_yaml_ng::Value;

use super::contract::Node;

/// What a value must keep to within its type.
pub(super) fn limits(schema: Node<'_>) -> Option<Markup> {
    let range = |min, max, one: &str, many: &str| {
        let number = |n: u64| format!("{} {}", thousands(n), if n == 1 { one } else { many });
        match (schema.number(min), schema.number(max)) {
            (Some(min), Some(max)) if min == max => Some(format!("exactly {}", number(min))),
            (Some(min), Some(max)) => Some(format!("{} to {}", thousands(min), number(max))),
            (Some(min), None) => Some(format!("at least {}", number(min))),
            (None, Some(max)) => Some(format!("at most {}", number(max))),
            (None, None) => None,
        }
    };
    let said = [
        range("minLength", "maxLength", "character", "characters"),
        range("minItems", "maxItems", "item", "items"),
        range("minimum", "maximum", "", ""),
        schema.is("uniqueItems").then(|| "no two alike".to_owned()),
        schema
            .written("default")
            .map(|value| format!("{} where it is left out", literal(value.value()))),
        Some(schema.text("format"))
            .filter(|name| !name.is_empty())
            .map(|name| format!("format {name}")),
    ];
    let said: Vec<String> = said
        .into_iter()
        .flatten()
        .map(|text| text.trim().to_owned())
        .collect();
    let pattern = Some(schema.text("pattern")).filter(|pattern| !pattern.is_empty());
    (pattern.is_some() || !said.is_empty()).then(|| {
        html! {
            (said.join(", "))
            @if let Some(pattern) = pattern {
                @if !said.is_empty() { ", " }
                "matches " code { (pattern) }
            }
        }
    })
}

/// `100,000`
fn thousands(n: u64) -> String {
    match n {
        0..1_000 => n.to_string(),
        _ => format!("{},{:03}", thousands(n / 1_000), n % 1_000),
    }
}

/// A value as JSON writes it, in one line.
pub(super) fn literal(value: &Value) -> String {
    // What is embedded is JSON, or YAML that could be; there is nothing that JSON cannot say.
    serde_json::to_string(value).unwrap_or_default()
}

/// A value as JSON writes it for people.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_can_be_read() {
        for (n, text) in [
            (7, "7"),
            (1_000, "1,000"),
            (100_020, "100,020"),
            (1_000_000, "1,000,000"),
        ] {
            assert_eq!(thousands(n), text);
        }
    }
}

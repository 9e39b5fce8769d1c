//! `{{…}}` in texts and in JSON: what stands between the braces is a name that is looked up.

use serde_json::Value;

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// The names between the braces, in their order.
pub fn names(template: &str) -> impl Iterator<Item = &str> {
    let named = template.split(OPEN).skip(1);
    named.filter_map(|rest| rest.split_once(CLOSE).map(|(name, _)| name))
}

/// The text with each name replaced by what it stands for; nothing where one of them stands for nothing.
pub fn text(template: &str, stands_for: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(OPEN)
        && let Some((name, behind)) = after.split_once(CLOSE)
    {
        filled.push_str(before);
        filled.push_str(&stands_for(name)?);
        rest = behind;
    }
    filled.push_str(rest);
    Some(filled)
}

/// JSON with the texts in it filled in. A text that is one name and nothing else becomes the value that it stands for, of
/// whatever type. What has a name that stands for nothing is left out; nothing where that is all there is.
pub fn json(template: &Value, stands_for: &impl Fn(&str) -> Option<Value>) -> Option<Value> {
    match template {
        Value::String(template) => match whole(template) {
            Some(name) => stands_for(name),
            None => text(template, |name| stands_for(name).map(|value| in_text(&value))).map(Value::String),
        },
        Value::Array(items) => Some(items.iter().filter_map(|item| json(item, stands_for)).collect()),
        Value::Object(fields) => {
            let filled = |(name, field): (&String, &Value)| Some((name.clone(), json(field, stands_for)?));
            Some(Value::Object(fields.iter().filter_map(filled).collect()))
        }
        other => Some(other.clone()),
    }
}

/// A value as it stands in the middle of a text.
pub fn in_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn whole(template: &str) -> Option<&str> {
    let name = template.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    (!name.contains(OPEN)).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &Value) -> Option<Value> {
        json(template, &|name| match name {
            "n" => Some(7.into()),
            "who" => Some("ann".into()),
            "braces" => Some("{{n}}".into()),
            _ => None,
        })
    }

    #[test]
    fn a_name_alone_keeps_the_type_of_what_it_stands_for() {
        assert_eq!(filled(&json!("{{n}}")), Some(json!(7)));
        assert_eq!(filled(&json!("{{who}} has {{n}}")), Some(json!("ann has 7")));
        assert_eq!(
            filled(&json!(["{{n}}", {"a": "{{who}}"}])),
            Some(json!([7, {"a": "ann"}]))
        );
    }

    #[test]
    fn what_stands_for_nothing_is_left_out() {
        assert_eq!(filled(&json!("{{nobody}}")), None);
        assert_eq!(
            filled(&json!({"a": "by {{nobody}}", "b": "{{n}}"})),
            Some(json!({"b": 7}))
        );
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(filled(&json!("{{braces}}!")), Some(json!("{{n}}!")));
    }

    #[test]
    fn braces_that_have_no_end_are_text() {
        assert_eq!(filled(&json!("a {{n")), Some(json!("a {{n")));
        assert_eq!(names("{{a}} and {{b}} and {{c").collect::<Vec<_>>(), ["a", "b"]);
    }
}

//! What holds of the matchers for every value.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::event::event;
use super::{ack, equal, field, has};
use crate::event::Event;
use crate::packet::spec;
use crate::text::show;

/// A value with the pointer to something in it that has nothing in it itself.
fn value_and_leaf() -> impl Strategy<Value = (Value, String)> {
    (spec::json_value(), any::<prop::sample::Index>()).prop_map(|(value, index)| {
        let mut pointers = Vec::new();
        leaves(&value, "", &mut pointers);
        let pointer = index.get(&pointers).clone();
        (value, pointer)
    })
}

fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            for (n, item) in items.iter().enumerate() {
                leaves(item, &format!("{at}/{n}"), found);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                leaves(field, &format!("{at}/{name}"), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

proptest! {
    #![proptest_config(spec::config())]

    #[test]
    fn a_value_is_itself((value, pointer) in value_and_leaf()) {
        prop_assert!(equal("value", &value, &value).is_ok());
        let leaf = value.pointer(&pointer).unwrap();
        prop_assert_eq!(field(&value, &pointer), Ok(leaf));
        prop_assert!(has(&value, &pointer, leaf.clone()).is_ok());
        let told = Event::for_test("told", value.clone());
        prop_assert!(event("told").at(&pointer, leaf.clone()).matches(&told));
        prop_assert!(!event("other").at(&pointer, leaf.clone()).matches(&told));
    }

    #[test]
    fn a_leaf_that_has_changed_is_told_with_its_pointer((value, pointer) in value_and_leaf(), other in spec::json_value()) {
        let leaf = value.pointer(&pointer).unwrap().clone();
        prop_assume!(leaf != other);
        let mut changed = value.clone();
        *changed.pointer_mut(&pointer).unwrap() = other.clone();
        prop_assert!(equal("value", &changed, &value).is_err());
        let told = has(&changed, &pointer, leaf.clone()).unwrap_err().to_string();
        prop_assert_eq!(
            told,
            format!("expected {pointer} = {}; got {pointer} = {}", show(&leaf), show(&other))
        );
        let wanted = event("told").at(&pointer, leaf);
        prop_assert!(!wanted.matches(&Event::for_test("told", changed)));
    }

    #[test]
    fn an_ack_is_a_success_or_an_error_and_never_both(ok in spec::json_value(), error in spec::json_value()) {
        for reply in [json!({"ok": ok, "error": error}), json!({"ok": ok}), json!({"error": error}), ok, error] {
            prop_assert!(ack::ok(&reply).is_err() || ack::any_error(&reply).is_err());
        }
    }
}

use serde_json::json;

use super::*;

fn read(value: &Value) -> Shape {
    Shape::from_json(value).unwrap()
}

fn written(shape: &Shape) -> Value {
    serde_json::to_value(shape).unwrap()
}

#[test]
fn keys_are_written_with_their_marks_and_in_the_order_of_their_names() {
    let keys = [("b", true, false), ("a", false, true), ("c", false, false)];
    let object = keys.map(|(name, always, known)| {
        let shape = Plain::Number.into();
        (name.to_owned(), Key { always, known, shape })
    });
    let shape = Shape {
        object: Some(BTreeMap::from(object)),
        ..Shape::default()
    };
    assert_eq!(
        serde_json::to_string(&shape).unwrap(),
        r#"{"a?":"<number>","+b":"<number>","+c?":"<number>"}"#
    );
    assert_eq!(read(&written(&shape)), shape);
}

#[test]
fn marks_that_belong_to_a_name_are_told_apart() {
    for name in [
        "+", "?", "|", "\\", "", "+a?", "a+b", "really?", "a\\?", "\\+", "ü?",
    ] {
        for (always, known) in [(true, true), (true, false), (false, true), (false, false)] {
            let key = Key {
                always,
                known,
                shape: Shape::default(),
            };
            let text = key.to_text(name);
            assert_eq!(name_from_text(&text), (name.to_owned(), always, known), "{text}");
        }
    }
}

#[test]
fn an_object_with_a_bar_for_a_key_is_no_alternative() {
    let keys = Shape {
        object: Some(BTreeMap::from([(
            "|".to_owned(),
            Key {
                always: true,
                known: true,
                shape: read(&json!(["<text>"])),
            },
        )])),
        ..Shape::default()
    };
    assert_eq!(written(&keys), json!({"\\|": ["<text>"]}));
    assert_eq!(read(&written(&keys)), keys);
}

#[test]
fn hand_written_files_are_read_with_some_patience() {
    assert_eq!(read(&json!("<text>|null")), read(&json!("null | <text>")));
    assert_eq!(read(&json!("true")), read(&json!(true)));
    assert_eq!(read(&json!(["<text>", null])), read(&json!(["null | <text>"])));
}

#[test]
fn what_is_no_shape_is_told() {
    let told = Shape::from_json(&json!({"a": [1]})).unwrap_err();
    assert!(told.contains("\"<number>\""), "{told}");
    let told = Shape::from_json(&json!({"a": null, "a?": null})).unwrap_err();
    assert!(told.contains("the key a is there twice"), "{told}");
}

use serde_json::json;

use super::*;
use crate::contract::Contract;

/// Where the contract says nothing, with these words.
fn seen(value: &Value) -> Shape {
    Shape::of(
        value,
        &SchemaLocation::default(),
        &BTreeSet::from(["FORBIDDEN", "start"]),
    )
}

fn all(values: &[Value]) -> Shape {
    values.iter().map(seen).fold(Shape::default(), Shape::merge)
}

fn written(shape: &Shape) -> Value {
    serde_json::to_value(shape).unwrap()
}

#[test]
fn volatile_values_become_their_kind() {
    for (value, kind) in [
        (json!("0123456789abcdef01234567"), json!("<objectid>")),
        (json!("0123456789ABCDEF01234567"), json!("<text>")),
        (json!("0123456789abcdef0123456"), json!("<text>")),
        (json!("3F1c9a52-6f0e-4a3e-9b7e-2d9f5a1c8e10"), json!("<uuid>")),
        (json!("3f1c9a526f0e4a3e9b7e2d9f5a1c8e10"), json!("<text>")),
        (json!("2026-01-02T03:04:05.678Z"), json!("<timestamp>")),
        (json!("2026-01-02T03:04:05+00:00"), json!("<timestamp>")),
        (json!("2026-01-02T03:04:05+02:00"), json!("<text>")),
        (json!("2026-01-02"), json!("<text>")),
        (json!(""), json!("<text>")),
        (json!("<text>"), json!("<text>")),
        (json!(0), json!("<number>")),
        (json!(-1.5e300), json!("<number>")),
    ] {
        assert_eq!(written(&seen(&value)), kind, "{value}");
    }
}

#[test]
fn what_is_not_volatile_stays() {
    for value in [
        json!(null),
        json!(true),
        json!(false),
        json!("FORBIDDEN"),
        json!({}),
        json!([]),
        json!({"state": "start", "list": [[]]}),
    ] {
        assert_eq!(written(&seen(&value)), value, "{value}");
    }
    assert_eq!(written(&seen(&json!("stop"))), json!("<text>"));
}

#[test]
fn a_key_that_is_not_always_there_is_optional() {
    let with = json!({"body": "hello", "clientId": "c-1"});
    let without = json!({"body": "hello"});
    let both = json!({"body": "<text>", "clientId?": "<text>"});
    assert_eq!(written(&all(&[with.clone(), without.clone()])), both);
    assert_eq!(written(&all(&[without, with.clone(), with])), both);
    let nested = all(&[json!({"a": {"b": 1}}), json!({"a": {}}), json!({})]);
    assert_eq!(written(&nested), json!({"a?": {"b?": "<number>"}}));
}

#[test]
fn values_of_several_kinds_are_alternatives() {
    let plain = all(&[json!("hello"), json!(null), json!(7), json!(null)]);
    assert_eq!(written(&plain), json!("null | <text> | <number>"));
    assert_eq!(written(&all(&[json!(false), json!(true)])), json!("false | true"));
    let mixed = all(&[json!({"a": 1}), json!([]), json!({}), json!("start")]);
    assert_eq!(written(&mixed), json!({"|": ["start", [], {"a?": "<number>"}]}));
}

#[test]
fn a_list_is_the_shape_of_its_elements() {
    let id = "0123456789abcdef01234567";
    assert_eq!(written(&seen(&json!([id, id]))), json!(["<objectid>"]));
    assert_eq!(
        written(&seen(&json!([id, null, "x"]))),
        json!(["null | <objectid> | <text>"])
    );
    assert_eq!(
        written(&seen(&json!([{"a": 1}, 2, {"b": 3}]))),
        json!([{"|": ["<number>", {"a?": "<number>", "b?": "<number>"}]}])
    );
    assert_eq!(written(&all(&[json!([]), json!([1])])), json!(["<number>"]));
}

#[test]
fn ids_as_keys_are_one_key() {
    let (one, other) = ("0123456789abcdef01234567", "0123456789abcdef01234568");
    assert_eq!(
        written(&seen(&json!({one: 1, other: "x", "total": 2}))),
        json!({"<objectid>": "<text> | <number>", "total": "<number>"})
    );
    assert_eq!(
        written(&seen(&json!({"3f1c9a52-6f0e-4a3e-9b7e-2d9f5a1c8e10": null}))),
        json!({"<uuid>": null})
    );
}

#[test]
fn keys_that_the_contract_does_not_know_are_additions_as_a_whole() {
    let contract = Contract::embedded().unwrap();
    let place = contract.schemas.place("acks/message-send");
    let words = place.words();
    let ack = json!({"ok": true, "took": {"ms": 3}, "data": {"clientId": "c", "serverId": "x", "seq": 1}});
    assert_eq!(
        written(&Shape::of(&ack, &place, &words)),
        json!({
            "ok": true,
            "+took": {"ms": "<number>"},
            "data": {"clientId": "<text>", "serverId": "<text>", "+seq": "<number>"},
        })
    );
    let refusal = json!({"ok": false, "error": "FORBIDDEN", "message": "no", "data": null});
    assert_eq!(
        written(&Shape::of(&refusal, &place, &words)),
        json!({"ok": false, "error": "FORBIDDEN", "message": "<text>", "+data": null})
    );
}

/// Every shape of a few plain values, lists and objects of them, and lists and objects of those.
fn samples() -> Vec<Shape> {
    let plain = [json!(null), json!("start"), json!("hello"), json!(1)];
    let mut values = plain.to_vec();
    values.extend([
        json!([]),
        json!({}),
        json!([1, null]),
        json!([[]]),
        json!([{"a": 1}, {}]),
    ]);
    for value in &plain {
        values.push(json!([value]));
        values.push(json!({"a": value}));
        values.push(json!({"b": value, "a": [value]}));
        values.push(json!({"a": {"b": value}}));
    }
    let mut shapes: Vec<Shape> = values.iter().map(seen).collect();
    // One in which an addition and optional keys are there from the beginning.
    let key = |always, known| Key {
        always,
        known,
        shape: Plain::Text.into(),
    };
    for (always, known) in [(false, true), (true, false), (false, false)] {
        shapes.push(Shape {
            object: Some(BTreeMap::from([("a".to_owned(), key(always, known))])),
            ..Shape::default()
        });
    }
    shapes.push(Shape::default());
    shapes
}

#[test]
fn merging_is_idempotent_and_has_no_sample_as_its_neutral_element() {
    for one in samples() {
        assert_eq!(one.clone().merge(one.clone()), one);
        assert_eq!(one.clone().merge(Shape::default()), one);
        assert_eq!(Shape::default().merge(one.clone()), one);
    }
}

#[test]
fn merging_is_commutative_and_absorbs_what_it_has() {
    let samples = samples();
    for one in &samples {
        for other in &samples {
            let both = one.clone().merge(other.clone());
            assert_eq!(both, other.clone().merge(one.clone()), "{one:?}\n{other:?}");
            assert_eq!(both.clone().merge(other.clone()), both, "{one:?}\n{other:?}");
        }
    }
}

#[test]
fn merging_is_associative() {
    let samples = samples();
    for one in &samples {
        for two in &samples {
            let both = one.clone().merge(two.clone());
            for three in &samples {
                let left = both.clone().merge(three.clone());
                let right = one.clone().merge(two.clone().merge(three.clone()));
                assert_eq!(left, right, "{one:?}\n{two:?}\n{three:?}");
            }
        }
    }
}

#[test]
fn what_was_merged_is_read_as_it_was_written() {
    let samples = samples();
    for one in &samples {
        for other in &samples {
            let shape = one.clone().merge(other.clone());
            let again: Shape = serde_json::from_value(written(&shape)).unwrap();
            assert_eq!(again, shape, "{}", written(&shape));
        }
    }
}

//! What a difference between two documents means: which keys are gone or new, and which values are of another kind.

use std::collections::BTreeMap;
use std::fmt;

use super::document::Document;
use super::shape::{Key, Plain, Shape};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The case that it is in, as in `ok`.
    pub case: String,
    /// What it is.
    pub what: ChangeKind,
}

/// What has changed. Places are written as in `data.items[].id`; the whole is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A key is not there any more.
    KeyGone(String),
    /// A key is new.
    KeyAdded {
        /// Path of the key inside the shape, as in `message.body`.
        place: String,
        /// Whether the contract knows it.
        known: bool,
    },
    /// Values are of other kinds.
    KindChanged {
        /// Path of the key inside the shape, as in `message.body`.
        place: String,
        /// Which they were.
        was: String,
        /// Which they are.
        is: String,
    },
    /// A key was always there, and is there only sometimes.
    NowOptional(String),
    /// A key was there only sometimes, and is always there.
    NowAlways(String),
    /// The contract knows a key, or does not know it, other than before.
    Knowledge {
        /// Path of the key inside the shape, as in `message.body`.
        place: String,
        /// Whether it does now.
        known: bool,
    },
    /// The case is seen, and was not; why it was not.
    NowSeen(String),
    /// The case is not seen, and was; why it is not.
    NowUnseen(String),
    /// The case is still not seen, for another reason.
    Reason {
        /// Why it was not.
        was: String,
        /// Why it is not.
        is: String,
    },
    /// The case is listed, and was not; why it is not seen, where it is not.
    NowListed(Option<String>),
    /// The case was listed, and is not.
    NotListed,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.case, self.what)
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyGone(place) => write!(f, "key gone: {place}"),
            Self::KeyAdded { place, known: true } => write!(f, "key added: {place}"),
            Self::KeyAdded { place, known: false } => {
                write!(f, "key added: {place}, which is no key of the contract")
            }
            Self::KindChanged { place, was, is } => {
                let place = if place.is_empty() { "the whole" } else { place };
                write!(f, "kind changed: {place} was {was}, is {is}")
            }
            Self::NowOptional(place) => write!(f, "not always there any more: {place}"),
            Self::NowAlways(place) => write!(f, "always there now: {place}"),
            Self::Knowledge { place, known: true } => write!(f, "a key of the contract now: {place}"),
            Self::Knowledge { place, known: false } => {
                write!(f, "no key of the contract any more: {place}")
            }
            Self::NowSeen(why) => write!(f, "seen now; it was not: {why}"),
            Self::NowUnseen(why) => write!(f, "not seen any more: {why}"),
            Self::Reason { was, is } => write!(f, "still not seen, for another reason: {is}; it was: {was}"),
            Self::NowListed(None) => f.write_str("seen now; it was not listed"),
            Self::NowListed(Some(why)) => write!(f, "listed now, but not seen: {why}"),
            Self::NotListed => f.write_str("not listed any more"),
        }
    }
}

/// Everything that is different, in the order of the cases.
pub fn changes(was: &Document, is: &Document) -> Vec<Change> {
    let mut cases: Vec<&String> = [was, is]
        .iter()
        .flat_map(|document| document.seen.keys().chain(document.not_seen.keys()))
        .collect();
    cases.sort();
    cases.dedup();
    let of_case = |case: &String| {
        let all = of_case(was, is, case).into_iter();
        let case = case.clone();
        all.map(move |what| Change {
            case: case.clone(),
            what,
        })
    };
    cases.into_iter().flat_map(of_case).collect()
}

fn of_case(was: &Document, is: &Document, case: &str) -> Vec<ChangeKind> {
    let reason = |document: &Document| document.not_seen.get(case).cloned();
    match (was.seen.get(case), is.seen.get(case)) {
        (Some(was), Some(is)) => {
            let mut found = Vec::new();
            of_shape(was, is, "", &mut found);
            found
        }
        (None, Some(_)) => vec![reason(was).map_or(ChangeKind::NowListed(None), ChangeKind::NowSeen)],
        (Some(_), None) => vec![reason(is).map_or(ChangeKind::NotListed, ChangeKind::NowUnseen)],
        (None, None) => match (reason(was), reason(is)) {
            (Some(was), Some(is)) if was == is => Vec::new(),
            (Some(was), Some(is)) => vec![ChangeKind::Reason { was, is }],
            (None, why @ Some(_)) => vec![ChangeKind::NowListed(why)],
            (_, None) => vec![ChangeKind::NotListed],
        },
    }
}

fn of_shape(was: &Shape, is: &Shape, place: &str, found: &mut Vec<ChangeKind>) {
    let kinds = [was, is].map(kinds);
    if kinds[0] != kinds[1] {
        let [was, is] = kinds;
        found.push(ChangeKind::KindChanged {
            place: place.to_owned(),
            was,
            is,
        });
    }
    if let (Some(was), Some(is)) = (&was.list, &is.list) {
        of_shape(was, is, &format!("{place}[]"), found);
    }
    if let (Some(was), Some(is)) = (&was.object, &is.object) {
        of_keys(was, is, place, found);
    }
}

fn of_keys(
    was: &BTreeMap<String, Key>,
    is: &BTreeMap<String, Key>,
    place: &str,
    found: &mut Vec<ChangeKind>,
) {
    // A name may be anything, also what a terminal would obey.
    let below = |name: &str| match (place, name.escape_debug()) {
        ("", name) => name.to_string(),
        (place, name) => format!("{place}.{name}"),
    };
    let gone = was.keys().filter(|name| !is.contains_key(*name));
    found.extend(gone.map(|name| ChangeKind::KeyGone(below(name))));
    for (name, key) in is {
        let place = below(name);
        let Some(before) = was.get(name) else {
            let known = key.known;
            found.push(ChangeKind::KeyAdded { place, known });
            continue;
        };
        match (before.always, key.always) {
            (true, false) => found.push(ChangeKind::NowOptional(place.clone())),
            (false, true) => found.push(ChangeKind::NowAlways(place.clone())),
            _ => {}
        }
        if before.known != key.known {
            let (place, known) = (place.clone(), key.known);
            found.push(ChangeKind::Knowledge { place, known });
        }
        of_shape(&before.shape, &key.shape, &place, found);
    }
}

/// Of which kinds the values are, whatever lists and objects hold.
fn kinds(shape: &Shape) -> String {
    let mut kinds: Vec<&str> = shape.plain.iter().map(Plain::word).collect();
    kinds.extend(shape.list.as_ref().map(|_| "a list"));
    kinds.extend(shape.object.as_ref().map(|_| "an object"));
    if kinds.is_empty() {
        kinds.push("nothing");
    }
    kinds.join(" | ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::subjects;
    use super::*;

    fn document(seen: &[(&str, Value)], not_seen: &[(&str, &str)]) -> Document {
        let seen = seen
            .iter()
            .map(|(case, shape)| ((*case).to_owned(), Shape::from_json(shape).unwrap()));
        let not_seen = not_seen
            .iter()
            .map(|(case, why)| ((*case).to_owned(), (*why).to_owned()));
        Document::new(&subjects::SEND, seen.collect(), not_seen.collect())
    }

    fn changes_between(was: &Document, is: &Document) -> Vec<String> {
        changes(was, is).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn of_ok(was: Value, is: Value, expected: &[&str]) {
        let told = changes_between(&document(&[("ok", was)], &[]), &document(&[("ok", is)], &[]));
        assert_eq!(told, expected);
    }

    #[test]
    fn nothing_has_changed_where_nothing_has() {
        let same = document(
            &[("ok", json!({"a?": ["<text>"], "+b": null}))],
            &[("INTERNAL", "no way")],
        );
        assert_eq!(changes_between(&same, &same), [""; 0]);
    }

    #[test]
    fn keys_that_are_gone_and_keys_that_are_new_are_told_with_their_place() {
        of_ok(
            json!({"data": {"serverId": "<objectid>", "list": [{"a": 1.to_string()}]}}),
            json!({"data": {"id": "<objectid>", "+seq": "<number>", "list": [{"b?": "1"}]}}),
            &[
                "ok: key gone: data.serverId",
                "ok: key added: data.id",
                "ok: key gone: data.list[].a",
                "ok: key added: data.list[].b",
                "ok: key added: data.seq, which is no key of the contract",
            ],
        );
    }

    #[test]
    fn a_name_does_nothing_to_a_terminal() {
        of_ok(
            json!({}),
            json!({"a\u{1b}[31m": {}, "ü b": {}}),
            &["ok: key added: a\\u{1b}[31m", "ok: key added: ü b"],
        );
    }

    #[test]
    fn kinds_that_have_changed_are_told() {
        of_ok(
            json!({"id": "<objectid>", "title": "null | <text>", "who": {"a": null}, "list": []}),
            json!({"id": "<text>", "title": null, "who": ["<text>"], "list": ["<number>"]}),
            &[
                "ok: kind changed: id was <objectid>, is <text>",
                "ok: kind changed: list[] was nothing, is <number>",
                "ok: kind changed: title was null | <text>, is null",
                "ok: kind changed: who was an object, is a list",
            ],
        );
        of_ok(
            json!(true),
            json!({}),
            &["ok: kind changed: the whole was true, is an object"],
        );
    }

    #[test]
    fn what_changes_within_one_of_several_kinds_is_told() {
        of_ok(
            json!({"|": ["null", {"a": null}]}),
            json!({"|": ["null", {"a": true}]}),
            &["ok: kind changed: a was null, is true"],
        );
    }

    #[test]
    fn marks_that_have_changed_are_told() {
        of_ok(
            json!({"a": null, "b?": null, "+c": null, "d": null}),
            json!({"a?": null, "b": null, "c": null, "+d": null}),
            &[
                "ok: not always there any more: a",
                "ok: always there now: b",
                "ok: a key of the contract now: c",
                "ok: no key of the contract any more: d",
            ],
        );
    }

    #[test]
    fn cases_that_come_and_go_are_told_with_their_reason() {
        let shape = || json!({"ok": false});
        let was = document(
            &[("FORBIDDEN", shape()), ("TEAPOT", shape())],
            &[
                ("INTERNAL", "no way"),
                ("RATE_LIMITED", "all accepted"),
                ("OLD", "x"),
            ],
        );
        let is = document(
            &[("INTERNAL", shape()), ("NEW", shape())],
            &[
                ("FORBIDDEN", "answered with ok"),
                ("RATE_LIMITED", "not tried"),
                ("LATER", "y"),
            ],
        );
        assert_eq!(
            changes_between(&was, &is),
            [
                "FORBIDDEN: not seen any more: answered with ok",
                "INTERNAL: seen now; it was not: no way",
                "LATER: listed now, but not seen: y",
                "NEW: seen now; it was not listed",
                "OLD: not listed any more",
                "RATE_LIMITED: still not seen, for another reason: not tried; it was: all accepted",
                "TEAPOT: not listed any more",
            ]
        );
    }

    #[test]
    fn wherever_documents_differ_something_is_told() {
        let shapes = [
            json!(null),
            json!("<text>"),
            json!([]),
            json!(["<text>"]),
            json!({}),
            json!({"a": null}),
            json!({"a?": null}),
            json!({"+a": null}),
            json!({"a": ["<text>"]}),
            json!({"|": ["null", []]}),
        ];
        let documents: Vec<_> = shapes
            .into_iter()
            .map(|shape| document(&[("ok", shape)], &[]))
            .collect();
        for was in &documents {
            for is in &documents {
                assert_eq!(
                    changes(was, is).is_empty(),
                    was.says_the_same(is),
                    "{was:?}\n{is:?}"
                );
            }
        }
    }
}

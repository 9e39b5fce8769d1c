//! A failure has the same fingerprint in every run, whatever is drawn, counted or timed in it, and in whatever order.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Fingerprint;
use crate::expect::{Mismatch, Words};
use crate::packet::spec;
use crate::verdict::{Check, Level};

fn word() -> impl Strategy<Value = String> {
    "[a-z]{1,12}"
}

/// What is the same about a value in every run.
#[derive(Clone, Debug)]
enum Form {
    Written(String),
    Flag(bool),
    Id,
    Uuid,
    Time,
    Number,
    Message(String),
    /// In whatever order, and each as often as it happens to be there.
    List(Vec<Form>),
    Fields(BTreeMap<String, Form>),
    /// Each under an id.
    ById(Vec<Form>),
}

fn form() -> impl Strategy<Value = Form> {
    let leaf = prop_oneof![
        word().prop_map(Form::Written),
        any::<bool>().prop_map(Form::Flag),
        Just(Form::Id),
        Just(Form::Uuid),
        Just(Form::Time),
        Just(Form::Number),
        word().prop_map(Form::Message),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list().prop_map(Form::List),
            prop::collection::btree_map(word(), inner.clone(), 0..4).prop_map(Form::Fields),
            list().prop_map(Form::ById),
        ]
    })
}

/// The luck of one run.
struct Luck(u64);

impl Luck {
    fn draw(&mut self) -> u64 {
        let hash = Sha256::digest(self.0.to_le_bytes());
        self.0 += 1;
        hash.iter().take(8).fold(0, |n, &byte| n << 8 | u64::from(byte))
    }

    fn id(&mut self) -> String {
        format!("6{:07x}{:016x}", self.draw() >> 36, self.draw())
    }

    fn uuid(&mut self) -> String {
        let bits = u128::from(self.draw()) << 64 | u128::from(self.draw());
        uuid::Uuid::from_u128(bits).to_string()
    }

    fn some(&mut self, most: u64) -> usize {
        usize::try_from(self.draw() % most).unwrap()
    }

    fn value(&mut self, form: &Form) -> Value {
        match form {
            Form::Written(text) => text.as_str().into(),
            Form::Flag(flag) => (*flag).into(),
            Form::Id => self.id().into(),
            Form::Uuid => self.uuid().into(),
            Form::Time => format!(
                "20{:02}-11-02T13:04:{:02}.678Z",
                self.some(90) + 10,
                self.some(60)
            )
            .into(),
            Form::Number => (self.draw() >> self.some(60)).into(),
            Form::Message(word) => format!("{word} {} after {} ms", self.uuid(), self.some(2_000)).into(),
            Form::List(items) => {
                let mut values = Vec::new();
                for item in items {
                    for _ in 0..=self.some(2) {
                        values.push(self.value(item));
                    }
                }
                let turn = self.some(8) % values.len().max(1);
                values.rotate_left(turn);
                values.into()
            }
            Form::Fields(fields) => fields
                .iter()
                .map(|(name, field)| (name.clone(), self.value(field)))
                .collect(),
            Form::ById(items) => items.iter().map(|item| (self.id(), self.value(item))).collect(),
        }
    }

    /// A failure of this form.
    fn failure(&mut self, says: &str, form: &Form) -> Check {
        let expected = Words::from(format!("{says} of {} within {} ms", self.id(), self.some(5_000)));
        let actual = Words::default().json(&self.value(form)).varying(self.draw());
        let mismatch = Mismatch::new(expected, actual)
            .about("/data")
            .at(&format!("alice#{}", self.some(9)));
        Check::judge("X-01", "x/one", Level::Must, false, Err(mismatch))
    }
}

proptest! {
    #![proptest_config(spec::config())]

    #[test]
    fn luck_does_not_count(says in word(), form in form(), runs in any::<[u32; 2]>()) {
        let [one, other] = runs.map(|run| Fingerprint::of(&Luck(run.into()).failure(&says, &form)));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn what_is_said_counts(one in word(), other in word(), form in form(), run in any::<u32>()) {
        prop_assume!(one != other);
        let print = |says: &str, form: &Form| Fingerprint::of(&Luck(run.into()).failure(says, form));
        let error = |word: &str| Form::Fields([("error".to_owned(), Form::Written(word.to_owned()))].into());
        prop_assert_ne!(print(&one, &form), print(&other, &form));
        prop_assert_ne!(print(&one, &error(&one)), print(&one, &error(&other)));
    }
}

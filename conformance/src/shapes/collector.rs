//! Collects what the stories see: shapes of acks and broadcasts, and why others were not seen.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use serde_json::Value;

use super::document::Document;
use super::shape::Shape;
use super::subjects::{self, NEITHER, OK, Subject};
use crate::contract::Contract;
use crate::expect::ack::CODES;

/// The shapes that were seen, one collector for all stories and all runs: the order in which they record does not matter.
#[derive(Debug)]
pub struct ShapeCollector<'a> {
    contract: &'a Contract,
    words: BTreeSet<&'a str>,
    samples: Mutex<BTreeMap<&'static str, SubjectSamples>>,
}

/// What is known of one subject.
#[derive(Debug, Default)]
struct SubjectSamples {
    seen: BTreeMap<String, Shape>,
    /// Why it was not seen, each time that it was not.
    not_seen: BTreeMap<&'static str, BTreeSet<String>>,
}

impl<'a> ShapeCollector<'a> {
    /// An empty one.
    pub fn new(contract: &'a Contract) -> Self {
        let named = |subject: &&Subject| contract.schemas.place(subject.schema).words();
        Self {
            contract,
            words: subjects::ALL.iter().flat_map(named).collect(),
            samples: Mutex::default(),
        }
    }

    /// Records the shape of a sample.
    pub fn record(&self, subject: &Subject, case: &str, sample: &Value) {
        let place = self.contract.schemas.place(subject.schema);
        let shape = Shape::of(sample, &place, &self.words);
        self.on_subject(subject, |samples| {
            let known = samples.seen.entry(case.to_owned()).or_default();
            *known = std::mem::take(known).merge(shape);
        });
    }

    /// Records the shape of an ack under the case that its own `ok` and `error` name; gives that case.
    pub fn record_ack(&self, subject: &Subject, ack: &Value) -> &'static str {
        let case = case_of(ack);
        self.record(subject, case, ack);
        case
    }

    /// Records why a case was not seen; that counts unless it is seen elsewhere. The reason must be the same each time.
    pub fn record_missing(&self, subject: &Subject, case: &'static str, why: impl Into<String>) {
        self.on_subject(subject, |samples| {
            samples.not_seen.entry(case).or_default().insert(why.into());
        });
    }

    fn on_subject(&self, subject: &Subject, write: impl FnOnce(&mut SubjectSamples)) {
        let mut samples = self.samples.lock();
        write(samples.entry(subject.name).or_default());
    }

    /// The documents, by the names of their subjects: one for each, with every case of each.
    pub fn into_documents(self) -> BTreeMap<&'static str, Document> {
        let mut samples = self.samples.into_inner();
        let document = |subject: &&Subject| {
            let samples = samples.remove(subject.name).unwrap_or_default();
            (subject.name, samples.into_document(subject))
        };
        subjects::ALL.iter().map(document).collect()
    }
}

impl SubjectSamples {
    fn into_document(self, subject: &Subject) -> Document {
        let unseen = subject
            .cases
            .iter()
            .filter(|case| !self.seen.contains_key(**case));
        let reasons = unseen.map(|case| {
            let reasons = self.not_seen.get(case);
            let reasons: Vec<&str> = reasons.into_iter().flatten().map(String::as_str).collect();
            ((*case).to_owned(), reasons.join("; "))
        });
        let not_seen = reasons.collect();
        Document::new(subject, self.seen, not_seen)
    }
}

/// Which case an ack says it is.
fn case_of(ack: &Value) -> &'static str {
    let code = |error: &Value| CODES.into_iter().find(|code| error == code);
    match (ack.get("ok"), ack.get("error")) {
        (Some(Value::Bool(true)), None) => OK,
        (Some(Value::Bool(false)), Some(error)) => code(error).unwrap_or(NEITHER),
        _ => NEITHER,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_words_that_stay_are_the_closed_vocabulary_of_the_contract() {
        let contract = Contract::embedded().unwrap();
        let mut expected = BTreeSet::from(["dm", "group", "start", "stop", "online", "offline"]);
        expected.extend(CODES);
        assert_eq!(ShapeCollector::new(&contract).words, expected);
    }

    #[test]
    fn acks_are_kept_by_what_they_say_not_by_what_was_asked_for() {
        for (ack, case) in [
            (json!({"ok": true}), OK),
            (json!({"ok": true, "data": null}), OK),
            (json!({"ok": false, "error": "NOT_FOUND"}), "NOT_FOUND"),
            (json!({"ok": true, "error": "NOT_FOUND"}), NEITHER),
            (json!({"ok": true, "error": null}), NEITHER),
            (json!({"ok": false, "error": "TEAPOT"}), NEITHER),
            (json!({"ok": false}), NEITHER),
            (json!(null), NEITHER),
            (json!("ok"), NEITHER),
        ] {
            assert_eq!(case_of(&ack), case, "{ack}");
        }
    }

    #[test]
    fn what_was_seen_once_needs_no_reason_and_what_never_was_has_all() {
        let contract = Contract::embedded().unwrap();
        let collector = ShapeCollector::new(&contract);
        collector.record_missing(&subjects::TYPING, "start", "it was too late");
        collector.record_missing(&subjects::TYPING, "stop", "b");
        collector.record_missing(&subjects::TYPING, "stop", "a");
        collector.record_missing(&subjects::TYPING, "stop", "b");
        collector.record(
            &subjects::TYPING,
            "start",
            &json!({"state": "start", "chatId": 1}),
        );
        collector.record(&subjects::TYPING, "start", &json!({"state": "start", "since": 1}));
        collector.record(&subjects::TYPING, "pause", &json!(null));
        let documents = collector.into_documents();
        assert_eq!(documents.len(), subjects::ALL.len());
        let document = &documents[subjects::TYPING.name];
        assert_eq!(
            serde_json::to_value(&document.seen).unwrap(),
            json!({
                "pause": null,
                "start": {"state": "start", "chatId?": "<number>", "+since?": "<number>"},
            })
        );
        assert_eq!(
            document.not_seen,
            BTreeMap::from([("stop".to_owned(), "a; b".to_owned())])
        );
    }
}

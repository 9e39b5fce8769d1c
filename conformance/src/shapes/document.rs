//! One file: what was seen of one thing that a target sends, case by case, and what was not seen and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shape::Shape;
use super::subjects::Subject;

/// What a file says that it is.
pub const SCHEMA: &str = "chatspec-shapes/1";
/// What the files of every version begin with.
const ANY_VERSION: &str = "chatspec-shapes/";
/// What a reader has to know.
const NOTATION: &str = "key? is not always there; +key is no key of the contract; a | b is either of them";

/// What a file holds. It names neither target nor time: where two implementations send the same, their files are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    schema: String,
    /// For people, as in `acknowledgement of room:join`.
    pub what: String,
    #[serde(default)]
    notation: String,
    /// The shape in each case.
    pub seen: BTreeMap<String, Shape>,
    /// Why, for each case that was not seen.
    pub not_seen: BTreeMap<String, String>,
}

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentError {
    /// It does not say that it is one.
    Other,
    /// It says that it is one, and is not.
    Broken(String),
}

impl Document {
    /// A document on this subject.
    pub fn new(subject: &Subject, seen: BTreeMap<String, Shape>, not_seen: BTreeMap<String, String>) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            what: subject.what.to_owned(),
            notation: NOTATION.to_owned(),
            seen,
            not_seen,
        }
    }

    /// The text of the file, the same for the same shapes, byte for byte.
    pub fn to_text(&self) -> String {
        // Nothing in it can fail to be written: every key is text.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads the text of a file, however it is laid out.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        struct Header {
            schema: String,
        }
        match serde_json::from_str::<Header>(text) {
            Ok(Header { schema }) if schema == SCHEMA => {}
            Ok(Header { schema }) if schema.starts_with(ANY_VERSION) => {
                return Err(DocumentError::Broken(format!(
                    "it is of another version, {schema} instead of {SCHEMA}"
                )));
            }
            // What can no longer be read as JSON may still be seen to have been one of ours.
            Err(error) if text.contains(ANY_VERSION) => return Err(DocumentError::Broken(error.to_string())),
            _ => return Err(DocumentError::Other),
        }
        let read: Self =
            serde_json::from_str(text).map_err(|error| DocumentError::Broken(error.to_string()))?;
        Ok(read)
    }

    /// Whether both say the same, whatever they explain beside it.
    pub fn says_the_same(&self, other: &Self) -> bool {
        (&self.seen, &self.not_seen) == (&other.seen, &other.not_seen)
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Plain;
    use super::super::subjects;
    use super::*;

    fn document() -> Document {
        Document::new(
            &subjects::JOIN,
            BTreeMap::from([("ok".to_owned(), Plain::Bool(true).into())]),
            BTreeMap::from([("FORBIDDEN".to_owned(), "no stranger".to_owned())]),
        )
    }

    #[test]
    fn a_document_is_read_as_it_was_written_however_it_is_laid_out() {
        let text = document().to_text();
        assert!(text.ends_with("}\n"), "{text}");
        assert_eq!(Document::parse(&text), Ok(document()));
        assert_eq!(Document::parse(&text.replace('\n', "\r\n")), Ok(document()));
        assert_eq!(Document::parse(&text.replace('\n', "")), Ok(document()));
    }

    #[test]
    fn what_is_no_document_is_told_from_what_is_a_broken_one() {
        for text in ["", "{}", "[]", "no JSON", r#"{"schema": "chatspec-report/1"}"#] {
            assert_eq!(Document::parse(text), Err(DocumentError::Other), "{text}");
        }
        let text = document().to_text();
        for (text, told) in [
            (text.replace("shapes/1", "shapes/2"), "another version"),
            (text.replace("\"ok\": true", "\"ok\": 1"), "\"<number>\""),
            (text.replace("\"seen\"", "\"scene\""), "scene"),
            (format!("<<<<<<< ours\n{text}"), "line 1"),
        ] {
            match Document::parse(&text) {
                Err(DocumentError::Broken(why)) => assert!(why.contains(told), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

//! Patterns for events, and looking them up among those received.
//!
//! ```
//! use chatspec::expect::event::event;
//!
//! let wanted = event("message:new").at("/message/body", "hello");
//! assert_eq!(wanted.to_string(), r#"message:new with /message/body = "hello""#);
//! ```

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Found, Mismatch, MismatchKind, Words, varying};
use crate::event::{Event, Mark};

/// Which events are meant: a name, and conditions on the payload.
#[derive(Clone)]
pub struct Pattern {
    name: String,
    conditions: Vec<Condition>,
    after: Option<Mark>,
}

#[derive(Clone)]
enum Condition {
    At(String, Value),
    That(String, Arc<dyn Fn(&Value) -> bool + Send + Sync>),
}

impl Condition {
    fn holds(&self, data: &Value) -> bool {
        match self {
            Self::At(pointer, expected) => data.pointer(pointer) == Some(expected),
            Self::That(_, holds) => holds(data),
        }
    }
}

/// Any event of this name.
pub fn event(name: &str) -> Pattern {
    Pattern {
        name: name.to_owned(),
        conditions: Vec::new(),
        after: None,
    }
}

impl Pattern {
    /// Only with this value at this JSON pointer into the payload.
    #[must_use]
    pub fn at(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        self.conditions
            .push(Condition::At(pointer.to_owned(), value.into()));
        self
    }

    /// Only where `holds` says so of the payload; `described` reads after "with", as in `bob among the members`.
    #[must_use]
    pub fn that(mut self, described: &str, holds: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        self.conditions
            .push(Condition::That(described.to_owned(), Arc::new(holds)));
        self
    }

    /// Only those received after the mark; see [`crate::client::Client::mark`].
    #[must_use]
    pub fn after(mut self, mark: Mark) -> Self {
        self.after = Some(mark);
        self
    }

    /// The event's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the events begin that are meant, if not at the first.
    pub(crate) const fn mark(&self) -> Option<Mark> {
        self.after
    }

    /// What has to be where in the payload; nothing where that is not all that is asked of it.
    pub(crate) fn values(&self) -> Option<Vec<(String, Value)>> {
        let value = |condition: &Condition| match condition {
            Condition::At(pointer, value) => Some((pointer.clone(), value.clone())),
            Condition::That(..) => None,
        };
        self.conditions.iter().map(value).collect()
    }

    /// Whether this event is meant.
    pub fn matches(&self, event: &Event) -> bool {
        self.misses(event) == 0
    }

    /// How far an event is from being meant: 0 for a match, then the number of conditions that do not hold, and much
    /// for another name or one that came too early.
    fn misses(&self, event: &Event) -> usize {
        let failed = self.conditions.iter().filter(|c| !c.holds(event.data())).count();
        let other_name = if event.name == self.name { 0 } else { 100 };
        let early = usize::from(self.after.is_some_and(|mark| !event.is_after(mark)));
        failed + other_name + early
    }

    /// The mismatch for a pattern that nothing matched: what did arrive, near misses first.
    pub fn missing(&self, within: std::time::Duration, arrived: &[Event], closed: Option<&str>) -> Mismatch {
        const MOST: usize = 5;
        let mut near: Vec<&Event> = arrived.iter().collect();
        near.sort_by_key(|event| self.misses(event));
        // What else has come by then is a matter of luck, except that there was one of that name, and not as it should be.
        let actual = match near.first() {
            None => varying("no event at all"),
            Some(first) => {
                let shown: Vec<String> = near.iter().take(MOST).map(ToString::to_string).collect();
                let more = match near.len().saturating_sub(MOST) {
                    0 => String::new(),
                    n => format!(" and {n} more"),
                };
                let other = if first.name == self.name {
                    "none like it"
                } else {
                    "none"
                };
                Words::from(other).varying(format!("; what arrived: {}{more}", shown.join(" | ")))
            }
        };
        let closed = closed.map(|why| format!(" (the connection is closed: {why})"));
        let expected = self.words().varying(format!(" within {} ms", within.as_millis()));
        Mismatch::of(
            MismatchKind::EventMissing,
            [expected],
            actual.varying(closed.unwrap_or_default()),
        )
    }

    /// Exactly `n` of the events match; gives those that do.
    pub fn exactly(&self, n: usize, events: &[Event]) -> Found<Vec<Event>> {
        let matching: Vec<Event> = events
            .iter()
            .filter(|event| self.matches(event))
            .cloned()
            .collect();
        if matching.len() == n {
            return Ok(matching);
        }
        let expected = match n {
            0 => self.words_after("no "),
            1 => self.words().fixed(" once"),
            n => self
                .words()
                .fixed(" several times")
                .varying(format!(", namely {n}")),
        };
        let shown: Vec<String> = matching.iter().take(5).map(ToString::to_string).collect();
        let actual = match matching.len() {
            0 => Words::from("none"),
            1 => varying(shown.join("")),
            m => varying(format!("{m} of them: {}", shown.join(" | "))),
        };
        Err(Mismatch::of(MismatchKind::EventCount, [expected], actual))
    }
}

impl Pattern {
    /// It in words.
    fn words(&self) -> Words {
        self.words_after("")
    }

    fn words_after(&self, before: &'static str) -> Words {
        let mut words = Words::from(before).fixed(self.name.clone());
        for (i, condition) in self.conditions.iter().enumerate() {
            words = words.fixed(if i == 0 { " with " } else { " and " });
            words = match condition {
                Condition::At(pointer, value) => words.fixed(format!("{pointer} = ")).json(value),
                Condition::That(described, _) => words.fixed(described.clone()),
            };
        }
        words
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().fmt(f)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn received(name: &str, data: Value) -> Event {
        Event::for_test(name, data)
    }

    #[test]
    fn a_pattern_matches_name_and_conditions() {
        let wanted = event("typing:update")
            .at("/state", "start")
            .that("a userId", |data| data["userId"].is_string());
        assert!(wanted.matches(&received(
            "typing:update",
            json!({"state": "start", "userId": "u"})
        )));
        assert!(!wanted.matches(&received(
            "typing:update",
            json!({"state": "stop", "userId": "u"})
        )));
        assert!(!wanted.matches(&received(
            "typing:other",
            json!({"state": "start", "userId": "u"})
        )));
    }

    #[test]
    fn what_is_missing_is_told_with_near_misses_first() {
        let arrived = [
            received("presence:update", json!({"userId": "u"})),
            received("typing:update", json!({"state": "stop"})),
        ];
        let told = event("typing:update")
            .at("/state", "start")
            .missing(Duration::from_millis(50), &arrived, None)
            .to_string();
        assert_eq!(
            told,
            "expected typing:update with /state = \"start\" within 50 ms; got none like it; what arrived: \
             typing:update {\"state\":\"stop\"} | presence:update {\"userId\":\"u\"}"
        );
    }

    #[test]
    fn counting_is_exact() {
        let two = [received("a", json!(1)), received("a", json!(2))];
        assert!(event("a").exactly(2, &two).is_ok());
        assert!(event("a").exactly(1, &two).is_err());
        assert!(event("b").exactly(0, &two).is_ok());
    }
}

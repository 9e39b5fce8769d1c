//! Durations, with a margin within which nothing is decided.

use std::time::Duration;

use super::{Found, Mismatch, MismatchKind, Words, varying};

/// `took` is at most `limit`. Up to `limit + margin` it cannot be told; beyond, it is wrong.
pub fn at_most(what: &str, took: Duration, limit: Duration, margin: Duration) -> Found {
    if took <= limit {
        Ok(())
    } else if took <= limit + margin {
        Err(close(what, took, limit, margin))
    } else {
        Err(wrong(what, "within", took, limit))
    }
}

/// `took` is at least `limit`. Down to `limit - margin` it cannot be told; below, it is wrong.
pub fn at_least(what: &str, took: Duration, limit: Duration, margin: Duration) -> Found {
    if took >= limit {
        Ok(())
    } else if took + margin >= limit {
        Err(close(what, took, limit, margin))
    } else {
        Err(wrong(what, "not before", took, limit))
    }
}

fn wrong(what: &str, how: &str, took: Duration, limit: Duration) -> Mismatch {
    let millis = |time: Duration| format!("{} ms", time.as_millis());
    let expected = Words::from(format!("{what} {how} ")).varying(millis(limit));
    Mismatch::of(MismatchKind::Time, [expected], varying(millis(took)))
}

fn close(what: &str, took: Duration, limit: Duration, margin: Duration) -> Mismatch {
    Mismatch::inconclusive(format!(
        "{what}: {} ms is within {} ms of the limit of {} ms",
        took.as_millis(),
        margin.as_millis(),
        limit.as_millis()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn there_are_three_outcomes() {
        assert!(at_most("x", ms(100), ms(100), ms(10)).is_ok());
        assert!(matches!(
            at_most("x", ms(105), ms(100), ms(10)),
            Err(Mismatch::Inconclusive { .. })
        ));
        assert!(matches!(
            at_most("x", ms(111), ms(100), ms(10)),
            Err(Mismatch::Definite { .. })
        ));
        assert!(at_least("x", ms(100), ms(100), ms(10)).is_ok());
        assert!(matches!(
            at_least("x", ms(95), ms(100), ms(10)),
            Err(Mismatch::Inconclusive { .. })
        ));
        assert!(matches!(
            at_least("x", ms(89), ms(100), ms(10)),
            Err(Mismatch::Definite { .. })
        ));
    }
}

//! What a text for users must not give away (ACK-06).

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Mismatch, Words};

/// What is looked for: only what no sentence for users says by chance.
const TELLING: [(&str, &str); 5] = [
    (
        "a stack",
        r"(?i)traceback \(most recent|panicked at|\bat \S+ \(\S+:\d+|\.(rs|js|ts|py|go|ex|exs|java|rb):\d+",
    ),
    (
        "a path",
        r"(?:^|[\s\x22'(=])/(?:usr|home|var|etc|opt|app|src|srv|tmp|root|workspace)/\S|\b[A-Z]:\\\S|node_modules/",
    ),
    (
        "a query",
        r"(?i)\bselect (?:\*|[\w.,\x22` ]+) from \S+ where\b.*[=<>$?]|\binsert into \S+ (?:\(|values\b)|\bupdate \S+ set \S+ ?=|\bunique constraint\b",
    ),
    (
        "a driver",
        r"(?i)mongo(?:db|error|server|network)|\bE11000\b|\bbson|sqlite|postgres|mysql|\becto\b|\bprisma\b|\bECONN|\bredis\b",
    ),
    (
        "a host",
        r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\blocalhost:\d|\b[\w-]+\.(?:internal|local|svc)\b",
    ),
];

/// Nothing internal shows in the text: no stack, path, query, driver or host name.
pub fn nothing_internal(text: &str) -> Found {
    static PATTERNS: LazyLock<Vec<(&str, Option<Regex>)>> = LazyLock::new(|| {
        TELLING
            .iter()
            .map(|(what, pattern)| (*what, Regex::new(pattern).ok()))
            .collect()
    });
    for (what, pattern) in PATTERNS.iter() {
        let pattern = pattern
            .as_ref()
            .ok_or_else(|| Mismatch::fault(format!("the pattern for {what} is broken")))?;
        if pattern.is_match(text) {
            return Err(Mismatch::new(
                "a message that gives nothing internal away",
                Words::from(format!("{what} in ")).json(&text.into()),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_internal_is_seen() {
        for text in [
            "TypeError: x is undefined at send (/app/src/send.js:12:4)",
            "thread panicked at server/src/main.rs:3",
            "cannot open /var/lib/chat/data.db",
            "SELECT * FROM users WHERE id = 1",
            "insert into messages (id, body) values (1, 2)",
            "update chats set title = $1",
            "redis: connection pool timeout",
            "MongoServerError: duplicate key",
            "E11000 duplicate key error collection",
            "connect ECONNREFUSED",
            "no route to 10.0.0.7",
            "db-1.internal does not answer",
        ] {
            assert!(
                matches!(nothing_internal(text), Err(Mismatch::Definite { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_said_to_users_is_not() {
        for text in [
            "chatId: must be 24 hexadecimal characters",
            "you are not a member of this chat, or there is none",
            "body must be a string; select one from the list",
            "Too many messages. Try again in 3.5 s",
            "clientId/body: required",
            "at most 100,000 bytes",
            "select a chat from the list where you are a member",
            "redistribute the members, prismatic or not",
            "you cannot insert into a chat what is not yours, nor update members set elsewhere",
            "Keine Nachricht gefunden: öffne den Chat neu",
        ] {
            assert_eq!(nothing_internal(text), Ok(()), "{text}");
        }
    }
}

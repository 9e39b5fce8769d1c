//! Replaces passwords and tokens by `***`.

use std::sync::LazyLock;

use regex::Regex;

/// Replaces every JSON string that is long enough to be a token; what else the answer holds can still be seen.
pub fn redact_long_strings(text: &str) -> String {
    static LONG: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"\\]{16,}""#).ok());
    match &*LONG {
        Some(long) => long.replace_all(text, "\"***\"").into_owned(),
        None => "(could not be shown safely)".to_owned(),
    }
}

/// Replaces tokens and passwords.
pub fn redact(text: &str) -> String {
    static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?x)
            (?P<key> "(?:token|accessToken|sessionToken|password)"\s*:\s*" | [?&]token= | [Bb]earer\s+ )
            [^"&\s]+
            | (?P<jwt> eyJ[\w-]{8,}\.[\w-]+\.[\w-]* )
            "#,
        )
        .ok()
    });
    match &*SECRETS {
        Some(secrets) => secrets.replace_all(text, "${key}***").into_owned(),
        None => "(could not be shown safely)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_replaced() {
        for (text, shown) in [
            (r#"40{"token":"abc.def"}"#, r#"40{"token":"***"}"#),
            (
                r#"{"accessToken": "x", "sessionToken":"y"}"#,
                r#"{"accessToken": "***", "sessionToken":"***"}"#,
            ),
            ("GET /?a=1&token=xyz&b=2", "GET /?a=1&token=***&b=2"),
            ("Authorization: Bearer xyz", "Authorization: Bearer ***"),
        ] {
            assert_eq!(redact(text), shown);
        }
    }
}

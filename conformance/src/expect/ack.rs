//! The shape of acknowledgements.

use serde_json::Value;

use super::{Found, Mismatch, MismatchKind};

/// The closed set of error codes.
pub const CODES: [&str; 6] = [
    "UNAUTHORIZED",
    "FORBIDDEN",
    "VALIDATION_ERROR",
    "RATE_LIMITED",
    "NOT_FOUND",
    "INTERNAL",
];

/// A success: `ok` is true and there is no `error`. Gives `data`, or null where there is none.
pub fn ok(ack: &Value) -> Found<&Value> {
    const NULL: &Value = &Value::Null;
    if ack.get("ok") == Some(&Value::Bool(true)) && ack.get("error").is_none() {
        Ok(ack.get("data").unwrap_or(NULL))
    } else {
        Err(Mismatch::of(
            MismatchKind::Ack,
            ["a success ack {\"ok\":true}"],
            ack,
        ))
    }
}

/// A refusal with one of `codes`: `ok` is false, `error` one of them, and there is no `data`.
pub fn error(ack: &Value, codes: &[&str]) -> Found {
    let code = ack.get("error").and_then(Value::as_str);
    let wanted = code.is_some_and(|code| codes.contains(&code));
    if ack.get("ok") == Some(&Value::Bool(false)) && wanted && ack.get("data").is_none() {
        Ok(())
    } else {
        let expected = codes.iter().map(|code| format!("an error ack {code}"));
        Err(Mismatch::of(MismatchKind::Ack, expected, ack))
    }
}

/// A refusal with any code of the closed set.
pub fn any_error(ack: &Value) -> Found {
    error(ack, &CODES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_success_has_no_error() {
        assert_eq!(ok(&json!({"ok": true})), Ok(&Value::Null));
        assert_eq!(ok(&json!({"ok": true, "data": {"a": 1}})), Ok(&json!({"a": 1})));
        for wrong in [
            json!({"ok": true, "error": "FORBIDDEN"}),
            json!({"ok": "true"}),
            json!(null),
            json!([]),
        ] {
            assert!(ok(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_refusal_has_a_code_and_no_data() {
        let forbidden = json!({"ok": false, "error": "FORBIDDEN", "message": "no"});
        assert!(error(&forbidden, &["FORBIDDEN", "NOT_FOUND"]).is_ok());
        assert!(error(&forbidden, &["NOT_FOUND"]).is_err());
        assert!(any_error(&json!({"ok": false, "error": "TEAPOT"})).is_err());
        assert!(any_error(&json!({"ok": false, "error": "FORBIDDEN", "data": {}})).is_err());
        assert!(any_error(&json!({"ok": true, "error": "FORBIDDEN"})).is_err());
    }
}

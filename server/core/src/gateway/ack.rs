//! What a request is answered (contract §3).

use serde::Serialize;
use serde_json::Value;

use crate::error::ChatError;

/// An acknowledgement, ready to be sent.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// `{ok:true}`, with data or without.
    Success {
        /// Always true.
        ok: bool,
        /// The answer, where a request has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// `{ok:false, error, message, correlationId?}`.
    #[serde(rename_all = "camelCase")]
    Refusal {
        /// Always false.
        ok: bool,
        /// The code, as the contract lists them.
        error: &'static str,
        /// For people.
        message: String,
        /// Under which the log has the cause, where the code is `INTERNAL`.
        #[serde(skip_serializing_if = "Option::is_none")]
        correlation_id: Option<String>,
    },
}

impl Reply {
    pub(super) fn done() -> Self {
        Self::Success { ok: true, data: None }
    }

    pub(super) fn data(data: Value) -> Self {
        Self::Success {
            ok: true,
            data: Some(data),
        }
    }

    pub(super) fn refused(error: &ChatError) -> Self {
        Self::Refusal {
            ok: false,
            error: error.code(),
            message: error.to_string(),
            correlation_id: error.correlation_id().map(|id| id.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encoded(reply: &Reply) -> Value {
        serde_json::to_value(reply).unwrap()
    }

    #[test]
    fn a_success_has_ok_and_data_where_there_is_some() {
        assert_eq!(encoded(&Reply::done()), json!({"ok": true}));
        assert_eq!(
            encoded(&Reply::data(json!({"a": 1}))),
            json!({"ok": true, "data": {"a": 1}})
        );
    }

    #[test]
    fn a_refusal_has_code_and_message_and_an_internal_one_the_id_of_the_log() {
        let refused = encoded(&Reply::refused(&ChatError::invalid("body", "is empty")));
        assert_eq!(
            refused,
            json!({"ok": false, "error": "VALIDATION_ERROR", "message": "body: is empty"})
        );
        let internal = ChatError::internal(&std::io::Error::other("disk"));
        let id = internal.correlation_id().unwrap().to_string();
        let refused = encoded(&Reply::refused(&internal));
        assert_eq!(
            (&refused["error"], &refused["correlationId"]),
            (&json!("INTERNAL"), &json!(id))
        );
    }
}

//! The codes that clients branch on.

use maud::{Markup, html};
use uuid::Uuid;

use super::page::{prose, scrolling};
use chatspec_server_core::error::ChatError;

/// What each code means to a client. The codes and their statuses are the server's own.
fn codes() -> [(ChatError, &'static str); 6] {
    [
        (
            ChatError::Unauthorized,
            "There is no valid token. Get a new one, and try again.",
        ),
        (
            ChatError::Forbidden(""),
            "It is not for this user. Over the socket a chat that does not exist is told the same way.",
        ),
        (
            ChatError::Validation(String::new()),
            "The request is not one that the protocol knows; nothing was done. An e-mail address that is taken has this code \
             with status 409.",
        ),
        (
            ChatError::RateLimited { retry_after_ms: 0 },
            "Too many messages in the window; this one was not stored. Wait, and send it again with the same `clientId`. Only \
             over the socket.",
        ),
        (ChatError::NotFound(""), "What the request names does not exist."),
        (
            ChatError::Internal {
                correlation_id: Uuid::nil(),
            },
            "The server is at fault. Its log has the cause under the `correlationId`.",
        ),
    ]
}

/// All codes with their HTTP statuses.
pub(super) fn table() -> Markup {
    let label = "Error codes";
    let table = html! {
        table.codes {
            caption.unseen { (label) }
            thead { tr { th scope="col" { "Code" } th scope="col" { "HTTP" } th scope="col" { "Meaning" } } }
            tbody {
                @for (error, meaning) in codes() {
                    tr {
                        th scope="row" { code { (error.code()) } }
                        td { (error.status().as_u16()) }
                        td { (prose(meaning)) }
                    }
                }
            }
        }
    };
    scrolling(label, &table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::contract::Contract;

    #[test]
    fn every_code_of_the_contract_is_there_and_no_other() {
        let contract = Contract::load().unwrap();
        let common = contract.document("schemas/common.json").unwrap();
        let code = common.get("$defs").and_then(|all| all.get("ErrorCode")).unwrap();
        let mut promised = code.texts("enum");
        let mut told = codes().map(|(error, _)| error.code());
        promised.sort_unstable();
        told.sort_unstable();
        assert_eq!(promised, told);
    }
}

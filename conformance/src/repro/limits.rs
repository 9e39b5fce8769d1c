//! What a script on an official client cannot show, and why.

use crate::scenarios::Scenario;

const HAND_MADE: &str = "it sends frames that no official client sends";
const MINTED: &str = "its tokens are made with the server's signing key, which a script does not have";
const CORPUS: &str = "it sends the whole corpus of odd payloads, binary ones among them, for many of which the contract \
                      allows more than one answer; fixtures/payloads has them";
const FLAPPING: &str =
    "it judges when updates come, and which of them, under a throttle that works in more than one way";

const SILENT: &str = "it falls silent with the connection kept open, which no official client does";
const LINE: &str = "its connection breaks off with something on its way, which takes a proxy in between";

/// Scenarios that cannot be written as a script.
const SCENARIOS: &[(&str, &str)] = &[
    (
        "transport/origins",
        "it is about headers that browsers look at, which the official clients do not show",
    ),
    (
        "transport/unknown-namespace",
        "it asks for a second namespace on a connection, which one official client does only before it has the first",
    ),
    (
        "transport/polling-and-upgrade",
        "it speaks HTTP long-polling packet by packet, which an official client does by itself or not at all",
    ),
    (
        "transport/never-connects",
        "it opens a connection and does not ask to be let in, which an official client always does",
    ),
    ("auth/forged", MINTED),
    ("auth/claims", MINTED),
    ("auth/issuer-and-audience", MINTED),
    (
        "auth/refused-is-out",
        "it sends on a connection that was refused, which no official client does",
    ),
    (
        "acks/not-asked-for",
        "it tries again until something is heard, since nothing else tells when a request without an ack is done",
    ),
    (
        "acks/internal-error",
        "it needs a server that fails on purpose, as a test build of it may",
    ),
    (
        "acks/store-away",
        "it takes the server's database away, which a script on a client cannot do",
    ),
    ("messages/ack-lost", LINE),
    (
        "rate-limit/patience",
        "it tries again and again at the edge of the window, and goes by what is answered there",
    ),
    ("presence/flapping-ends-offline", FLAPPING),
    ("presence/flapping-ends-online", FLAPPING),
    ("presence/vanished", SILENT),
    (
        "presence/vanished-in-upgrade",
        "it stops in the middle of an upgrade, which an official client does not",
    ),
    ("presence/left-behind", SILENT),
    ("sync/cut-in-a-burst", LINE),
    (
        "sync/away-and-back",
        "messages go on while the client comes back, and which of them it is told live and which it has to fetch is open",
    ),
    ("sync/expired-meanwhile", MINTED),
    ("robustness/corpus-room-join", CORPUS),
    ("robustness/corpus-room-leave", CORPUS),
    ("robustness/corpus-message-send", CORPUS),
    ("robustness/corpus-typing", CORPUS),
    ("robustness/corpus-receipt-read", CORPUS),
    ("robustness/corpus-presence-ping", CORPUS),
    ("robustness/malformed-packets", HAND_MADE),
    ("robustness/oversize-frame", HAND_MADE),
    ("robustness/invalid-utf-8", HAND_MADE),
    (
        "robustness/flood",
        "it judges how long an ack takes under load, where the client is a part of the load",
    ),
];

/// Requirements that a script does not show, though it plays their scenario.
const REQUIREMENTS: &[(&str, &str)] = &[
    (
        "AUTH-14",
        "it is about the packet of a refusal as it is, of which the official clients tell different parts",
    ),
    (
        "ACK-05",
        "the official clients drop a second ack of the same request without a word",
    ),
    ("ACK-06", "it is about the wording of messages"),
];

/// What a script leaves out of a requirement that it shows otherwise.
const LEFT_OUT: &[(&str, &str)] = &[
    ("MSG-04", "whether createdAt is the server's own"),
    ("MSG-15", "whether (createdAt, _id) never falls"),
    ("MSG-16", "whether the chat's updatedAt has moved"),
    ("TYPE-04", "events of other names that tell of an error"),
    ("TYPE-05", "events of other names that tell of an error"),
    ("PRES-05", "how near serverTime is to true time"),
    ("TRANS-01", "what the handshake announces"),
];

/// Why a scenario cannot be written as a script, if so.
pub fn of_scenario(scenario: &Scenario) -> Option<&'static str> {
    find(SCENARIOS, scenario.id)
}

/// Why a script does not show this requirement, if so.
pub fn of_requirement(id: &str) -> Option<&'static str> {
    find(REQUIREMENTS, id)
}

/// What a script does not look at, though the requirement asks for it, if anything.
pub fn left_out(id: &str) -> Option<&'static str> {
    find(LEFT_OUT, id)
}

fn find(table: &[(&str, &'static str)], id: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(listed, _)| *listed == id)
        .map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Contract;
    use crate::scenarios;

    #[test]
    fn all_that_is_listed_exists() {
        let contract = Contract::embedded().unwrap();
        for (id, _) in SCENARIOS {
            assert!(scenarios::all().any(|scenario| scenario.id == *id), "{id}");
        }
        for (id, _) in REQUIREMENTS.iter().chain(LEFT_OUT) {
            assert!(contract.requirement(id).is_some(), "{id}");
        }
    }
}

//! What to change where a step does not work.

use super::steps::StepKind;
use crate::targets::TargetError;
use crate::targets::launch::LaunchError;
use crate::targets::profile::capabilities::Capability;
use crate::targets::profile::operation::Operation;
use crate::targets::profile::{Profile, Provision};

pub(super) const ON_REACHING: &str = "urls must hold the address of the port, without a path; handshake.path says where Socket.IO listens there";

/// Where it does not start.
pub(super) const fn on_start(error: &TargetError) -> &'static str {
    match error {
        TargetError::Launch(LaunchError::System { .. } | LaunchError::Ended { .. }) => {
            "launch.command must start the server and stay in the foreground; launch.cwd is where it runs, launch.env what it \
             finds in its environment"
        }
        TargetError::Launch(LaunchError::NotReady { .. }) => {
            "launch.ready_line must match a line that it writes, launch.ready_url must be a URL that answers with a success; \
             launch.ready_within_ms gives it more time"
        }
        TargetError::Url { .. } | TargetError::NoUrl => "urls must hold the addresses of the server's ports",
        TargetError::Provision(_) => "provision.kind says how users are made: rest, jwt, static or command",
        _ => "the message says what is missing",
    }
}

/// Where a step on a running target does not work.
pub(super) fn on(what: StepKind, why: &str, profile: &Profile) -> String {
    match what {
        StepKind::Rest(operation) => on_request(operation, why, profile),
        StepKind::Direct => format!(
            "{}; where kind must be another word for a DM, rest.create_chat.values.kind = {{ dm = \"…\" }} says it. If there are \
             no DMs, set capabilities.direct_chats = false",
            on_request(Operation::CreateChat, why, profile)
        ),
        StepKind::After => "rest.list_messages.query must have a parameter with {{after}} in it, which lists what is newer than \
                        that message, the oldest first. If there is none, set capabilities.after_cursor = false"
            .to_owned(),
        StepKind::Connect => "handshake.token_in and handshake.token_field say where the token goes, and rest.register.reply which \
                          token it is: accessToken. With provision.kind = \"jwt\", look at auth: the key, issuer, audience, \
                          claims"
            .to_owned(),
        StepKind::Query => "the contract lets the token be in the query string, as ?token=…. If the target does not take it there, \
                        set capabilities.query_tokens = false"
            .to_owned(),
        StepKind::Session => "rest.register.reply must say where sessionToken is. If there are none, set \
                          capabilities.session_tokens = false"
            .to_owned(),
        StepKind::Minted => "auth must have the key, the algorithm, issuer, audience and claims of the target's own tokens; \
                         compare one of those with what is minted, at any decoder of JWTs"
            .to_owned(),
        StepKind::Join => "who has made the chat, or is named as its member, must be let into its room: does \
                       rest.create_chat.body name the members, as {{members}} or {{everyone}}, and is _id in its reply the id \
                       that sockets use?"
            .to_owned(),
        StepKind::Send => "the target file has no say in this: see chatspec explain MSG-01 and MSG-02".to_owned(),
    }
}

fn on_request(operation: Operation, why: &str, profile: &Profile) -> String {
    match &profile.provision {
        Provision::Command { .. } => {
            return format!(
                "the program of provision.command must answer {operation} with what is expected here"
            );
        }
        Provision::Static { .. } if operation == Operation::Register => {
            return "the file of provision.file must list users that exist, with their tokens".to_owned();
        }
        _ => {}
    }
    let key = |name: &str| format!("rest.{operation}.{name}");
    let (expected, got) = why.split_once("; got ").unwrap_or((why, ""));
    let request = match profile.rest.template(operation) {
        Ok(template) => format!("{} {}", template.method, template.path),
        Err(error) => return error,
    };
    let advice = match status_in(got) {
        Some(404 | 405) => format!(
            "{} = {request:?}: are these the method and the path?",
            key("request")
        ),
        Some(401 | 403) if operation == Operation::Register => {
            format!(
                "{request:?} needs a token: is it the method and the path for registering? If it is, \
                 rest.register.headers must carry a token that may"
            )
        }
        Some(401 | 403) => {
            "rest.auth says in which header the token goes, and how; rest.register.reply.accessToken which \
                            token that is"
                .to_owned()
        }
        Some(400 | 409 | 413 | 415 | 422) => format!(
            "{} must have the fields that the target wants; what stands for what is in the answer above",
            key("body")
        ),
        Some(status @ 200..=299) => format!("if that is a success, add {status} to {}", key("status")),
        Some(300..=399) => "the kit does not follow redirects: give the address that it leads to".to_owned(),
        Some(500..=599) => "the target failed: its log will say why".to_owned(),
        _ if expected.contains("a list at") => {
            format!("{} must point at the list in this answer", key("items"))
        }
        _ if expected.contains(" at /") || expected.ends_with(" at ") => format!(
            "{} must say where it is in this answer, as in reply = {{ name = \"/path/to/it\" }}",
            key("reply")
        ),
        _ if got.contains("no answer in time") => {
            "is the target stuck? --timeout-scale gives it more time".to_owned()
        }
        _ => format!("look at [rest.{operation}] in the target file"),
    };
    match Capability::of(operation) {
        Some(name) => format!("{advice}. If it is not offered, set capabilities.{name} = false"),
        None => advice,
    }
}

/// The status in `… HTTP 404 …`.
fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("HTTP ")?;
    rest.split(' ').next()?.parse().ok()
}

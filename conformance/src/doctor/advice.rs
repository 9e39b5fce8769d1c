//! What to change where a step does not work.

use super::steps::StepKind;
use crate::targets::TargetError;
use crate::targets::launch::LaunchError;
use crate::targets::profile::capabilities::Capability;
use crate::targets::profile::operation::Operation;
use crate::targets::profile::{Profile, Provision};

pub(super) const ON_REACHING: &str =
    "urls must hold the address of the server without a path; handshake.path is the path of Socket.IO there";

/// Where it does not start.
pub(super) const fn on_start(error: &TargetError) -> &'static str {
    match error {
        TargetError::Launch(LaunchError::System { .. } | LaunchError::Ended { .. }) => {
            "launch.command must start the server and stay in the foreground; launch.cwd is where it runs, launch.env what it \
             finds in its environment"
        }
        TargetError::Launch(LaunchError::NotReady { .. }) => {
            "launch.ready_line must match a line that the server writes when it is ready, or launch.ready_url must be a URL that \
             then answers with a success; launch.ready_within_ms gives it more time"
        }
        TargetError::Url { .. } | TargetError::NoUrl => {
            "urls must hold the addresses at which the server listens"
        }
        TargetError::Provision(_) => "provision.kind says how users are made: rest, jwt, static or command",
        _ => "the message above says what is missing",
    }
}

/// Where a step on a running target does not work.
pub(super) fn on(what: StepKind, why: &str, profile: &Profile) -> String {
    match what {
        StepKind::Rest(operation) => on_request(operation, why, profile),
        StepKind::Direct => format!(
            "{}; if the server has another word for kind = dm, give it in rest.create_chat.values.kind = {{ dm = \"…\" }}. If it \
             has no DMs, set capabilities.direct_chats = false",
            on_request(Operation::CreateChat, why, profile)
        ),
        StepKind::After => "rest.list_messages.query must have a parameter with {{after}} in it, which lists the messages after \
                        that one, oldest first. If the server has none, set capabilities.after_cursor = false"
            .to_owned(),
        StepKind::Connect => "handshake.token_in and handshake.token_field say where the token goes, and rest.register.reply which \
                          token it is: accessToken. With provision.kind = \"jwt\", look at auth: the key, issuer, audience, \
                          claims"
            .to_owned(),
        StepKind::Query => "the contract lets the token be in the query string, as ?token=…. If the target does not take it there, \
                        set capabilities.query_tokens = false"
            .to_owned(),
        StepKind::Session => "rest.register.reply must say where sessionToken is. If the server has none, set \
                          capabilities.session_tokens = false"
            .to_owned(),
        StepKind::Minted => "auth must have the key, the algorithm, issuer, audience and claims of the target's own tokens; \
                         compare one of them with a minted one, in any JWT decoder"
            .to_owned(),
        StepKind::Join => "the creator and the members of a chat must be allowed to join its room: does \
                       rest.create_chat.body name the members, as {{members}} or {{everyone}}, and is _id in its reply the id \
                       that is used over Socket.IO?"
            .to_owned(),
        StepKind::Send => "nothing in the target file changes this: see chatspec explain MSG-01 and MSG-02".to_owned(),
    }
}

fn on_request(operation: Operation, why: &str, profile: &Profile) -> String {
    match &profile.provision {
        Provision::Command { .. } => {
            return format!("the program of provision.command must answer {operation} as expected above");
        }
        Provision::Static { .. } if operation == Operation::Register => {
            return "the file named by provision.file must list existing users with valid tokens".to_owned();
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
        Some(404 | 405) => format!("{} = \"{request}\": are method and path right?", key("request")),
        Some(401 | 403) if operation == Operation::Register => {
            format!(
                "\"{request}\" needs a token: are method and path right for registering? If they are, \
                 rest.register.headers must carry a token that is allowed to register users"
            )
        }
        Some(401 | 403) => "rest.auth says in which header the token is sent, and in what form; \
                            rest.register.reply.accessToken says where the token comes from"
            .to_owned(),
        Some(400 | 409 | 413 | 415 | 422) => format!(
            "{} must have the fields that the target wants; its answer above may say which",
            key("body")
        ),
        Some(status @ 200..=299) => {
            format!("if that status means success, add {status} to {}", key("status"))
        }
        Some(300..=399) => {
            "the kit does not follow redirects: give the address that the redirect leads to".to_owned()
        }
        Some(500..=599) => "the target failed: look into its log".to_owned(),
        _ if expected.contains("a list at") => {
            format!("{} must point at the list in this answer", key("items"))
        }
        _ if expected.contains(" at /") || expected.ends_with(" at ") => format!(
            "{} must say where that value is in this answer, as in reply = {{ name = \"/path/to/it\" }}",
            key("reply")
        ),
        _ if got.contains("no answer in time") => {
            "is the target stuck? --timeout-scale gives it more time".to_owned()
        }
        _ => format!("look at [rest.{operation}] in the target file"),
    };
    match Capability::of(operation) {
        Some(name) => format!("{advice}. If the server does not offer this, set capabilities.{name} = false"),
        None => advice,
    }
}

/// The status in `… HTTP 404 …`.
fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("HTTP ")?;
    rest.split(' ').next()?.parse().ok()
}

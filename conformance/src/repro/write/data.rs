//! The steps for one target, and what there is to know of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::NotReproducible;
use super::super::names::{WHERE, placeholder};
use super::super::rest::{Call, call};
use super::super::steps::{Action, Answer, Step, Steps};
use super::super::wanted::at_pointers;
use super::Api;
use super::api::session;
use crate::targets::profile::TokenPlace;
use crate::targets::profile::operation::Operation;

/// How a target is spoken to, in the order in which it is to be read.
#[derive(Serialize)]
pub(super) struct Target {
    url: Option<String>,
    rest: Option<String>,
    path: String,
    authorization: BTreeMap<String, String>,
    /// The requests by which somebody registers.
    sign_up: Vec<Call>,
}

impl Target {
    /// The target of some steps.
    pub(super) fn of(api: &Api, steps: &Steps) -> Result<Self, NotReproducible> {
        Ok(Self {
            url: api.url.clone(),
            rest: api.rest.url.clone(),
            path: api.handshake.path.clone(),
            authorization: BTreeMap::from([api.rest.auth_header("{{token}}")]),
            sign_up: sign_up(api, steps)?,
        })
    }
}

fn sign_up(api: &Api, steps: &Steps) -> Result<Vec<Call>, NotReproducible> {
    let needs_sessions = steps.list.iter().any(|step| match &step.action {
        Action::Register { user } => steps.mention(&session(user)),
        _ => false,
    });
    let people = ["email", "password", "name", "handle"];
    let fill = people
        .map(|what| (what.to_owned(), placeholder(what).into()))
        .into();
    let mut requests = Vec::new();
    let mut taken = BTreeSet::new();
    for operation in [Operation::Register, Operation::Login] {
        if !api.rest.has(operation) {
            continue;
        }
        let mut request = call(&api.rest, operation, &fill)?;
        for (name, field) in [
            ("id", "userId"),
            ("token", "accessToken"),
            ("session", "sessionToken"),
        ] {
            if let Some(pointer) =
                place(api, operation, field).filter(|_| name != "session" || needs_sessions)
            {
                request.take.insert(name.to_owned(), pointer);
                taken.insert(name);
            }
        }
        requests.push(request);
    }
    if !(taken.contains("id") && taken.contains("token")) {
        return Err(NotReproducible::Target(
            "rest.register.reply does not say where userId and accessToken are".to_owned(),
        ));
    }
    Ok(requests)
}

/// The JSON pointer to a value that the contract calls so; nothing where the target does not tell it.
fn place(api: &Api, operation: Operation, name: &str) -> Option<String> {
    match api.rest.template(operation).ok()?.reply {
        Some(reply) => reply.get(name).cloned(),
        None => Some(format!("/{name}")),
    }
}

/// The steps in the words of a target.
pub(super) fn for_target(api: &Api, steps: &Steps) -> Result<Steps, NotReproducible> {
    let mut steps = steps.clone();
    for step in &mut steps.list {
        match &mut step.action {
            Action::Rest {
                user,
                operation,
                fill,
                answer,
                call,
            } => *call = Some(Box::new(asked(api, user, *operation, fill, answer)?)),
            Action::Connect { auth, query, .. } => put_token(api, auth, query),
            _ => {}
        }
    }
    // What no other step needs is not taken: a target need not give it.
    let needed = steps.clone();
    for step in &mut steps.list {
        if let Action::Rest { call: Some(call), .. } = &mut step.action {
            call.take.retain(|name, _| needed.mention(name));
        }
    }
    Ok(steps)
}

/// Where the token goes, for a user who asks in the ordinary way: what the target file says.
fn put_token(api: &Api, auth: &mut Option<Value>, query: &mut Map<String, Value>) {
    let given = auth.as_ref().and_then(|auth| auth["token"].as_str());
    let given = given.filter(|token| token.starts_with("{{") && token.ends_with("}}"));
    let given = given.map(str::to_owned).filter(|_| query.is_empty());
    let Some(token) = given.filter(|token| *auth == Some(json!({"token": token}))) else {
        return;
    };
    let field = Map::from_iter([(api.handshake.token_field.clone(), token.into())]);
    match api.handshake.token_in {
        TokenPlace::Payload => *auth = Some(field.into()),
        TokenPlace::Query => (*auth, *query) = (None, field),
    }
}

/// How a target is asked something, and what it has to answer.
fn asked(
    api: &Api,
    user: &str,
    operation: Operation,
    fill: &BTreeMap<String, Value>,
    answer: &Answer,
) -> Result<Call, NotReproducible> {
    let template = api.rest.template(operation).map_err(NotReproducible::Target)?;
    let items = template.items.as_deref().unwrap_or_default();
    // What the target's answer does not tell is not compared.
    let row = |fields: &[(&str, &Value)]| {
        let told = fields
            .iter()
            .filter_map(|(name, value)| Some((place(api, operation, name)?, (*value).clone())));
        at_pointers(told)
    };
    let mut asked = call(&api.rest, operation, fill)?;
    // Only a session token can be ended.
    let gives = [Operation::Register, Operation::Login];
    let mut gives = gives.into_iter().filter(|operation| api.rest.has(*operation));
    if operation == Operation::Logout && gives.any(|one| place(api, one, "sessionToken").is_some()) {
        asked.token = Some(placeholder(&session(user)));
    }
    match answer {
        Answer::Nothing => {}
        Answer::Id(name) => {
            let pointer = place(api, operation, "_id").unwrap_or_default();
            asked.take.insert(name.clone(), pointer);
        }
        Answer::Messages(messages) => {
            let fields = |message: &Map<String, Value>| {
                row(&message
                    .iter()
                    .map(|(name, value)| (name.as_str(), value))
                    .collect::<Vec<_>>())
            };
            let rows = messages.iter().filter_map(Value::as_object).map(fields);
            asked.reply = Some(at_pointers([(items.to_owned(), rows.collect())]));
        }
        Answer::Unread(counts) => {
            let pair = |(chat, count): &(String, u64)| {
                let chat = row(&[("_id", &json!(chat))]);
                json!([chat, row(&[("unreadCount", &json!(count))])])
            };
            let pairs = json!({WHERE: counts.iter().map(pair).collect::<Value>()});
            asked.reply = Some(at_pointers([(items.to_owned(), pairs)]));
        }
    }
    Ok(asked)
}

/// What is to be said before a step, where it begins something.
pub(super) fn about(before: Option<&Step>, step: &Step) -> Option<&'static str> {
    let follows_fence = before.is_some_and(|before| before.fence && is_act(before));
    match &step.action {
        Action::Register { .. } if !step.fence => {
            let begins = !before.is_some_and(|before| matches!(before.action, Action::Register { .. }));
            begins.then_some("Who takes part.")
        }
        Action::Register { user } if user == "witness" => Some(
            "A member of whom nobody expects anything: what this one sends shows that all before it has come.",
        ),
        Action::Register { .. } => {
            (!follows_fence).then_some("These cause the chat:update that shows that all before it has come.")
        }
        Action::Ask(asks) if asks.len() > 1 => {
            Some("All at once: none of them waits for the answer to another.")
        }
        _ if step.fence && is_act(step) && !follows_fence => {
            Some("A fence: when this has arrived, what was sent before it has arrived as well.")
        }
        _ => None,
    }
}

/// Whether a step does something else than the one before, instead of looking at what came of it.
pub(super) fn begins(before: &Step, step: &Step) -> bool {
    is_act(step) && std::mem::discriminant(&before.action) != std::mem::discriminant(&step.action)
}

/// Whether a step does something, instead of looking at what came of it.
const fn is_act(step: &Step) -> bool {
    !matches!(
        step.action,
        Action::Hear { .. } | Action::Count { .. } | Action::Order { .. }
    )
}

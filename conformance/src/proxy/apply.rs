//! Rules on one thing that passes: from its view to what becomes of it. Nothing here sends anything.

use std::time::Duration;

use serde_json::{Value, json};

use super::memory::Memory;
use super::rule::{Act, Observation, Rule};
use super::when::{When, fill, values};

/// What becomes of something that passes.
#[derive(Debug)]
pub(super) struct Applied {
    /// Its view, as the rules have left it.
    pub(super) view: Value,
    /// Whether it is another than it was.
    pub(super) edited: bool,
    /// How often it passes.
    pub(super) times: usize,
    /// After which time.
    pub(super) delay: Option<Duration>,
    /// It waits for the next one that this rule is about, if there is none that waits.
    pub(super) reorder: Option<usize>,
    /// What else happens.
    pub(super) effects: Vec<Effect>,
    /// How many rules were about it.
    pub(super) fired: usize,
}

/// What happens beside the passing.
#[derive(Debug)]
pub(super) enum Effect {
    /// This connection is cut.
    Cut,
    /// Other connections are cut.
    CutOthers(Vec<When>),
    /// The server's side is kept open.
    HalfOpen,
    /// It goes over other connections as well.
    Deliver(Vec<When>),
    /// An event goes to these connections, or to this one.
    Inject {
        event: String,
        data: Value,
        to: Option<Vec<When>>,
    },
    /// The client is answered: an ack of this request, with this.
    Reply(Value),
    /// The client is refused, with this.
    Refuse(Value),
    /// The server gets a frame.
    TellServer(String),
}

/// Applies rules to something that passes, in their order.
pub(super) fn apply(rules: &[Rule], observed: &[Observation], view: Value, memory: &mut Memory) -> Applied {
    let mut view = view;
    // Of what came in, but only from the next one on.
    let notes: Vec<_> = observed
        .iter()
        .filter(|seen| seen.on.means(&view) && When::all(&seen.when, &mut view.clone(), memory))
        .map(|seen| (&seen.name, values(&view, &seen.of), fill(&seen.keep, &view)))
        .collect();
    let mut applied = Applied {
        view: Value::Null,
        edited: false,
        times: 1,
        delay: None,
        reorder: None,
        effects: Vec::new(),
        fired: 0,
    };
    for (number, rule) in rules.iter().enumerate() {
        if rule.on.means(&view) && When::all(&rule.when, &mut view, memory) {
            applied.fired += 1;
            for act in &rule.acts {
                applied.act(act, number, &mut view, memory);
            }
        }
    }
    for (name, of, keep) in notes {
        memory.remember(name, &of, keep);
    }
    applied.view = view;
    applied
}

impl Applied {
    fn act(&mut self, act: &Act, rule: usize, view: &mut Value, memory: &mut Memory) {
        match act {
            Act::Drop => self.times = 0,
            Act::Duplicate => self.times += 1,
            Act::DelayMs(ms) => self.delay = Some(Duration::from_millis(*ms)),
            Act::Reorder => self.reorder = Some(rule),
            Act::Cut => self.effects.push(Effect::Cut),
            Act::CutOthers(who) => self.effects.push(Effect::CutOthers(who.clone())),
            Act::HalfOpen => self.effects.push(Effect::HalfOpen),
            Act::DeliverTo(who) => self.effects.push(Effect::Deliver(who.clone())),
            Act::Inject { event, data, to } => self.effects.push(Effect::Inject {
                event: event.clone(),
                data: fill(data, view),
                to: to.clone(),
            }),
            Act::Reply(ack) => {
                self.times = 0;
                self.effects.push(Effect::Reply(fill(ack, view)));
            }
            Act::Refuse(payload) => {
                self.times = 0;
                self.effects.push(Effect::Refuse(fill(payload, view)));
            }
            Act::TellServer(frame) => {
                if let Value::String(frame) = fill(frame, view) {
                    self.effects.push(Effect::TellServer(frame));
                }
            }
            Act::Remember { name, of, keep } => {
                memory.remember(name, &values(view, of), fill(keep, view));
            }
            Act::Status(status) => {
                view["status"] = json!(status);
                self.edited = true;
            }
            Act::Header { name, to } => {
                view["headers"][name] = fill(to, view);
                self.edited = true;
            }
            Act::Each { of, when, then } => self.edited |= each(of, when, then, view, memory),
            edit => self.edited |= edit_view(edit, view),
        }
    }
}

/// Does something to items of a list; tells whether it did.
fn each(of: &str, when: &[When], then: &[Act], view: &mut Value, memory: &mut Memory) -> bool {
    let Some(Value::Array(items)) = view.pointer_mut(of).map(Value::take) else {
        return false;
    };
    let mut kept = Vec::new();
    let mut done = false;
    for item in items {
        view["item"] = item;
        let mut times = 1;
        if When::all(when, view, memory) {
            done = true;
            for act in then {
                match act {
                    Act::Drop => times = 0,
                    Act::Duplicate => times += 1,
                    edit => drop(edit_view(edit, view)),
                }
            }
        }
        kept.extend(std::iter::repeat_n(view["item"].take(), times));
    }
    set(view, of, kept.into());
    done
}

/// Changes what is in the view; tells whether there was something to change.
fn edit_view(act: &Act, view: &mut Value) -> bool {
    match act {
        Act::Set { at, to } => {
            let value = fill(to, view);
            set(view, at, value)
        }
        Act::Remove(at) => take(view, at).is_some(),
        Act::Rename { at, to } => {
            let Some(value) = take(view, at) else {
                return false;
            };
            let parent = at.rsplit_once('/').map_or("", |(parent, _)| parent);
            set(view, &format!("{parent}/{to}"), value)
        }
        Act::Add { at, amount } => change(view, at, |value| {
            Some((value.as_i64()?.saturating_add(*amount)).into())
        }),
        Act::Replace { at, text, by } => change(view, at, |value| {
            let old = value.as_str()?;
            old.contains(text).then(|| old.replace(text, by).into())
        }),
        Act::Trim(at) => change(view, at, |value| {
            let old = value.as_str()?;
            (old.trim() != old).then(|| old.trim().into())
        }),
        Act::Truncate { at, bytes } => change(view, at, |value| {
            let old = value.as_str()?;
            (old.len() > *bytes).then(|| old[..old.floor_char_boundary(*bytes)].into())
        }),
        Act::Reverse(at) => change(view, at, |value| {
            let list = value.as_array()?;
            Some(list.iter().rev().cloned().collect())
        }),
        Act::Append { at, item } => {
            let item = fill(item, view);
            change(view, at, |value| {
                let mut list = value.as_array()?.clone();
                list.push(item);
                Some(list.into())
            })
        }
        _ => false,
    }
}

fn change(view: &mut Value, at: &str, how: impl FnOnce(&Value) -> Option<Value>) -> bool {
    let Some(value) = view.pointer_mut(at) else {
        return false;
    };
    match how(value) {
        Some(new) => {
            *value = new;
            true
        }
        None => false,
    }
}

/// Puts a value there, if there is an object or a list that it can be in.
fn set(view: &mut Value, at: &str, value: Value) -> bool {
    if let Some(old) = view.pointer_mut(at) {
        *old = value;
        return true;
    }
    let Some((parent, name)) = at.rsplit_once('/') else {
        return false;
    };
    match view.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(name.replace("~1", "/").replace("~0", "~"), value);
            true
        }
        _ => false,
    }
}

fn take(view: &mut Value, at: &str) -> Option<Value> {
    let (parent, name) = at.rsplit_once('/')?;
    match view.pointer_mut(parent)? {
        Value::Object(fields) => fields.remove(&name.replace("~1", "/").replace("~0", "~")),
        Value::Array(items) => {
            let place = name.parse().ok().filter(|place| *place < items.len())?;
            Some(items.remove(place))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;

//! From a frame, or an HTTP answer, to what is to be done: its view, the rules, and what they come to.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::apply::{Applied, Effect, apply};
use super::frames::{Heading, encode};
use super::state::State;
use super::view::{add_values, text_of, view_of};
use super::when::When;

/// What is to be done about a frame.
#[derive(Debug, Default)]
pub(super) struct FrameActions {
    /// What passes, in this order.
    pub(super) pass: Vec<Bytes>,
    /// What goes to this side later.
    pub(super) later: Option<(Duration, Bytes)>,
    /// What goes to a side of this connection, or of another, by its number, as soon as there is room.
    pub(super) elsewhere: Vec<(u64, Heading, Bytes)>,
    /// The rule for which something waits now.
    pub(super) held: Option<usize>,
    /// The connections that are cut, by their numbers.
    pub(super) cut: Vec<u64>,
    /// From now on only the server's side is kept.
    pub(super) half_open: bool,
}

impl State {
    /// What is to be done about a text frame.
    pub(super) fn frame(&mut self, id: u64, heading: Heading, raw: Bytes, text: &str) -> FrameActions {
        let passes = |raw| FrameActions {
            pass: vec![raw],
            ..FrameActions::default()
        };
        let Some(mut view) = view_of(text, heading) else {
            return passes(raw);
        };
        // Who asks to be let in is known by what it says just now; all else is as it was before.
        let (to_be_learnt, asks) = (view["namespace"] == "/", view["packet"] == "connect");
        if to_be_learnt && asks {
            self.learn(id, &view);
        }
        self.put_in_context(id, &mut view);
        if to_be_learnt && !asks {
            self.learn(id, &view);
        }
        let mut memory = std::mem::take(&mut self.memory);
        let applied = apply(&self.rules, &self.observed, view, &mut memory);
        self.memory = memory;
        self.fired += applied.fired;
        self.actions(id, heading, raw, &applied)
    }

    /// Adds to a view what is known beside the frame, so far as rules may be about it.
    fn put_in_context(&self, id: u64, view: &mut Value) {
        if view["packet"] == "ack"
            && let Some((event, data)) = view["id"].as_u64().and_then(|ack| self.acknowledged(id, ack))
        {
            view["event"] = event.as_str().into();
            view["request"] = data.clone();
        }
        let meant = |on: &super::rule::On| on.means(view);
        if !(self.rules.iter().any(|rule| meant(&rule.on))
            || self.observed.iter().any(|seen| meant(&seen.on)))
        {
            return;
        }
        view["conn"] = self.conn(id);
        if view["packet"] == "event"
            && let Some((by, data)) = self.cause(view["event"].as_str().unwrap_or_default(), &view["data"])
        {
            view["request"] = data.clone();
            view["by"] = self.conn(*by);
        }
        add_values(view);
    }

    fn actions(&mut self, id: u64, heading: Heading, raw: Bytes, applied: &Applied) -> FrameActions {
        let mut actions = FrameActions::default();
        if !self.peers.contains_key(&id) {
            return actions;
        }
        let frame = if applied.edited {
            encode(&text_of(&applied.view), heading == Heading::ToServer)
        } else {
            raw
        };
        self.pass(id, frame, applied, &mut actions);
        for effect in &applied.effects {
            self.add_effect(id, heading, effect, &applied.view, &mut actions);
        }
        actions
    }

    /// When it passes, and what passes with it.
    fn pass(&mut self, id: u64, frame: Bytes, applied: &Applied, actions: &mut FrameActions) {
        let held = applied
            .reorder
            .zip(self.peers.get_mut(&id))
            .map(|(rule, peer)| (rule, &mut peer.held));
        match (held, applied.delay) {
            _ if applied.times == 0 => {}
            (Some((rule, held)), _) => {
                if let Some(earlier) = held.remove(&rule) {
                    actions.pass = vec![frame, earlier];
                } else {
                    held.insert(rule, frame);
                    actions.held = Some(rule);
                }
            }
            (None, Some(delay)) => actions.later = Some((delay, frame)),
            (None, None) => actions.pass = vec![frame; applied.times],
        }
    }

    fn add_effect(
        &self,
        id: u64,
        heading: Heading,
        effect: &Effect,
        view: &Value,
        actions: &mut FrameActions,
    ) {
        let to_client = |text: &str| (id, Heading::ToClient, encode(text, false));
        match effect {
            Effect::Cut => actions.cut.push(id),
            Effect::CutOthers(when) => actions.cut.extend(self.others(Some(id), when, view)),
            Effect::HalfOpen => actions.half_open = true,
            Effect::Reply(ack) => {
                let ack = json!({"packet": "ack", "namespace": "/", "id": view["id"], "data": ack});
                actions.elsewhere.push(to_client(&text_of(&ack)));
            }
            Effect::Refuse(payload) => {
                let refusal = json!({"packet": "refused", "namespace": "/", "data": payload});
                actions.elsewhere.push(to_client(&text_of(&refusal)));
            }
            Effect::TellServer(frame) => {
                actions
                    .elsewhere
                    .push((id, Heading::ToServer, encode(frame, true)));
            }
            Effect::Inject { event, data, to } => {
                let frame = json!({"packet": "event", "namespace": "/", "event": event, "data": data});
                let frame = encode(&text_of(&frame), false);
                let to = match to {
                    None => vec![id],
                    Some(when) => self.others(None, when, view),
                };
                let sent = to
                    .into_iter()
                    .map(|other| (other, Heading::ToClient, frame.clone()));
                actions.elsewhere.extend(sent);
            }
            Effect::Deliver(when) => self.deliver(id, heading, when, view, actions),
        }
    }

    fn deliver(&self, id: u64, heading: Heading, when: &[When], view: &Value, actions: &mut FrameActions) {
        let mut others = self.others(Some(id), when, view);
        let mut frame = view.clone();
        if heading == Heading::ToServer {
            others.truncate(1);
            frame["id"] = Value::Null;
        }
        let frame = encode(&text_of(&frame), heading == Heading::ToServer);
        let sent = others.into_iter().map(|other| (other, heading, frame.clone()));
        actions.elsewhere.extend(sent);
    }

    /// What becomes of an HTTP answer; nothing where it is as it was.
    pub(super) fn http(&mut self, mut view: Value) -> Option<Value> {
        add_values(&mut view);
        let mut memory = std::mem::take(&mut self.memory);
        let applied = apply(&self.rules, &self.observed, view, &mut memory);
        self.memory = memory;
        self.fired += applied.fired;
        applied.edited.then_some(applied.view)
    }

    /// What has waited for something to pass before it, and has waited long enough.
    pub(super) fn release(&mut self, id: u64, rule: usize) -> Option<Bytes> {
        self.peers.get_mut(&id)?.held.remove(&rule)
    }
}

#[cfg(test)]
mod tests;

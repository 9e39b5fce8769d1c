//! Which step checks which requirement: those that the kit judges right after it.

use super::super::steps::{Ack, Action, Answer, Step};
use super::Item;

/// The steps with what each checks, up to the last check of `asked`, or of anything.
pub(super) fn checked(mut items: Vec<Item>, asked: Option<&str>) -> Vec<Step> {
    let last = items.iter().rposition(|item| {
        let Item::Judged(id) = item else { return false };
        asked.is_none_or(|asked| asked == id)
    });
    items.truncate(last.map_or(0, |last| last + 1));
    let checks: Vec<Vec<String>> = (0..items.len())
        .map(|at| match &items[at] {
            Item::Step(step) if !is_aside(step) => behind(&step.action, &items[at + 1..]),
            Item::Step(_) | Item::Judged(_) => Vec::new(),
        })
        .collect();
    let mut steps: Vec<Step> = Vec::new();
    for (item, checks) in items.into_iter().zip(checks) {
        if let Item::Step(step) = item {
            add(&mut steps, Step { checks, ..step });
        }
    }
    drop_unused_marks(&mut steps);
    steps
}

/// Whether what was judged before a step may still be judged behind it.
const fn is_aside(step: &Step) -> bool {
    step.fence
        || matches!(
            step.action,
            Action::Register { .. } | Action::Pause { .. } | Action::Mark { .. }
        )
}

/// What is judged behind a step, before the scenario does or looks for anything else.
fn behind(action: &Action, rest: &[Item]) -> Vec<String> {
    let rest = match action {
        Action::Connect {
            client,
            refused: false,
            ..
        } => after_its_end(client, rest).unwrap_or(rest),
        _ => rest,
    };
    let mut found: Vec<String> = Vec::new();
    for item in rest {
        match item {
            // Whether it came exactly so often is one question.
            Item::Judged(_) if matches!(action, Action::Count { .. }) && !found.is_empty() => break,
            Item::Judged(id) if !found.contains(id) => found.push(id.clone()),
            Item::Judged(_) => {}
            Item::Step(next) if is_aside(next) || is_judged_with(action, &next.action) => {}
            // Several refusals, or listings, may be judged after all of them have come.
            Item::Step(next) if found.is_empty() && are_alike(action, &next.action) => {}
            Item::Step(_) => break,
        }
    }
    found
}

/// What is behind the end of a connection that was opened for a question, and no more.
fn after_its_end<'a>(opened: &str, rest: &'a [Item]) -> Option<&'a [Item]> {
    let action = |item: &'a Item| match item {
        Item::Step(step) if !is_aside(step) => Some(&step.action),
        Item::Step(_) | Item::Judged(_) => None,
    };
    let is_question = |item: &'a Item| matches!(action(item), Some(Action::Ask(asks)) if asks.iter().all(|ask| ask.client == opened));
    let end = rest.iter().position(|item| !is_question(item))?;
    matches!(action(&rest[end]), Some(Action::Close { client: closed }) if closed == opened)
        .then(|| &rest[end + 1..])
}

/// Whether both are refusals, or both listings.
fn are_alike(action: &Action, next: &Action) -> bool {
    is_refusal(action) && is_refusal(next) || is_listing(action) && is_listing(next)
}

const fn is_listing(action: &Action) -> bool {
    matches!(
        action,
        Action::Rest {
            answer: Answer::Messages(_) | Answer::Unread(_),
            ..
        }
    )
}

fn is_refusal(action: &Action) -> bool {
    matches!(action, Action::Ask(asks) if asks.iter().all(|ask| matches!(ask.ack, Ack::Error(_))))
}

/// Whether what is judged after both of them is judged by both.
fn is_judged_with(action: &Action, next: &Action) -> bool {
    match (action, next) {
        (Action::Order { .. }, Action::Order { .. }) => true,
        (Action::Ask(asks), Action::Close { client: closed }) => asks.iter().all(|ask| ask.client == *closed),
        // That it came, and that it came once.
        (
            Action::Hear { client, event, .. },
            Action::Count {
                client: counting,
                event: counted,
                ..
            },
        ) => client == counting && event == counted,
        _ => false,
    }
}

fn add(steps: &mut Vec<Step>, mut step: Step) {
    match &mut step.action {
        // The same events may be looked at for one requirement after the other, or only to note something.
        Action::Order { .. } => {
            if let Some(known) = steps.iter_mut().find(|known| known.action == step.action) {
                step.checks.retain(|id| !known.checks.contains(id));
                known.checks.append(&mut step.checks);
                return;
            }
            if step.checks.is_empty() {
                return;
            }
        }
        // What a listing says where nothing is judged by it, is for the scenario to compare with.
        Action::Rest { answer, .. }
            if step.checks.is_empty() && matches!(answer, Answer::Messages(_) | Answer::Unread(_)) =>
        {
            *answer = Answer::Nothing;
        }
        _ => {}
    }
    steps.push(step);
}

fn drop_unused_marks(steps: &mut Vec<Step>) {
    let used: Vec<String> = steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Hear { since, .. } | Action::Count { since, .. } => since.clone(),
            _ => None,
        })
        .collect();
    steps.retain(|step| !matches!(&step.action, Action::Mark { name, .. } if !used.contains(name)));
}

//! Which comparison is judged by which requirement: by those that the kit judges right after it.

use super::super::story::{Ack, Step, Take};
use super::super::term::Term;
use super::Told;

/// The steps with what each is judged by, up to the last thing that `asked` is judged by, or that anything is.
pub(super) fn judged(mut told: Vec<Told>, asked: Option<&str>) -> Vec<Step> {
    let last = told.iter().rposition(|told| {
        let Told::Judged(id) = told else { return false };
        asked.is_none_or(|asked| asked == id)
    });
    told.truncate(last.map_or(0, |last| last + 1));
    let judges: Vec<Vec<String>> = (0..told.len())
        .map(|at| match &told[at] {
            Told::Step(step) => behind(step, &told[at + 1..]),
            Told::Fence(_) | Told::Judged(_) => Vec::new(),
        })
        .collect();
    let mut steps: Vec<Step> = Vec::new();
    for (told, judge) in told.into_iter().zip(judges) {
        match told {
            Told::Fence(step) => steps.push(step),
            Told::Step(step) => add(&mut steps, step, judge),
            Told::Judged(_) => {}
        }
    }
    drop_unused_marks(&mut steps);
    steps
}

/// What is judged behind a step, before the scenario does or looks for anything else.
fn behind(step: &Step, rest: &[Told]) -> Vec<String> {
    let rest = match step {
        Step::Connect {
            client,
            accepted: true,
            ..
        } => after_its_end(*client, rest).unwrap_or(rest),
        _ => rest,
    };
    let mut found: Vec<String> = Vec::new();
    for told in rest {
        match told {
            // Whether it came exactly so often is one question.
            Told::Judged(_) if matches!(step, Step::Count { .. }) && !found.is_empty() => break,
            Told::Judged(id) if !found.contains(id) => found.push(id.clone()),
            Told::Judged(_) | Told::Fence(_) => {}
            Told::Step(next) if is_judged_with(step, next) => {}
            // Several refusals, or listings, may be judged after all of them have come.
            Told::Step(next) if found.is_empty() && is_refusal(step) && is_refusal(next) => {}
            Told::Step(next) if found.is_empty() && is_listing(step) && is_listing(next) => {}
            Told::Step(_) => break,
        }
    }
    found
}

/// What is behind the end of a connection that was opened for a question, and no more.
fn after_its_end(opened: usize, rest: &[Told]) -> Option<&[Told]> {
    let end = rest.iter().position(|told| {
        !matches!(told, Told::Step(Step::Ask { asks, .. }) if asks.iter().all(|ask| ask.client == opened))
    })?;
    matches!(&rest[end], Told::Step(Step::Close(closed)) if *closed == opened).then(|| &rest[end + 1..])
}

fn is_listing(step: &Step) -> bool {
    matches!(
        step,
        Step::Rest {
            take: Take::Messages(_) | Take::Unread(_),
            ..
        }
    )
}

fn is_refusal(step: &Step) -> bool {
    let refused = (String::from("ok"), Term::Bool(false));
    matches!(step, Step::Ask { asks, .. } if asks.iter().all(|ask| {
        matches!(&ask.ack, Ack::Like(Term::Object(fields)) if fields.contains(&refused))
    }))
}

/// Whether what is judged after both of them is judged by both.
fn is_judged_with(step: &Step, next: &Step) -> bool {
    match (step, next) {
        (Step::Order { .. }, Step::Order { .. }) => true,
        (Step::Ask { asks, .. }, Step::Close(closed)) => asks.iter().all(|ask| ask.client == *closed),
        // That it came, and that it came once.
        (
            Step::Hear { client, event, .. },
            Step::Count {
                client: counting,
                event: counted,
                ..
            },
        ) => client == counting && event == counted,
        _ => false,
    }
}

fn add(steps: &mut Vec<Step>, mut step: Step, judge: Vec<String>) {
    if let Step::Order { .. } = step {
        // The same events may be looked at for one requirement after the other, or only to note something.
        let known = steps.iter_mut().find(|known| is_same_order(known, &step));
        if let Some(known) = known.and_then(Step::judge_mut) {
            let more = judge.into_iter().filter(|id| !known.contains(id));
            known.extend(more.collect::<Vec<_>>());
            return;
        }
        if judge.is_empty() {
            return;
        }
    }
    if let Step::Rest { take, .. } = &mut step {
        // What a listing says where nothing is judged by it, is for the scenario to compare with.
        if judge.is_empty() && matches!(take, Take::Messages(_) | Take::Unread(_)) {
            *take = Take::Nothing;
        }
    }
    if let Some(own) = step.judge_mut() {
        *own = judge;
    }
    steps.push(step);
}

fn is_same_order(one: &Step, other: &Step) -> bool {
    match (one, other) {
        (
            Step::Order {
                client,
                wanted,
                event,
                ..
            },
            Step::Order {
                client: c,
                wanted: w,
                event: e,
                ..
            },
        ) => (client, event, wanted) == (c, e, w),
        _ => false,
    }
}

fn drop_unused_marks(steps: &mut Vec<Step>) {
    let used: Vec<usize> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Hear { since, .. } | Step::Count { since, .. } => *since,
            _ => None,
        })
        .collect();
    steps.retain(|step| !matches!(step, Step::Mark { since, .. } if !used.contains(since)));
}

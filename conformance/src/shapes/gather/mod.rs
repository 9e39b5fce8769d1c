//! Gathering: everything that a target sends is provoked, and its shape written down.
//!
//! - [`gather`]: all stories, as often as is asked for
//! - `rooms`, `messages`, `receipts`, `typing`, `presence`, `chats`, `handshakes`: the stories, by area of the contract
//! - `ask`: what they have in common: asking in many ways, listening in several places
//!
//! The stories of one run play at once, each with users of its own. What they are about may go wrong, and is written down
//! then; they only rely on users and chats being made, and on connections being opened.

mod ask;
mod chats;
mod handshakes;
mod messages;
mod presence;
mod receipts;
mod rooms;
mod typing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use thiserror::Error;

use super::collector::ShapeCollector;
use super::document::Document;
use crate::preflight;
use crate::scene::{Context, Outcome, Scene, Stop};

/// Why there is nothing that could be written or compared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GatherError {
    /// The target is gone.
    #[error("the target has stopped answering: {0}")]
    Lost(String),
    /// What a story relies on did not work.
    #[error("{story} could not be gathered: {why}. Run chatspec doctor to see step by step what works")]
    Broken {
        /// Which story.
        story: &'static str,
        /// What did not work.
        why: String,
    },
    /// The kit itself is at fault.
    #[error("the kit is at fault: {0}")]
    Fault(String),
}

/// What plays a story; the collector, which no scenario has, is handed to it beside the scene.
type Play = for<'a> fn(&'a Scene, &'a ShapeCollector<'a>) -> BoxFuture<'a, Outcome>;

/// One story: what its scenes are called, and what is done in them.
struct Story {
    id: &'static str,
    play: Play,
}

/// What a story waits for, beside its round trips.
const WAITS: Duration = Duration::from_mins(1);

static STORIES: [Story; 8] = [
    story("shapes/rooms", |scene, collector| {
        Box::pin(rooms::play(scene, collector))
    }),
    story("shapes/messages", |scene, collector| {
        Box::pin(messages::play(scene, collector))
    }),
    story("shapes/limits", |scene, collector| {
        Box::pin(messages::limits(scene, collector))
    }),
    story("shapes/receipts", |scene, collector| {
        Box::pin(receipts::play(scene, collector))
    }),
    story("shapes/typing", |scene, collector| {
        Box::pin(typing::play(scene, collector))
    }),
    story("shapes/presence", |scene, collector| {
        Box::pin(presence::play(scene, collector))
    }),
    story("shapes/chat-updates", |scene, collector| {
        Box::pin(chats::play(scene, collector))
    }),
    story("shapes/handshakes", |scene, collector| {
        Box::pin(handshakes::play(scene, collector))
    }),
];

const fn story(id: &'static str, play: Play) -> Story {
    Story { id, play }
}

/// Gathers everything `runs` times; `tell` hears which run begins. Gives a document for each subject, by its name.
pub async fn gather(
    context: &Arc<Context>,
    runs: usize,
    mut tell: impl FnMut(usize),
) -> Result<BTreeMap<&'static str, Document>, GatherError> {
    let collector = ShapeCollector::new(&context.contract);
    for run in 1..=runs {
        tell(run);
        let played = join_all(STORIES.iter().map(|story| play(context, story, &collector))).await;
        played.into_iter().collect::<Result<(), _>>()?;
    }
    Ok(collector.into_documents())
}

async fn play(
    context: &Arc<Context>,
    story: &'static Story,
    collector: &ShapeCollector<'_>,
) -> Result<(), GatherError> {
    let scene = Scene::new(context.clone(), story.id);
    let limit = context.timing().scenario(WAITS);
    let played = tokio::time::timeout(limit, (story.play)(&scene, collector)).await;
    // Nothing depends on how it ends.
    scene.tear_down().await.ok();
    match played {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Stop::Harness(why))) => Err(GatherError::Fault(why)),
        Ok(Err(stop)) => Err(broken(context, story, stop.why()).await),
        Err(_) => {
            let why = format!("it did not finish within {} s", limit.as_secs());
            Err(broken(context, story, why).await)
        }
    }
}

async fn broken(context: &Context, story: &Story, why: String) -> GatherError {
    match preflight::still_there(context).await {
        Err(why) => GatherError::Lost(why),
        Ok(()) => GatherError::Broken { story: story.id, why },
    }
}

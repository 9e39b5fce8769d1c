//! Users and chats, made in the target's own way, as for scenarios.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value;

use super::check::{Member, Room};
use super::connection::{ConnectionSpec, RoomMembership};
use super::plan::Plan;
use super::{Progress, Tell};
use crate::packet::encode_connect;
use crate::scene::people::User;
use crate::scene::{Context, Scene, Stop};

/// Rooms, or groups of idle users, that are made at once.
const AT_ONCE: usize = 8;
/// Idle users are made in groups of so many.
const GROUP: u32 = 50;

/// All rooms and users of the load, ready to connect.
pub(super) struct Participants {
    /// Index = number of the room.
    pub(super) rooms: Vec<Room>,
    /// The members of the rooms, room by room, followed by the idle users.
    pub(super) specs: Vec<ConnectionSpec>,
}

/// Makes everybody; the error says what did not work.
pub(super) async fn provision(
    context: &Arc<Context>,
    plan: &Plan,
    tell: &Tell,
) -> Result<Participants, Stop> {
    let done = AtomicU32::new(0);
    let register = async |scene: &Scene, name: &'static str| {
        let user = scene.user(name).await?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        tell(Progress::Registering {
            done,
            of: plan.users(),
        });
        Ok::<_, Stop>(user)
    };
    let room = async |number: u32| {
        // With a scene of its own, no list of secrets gets long.
        let scene = Scene::new(context.clone(), "kit/load");
        let users = (0..plan.wanted.room_size).map(|_| register(&scene, "member"));
        let users = try_join_all(users).await?;
        create_room(&scene, number, &users).await
    };
    let idle = async |number: u32| {
        let scene = Scene::new(context.clone(), "kit/load");
        let users = try_join_all((0..number).map(|_| register(&scene, "idle"))).await?;
        users.iter().map(|user| spec(&scene, user, None)).collect()
    };
    let rooms: Vec<(Room, Vec<ConnectionSpec>)> = stream::iter(0..plan.wanted.rooms)
        .map(room)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let groups = (0..plan.idle()).step_by(GROUP as usize);
    let idle: Vec<Vec<ConnectionSpec>> = stream::iter(groups.map(|first| GROUP.min(plan.idle() - first)))
        .map(idle)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    let (rooms, members): (Vec<Room>, Vec<Vec<ConnectionSpec>>) = rooms.into_iter().unzip();
    Ok(Participants {
        rooms,
        specs: members.into_iter().chain(idle).flatten().collect(),
    })
}

/// Creates a chat for these users; gives it, and how each of them connects.
async fn create_room(
    scene: &Scene,
    number: u32,
    users: &[User],
) -> Result<(Room, Vec<ConnectionSpec>), Stop> {
    let Some((admin, others)) = users.split_first() else {
        return Err(Stop::Harness("a room without members".to_owned()));
    };
    let others: Vec<&User> = others.iter().collect();
    let chat = scene.plain_group(admin, &others).await?.id;
    let as_json: Arc<str> = Value::from(chat.as_str()).to_string().into();
    let specs = (0..).zip(users).map(|(place, user)| {
        let room = RoomMembership {
            member: Member { room: number, place },
            chat: as_json.clone(),
        };
        spec(scene, user, Some(room))
    });
    let room = Room {
        chat,
        users: users.iter().map(|user| user.id.clone()).collect(),
    };
    Ok((room, specs.collect::<Result<_, _>>()?))
}

fn spec(scene: &Scene, user: &User, room: Option<RoomMembership>) -> Result<ConnectionSpec, Stop> {
    let (url, payload) = scene.address(user)?;
    Ok(ConnectionSpec {
        url: url.into(),
        connect: encode_connect("/", payload.as_ref()),
        room,
    })
}

//! Reconnection and backfill: nothing lost, nothing twice.

use std::time::Duration;

use serde_json::{Value, json};

use super::steps::joined;
use super::{Cost, Scenario, run};
use crate::client::Client;
use crate::expect::event::event;
use crate::expect::{Found, Mismatch, Words, equal, text, that, utc_time, varying};
use crate::scene::chats::Chat;
use crate::scene::connect::{Answer, Handshake};
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Stop};
use crate::targets::provision::ProvisionError;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "sync/away-and-back",
        "What was sent while a client was away, and while it came back, is listed or delivered, without gap or double",
        &["SYNC-01", "SYNC-02"],
        run!(away_and_back),
    )
        .steps(&[
            "Alice makes a group with Bob; Bob joins the room, Alice posts a message through REST, and Bob \
            closes.",
            "Alice posts five messages through REST while Bob is away.",
            "She posts 20 more, one after the other, while Bob connects, joins, and then reads the \
            listing, up to 200.",
            "When both are done, what Bob has not read in the listing is waited for, then a later message \
            into the room.",
            "Each of the five is exactly once in the listing that Bob read  [SYNC-01]",
            "Each of the 25 is in that listing or has arrived at Bob as message:new, at most once in \
            either  [SYNC-02]",
        ]),
    Scenario::new(
        "sync/cut-in-a-burst",
        "What was on its way when the connection was cut is listed after the return, and what comes later is not missed",
        &["SYNC-01", "SYNC-02"],
        run!(cut_in_a_burst),
    )
        .steps(&[
            "Alice makes a group with Bob, who joins the room over a line that is cut at the ninth \
            message, which is lost with it.",
            "Alice posts 25 messages through REST, one after the other, while Bob finds the connection \
            closed, connects again,",
            "joins, and then reads the listing, up to 200.",
            "When both are done, what Bob has not read in the listing is waited for, then a later message \
            into the room.",
            "Bob reads the listing again: each of the 25 is in it exactly once  [SYNC-01]",
            "Each of the 25 is in the first listing or has arrived at the new connection as message:new, \
            at most once in either  [SYNC-02]",
        ]),
    Scenario::new(
        "sync/paging",
        "Paging backwards, or forwards from a known message, walks the whole backlog in order",
        &["SYNC-03", "SYNC-05"],
        run!(paging),
    )
        .steps(&[
            "Alice makes a plain group with Bob and posts 13 messages through REST.",
            "Bob reads the listing with limit=5, then goes on with before=<the last _id> until a page is \
            empty.",
            "No page has more than five, and the ids are all 13, the newest first, without gap or double  \
            [SYNC-03]",
            "Bob reads with limit=5 and after=<the third message's _id>, and goes on likewise until a page \
            is empty.",
            "The ids are the ten newer ones, the oldest first, without gap or double  [SYNC-05]",
        ]),
    Scenario::new(
        "sync/no-room-until-joined",
        "A new connection hears nothing of a chat until it joins, even if an earlier one had joined",
        &["SYNC-04"],
        run!(no_room_until_joined),
    )
        .steps(&[
            "Alice makes a group with Bob; both connect and join the room.",
            "The twin: Alice sends a message, and message:new arrives at Bob.",
            "Bob closes and connects again, but does not join; Alice sends a second message.",
            "A later message arrives at Alice, then a chat:update at Bob, and no message:new at him before \
            it  [SYNC-04]",
            "Bob joins the room, Alice sends a third message, and message:new with its body arrives at him  \
            [SYNC-04]",
        ]),
    Scenario::new(
        "sync/expired-meanwhile",
        "A token that was good for the first connection does not reconnect once it has expired",
        &["SYNC-06"],
        run!(expired_meanwhile),
    )
        .steps(&[
            "A JWT for Alice that expires in 4 s, by the serverTime of a presence:ping, is minted with the \
            key in the target",
            "file; without the key nothing is judged.",
            "The twin: the JWT opens a connection, which is closed again.",
            "7 s pass: the 4 s of the token, and 3 s for clocks that differ.",
            "CONNECT with the same JWT gets CONNECT_ERROR within the deadline  [SYNC-06]",
            "If it is accepted, but one that ended an hour ago is refused, the target grants a leeway: \
            nothing is judged.",
        ])
    .cost(Cost::Seconds(8)),
];

async fn away_and_back(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [away] = joined(scene, &chat, [&bob]).await?;
    scene.post_message(&alice, &chat, &scene.unique("before")).await?;
    away.close().await;

    let mut missed = Vec::new();
    for n in 0..5 {
        let body = scene.unique(&format!("missed {n}"));
        scene.post_message(&alice, &chat, &body).await?;
        missed.push(body);
    }
    // The seam: messages go on while the client connects, joins and fetches what it has missed.
    let during: Vec<_> = (0..20).map(|n| scene.unique(&format!("meanwhile {n}"))).collect();
    let sending = async {
        for body in &during {
            scene.post_message(&alice, &chat, body).await?;
        }
        Ok::<_, Stop>(())
    };
    let coming_back = async {
        let [back] = joined(scene, &chat, [&bob]).await?;
        let listed = scene.messages(&bob, &chat).await?;
        Ok::<_, Stop>((back, listed))
    };
    let ((), (back, listed)) = futures_util::future::try_join(sending, coming_back).await?;
    live_too(scene, &chat, &back, &listed, &during).await?;
    for body in &missed {
        scene.check(
            "SYNC-01",
            equal(&format!("\"{body}\" in the listing"), &times(&listed, body), &1),
        );
    }
    let bodies: Vec<_> = missed.into_iter().chain(during).collect();
    without_gap(scene, &back, &listed, &bodies);
    Ok(())
}

/// The connection is cut with a message on its way: the server has sent it, and it never arrives.
async fn cut_in_a_burst(scene: &Scene) -> Outcome {
    /// The first one that is lost.
    const LOST: usize = 8;
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let bodies: Vec<_> = (0..25).map(|n| scene.unique(&format!("message {n}"))).collect();
    let lost = json!({"at": "/data/message/body", "is": bodies[LOST]});
    let line = scene
        .line(json!({"on": {"event": "message:new"}, "when": [lost], "do": ["drop", "cut"]}))
        .await?;
    let first = scene.connect_over(&line, &bob).await?;
    scene.join(&first, &chat).await?;

    let sending = async {
        for body in &bodies {
            scene.post_message(&alice, &chat, body).await?;
        }
        Ok::<_, Stop>(())
    };
    let coming_back = async {
        first.wait_closed(scene.timing().deadline()).await?;
        let [back] = joined(scene, &chat, [&bob]).await?;
        let listed = scene.messages(&bob, &chat).await?;
        Ok::<_, Stop>((back, listed))
    };
    let ((), (back, listed)) = futures_util::future::try_join(sending, coming_back).await?;
    live_too(scene, &chat, &back, &listed, &bodies).await?;
    // Only now all have been acknowledged: the contract does not say that a message is stored before it is told.
    let all = scene.messages(&bob, &chat).await?;
    for body in &bodies {
        scene.check(
            "SYNC-01",
            equal(&format!("\"{body}\" in the listing"), &times(&all, body), &1),
        );
    }
    without_gap(scene, &back, &listed, &bodies);
    Ok(())
}

/// Waits until what is not in the backfill has come, and whatever else may: messages may be later than the fence.
async fn live_too(
    scene: &Scene,
    chat: &Chat,
    client: &Client,
    listed: &[Value],
    bodies: &[String],
) -> Result<(), Stop> {
    for body in bodies {
        if times(listed, body) == 0 {
            let late = event("message:new").at("/message/body", body.as_str());
            let _ = client.expect(&late).await;
        }
    }
    scene.fence_room(chat, &[client]).await
}

fn times(messages: &[Value], body: &str) -> usize {
    messages.iter().filter(|message| message["body"] == body).count()
}

/// Each of these is in the backfill or has come live, at most once in either (SYNC-02).
fn without_gap(scene: &Scene, client: &Client, listed: &[Value], bodies: &[String]) {
    let live = client.events(&event("message:new"));
    let live: Vec<_> = live.iter().map(|event| event.data()["message"].clone()).collect();
    for body in bodies {
        let (in_list, in_live) = (times(listed, body), times(&live, body));
        let whole = in_list + in_live >= 1 && in_list <= 1 && in_live <= 1;
        let body = Value::from(body.as_str());
        let seen =
            Words::from(&body).varying(format!(": {in_list} times in the backfill, {in_live} times live"));
        let expected = "each message in the backfill or live, at most once in either";
        scene.check("SYNC-02", that(whole, expected, seen));
    }
}

/// Fetches pages of the listing until there are no more; gives the ids in the order of the pages.
async fn walk(
    scene: &Scene,
    user: &User,
    chat: &Chat,
    by: &str,
    from: Option<&str>,
) -> Result<Found<Vec<String>>, Stop> {
    const LIMIT: usize = 5;
    const PAGES: usize = 20;
    let mut ids: Vec<String> = Vec::new();
    let mut cursor = from.map(str::to_owned);
    for _ in 0..PAGES {
        let page = match scene.page(user, chat, LIMIT, by, cursor.as_deref()).await {
            Ok(messages) => messages,
            Err(ProvisionError::Failed(mismatch)) => return Ok(Err(mismatch)),
            Err(lack) => return Err(lack.into()),
        };
        if page.len() > LIMIT {
            return Ok(Err(Mismatch::new(
                format!("at most {LIMIT} messages on a page"),
                varying(page.len()),
            )));
        }
        for message in &page {
            match text(message, "/_id") {
                Ok(id) => ids.push(id.to_owned()),
                Err(mismatch) => return Ok(Err(mismatch)),
            }
        }
        match ids.last() {
            Some(last) if !page.is_empty() => cursor = Some(last.clone()),
            _ => return Ok(Ok(ids)),
        }
    }
    Ok(Err(Mismatch::new(
        format!("an end of the listing within {PAGES} pages"),
        "more",
    )))
}

async fn paging(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.plain_group(&alice, &[&bob]).await?;
    let mut sent = Vec::new();
    for n in 0..13 {
        let message = scene
            .post_message(&alice, &chat, &scene.unique(&format!("message {n}")))
            .await?;
        sent.push(text(&message, "/_id")?.to_owned());
    }
    let newest_first: Vec<_> = sent.iter().rev().cloned().collect();
    let walked = walk(scene, &bob, &chat, "before", None).await?;
    let walked = walked.and_then(|ids| equal("ids, newest first", &ids, &newest_first));
    scene.check("SYNC-03", walked);

    let known = &sent[2];
    let walked = walk(scene, &bob, &chat, "after", Some(known)).await;
    if let Some(walked) = scene.offered("SYNC-05", walked)? {
        let walked =
            walked.and_then(|ids| equal("ids after the third, oldest first", ids.as_slice(), &sent[3..]));
        scene.check("SYNC-05", walked);
    }
    Ok(())
}

async fn no_room_until_joined(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;
    let first = scene.unique("to the joined one");
    scene.send(&a, &chat, &first).await?;
    b.expect(&event("message:new").at("/message/body", first.as_str()))
        .await?;
    b.close().await;

    let back = scene.connect(&bob).await?;
    let second = scene.unique("to nobody else yet");
    scene.send(&a, &chat, &second).await?;
    let outside = Fence::Outside {
        chat: &chat,
        insider: &a,
    };
    let silence = scene.absent(&back, &event("message:new"), outside).await?;
    scene.check("SYNC-04", silence);
    scene.join(&back, &chat).await?;
    let third = scene.unique("to the joined again");
    scene.send(&a, &chat, &third).await?;
    let heard = back
        .expect(&event("message:new").at("/message/body", third.as_str()))
        .await;
    scene.check("SYNC-04", heard);
    Ok(())
}

async fn expired_meanwhile(scene: &Scene) -> Outcome {
    /// How long the token lives, and how long after that it is tried: clocks that differ find room in both.
    const LIFE: i64 = 4;
    const GRACE: u64 = 3;
    let alice = scene.user("alice").await?;
    let minter = scene.minter()?;
    // By the target's clock, if it tells it (PRES-05): it may be some seconds off ours.
    let client = scene.connect(&alice).await?;
    let data = scene.step(&client, "presence:ping", json!({})).await?;
    let ours = time::OffsetDateTime::now_utc();
    let ahead = utc_time(&data["serverTime"]).unwrap_or(ours) - ours;
    let ending = |seconds: i64| {
        let mut claims = minter.claims(&alice.id);
        claims["exp"] = json!((time::OffsetDateTime::now_utc() + ahead).unix_timestamp() + seconds);
        Ok::<_, Stop>(Handshake::token(minter.sign(&claims)?))
    };
    let handshake = ending(LIFE)?;
    let first = scene.attempt("alice", &handshake).await?.accepted()?;
    first.close().await;
    scene
        .sleep(Duration::from_secs(LIFE.unsigned_abs() + GRACE))
        .await;
    let again = scene.attempt("alice again", &handshake).await?;
    let long_after = scene.attempt("alice, long after", &ending(-3_600)?).await?;
    if let (Answer::Accepted(_), Answer::Refused(..)) = (&again, &long_after) {
        // How much leeway there may be, the contract does not say; libraries grant up to a minute or more.
        return Err(Stop::Unverified(format!(
            "a token is accepted for more than {GRACE} s after its end, and refused an hour after it: the target grants \
            a leeway that is longer than a run waits"
        )));
    }
    scene.check("SYNC-06", again.refused());
    Ok(())
}

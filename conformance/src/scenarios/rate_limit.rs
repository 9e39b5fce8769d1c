//! The rate limit: how many, whose, and for how long.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::steps::{accepted, joined, message, refused};
use super::{Cost, Scenario, run};
use crate::client::Client;
use crate::expect::event::event;
use crate::expect::{Found, Mismatch, ack, equal};
use crate::scene::chats::Chat;
use crate::scene::fence::Fence;
use crate::scene::{Outcome, Scene, Stop};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "rate-limit/burst",
        "The eleventh message is refused on every socket and in every chat of the user, and leaves no trace",
        &["RATE-01", "RATE-02", "RATE-03", "RATE-04"],
        run!(burst),
    )
        .steps(&[
            "Alice makes two groups with Bob; two connections of hers and one of Bob join the first room, \
            one also the second.",
            "Alice sends as many messages as the limit (ten by default) in a row on one connection; all \
            are accepted  [RATE-01]",
            "The next one gets RATE_LIMITED  [RATE-01]",
            "One on her second connection, one in the other chat and one after a reconnect get \
            RATE_LIMITED too  [RATE-02]",
            "Too late after the first message, when the rate window may have passed, nothing of this is \
            decided: inconclusive.",
            "Bob sends a message into the first chat and is acknowledged {ok:true}  [RATE-03]",
            "A later message into the first room arrives at Bob, and none of Alice's limited ones before \
            it  [RATE-04]",
            "The listings of both chats, as Bob reads them through REST, have none of them  [RATE-04]",
        ]),
    Scenario::new(
        "rate-limit/window-passes",
        "When the window has passed, sending works again",
        &["RATE-05"],
        run!(window_passes),
    )
        .steps(&[
            "Alice makes a group, connects and joins the room.",
            "She sends as many messages as the limit (ten by default) in a row; all must be accepted.",
            "The twin: one more gets RATE_LIMITED; if not, RATE-05 is not judged.",
            "The rate window (10 s by default) and the margin pass, counted from the ack of the last \
            accepted message.",
            "Alice sends another message and is acknowledged {ok:true}  [RATE-05]",
        ])
    .cost(Cost::Seconds(10)),
    Scenario::new(
        "rate-limit/window-slides",
        "When only the oldest have left the window, exactly as many more are accepted",
        &["RATE-06"],
        run!(window_slides),
    )
        .steps(&[
            "Alice makes a group, connects and joins the room.",
            "She sends a third of the limit, rounded down: three messages by default.",
            "Half of the rate window passes (5 s by default), and she sends the rest of the limit: seven \
            messages.",
            "She waits until the rate window and the margin have passed since the ack of the third message.",
            "She sends three messages, as many as have left the window, and each is acknowledged {ok:true}  \
            [RATE-06]",
            "One more gets RATE_LIMITED, for the seven are still in the window  [RATE-06]",
            "Where the seven may have left the window as well by then, nothing is decided: inconclusive.",
        ])
    .cost(Cost::Seconds(10)),
    Scenario::new(
        "rate-limit/patience",
        "Refused attempts do not lengthen the wait, and a limited message goes through later under its clientId",
        &["RATE-08", "RATE-09"],
        run!(patience),
    )
        .steps(&[
            "Alice makes a group, connects, joins, and sends as many messages as the limit; all must be \
            accepted.",
            "She sends one more over and over under one clientId, with a twentieth of the window between, \
            later with 20 ms.",
            "While the window (10 s by default) surely holds, each attempt must get RATE_LIMITED; if not, \
            nothing is judged.",
            "It is accepted at the latest when the window and the margin have passed since the limit was \
            reached  [RATE-08]",
            "The listing, as Alice reads it through REST, has this message exactly once  [RATE-09]",
            "The listed message has the ack's serverId as _id  [RATE-09]",
        ])
    .cost(Cost::Seconds(10)),
    Scenario::new(
        "rate-limit/at-once",
        "Of thirty messages at once exactly ten are accepted",
        &["RATE-07"],
        run!(at_once),
    )
        .steps(&[
            "There are 3 rounds, each with an Alice and a group of its own; three connections of Alice \
            join the room.",
            "Alice sends three times the limit (thirty messages by default) over the three, without \
            waiting for acks.",
            "Every ack that is not {ok:true} is {ok:false} with RATE_LIMITED  [RATE-07]",
            "Exactly as many as the limit are acknowledged {ok:true}; inconclusive if the window may have \
            passed  [RATE-07]",
            "The listing, as Alice reads it through REST, has exactly that many messages  [RATE-07]",
        ]),
];

/// The target's window, and when the first message of this test was sent.
struct Window {
    length: Duration,
    margin: Duration,
    began: Instant,
}

impl Window {
    fn begin(scene: &Scene) -> Self {
        let length = Duration::from_millis(scene.profile().limits.rate_window_ms);
        Self {
            length,
            margin: scene.timing().margin(),
            began: Instant::now(),
        }
    }

    /// A verdict that only holds while the first message is certainly still in the window.
    fn still_holds<T>(&self, found: Found<T>) -> Found<T> {
        let elapsed = self.began.elapsed();
        if elapsed + self.margin < self.length {
            return found;
        }
        Err(Mismatch::inconclusive(format!(
            "{} ms after the first message the window of {} ms may have passed",
            elapsed.as_millis(),
            self.length.as_millis()
        )))
    }

    /// Waits until everything that was acknowledged before `then` has certainly left the window.
    async fn passed(&self, scene: &Scene, then: Instant) {
        scene
            .sleep((then + self.length + self.margin).saturating_duration_since(Instant::now()))
            .await;
    }
}

async fn send(scene: &Scene, client: &Client, chat: &Chat) -> Found<Value> {
    let payload = message(chat, &scene.unique("client"), &scene.unique("within the limit"));
    accepted(client.request("message:send", payload).await)
}

/// Sends as many as the limit allows; a step, unless the limit itself is the subject.
async fn fill(scene: &Scene, client: &Client, chat: &Chat, count: usize) -> Outcome {
    for n in 1..=count {
        send(scene, client, chat)
            .await
            .map_err(|mismatch| mismatch.at(&format!("message {n}")))?;
    }
    Ok(())
}

async fn burst(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let (chat, other) = (
        scene.group(&alice, &[&bob]).await?,
        scene.group(&alice, &[&bob]).await?,
    );
    let [first, second, b] = joined(scene, &chat, [&alice, &alice, &bob]).await?;
    // Whether sending takes having joined, the contract leaves open.
    scene.join(&first, &other).await?;
    let max = scene.profile().limits.rate_max;
    let window = Window::begin(scene);
    for n in 1..=max {
        let sent = send(scene, &first, &chat).await;
        scene.require(
            "RATE-01",
            sent.map_err(|mismatch| mismatch.at(&format!("message {n} of {max}"))),
        )?;
    }
    let (client_id, body) = (scene.unique("client"), scene.unique("one too many"));
    let limited = first
        .request("message:send", message(&chat, &client_id, &body))
        .await;
    scene.require("RATE-01", window.still_holds(refused(limited, "RATE_LIMITED")))?;
    scene.counted("RATE-01", "messages accepted until one was refused", max);

    let attempt = async |client: &Client, chat: &Chat, at: &str| {
        let payload = message(chat, &scene.unique("client"), &body);
        let limited = refused(client.request("message:send", payload).await, "RATE_LIMITED");
        scene.check(
            "RATE-02",
            window.still_holds(limited.map_err(|mismatch| mismatch.at(at))),
        );
    };
    attempt(&second, &chat, "on another socket").await;
    attempt(&first, &other, "in another chat").await;
    first.close().await;
    let again = scene.connect(&alice).await?;
    scene.join(&again, &chat).await?;
    attempt(&again, &chat, "after a reconnect").await;

    scene.check("RATE-03", send(scene, &b, &chat).await);
    let heard = event("message:new").at("/message/body", body.as_str());
    let silence = scene.absent(&b, &heard, Fence::Room(&chat)).await?;
    scene.check("RATE-04", silence);
    let stored = scene.messages(&bob, &chat).await?;
    let stored = stored
        .iter()
        .filter(|message| message["body"] == body.as_str())
        .count();
    scene.check("RATE-04", equal("limited messages stored", &stored, &0));
    let elsewhere = scene.messages(&bob, &other).await?;
    let elsewhere = elsewhere
        .iter()
        .filter(|message| message["body"] == body.as_str())
        .count();
    scene.check(
        "RATE-04",
        equal("limited messages stored in the other chat", &elsewhere, &0),
    );
    Ok(())
}

async fn window_passes(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let [client] = joined(scene, &chat, [&alice]).await?;
    let window = Window::begin(scene);
    fill(scene, &client, &chat, scene.profile().limits.rate_max).await?;
    let filled = Instant::now();
    // The limit is there at all, or its passing would prove nothing.
    let limited = window.still_holds(refused(send_once(scene, &client, &chat).await, "RATE_LIMITED"));
    inconclusive_or_blocked(scene, "RATE-05", limited)?;
    window.passed(scene, filled).await;
    scene.check("RATE-05", send(scene, &client, &chat).await);
    Ok(())
}

async fn send_once(scene: &Scene, client: &Client, chat: &Chat) -> Found<Value> {
    client
        .request(
            "message:send",
            message(chat, &scene.unique("client"), &scene.unique("beyond")),
        )
        .await
}

/// That the limit holds is another requirement's verdict; where it cannot be told in time, this one's cannot either.
fn inconclusive_or_blocked(scene: &Scene, requirement: &str, limited: Found) -> Outcome {
    match limited {
        Err(mismatch @ Mismatch::Inconclusive { .. }) => {
            scene.check(requirement, Err::<(), _>(mismatch));
            Err(Stop::Judged(requirement.to_owned()))
        }
        other => Ok(other?),
    }
}

async fn window_slides(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let [client] = joined(scene, &chat, [&alice]).await?;
    let max = scene.profile().limits.rate_max;
    if max < 2 {
        return Err(Stop::Unverified(
            "a limit of one message has no window that slides".to_owned(),
        ));
    }
    let oldest = (max / 3).max(1);
    let first = Window::begin(scene);
    fill(scene, &client, &chat, oldest).await?;
    let oldest_in = Instant::now();
    // The rest comes in the middle of the window, so that it is far from either end when the oldest leave.
    scene.sleep(first.length / 2).await;
    let second = Window::begin(scene);
    fill(scene, &client, &chat, max - oldest).await?;
    // That the limit holds shows at the end: an attempt that is refused here may take a place (RATE-08).
    first.passed(scene, oldest_in).await;
    for n in 1..=oldest {
        let sent = send(scene, &client, &chat).await;
        let at = format!("message {n} of {oldest} whose places are free again");
        scene.require(
            "RATE-06",
            second.still_holds(sent.map_err(|mismatch| mismatch.at(&at))),
        )?;
    }
    let one_more = refused(send_once(scene, &client, &chat).await, "RATE_LIMITED");
    let at = "one message more than places are free";
    scene.check(
        "RATE-06",
        second.still_holds(one_more.map_err(|mismatch| mismatch.at(at))),
    );
    Ok(())
}

/// The pace of attempts where the window is about to let them through.
const FINE_PACE: Duration = Duration::from_millis(20);

async fn patience(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let chat = scene.group(&alice, &[]).await?;
    let [client] = joined(scene, &chat, [&alice]).await?;
    let window = Window::begin(scene);
    fill(scene, &client, &chat, scene.profile().limits.rate_max).await?;
    let filled = Instant::now();
    let (client_id, body) = (scene.unique("client"), scene.unique("limited"));
    let payload = message(&chat, &client_id, &body);
    // Impatient, all through the window, and more so towards its end.
    let latest = filled + window.length + window.margin;
    let data = loop {
        let asked = Instant::now();
        let reply = client.request("message:send", payload.clone()).await;
        if window.began.elapsed() + window.margin < window.length {
            let limited = refused(reply, "RATE_LIMITED");
            inconclusive_or_blocked(scene, "RATE-08", window.still_holds(limited))?;
        } else if let Ok(data) = accepted(reply.clone()) {
            scene.measured(
                "RATE-08",
                "accepted again, since the first of a full window",
                window.began.elapsed(),
            );
            break scene.check("RATE-08", Ok(data)).unwrap_or_default();
        } else if asked > latest {
            scene.check("RATE-08", accepted(reply));
            return Ok(());
        }
        let far = window.began.elapsed() + 2 * window.margin < window.length;
        scene
            .sleep(if far { window.length / 20 } else { FINE_PACE })
            .await;
    };
    let stored = scene.messages(&alice, &chat).await?;
    let stored: Vec<_> = stored
        .iter()
        .filter(|message| message["body"] == body.as_str())
        .collect();
    scene.check("RATE-09", equal("messages stored", &stored.len(), &1));
    let id = stored.first().map_or(&Value::Null, |message| &message["_id"]);
    scene.check("RATE-09", equal("its _id", id, &data["serverId"]));
    Ok(())
}

/// Rounds of the burst, each with a user of its own: a counter read before it is written fails in the first few.
const ROUNDS: usize = 3;
/// Messages at once, for each that is allowed.
const TIMES: usize = 3;

async fn at_once(scene: &Scene) -> Outcome {
    let max = scene.profile().limits.rate_max;
    for round in 1..=ROUNDS {
        let alice = scene.user("alice").await?;
        let chat = scene.group(&alice, &[]).await?;
        let mut sockets = Vec::new();
        for _ in 0..TIMES {
            let socket = scene.connect_raw(&alice).await?;
            scene.join(&socket, &chat).await?;
            sockets.push(socket);
        }
        let window = Window::begin(scene);
        let mut pending = Vec::new();
        for n in 0..max * TIMES {
            let payload = message(&chat, &scene.unique("client"), &format!("at once {n}"));
            pending.push(sockets[n % TIMES].start("message:send", vec![payload])?);
        }
        let mut passed = 0;
        for pending in pending {
            let reply = pending.ack(scene.timing().deadline()).await?;
            match ack::ok(&reply) {
                Ok(_) => passed += 1,
                Err(_) => {
                    scene.check("RATE-07", ack::error(&reply, &["RATE_LIMITED"]));
                }
            }
        }
        let at = format!("accepted of {} at once, round {round} of {ROUNDS}", max * TIMES);
        scene.check("RATE-07", window.still_holds(equal(&at, &passed, &max)));
        let stored = scene.messages(&alice, &chat).await?;
        scene.check("RATE-07", equal("messages stored", &stored.len(), &max));
    }
    scene.counted("RATE-07", "rounds of a burst", ROUNDS);
    scene.counted("RATE-07", "messages at once in each", max * TIMES);
    Ok(())
}

//! Authentication: who is let in, who is not, and as whom.

mod tokens;

use serde_json::{Value, json};

use super::steps::{accepted, joined, message, still_works, unread};
use super::{Scenario, run};
use crate::contract::corpus::Token;
use crate::expect::event::event;
use crate::expect::{Found, Mismatch, all, equal, has, text, that, varying};
use crate::scene::chats::Chat;
use crate::scene::connect::{Answer, Handshake};
use crate::scene::fence::Fence;
use crate::scene::people::User;
use crate::scene::{Outcome, Scene, Step as _, Stop};
use crate::targets::profile::capabilities::Capability;
use crate::targets::provision::ProvisionError;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario::new(
        "auth/ways-in",
        "A JWT in the CONNECT payload, a JWT in the query and a session token each open a connection",
        &["AUTH-01", "AUTH-02", "AUTH-03"],
        run!(ways_in),
    )
    .steps(&[
        "Alice makes a group: who is let into its room can only be Alice.",
        "CONNECT with her session token in the payload is accepted, and room:join acknowledged \
         {ok:true}  [AUTH-03]",
        "If her access token is no JWT (three parts), nothing more is judged.",
        "CONNECT with her JWT as token in the payload is accepted, and room:join acknowledged \
         {ok:true}  [AUTH-01]",
        "CONNECT without a payload, the JWT as token in the query string: accepted, and room:join as \
         well  [AUTH-02]",
    ]),
    Scenario::new(
        "auth/no-token",
        "Without a token, and with anything that is none, there is CONNECT_ERROR, the same for every cause",
        &["AUTH-04", "AUTH-05", "AUTH-14"],
        run!(no_token),
    )
    .steps(&[
        "The twin: Alice's access token opens a connection, and presence:ping is acknowledged {ok:true}.",
        "The payloads of the corpus of tokens follow, one connection each, after one CONNECT \
         without a payload.",
        "Without a payload, and with {}, there is CONNECT_ERROR with a message that is not empty  \
         [AUTH-04]",
        "Texts that are no token, as in \"\", \" \", \"a.b\" and \"a.b.c\", get CONNECT_ERROR likewise  \
         [AUTH-05]",
        "Numbers, true, null, arrays and objects such as {\"$ne\":null} as token get CONNECT_ERROR \
         likewise  [AUTH-05]",
        "\"no such token\" as token in the query string gets CONNECT_ERROR likewise  [AUTH-05]",
        "A connection that is closed, or left open, without an answer is not refused in this sense: it \
         fails.",
        "The first of these CONNECT_ERRORs has UNAUTHORIZED as its message or as its data.code  \
         [AUTH-14]",
        "The payloads of all these CONNECT_ERRORs are equal  [AUTH-14]",
    ]),
    Scenario::new(
        "auth/forged",
        "A JWT with another signature, another payload or no algorithm is refused",
        &["AUTH-06", "AUTH-08", "AUTH-14"],
        run!(tokens::forged),
    )
    .steps(&[
        "The twin: Alice's access token, which must be a JWT, opens a connection as it is.",
        "Every token below is sent in a CONNECT payload; refused means CONNECT_ERROR with a message \
         that is not empty.",
        "Those under AUTH-06 are also sent as token in the query string, and refused there as well.",
        "Alice's JWT is refused with the made-up signature AAAA, and with the signature of Bob's token  \
         [AUTH-06]",
        "It is refused with Bob's id as sub, and with exp in the year 2100, under the old signature  \
         [AUTH-06]",
        "Her claims are refused under alg none, once without a signature and once with her token's  \
         [AUTH-08]",
        "Her claims are refused under alg None and alg NONE, without a signature  [AUTH-08]",
        "Where the target's key has a public half, they are refused under HS256 with that as the \
         secret  [AUTH-08]",
        "The payloads of all these CONNECT_ERRORs are equal to that for a garbage token  [AUTH-14]",
    ]),
    Scenario::new(
        "auth/claims",
        "A well-signed JWT that has expired, is not valid yet, or names no user is refused",
        &["AUTH-07", "AUTH-09", "AUTH-14"],
        run!(tokens::claims),
    )
    .steps(&[
        "The JWTs below are minted with the key in the target file; without it nothing is judged.",
        "The twin: a JWT minted for Alice opens a connection.",
        "Each of the others is sent twice: in the CONNECT payload, and as token in the query string.",
        "One that expired an hour ago gets CONNECT_ERROR with a message that is not empty  [AUTH-07]",
        "One whose nbf is an hour ahead, and its exp two, gets CONNECT_ERROR likewise  [AUTH-07]",
        "One without sub gets CONNECT_ERROR likewise  [AUTH-09]",
        "Those with \"alice\", \"\", 7 and {\"$ne\":null} as sub each get CONNECT_ERROR likewise  \
         [AUTH-09]",
        "The payloads of all these CONNECT_ERRORs are equal to that for a garbage token  [AUTH-14]",
    ]),
    Scenario::new(
        "auth/issuer-and-audience",
        "A well-signed JWT of another issuer or for another audience is refused",
        &["AUTH-16"],
        run!(tokens::issuer_and_audience),
    )
    .steps(&[
        "The JWTs below are minted with the key in the target file; without it nothing is judged.",
        "If the target file declares neither an issuer nor an audience, nothing is judged either.",
        "The twin: a JWT minted for Alice with the declared iss and aud opens a connection.",
        "With \"somebody else\" as iss, if declared, it gets CONNECT_ERROR with a message that is not \
         empty  [AUTH-16]",
        "With \"somebody else\" as aud, if declared, it gets CONNECT_ERROR likewise  [AUTH-16]",
    ]),
    Scenario::new(
        "auth/session-ends",
        "A session token works until log-out; an unknown one never does",
        &["AUTH-10", "AUTH-14"],
        run!(session_ends),
    )
    .steps(&[
        "The twin: Alice's session token opens a connection.",
        "A session token that nobody was ever given gets CONNECT_ERROR with a message that is not \
         empty  [AUTH-10]",
        "Alice logs out by POST /v1/auth/logout with her session token, which is answered with 204.",
        "The same session token now gets CONNECT_ERROR with a message that is not empty  [AUTH-10]",
        "The payloads of both CONNECT_ERRORs are equal to that for a garbage token  [AUTH-14]",
    ]),
    Scenario::new(
        "auth/user-room",
        "A connection that has joined nothing hears what is meant for its user",
        &["AUTH-11"],
        run!(user_room),
    )
    .steps(&[
        "Alice makes a group without Bob.",
        "Bob connects and joins no room.",
        "Alice adds Bob to the group through REST.",
        "chat:update about this chat arrives at Bob within the deadline  [AUTH-11]",
    ]),
    Scenario::new(
        "auth/refused-is-out",
        "A refused connection can neither listen nor act",
        &["AUTH-12"],
        run!(refused_is_out),
    )
    .steps(&[
        "Alice makes a group with Bob, connects and joins the room.",
        "The twin: Bob connects with his token, joins and sends a message, and both requests are \
         acknowledged {ok:true}.",
        "An outcast sends CONNECT with \"no such token\": a close passes and ends it, acceptance or \
         silence fails  [AUTH-12]",
        "After CONNECT_ERROR the outcast sends room:join and message:send on that connection all the \
         same.",
        "A later message into the room arrives at Alice, and no message:new with the outcast's body \
         before it  [AUTH-12]",
        "The listing of messages, as Alice reads it through REST, has no message with that body  \
         [AUTH-12]",
        "Alice sends a message, a later one arrives at her, and no event at all has arrived at the \
         outcast  [AUTH-12]",
    ]),
    Scenario::new(
        "auth/identity",
        "Ids of users in payloads change nothing: the token says who acts",
        &["AUTH-13"],
        run!(identity),
    )
    .steps(&[
        "Alice makes a group with Bob and Carol; Alice and Bob connect and join the room, Carol does \
         not.",
        "Alice sends message:send with Carol's id as userId and as senderId beside what belongs there.",
        "message:new arrives at Bob with Alice's id as senderId  [AUTH-13]",
        "Alice sends typing:start with Carol's id as userId and as senderId.",
        "typing:update arrives at Bob with Alice's id as userId  [AUTH-13]",
        "Bob sends a message, and Alice sends receipt:read for it with Carol's id as userId.",
        "receipt:update arrives at Bob with Alice's id as userId  [AUTH-13]",
        "Carol's unreadCount, as she reads it by GET /v1/chats before and after that, is the same  \
         [AUTH-13]",
    ]),
    Scenario::new(
        "auth/both-ways",
        "Of two tokens the one in the CONNECT payload counts",
        &["AUTH-15"],
        run!(both_ways),
    )
    .steps(&[
        "Alice makes a group with Bob; if Bob's access token is no JWT, nothing is judged.",
        "Bob's JWT in the query string alone opens a connection; if not, nothing is judged.",
        "CONNECT with Alice's token in the payload and Bob's in the query string is accepted  [AUTH-15]",
        "This connection joins the room and sends a message.",
        "In the listing, as Alice reads it through REST, the message has Alice's id as senderId  \
         [AUTH-15]",
        "\"no such token\" in the payload beside Bob's token in the query string gets CONNECT_ERROR \
         with a message  [AUTH-15]",
    ]),
];

/// CONNECT is accepted, and the connection works.
async fn let_in(scene: &Scene, handshake: Handshake) -> Result<Found, Stop> {
    let client = match scene.attempt("guest", &handshake).await?.accepted() {
        Ok(client) => client,
        Err(mismatch) => return Ok(Err(mismatch)),
    };
    let works = still_works(&client).await;
    client.close().await;
    Ok(works)
}

/// CONNECT is accepted, as a member of this chat.
async fn let_in_as_member(scene: &Scene, handshake: Handshake, chat: &Chat) -> Result<Found, Stop> {
    let client = match scene.attempt("guest", &handshake).await?.accepted() {
        Ok(client) => client,
        Err(mismatch) => return Ok(Err(mismatch)),
    };
    let joined = accepted(client.request("room:join", json!({"chatId": chat.id})).await);
    client.close().await;
    Ok(joined.map(drop))
}

/// The payload of the `CONNECT_ERROR` that this handshake gets, with a message that is not empty.
async fn turned_away(scene: &Scene, why: &str, handshake: Handshake) -> Result<Found<Value>, Stop> {
    let refused = scene.attempt("guest", &handshake).await?.refused();
    Ok(refused
        .and_then(|(payload, _)| {
            let message = text(&payload, "/message")?;
            that(
                !message.trim().is_empty(),
                "a message that is not empty",
                &payload,
            )?;
            Ok(payload)
        })
        .map_err(|mismatch| mismatch.at(why)))
}

/// Stops unless the token as it was issued opens a connection: the positive twin of every refusal here.
async fn twin(scene: &Scene, token: &str) -> Outcome {
    match let_in(scene, Handshake::token(token)).await? {
        Ok(()) => Ok(()),
        refused => refused.step("connecting with the token without the defect"),
    }
}

/// The user's access token, if it is a JWT.
fn jwt(user: &User) -> Result<&str, Stop> {
    match user.access_token.split('.').count() {
        3 => Ok(&user.access_token),
        _ => Err(Stop::Unverified(
            "the target's access tokens are no JWTs".to_owned(),
        )),
    }
}

async fn ways_in(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    // Only a member is let into the room: that alone tells who the connection is.
    let chat = scene.group(&alice, &[]).await?;
    match scene.any_session_token(&alice) {
        Some(token) => {
            let let_in = let_in_as_member(scene, Handshake::token(token), &chat).await?;
            judge_offered(scene, "AUTH-03", Capability::SessionTokens, let_in)?;
        }
        None => drop(scene.offered("AUTH-03", scene.session_token(&alice))?),
    }
    if let Some(token) = scene.offered("AUTH-01", jwt(&alice))? {
        let payload = Handshake::token(token);
        scene.check("AUTH-01", let_in_as_member(scene, payload, &chat).await?);
    }
    let Some(token) = scene.offered("AUTH-02", jwt(&alice))? else {
        return Ok(());
    };
    let query = Handshake::bare().query_token(token);
    let let_in = let_in_as_member(scene, query, &chat).await?;
    judge_offered(scene, "AUTH-02", Capability::QueryTokens, let_in)
}

/// Judges what the target offers; of what it does not, tells whether it works all the same.
fn judge_offered(scene: &Scene, requirement: &str, capability: Capability, found: Found) -> Outcome {
    if scene.profile().capabilities.offers(capability) {
        scene.check(requirement, found);
        return Ok(());
    }
    let works = found.is_ok();
    let lack = ProvisionError::NotOffered { capability, works };
    scene.offered(requirement, Err::<(), _>(lack.into())).map(drop)
}

async fn no_token(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    twin(scene, &alice.access_token).await?;

    let mut payloads = Vec::new();
    let nothing = turned_away(scene, "no payload", Handshake::bare()).await?;
    payloads.extend(scene.check("AUTH-04", nothing));
    for Token {
        name,
        requirement,
        payload,
    } in &scene.contract().corpus.tokens
    {
        let refused = turned_away(scene, name, Handshake::bare().auth(payload.clone())).await?;
        payloads.extend(scene.check(requirement, refused));
    }

    let by_query = Handshake::bare().query_token("no such token");
    payloads.extend(scene.check(
        "AUTH-05",
        turned_away(scene, "a garbage token in the query", by_query).await?,
    ));

    let Some(first) = payloads.first() else {
        return Err(Stop::blocked("no refusal came to be compared"));
    };
    let recognisable = first["message"] == "UNAUTHORIZED" || first["data"]["code"] == "UNAUTHORIZED";
    scene.check(
        "AUTH-14",
        that(recognisable, "UNAUTHORIZED as message or data.code", first),
    );
    scene.check("AUTH-14", alike(first, &payloads));
    Ok(())
}

/// The refusals are the same packet: a difference would tell which of the causes it was.
fn alike(first: &Value, payloads: &[Value]) -> Found {
    let same = payloads
        .iter()
        .map(|payload| equal("the packet for another cause", payload, first));
    all(same)
}

/// What a token that means nothing is answered, for other refusals to be compared with.
async fn refusal_of_garbage(scene: &Scene) -> Result<Value, Stop> {
    let garbage = Handshake::token("no such token");
    Ok(turned_away(scene, "a garbage token", garbage).await??)
}

async fn session_ends(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let token = scene.session_token(&alice)?;
    twin(scene, token).await?;
    let unknown = "c2Vzc2lvbiB0aGF0IG5vYm9keSBldmVyIG9wZW5lZCE";
    let mut payloads = Vec::new();
    let refused = turned_away(scene, "an unknown session token", Handshake::token(unknown)).await?;
    payloads.extend(scene.check("AUTH-10", refused));
    scene.logout(&alice).await?;
    let revoked = Handshake::token(token);
    let refused = turned_away(scene, "a revoked session token", revoked).await?;
    payloads.extend(scene.check("AUTH-10", refused));
    scene.check("AUTH-14", alike(&refusal_of_garbage(scene).await?, &payloads));
    Ok(())
}

async fn user_room(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[]).await?;
    let client = scene.connect(&bob).await?;
    scene.add_member(&chat, &bob).await?;
    let told = client
        .expect(&event("chat:update").at("/chat/_id", chat.id.as_str()))
        .await;
    scene.check("AUTH-11", told);
    Ok(())
}

async fn refused_is_out(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let [insider] = joined(scene, &chat, [&alice]).await?;
    // The twin: with a valid token the same frames join and send.
    let guest = scene.connect_raw(&bob).await?;
    scene.join(&guest, &chat).await?;
    scene.send(&guest, &chat, &scene.unique("as a guest")).await?;

    let (_, outcast) = match scene
        .attempt("outcast", &Handshake::token("no such token"))
        .await?
    {
        Answer::Refused(payload, client) => (payload, client),
        Answer::Closed(_) => {
            // Nobody is left who could act.
            scene.check("AUTH-12", Ok(()));
            return Ok(());
        }
        other => {
            let accepted = other.refused().map(drop);
            scene.check("AUTH-12", accepted);
            return Ok(());
        }
    };
    let body = scene.unique("from outside");
    // The target may close the connection at the first of these; that is as good.
    let _ = outcast.emit("room:join", json!({"chatId": chat.id})).await;
    let _ = outcast
        .emit("message:send", message(&chat, &scene.unique("outcast"), &body))
        .await;

    let heard = event("message:new").at("/message/body", body.as_str());
    let silence = scene.absent(&insider, &heard, Fence::Room(&chat)).await?;
    scene.check("AUTH-12", silence);
    let stored = scene.messages(&alice, &chat).await?;
    let stored = stored.iter().any(|message| message["body"] == body.as_str());
    scene.check(
        "AUTH-12",
        that(!stored, "nothing stored for a refused connection", body),
    );
    // A message that it would hear if it had been let into the room, and a fence behind that.
    scene.send(&insider, &chat, &scene.unique("for members")).await?;
    scene.fence_room(&chat, &[&insider]).await?;
    let events = outcast.all_events();
    scene.check(
        "AUTH-12",
        that(
            events.is_empty(),
            "no event on a refused connection",
            varying(events.len()),
        ),
    );
    Ok(())
}

async fn identity(scene: &Scene) -> Outcome {
    let [alice, bob, carol] = scene.users(["alice", "bob", "carol"]).await?;
    let chat = scene.group(&alice, &[&bob, &carol]).await?;
    let [a, b] = joined(scene, &chat, [&alice, &bob]).await?;

    let body = scene.unique("claimed");
    let mut payload = message(&chat, &scene.unique("client"), &body);
    payload["userId"] = json!(carol.id);
    payload["senderId"] = json!(carol.id);
    scene.step(&a, "message:send", payload).await?;
    let heard = b
        .expect(&event("message:new").at("/message/body", body.as_str()))
        .await?;
    scene.check(
        "AUTH-13",
        has(heard.data(), "/message/senderId", alice.id.as_str()),
    );

    let claim = json!({"chatId": chat.id, "userId": carol.id, "senderId": carol.id});
    a.emit("typing:start", claim).await?;
    let heard = b.expect(&event("typing:update")).await?;
    scene.check("AUTH-13", has(heard.data(), "/userId", alice.id.as_str()));

    let id = scene.send(&b, &chat, &scene.unique("to be read")).await?;
    let carols = unread(scene, &carol, &chat).await??;
    let claim = json!({"chatId": chat.id, "messageId": id, "userId": carol.id});
    scene.step(&a, "receipt:read", claim).await?;
    let heard = b.expect(&event("receipt:update")).await?;
    scene.check("AUTH-13", has(heard.data(), "/userId", alice.id.as_str()));
    let left = unread(scene, &carol, &chat).await??;
    scene.check("AUTH-13", equal("Carol's unreadCount, as before", &left, &carols));
    Ok(())
}

async fn both_ways(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let chat = scene.group(&alice, &[&bob]).await?;
    let by_query = Handshake::bare().query_token(jwt(&bob)?);
    if let Err(mismatch) = let_in(scene, by_query).await? {
        return Err(Stop::Unverified(format!(
            "a token in the query string is not taken at all: {mismatch}"
        )));
    }
    let both = Handshake::token(alice.access_token.as_str()).query_token(&bob.access_token);
    let client = scene.require("AUTH-15", scene.attempt("both", &both).await?.accepted())?;
    let body = scene.unique("who am I");
    scene.join(&client, &chat).await?;
    scene.send(&client, &chat, &body).await?;
    let stored = scene.messages(&alice, &chat).await?;
    let sender = stored
        .iter()
        .find(|message| message["body"] == body.as_str())
        .map(|message| &message["senderId"]);
    let sender = sender.ok_or_else(|| Mismatch::new("the message in the listing", "none"))?;
    scene.check(
        "AUTH-15",
        equal("the user of the payload's token", sender, &json!(alice.id)),
    );

    let garbage_first = Handshake::token("no such token").query_token(&bob.access_token);
    let refused = turned_away(
        scene,
        "garbage in the payload, a good token in the query",
        garbage_first,
    )
    .await?;
    scene.check("AUTH-15", refused);
    Ok(())
}

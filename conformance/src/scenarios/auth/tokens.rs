//! Tokens that look right and are not: forged, expired, premature, meant for somebody else.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{alike, jwt, refusal_of_garbage, turned_away, twin};
use crate::scene::connect::Handshake;
use crate::scene::{Outcome, Scene, Stop};
use crate::targets::jwt::{tampered, unsigned};

pub(super) async fn forged(scene: &Scene) -> Outcome {
    let [alice, bob] = scene.users(["alice", "bob"]).await?;
    let token = jwt(&alice)?;
    twin(scene, token).await?;

    let mut payloads = Vec::new();
    let resigned = format!(
        "{}.{}",
        token.rsplit_once('.').map_or("", |(signed, _)| signed),
        "AAAA"
    );
    let others = bob.access_token.rsplit('.').next().unwrap_or_default();
    let swapped = format!(
        "{}.{others}",
        token.rsplit_once('.').map_or("", |(signed, _)| signed)
    );
    let promoted = tampered(token, |claims| claims["sub"] = json!(bob.id))?;
    let prolonged = tampered(token, |claims| claims["exp"] = json!(4_102_444_800_u64))?;
    for (why, token) in [
        ("a made-up signature", resigned),
        ("the signature of another token", swapped),
        ("another sub under the old signature", promoted),
        ("another exp under the old signature", prolonged),
    ] {
        let by_query = Handshake::bare().query_token(&token);
        for handshake in [Handshake::token(token), by_query] {
            let refused = turned_away(scene, why, handshake).await?;
            payloads.extend(scene.check("AUTH-06", refused));
        }
    }

    let claims = crate::targets::jwt::claims_of(token);
    let claims =
        claims.ok_or_else(|| Stop::Unverified("the claims of the target's JWT cannot be read".to_owned()))?;
    let none = unsigned(&claims);
    let body = none.split('.').nth(1).unwrap_or_default().to_owned();
    let spelled = |alg: &str| {
        format!(
            "{}.{body}.",
            crate::targets::jwt::segment(&json!({"alg": alg, "typ": "JWT"}))
        )
    };
    let signature = token.rsplit('.').next().unwrap_or_default();
    for (why, token) in [
        ("alg none without a signature", none.clone()),
        (
            "alg none with a signature",
            format!("{}{signature}", spelled("none")),
        ),
        ("alg None", spelled("None")),
        ("alg NONE", spelled("NONE")),
    ] {
        let refused = turned_away(scene, why, Handshake::token(token)).await?;
        payloads.extend(scene.check("AUTH-08", refused));
    }
    if let Some(minter) = scene.minter().ok().filter(|_| signed_with_a_private_key(token))
        && let Some(token) = minter.confused(&claims)
    {
        let why = "signed with HS256 and the public key as the secret";
        let refused = turned_away(scene, why, Handshake::token(token?)).await?;
        payloads.extend(scene.check("AUTH-08", refused));
    } else if signed_with_a_private_key(token) {
        let why = "whether the public key is taken for a secret was not tried, since the target file does not tell the key";
        scene.offered("AUTH-08", Err::<(), _>(Stop::Unverified(why.to_owned())))?;
    }
    scene.check("AUTH-14", alike(&refusal_of_garbage(scene).await?, &payloads));
    Ok(())
}

/// Whether the token's header says so.
fn signed_with_a_private_key(token: &str) -> bool {
    let header = jsonwebtoken::decode_header(token);
    header.is_ok_and(|header| !matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512))
}

fn seconds_from_now(seconds: i64) -> Value {
    json!(time::OffsetDateTime::now_utc().unix_timestamp() + seconds)
}

pub(super) async fn claims(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let minter = scene.minter()?;
    let good = minter.claims(&alice.id);
    twin(scene, &minter.sign(&good)?).await?;

    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        claims
    };
    let mut without_sub = good.clone();
    if let Some(claims) = without_sub.as_object_mut() {
        claims.remove("sub");
    }
    let mut payloads = Vec::new();
    // An hour on either side of now: no clock is that wrong, and no leeway that long.
    for (requirement, why, claims) in [
        (
            "AUTH-07",
            "expired an hour ago",
            with("exp", seconds_from_now(-3_600)),
        ),
        ("AUTH-07", "valid in an hour", {
            let mut claims = with("nbf", seconds_from_now(3_600));
            claims["exp"] = seconds_from_now(7_200);
            claims
        }),
        ("AUTH-09", "no sub", without_sub),
        ("AUTH-09", "a sub that is no id", with("sub", json!("alice"))),
        ("AUTH-09", "an empty sub", with("sub", json!(""))),
        ("AUTH-09", "a number as sub", with("sub", json!(7))),
        ("AUTH-09", "an object as sub", with("sub", json!({"$ne": null}))),
    ] {
        let token = minter.sign(&claims)?;
        let by_query = Handshake::bare().query_token(&token);
        for handshake in [Handshake::token(token), by_query] {
            let refused = turned_away(scene, why, handshake).await?;
            payloads.extend(scene.check(requirement, refused));
        }
    }
    scene.check("AUTH-14", alike(&refusal_of_garbage(scene).await?, &payloads));
    Ok(())
}

pub(super) async fn issuer_and_audience(scene: &Scene) -> Outcome {
    let alice = scene.user("alice").await?;
    let minter = scene.minter()?;
    let good = minter.claims(&alice.id);
    let declared: Vec<_> = ["iss", "aud"]
        .into_iter()
        .filter(|claim| good.get(claim).is_some())
        .collect();
    if declared.is_empty() {
        return Err(Stop::Unverified(
            "the target declares neither issuer nor audience".to_owned(),
        ));
    }
    twin(scene, &minter.sign(&good)?).await?;
    for claim in declared {
        let mut claims = good.clone();
        claims[claim] = json!("somebody else");
        let token = minter.sign(&claims)?;
        let why = format!("another {claim}");
        scene.check(
            "AUTH-16",
            turned_away(scene, &why, Handshake::token(token)).await?,
        );
    }
    Ok(())
}

//! Every way in which a token is refused, beside the one in which it is accepted.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::*;
use crate::clock::{ManualClock, SystemClock};
use crate::config::Config;
use crate::ids::Ids;
use crate::store::{EmbeddedStore, Location};

const SECRET: &str = "a secret of at least thirty-two bytes";
const USER: &str = "65f0c0ffee0123456789abcd";

fn config(flags: &[&str]) -> Config {
    Config::parse(flags).unwrap()
}

fn authenticator(flags: &[&str], clock: Arc<dyn Clock>) -> Authenticator {
    let ids = Arc::new(Ids::new(clock.clone()));
    let store = Arc::new(EmbeddedStore::open(Location::Memory, ids, clock.clone()).unwrap());
    Authenticator::new(Keys::open(config(flags).key_options()).unwrap(), store, clock, 60)
}

fn seconds_from_now(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

fn mint(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, key).unwrap()
}

fn hs256(secret: &str, claims: &Value) -> String {
    mint(
        Algorithm::HS256,
        &EncodingKey::from_secret(secret.as_bytes()),
        claims,
    )
}

async fn accepts(authenticator: &Authenticator, token: &str) -> bool {
    authenticator
        .authenticate(token)
        .await
        .is_ok_and(|user| user.to_string() == USER)
}

#[tokio::test]
async fn a_jwt_is_accepted_and_each_defect_is_refused() {
    let authenticator = authenticator(&["--jwt-secret", SECRET], Arc::new(SystemClock));
    let exp = seconds_from_now(60);
    let good = json!({"sub": USER, "exp": exp});
    assert!(accepts(&authenticator, &hs256(SECRET, &good)).await);
    assert!(
        accepts(
            &authenticator,
            &hs256(SECRET, &json!({"sub": USER, "exp": exp, "aud": "any"}))
        )
        .await
    );

    let signed = hs256(SECRET, &good);
    let other = hs256(SECRET, &json!({"sub": "65f0c0ffee0123456789abce", "exp": exp}));
    let part = |token: &str, at: usize| token.split('.').nth(at).unwrap().to_owned();
    let tampered = format!("{}.{}.{}", part(&signed, 0), part(&other, 1), part(&signed, 2));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let unsigned = format!("{none}.{}.{}", part(&signed, 1), part(&signed, 2));
    let hs384 = mint(
        Algorithm::HS384,
        &EncodingKey::from_secret(SECRET.as_bytes()),
        &good,
    );
    let refused = [
        (
            "wrong signature",
            hs256("another secret of thirty-two bytes!!", &good),
        ),
        ("tampered", tampered),
        ("alg none", unsigned),
        ("another algorithm", hs384),
        (
            "expired",
            hs256(SECRET, &json!({"sub": USER, "exp": seconds_from_now(-1)})),
        ),
        ("no exp", hs256(SECRET, &json!({"sub": USER}))),
        (
            "not yet",
            hs256(
                SECRET,
                &json!({"sub": USER, "exp": exp, "nbf": seconds_from_now(30)}),
            ),
        ),
        ("no sub", hs256(SECRET, &json!({"exp": exp}))),
        (
            "sub of another type",
            hs256(SECRET, &json!({"sub": 7, "exp": exp})),
        ),
        ("sub no id", hs256(SECRET, &json!({"sub": "alice", "exp": exp}))),
        ("garbage", "a.b.c".to_owned()),
        ("empty", String::new()),
    ];
    for (defect, token) in refused {
        assert!(!accepts(&authenticator, &token).await, "{defect}");
    }
}

#[tokio::test]
async fn issuer_and_audience_are_enforced_where_configured() {
    let flags = [
        "--jwt-secret",
        SECRET,
        "--jwt-issuer",
        "us",
        "--jwt-audience",
        "here",
    ];
    let authenticator = authenticator(&flags, Arc::new(SystemClock));
    let exp = seconds_from_now(60);
    let token =
        |iss: Value, aud: Value| hs256(SECRET, &json!({"sub": USER, "exp": exp, "iss": iss, "aud": aud}));
    assert!(accepts(&authenticator, &token(json!("us"), json!("here"))).await);
    assert!(accepts(&authenticator, &token(json!("us"), json!(["there", "here"]))).await);
    assert!(!accepts(&authenticator, &token(json!("them"), json!("here"))).await);
    assert!(!accepts(&authenticator, &token(json!("us"), json!("there"))).await);
    assert!(!accepts(&authenticator, &hs256(SECRET, &json!({"sub": USER, "exp": exp}))).await);
    let own = authenticator.access_token(USER.parse().unwrap()).unwrap();
    assert!(accepts(&authenticator, &own).await);
}

#[tokio::test]
async fn an_eddsa_key_signs_is_published_and_cannot_be_taken_for_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
    std::fs::write(&file, key.to_pkcs8_pem(LineEnding::LF).unwrap()).unwrap();
    let authenticator = authenticator(&["--jwt-key-file", file.to_str().unwrap()], Arc::new(SystemClock));

    let own = authenticator.access_token(USER.parse().unwrap()).unwrap();
    assert!(accepts(&authenticator, &own).await);
    let jwks = authenticator.jwks();
    let kid = jsonwebtoken::decode_header(&own).unwrap().kid.unwrap();
    assert_eq!(jwks["keys"][0]["kid"], json!(kid));

    let claims = json!({"sub": USER, "exp": seconds_from_now(60)});
    let public = key.verifying_key();
    let confused = mint(
        Algorithm::HS256,
        &EncodingKey::from_secret(public.as_bytes()),
        &claims,
    );
    assert!(!accepts(&authenticator, &confused).await);
    let x = jwks["keys"][0]["x"].as_str().unwrap();
    assert!(!accepts(&authenticator, &hs256(x, &claims)).await);
}

#[test]
fn an_access_token_says_since_when_and_until_when_in_seconds() {
    let clock = Arc::new(ManualClock::at(1_700_000_000_999));
    let flags = ["--jwt-secret", SECRET, "--access-token-seconds", "90"];
    let token = authenticator(&flags, clock)
        .access_token(USER.parse().unwrap())
        .unwrap();
    let claims = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(
        claims,
        json!({"sub": USER, "iat": 1_700_000_000, "exp": 1_700_000_090})
    );
}

#[tokio::test]
async fn a_session_lasts_until_its_end_or_until_log_out() {
    let clock = Arc::new(ManualClock::at(1_000_000));
    let authenticator = authenticator(&["--jwt-secret", SECRET], clock.clone());
    let user: UserId = USER.parse().unwrap();
    let (kept, ended) = (
        authenticator.open_session(user).await.unwrap(),
        authenticator.open_session(user).await.unwrap(),
    );
    assert!(accepts(&authenticator, &kept.token).await);

    authenticator.log_out(&ended.token).await.unwrap();
    assert!(!accepts(&authenticator, &ended.token).await);
    assert!(!accepts(&authenticator, "never issued").await);

    clock.set(kept.expires_at.as_millis() - 1);
    assert!(accepts(&authenticator, &kept.token).await);
    clock.set(kept.expires_at.as_millis());
    assert!(!accepts(&authenticator, &kept.token).await);
}

#[test]
fn a_bad_key_is_refused_with_what_to_do() {
    let refused = |flags: &[&str]| Keys::open(config(flags).key_options()).err().unwrap().to_string();
    assert!(refused(&["--jwt-secret", "short"]).contains("at least 32"));
    assert!(refused(&["--jwt-key-file", "/no/such/file"]).contains("cannot read"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, "not a key").unwrap();
    assert!(refused(&["--jwt-key-file", file.to_str().unwrap()]).contains("openssl genpkey"));
}

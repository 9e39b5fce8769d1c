//! `/v1/auth`: register, log in, log out, public keys.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use time::Date;
use time::macros::format_description;

use super::RestState;
use super::extract::{Actor, Bearer, Body};
use crate::clock::Timestamp;
use crate::error::ChatError;
use crate::model::{NewUser, User};

const EMAIL_MAX_BYTES: usize = 254;
const NAME_MAX_CHARS: usize = 100;
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;

pub(super) fn router() -> Router<RestState> {
    Router::new()
        .route("/v1/auth/register", post(register))
        .route("/v1/auth/login", post(log_in))
        .route("/v1/auth/logout", post(log_out))
        .route("/v1/auth/jwks", get(jwks))
}

async fn register(State(state): State<RestState>, body: Body) -> Result<Response, ChatError> {
    let fields = body.fields()?;
    let email = email(fields.text("email")?)?;
    let password = password(fields.text("password")?)?;
    let name = name(fields.text("name")?)?;
    let birthdate = fields.optional_text("birthdate")?;
    let birthdate = birthdate
        .map(|text| birthdate_before(text, state.service.clock().now()))
        .transpose()?;

    let password_hash = state
        .passwords
        .hash(password)
        .await
        .map_err(|error| ChatError::internal(&error))?;
    let user = NewUser {
        email,
        name,
        birthdate,
        password_hash,
    };
    let user = state.auth.register(user).await?.ok_or(ChatError::EmailTaken)?;
    tracing::info!(user = %user.id, "registered");
    Ok((StatusCode::CREATED, welcome(&state, user).await?).into_response())
}

async fn log_in(State(state): State<RestState>, body: Body) -> Result<Response, ChatError> {
    let fields = body.fields()?;
    let email = normalised(fields.text("email")?);
    let password = fields.text("password")?.to_owned();
    let known = state.auth.credentials(&email).await?;
    let phc = known.as_ref().map(|known| known.password_hash.clone());
    let verified = state
        .passwords
        .verify(password, phc)
        .await
        .map_err(|error| ChatError::internal(&error))?;
    match known {
        Some(known) if verified => Ok(welcome(&state, known.user).await?.into_response()),
        _ => Err(ChatError::Unauthorized),
    }
}

async fn log_out(
    State(state): State<RestState>,
    Actor(user): Actor,
    Bearer(token): Bearer,
) -> Result<StatusCode, ChatError> {
    state.auth.log_out(&token).await?;
    tracing::info!(%user, "logged out");
    Ok(StatusCode::NO_CONTENT)
}

async fn jwks(State(state): State<RestState>) -> Json<Value> {
    Json(state.auth.jwks())
}

/// What a user gets who has proven who they are; not to be kept by anything on the way.
async fn welcome(state: &RestState, user: User) -> Result<Response, ChatError> {
    let access_token = state
        .auth
        .access_token(user.id)
        .map_err(|error| ChatError::internal(&error))?;
    let session = state.auth.open_session(user.id).await?;
    let body = json!({
        "user": user,
        "session": {"expiresAt": session.expires_at},
        "accessToken": access_token,
        "sessionToken": session.token,
    });
    let mut response = Json(body).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn normalised(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Plain rules: the one proof of an address is a message that arrives.
fn email(text: &str) -> Result<String, ChatError> {
    let email = normalised(text);
    let plausible = email.split_once('@').is_some_and(|(local, domain)| {
        let labels = || domain.split('.');
        !local.is_empty()
            && !domain.contains('@')
            && labels().count() > 1
            && labels().all(|label| !label.is_empty())
    });
    let clean = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if plausible && clean && email.len() <= EMAIL_MAX_BYTES {
        Ok(email)
    } else {
        Err(ChatError::invalid("email", "must be an e-mail address"))
    }
}

fn password(text: &str) -> Result<String, ChatError> {
    if PASSWORD_CHARS.contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        Err(ChatError::invalid("password", "must have 8 to 128 characters"))
    }
}

fn name(text: &str) -> Result<String, ChatError> {
    let name = text.trim();
    match name.chars().count() {
        0 => Err(ChatError::invalid("name", "must not be empty")),
        chars if chars > NAME_MAX_CHARS => Err(ChatError::invalid(
            "name",
            format_args!("must be at most {NAME_MAX_CHARS} characters"),
        )),
        _ => Ok(name.to_owned()),
    }
}

fn birthdate_before(text: &str, now: Timestamp) -> Result<String, ChatError> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]"));
    let today = now.to_string();
    // Both texts are ISO 8601: their order is that of the days.
    if date.is_ok() && text.len() == 10 && *text <= today[..10] {
        Ok(text.to_owned())
    } else {
        Err(ChatError::invalid(
            "birthdate",
            "must be a day in the past, as YYYY-MM-DD",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_normalised_and_checked_plainly() {
        assert_eq!(email("  Ann@Example.ORG ").unwrap(), "ann@example.org");
        for bad in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@example",
            "ann@@example.org",
            "a b@example.org",
            "ann@.org",
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_birthdate_is_a_real_day_in_the_past() {
        let now = Timestamp::from_millis(1_763_856_000_000); // 2025-11-23
        assert!(birthdate_before("2025-11-23", now).is_ok());
        for bad in [
            "2025-11-24",
            "2025-02-30",
            "23.11.2001",
            "2001-1-1",
            "",
            "+2001-01-0",
        ] {
            assert!(birthdate_before(bad, now).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_and_names_have_their_lengths() {
        assert!(password("1234567").is_err());
        assert!(password("12345678").is_ok());
        assert!(password(&"é".repeat(128)).is_ok());
        assert!(password(&"é".repeat(129)).is_err());
        assert!(name("  ").is_err());
        assert!(name(&"x".repeat(101)).is_err());
        assert_eq!(name(" Ann ").unwrap(), "Ann");
    }
}

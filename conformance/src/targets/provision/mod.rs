//! Making users, chats and memberships at a target that may have its own way of doing so.
//!
//! - [`Provisioner`]: one way for all that is asked, whatever the target's is
//! - [`template`]: requests and answers of a REST API
//! - [`program`]: a program of the target's owner
//! - [`roster`]: users that are there already

pub mod program;
pub mod roster;
pub mod template;

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};
use thiserror::Error;

use super::jwt::Minter;
use super::profile::capabilities::{Capabilities, Capability};
use super::profile::operation::Operation;
use super::profile::rest::{Rest, Template};
use super::profile::{Profile, Provision};
use crate::client::http::{Http, Reply, id_at};
use crate::expect::{Found, Mismatch};
use crate::transcript::redact::redact_long_strings;
use program::{Program, ProgramError};
use roster::{Roster, RosterError};
use template::TemplateValues;

/// A user that exists at the target.
#[derive(Clone)]
pub struct Account {
    /// The id of the user at the target.
    pub id: String,
    /// What it connects with, a JWT where the target has them.
    pub access_token: String,
    /// Its session token, if there are any.
    pub session_token: Option<String>,
}

impl fmt::Debug for Account {
    /// Without the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.id)
    }
}

/// Somebody who is to become a user.
pub struct NewUser {
    /// What the scenario calls it; others have the same.
    pub name: String,
    /// A name that nobody else has, of lower-case letters, digits and underscores.
    pub handle: String,
    /// An e-mail address that no other run has.
    pub email: String,
    /// A password.
    pub password: String,
    /// The scenario that needs them.
    pub scenario: &'static str,
    /// Number of the run of the scenario that needs them: no two runs have the same.
    pub scene: u64,
}

/// The user on whose behalf a request is made, and the HTTP client that carries their token.
#[derive(Clone, Copy, Debug)]
pub struct Requester<'a> {
    /// With the token of the one who asks.
    pub http: &'a Http,
    /// Who that is; nobody where a user is to be made.
    pub account: Option<&'a Account>,
}

/// Why a user, a chat or something else could not be made or read at the target.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ProvisionError {
    /// The target does not offer it, by its target file.
    #[error("not offered: {capability}, as the target file says{}", if *.works { format!(", but it works: set capabilities.{capability} = true") } else { String::new() })]
    NotOffered {
        /// The capability that is switched off in the target file.
        capability: Capability,
        /// Whether it works all the same.
        works: bool,
    },
    /// The means to ask the target are at fault, and not the target: the file of users is used up, or the program of
    /// `provision.command` fails.
    #[error("{0}")]
    Unavailable(String),
    /// The target was asked, and did not answer as expected.
    #[error("{0}")]
    Failed(Mismatch),
}

impl From<Mismatch> for ProvisionError {
    fn from(mismatch: Mismatch) -> Self {
        Self::Failed(mismatch)
    }
}

/// Why provisioning cannot be set up from a target file.
#[derive(Debug, Error)]
pub enum ProvisionSetupError {
    /// A template is wrong.
    #[error("{0}")]
    Template(String),
    /// Tokens are to be minted, and there is no key.
    #[error(
        "provision.kind = \"jwt\" mints tokens with the target's key, but the target file names no key: give \
         auth.jwt_secret_env, auth.private_key_file or auth.jwks_env"
    )]
    NoKey,
    /// The file of users.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The program.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// One way for all that is asked of a target beside its sockets.
#[derive(Debug)]
pub struct Provisioner {
    rest: Rest,
    templates: HashMap<Operation, Template>,
    offers: Capabilities,
    method: Method,
}

#[derive(Debug)]
enum Method {
    Rest,
    Minted { minter: Minter, register: bool },
    Listed(Roster),
    Program(Program),
}

impl Provisioner {
    /// The one that a profile describes.
    pub fn new(profile: &Profile) -> Result<Self, ProvisionSetupError> {
        let method = match &profile.provision {
            Provision::Rest {} => Method::Rest,
            Provision::Jwt { register } => Method::Minted {
                minter: Minter::new(&profile.auth).ok_or(ProvisionSetupError::NoKey)?,
                register: *register,
            },
            Provision::Static { file } => Method::Listed(Roster::read(&profile.folder.join(file))?),
            Provision::Command { command } => {
                Method::Program(Program::start(command, &profile.folder, profile.urls.first())?)
            }
        };
        let there = Operation::ALL
            .iter()
            .copied()
            .filter(|operation| profile.rest.has(*operation));
        let templates = there.map(|operation| Ok((operation, profile.rest.template(operation)?)));
        Ok(Self {
            templates: templates
                .collect::<Result<_, _>>()
                .map_err(ProvisionSetupError::Template)?,
            rest: profile.rest.clone(),
            offers: profile.capabilities.clone(),
            method,
        })
    }

    /// Makes a user.
    pub async fn register(&self, http: &Http, person: &NewUser) -> Result<Account, ProvisionError> {
        let requester = Requester { http, account: None };
        let fill = TemplateValues::default()
            .with("name", person.name.as_str())
            .with("handle", person.handle.as_str())
            .with("email", person.email.as_str())
            .with("password", person.password.as_str());
        match &self.method {
            Method::Program(_) => account(&self.perform(Operation::Register, requester, &fill).await?),
            Method::Rest => account(&self.registered(requester, &fill).await?),
            Method::Listed(roster) => roster.next(person),
            Method::Minted {
                minter,
                register: false,
            } => {
                let id = new_id();
                Ok(Account {
                    access_token: minter.sign(&minter.claims(&id))?,
                    session_token: None,
                    id,
                })
            }
            Method::Minted {
                minter,
                register: true,
            } => {
                let mut answer = self.registered(requester, &fill).await?;
                let id = id_at(&answer, "/userId")?;
                answer["accessToken"] = minter.sign(&minter.claims(&id))?.into();
                account(&answer)
            }
        }
    }

    /// What registering answers, and logging in after it where that is how tokens are had.
    async fn registered(
        &self,
        requester: Requester<'_>,
        fill: &TemplateValues,
    ) -> Result<Value, ProvisionError> {
        let mut answer = self.perform(Operation::Register, requester, fill).await?;
        if self.rest.has(Operation::Login) {
            let tokens = self.perform(Operation::Login, requester, fill).await?;
            if let (Some(answer), Value::Object(tokens)) = (answer.as_object_mut(), tokens) {
                answer.extend(tokens);
            }
        }
        Ok(answer)
    }

    /// Asks for something as a user; gives the answer under the contract's names.
    pub async fn ask(
        &self,
        operation: Operation,
        requester: Requester<'_>,
        fill: &TemplateValues,
    ) -> Result<Value, ProvisionError> {
        if let (Operation::CreateChat, Method::Listed(roster)) = (operation, &self.method)
            && let Some(id) = listed(roster, fill)
        {
            return Ok(json!({"_id": id}));
        }
        match needed(operation, fill).filter(|capability| !self.offers.offers(*capability)) {
            None => Ok(self.perform(operation, requester, fill).await?),
            // What is said not to be there is tried all the same: that it works is worth telling, where success shows it.
            Some(capability) => Err(ProvisionError::NotOffered {
                capability,
                works: shows(capability) && self.perform(operation, requester, fill).await.is_ok(),
            }),
        }
    }

    /// Makes a request of the REST API with a header more, and gives the answer as it is, whatever it says; nothing where a
    /// program takes the place of the API.
    pub async fn request(
        &self,
        operation: Operation,
        http: &Http,
        fill: &TemplateValues,
        header: (&str, &str),
    ) -> Found<Option<Reply>> {
        if matches!(self.method, Method::Program(_)) {
            return Ok(None);
        }
        let http = http.clone().header(header.0, header.1);
        self.exchange(operation, &http, fill).await.map(Some)
    }

    /// The header that carries this token in REST requests: name and value.
    pub fn auth_header(&self, token: &str) -> (String, String) {
        self.rest.auth_header(token)
    }

    async fn perform(
        &self,
        operation: Operation,
        requester: Requester<'_>,
        fill: &TemplateValues,
    ) -> Result<Value, ProvisionError> {
        if let Method::Program(program) = &self.method {
            return program
                .ask(operation, requester.account, fill)
                .await
                .map_err(ProvisionError::Unavailable);
        }
        let reply = self.exchange(operation, requester.http, fill).await?;
        let template = self.template(operation)?;
        let answer = reply
            .expect(&template.status)
            .and_then(|body| template::answer(template, operation.needs(), body));
        Ok(if gives_tokens(operation) {
            answer.map_err(without_tokens)?
        } else {
            answer?
        })
    }

    async fn exchange(&self, operation: Operation, http: &Http, fill: &TemplateValues) -> Found<Reply> {
        let template = self.template(operation)?;
        let request = template::request(template, fill)?;
        let mut http = http.clone();
        http.answers_with_tokens = gives_tokens(operation);
        for (name, value) in &request.headers {
            http = http.header(name, value);
        }
        http.send(template.method.clone(), &request.path, request.body)
            .await
    }

    fn template(&self, operation: Operation) -> Found<&Template> {
        let missing = || Mismatch::fault(format!("there is no template for {operation}"));
        self.templates.get(&operation).ok_or_else(missing)
    }
}

/// A chat as it is wanted that is in the file of users.
fn listed(roster: &Roster, fill: &TemplateValues) -> Option<String> {
    let text = |name: &str| fill.as_map().get(name)?.as_str();
    let members = fill.as_map().get("members")?.as_array()?;
    let members: Vec<&str> = members.iter().filter_map(Value::as_str).collect();
    roster.chat(text("kind")?, text("creator")?, &members)
}

/// Whether the answer holds what nobody must see.
const fn gives_tokens(operation: Operation) -> bool {
    matches!(operation, Operation::Register | Operation::Login)
}

fn without_tokens(mut mismatch: Mismatch) -> Mismatch {
    if let Mismatch::Definite(difference) = &mut mismatch {
        difference.actual = redact_long_strings(&difference.actual.to_string()).into();
    }
    mismatch
}

/// Whether that a request succeeds shows that the target can do it: a server may as well ignore a parameter that it does not
/// know, or make a group where a DM is asked for.
const fn shows(capability: Capability) -> bool {
    !matches!(capability, Capability::AfterCursor | Capability::DirectChats)
}

/// What a target must offer for this.
fn needed(operation: Operation, fill: &TemplateValues) -> Option<Capability> {
    let is = |name: &str, wanted: &str| fill.as_map().get(name).is_some_and(|value| value == wanted);
    match operation {
        Operation::CreateChat => is("kind", "dm").then_some(Capability::DirectChats),
        Operation::ListMessages if fill.as_map().contains_key("after") => Some(Capability::AfterCursor),
        _ => Capability::of(operation),
    }
}

fn account(answer: &Value) -> Result<Account, ProvisionError> {
    Ok(Account {
        id: id_at(answer, "/userId")?,
        access_token: id_at(answer, "/accessToken")?,
        session_token: answer["sessionToken"].as_str().map(str::to_owned),
    })
}

/// 24 hex characters that nobody has.
fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..24].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_absent_is_told_with_what_would_change_it() {
        let error = |works| ProvisionError::NotOffered {
            capability: Capability::Rename,
            works,
        };
        assert_eq!(
            error(false).to_string(),
            "not offered: rename, as the target file says"
        );
        assert!(
            error(true)
                .to_string()
                .ends_with("but it works: set capabilities.rename = true")
        );
    }

    #[test]
    fn tokens_can_only_be_minted_with_a_key() {
        let profile = Profile::parse("[provision]\nkind = 'jwt'").unwrap();
        assert!(matches!(
            Provisioner::new(&profile),
            Err(ProvisionSetupError::NoKey)
        ));
    }

    #[test]
    fn a_listing_after_a_message_takes_a_capability_of_its_own() {
        let fill = TemplateValues::default().with("after", "x");
        assert_eq!(
            needed(Operation::ListMessages, &fill),
            Some(Capability::AfterCursor)
        );
        assert_eq!(
            needed(
                Operation::CreateChat,
                &TemplateValues::default().with("kind", "group")
            ),
            None
        );
    }
}

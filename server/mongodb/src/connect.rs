//! From an address to a store, or to an error that says what to do.

use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::doc;
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database};
use serde::Deserialize;
use tokio_util::task::TaskTracker;

use super::documents::IdDoc;
use super::outage::Outage;
use super::{Db, MongoStore, indexes, sessions};
use chatspec_server_core::clock::Clock;
use chatspec_server_core::ids::{Ids, RawId};

/// Where the database is, and how long to wait for it.
#[derive(Clone)]
pub struct MongoOptions {
    /// The connection string; the database is the one that it names.
    pub uri: String,
    /// How long one call may take, the search for a server included.
    pub patience: Duration,
}

/// What MongoDB answers to those whom it does not know, or does not let do that: Unauthorized, `AuthenticationFailed`.
const NOT_ALLOWED: [i32; 2] = [13, 18];

/// The database that a connection string without one means.
const DEFAULT_DATABASE: &str = "chatspec";

impl std::fmt::Debug for MongoOptions {
    /// Without the connection string, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MongoOptions")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// How long a start may take at most, whatever the patience for calls: making indexes on much data takes its time, and
/// is not counted.
const CONNECT_WITHIN: Duration = Duration::from_secs(4);

/// Why the store cannot be opened; each text says what to do, and none has the password in it.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The connection string is none.
    #[error("--mongodb-uri is no connection string: {0}; it looks like mongodb://host:27017/database")]
    Uri(String),
    /// Nothing answers there.
    #[error("no MongoDB answers at {hosts}: {cause}; is it running, and is --mongodb-uri right?")]
    Unreachable {
        /// The hosts that were tried.
        hosts: String,
        /// What happened there.
        cause: String,
    },
    /// It answers, and lets us not in.
    #[error("MongoDB at {hosts} refuses the user and password of --mongodb-uri: {cause}")]
    Refused {
        /// The hosts.
        hosts: String,
        /// What the database says.
        cause: String,
    },
    /// It is no replica set, so it has no transactions.
    #[error(
        "MongoDB at {hosts} is no replica set, and transactions need one; a set of one will do: start mongod with \
         --replSet rs0, and run rs.initiate() in mongosh once"
    )]
    Standalone {
        /// The hosts.
        hosts: String,
    },
    /// The collections cannot be prepared.
    #[error("cannot prepare the collections in MongoDB at {hosts}: {cause}")]
    Prepare {
        /// The hosts.
        hosts: String,
        /// What the database says.
        cause: String,
    },
}

impl MongoStore {
    /// Connects, and makes what indexes are missing. `ids` goes on after the newest id kept.
    pub async fn connect(
        options: &MongoOptions,
        ids: Arc<Ids>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let client_options = client_options(options).await?;
        Self::with(client_options, options.patience, ids, clock).await
    }

    pub(super) async fn with(
        options: ClientOptions,
        patience: Duration,
        ids: Arc<Ids>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConnectError> {
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        let hosts = hosts.join(", ");
        let client = Client::with_options(options).map_err(|error| ConnectError::Uri(error.to_string()))?;
        let db = Db::new(client, patience, ids, clock);
        db.check_server(&hosts).await?;
        let prepare = async || {
            indexes::ensure(&db).await?;
            // Without it, what a killed process was at stays locked for a minute: no reason not to start.
            if let Err(error) = sessions::end_left_over(&db).await {
                tracing::warn!(%error, "transactions of earlier processes could not be ended");
            }
            db.continue_ids().await
        };
        prepare().await.map_err(|error: Error| ConnectError::Prepare {
            hosts,
            cause: error.to_string(),
        })?;
        Ok(Self {
            db,
            outage: Outage::default(),
            calls: TaskTracker::new(),
        })
    }
}

/// What the operator gave, and on top of it what the store's promises need.
pub(super) async fn client_options(options: &MongoOptions) -> Result<ClientOptions, ConnectError> {
    let wrong = |error: Error| ConnectError::Uri(describe(&options.uri, &error));
    let parsing = ClientOptions::parse(&options.uri);
    let mut parsed = match tokio::time::timeout(CONNECT_WITHIN, parsing).await {
        Ok(parsed) => parsed.map_err(wrong)?,
        // A mongodb+srv address is looked up in the DNS.
        Err(_) => return Err(ConnectError::Uri("the DNS does not answer".to_owned())),
    };
    parsed
        .app_name
        .get_or_insert_with(|| "chatspec-server".to_owned());
    let within = options.patience.min(CONNECT_WITHIN);
    parsed.server_selection_timeout.get_or_insert(within);
    // The driver's own ten would make a few slow queries everybody's.
    parsed.max_pool_size.get_or_insert(100);
    parsed.connect_timeout.get_or_insert(within);
    parsed.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    parsed.read_concern = Some(ReadConcern::majority());
    let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true);
    parsed.write_concern = Some(durable.build());
    Ok(parsed)
}

/// What the driver says, without the part of the connection string that it quotes. With a password in it, any part may be
/// one of the password.
fn describe(uri: &str, error: &Error) -> String {
    if uri.contains('@') {
        return "in user and password, characters such as : / ? # @ % must be percent-encoded".to_owned();
    }
    match error.kind.as_ref() {
        ErrorKind::InvalidArgument { message, .. } | ErrorKind::DnsResolve { message, .. } => message.clone(),
        _ => error.to_string(),
    }
}

/// The part of a network error that tells an operator something.
fn summary(error: &Error) -> String {
    let text = error.to_string();
    if text.contains("RsGhost") {
        return "its replica set is not initiated: run rs.initiate() in mongosh once".to_owned();
    }
    let system = text
        .split("I/O error: ")
        .nth(1)
        .and_then(|rest| rest.split(", labels").next());
    system.unwrap_or("no server answers in time").to_owned()
}

impl Db {
    fn new(client: Client, patience: Duration, ids: Arc<Ids>, clock: Arc<dyn Clock>) -> Self {
        let database = database(&client);
        Self {
            users: database.collection("users"),
            sessions: database.collection("sessions"),
            chats: database.collection("chats"),
            memberships: database.collection("chat_memberships"),
            messages: database.collection("messages"),
            records: database.collection("transaction_sessions"),
            transactions: Arc::default(),
            client,
            ids,
            clock,
            patience,
        }
    }

    pub(super) fn database(&self) -> Database {
        database(&self.client)
    }

    /// Whether it answers, lets us in, and has transactions.
    async fn check_server(&self, hosts: &str) -> Result<(), ConnectError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Hello {
            set_name: Option<String>,
            msg: Option<String>,
        }
        let unreachable = |cause: String| ConnectError::Unreachable {
            hosts: hosts.to_owned(),
            cause,
        };
        let database = self.database();
        let asking = async {
            // The first needs authorization, the second does not.
            database
                .run_command(doc! {"listCollections": 1, "nameOnly": true})
                .await?;
            database.run_command(doc! {"hello": 1}).await
        };
        let answer = tokio::time::timeout(CONNECT_WITHIN, asking)
            .await
            .map_err(|_| unreachable(format!("no answer within {} s", CONNECT_WITHIN.as_secs())))?;
        let hello = answer.map_err(|error| match error.kind.as_ref() {
            ErrorKind::Authentication { message, .. } => ConnectError::Refused {
                hosts: hosts.to_owned(),
                cause: message.clone(),
            },
            ErrorKind::Command(command) if NOT_ALLOWED.contains(&command.code) => ConnectError::Refused {
                hosts: hosts.to_owned(),
                cause: command.message.clone(),
            },
            ErrorKind::Command(command) => unreachable(format!("it says: {}", command.message)),
            _ => {
                tracing::debug!(%error, "the database cannot be reached");
                unreachable(summary(&error))
            }
        })?;
        let hello: Hello = mongodb::bson::deserialize_from_document(hello)
            .map_err(|error| unreachable(error.to_string()))?;
        let sharded = hello.msg.as_deref() == Some("isdbgrid");
        if hello.set_name.is_none() && !sharded {
            return Err(ConnectError::Standalone {
                hosts: hosts.to_owned(),
            });
        }
        Ok(())
    }

    /// Ids go on after the newest that is kept.
    async fn continue_ids(&self) -> mongodb::error::Result<()> {
        for collection in [
            self.users.clone_with_type(),
            self.chats.clone_with_type(),
            self.memberships.clone_with_type(),
            self.messages.clone_with_type(),
        ] {
            if let Some(newest) = newest_id(&collection).await? {
                self.ids.start_after(newest);
            }
        }
        Ok(())
    }
}

fn database(client: &Client) -> Database {
    client
        .default_database()
        .unwrap_or_else(|| client.database(DEFAULT_DATABASE))
}

async fn newest_id(collection: &Collection<IdDoc>) -> mongodb::error::Result<Option<RawId>> {
    let newest = collection
        .find_one(doc! {})
        .sort(doc! {"_id": -1})
        .projection(doc! {"_id": 1});
    Ok(newest.await?.map(|newest| RawId::from_bytes(newest.id.bytes())))
}

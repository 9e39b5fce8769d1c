//! What happens in a scenario, in words that any client library has: who registers, connects, asks and hears.

use std::collections::BTreeMap;

use crate::scenarios::Scenario;
use crate::targets::profile::operation::Operation;

use super::term::{Term, Var};

/// A scenario as it was played, up to what was asked for.
#[derive(Clone, Debug)]
pub struct Story {
    /// Which one.
    pub scenario: &'static Scenario,
    /// The requirement that it is told for; all that the scenario judges where there is none.
    pub asked: Option<String>,
    /// Who takes part, in the order of registration.
    pub users: Vec<User>,
    /// Their connections, in the order in which they are opened.
    pub clients: Vec<Client>,
    /// What happens, in its order.
    pub steps: Vec<Step>,
}

impl Story {
    /// The requirements that its steps are judged by, each once, in the order of the steps.
    pub fn judged(&self) -> Vec<&str> {
        let mut judged: Vec<&str> = Vec::new();
        for id in self.steps.iter().flat_map(Step::judge) {
            if !judged.contains(&id.as_str()) {
                judged.push(id);
            }
        }
        judged
    }

    /// Every variable that some step needs, with repetitions.
    pub fn needed(&self) -> Vec<Var> {
        let mut vars = Vec::new();
        for step in &self.steps {
            step.terms(&mut |term| term.vars(&mut vars));
        }
        vars
    }
}

/// Somebody who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name; others may have the same.
    pub name: String,
    /// What part they play.
    pub part: Part,
}

/// What part a user plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The story is about them.
    Player,
    /// Sends messages into rooms, behind which nothing can be missing any more.
    Witness,
    /// Changes groups, for updates behind which nothing can be missing any more.
    Helper,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name: the user's, with a number from the second on.
    pub name: String,
    /// Whose it is, where a user's token opened it.
    pub user: Option<usize>,
}

/// The requirements that a comparison is judged by; none for a step that has to work on the way.
pub type Judge = Vec<String>;

/// One thing that happens; numbers are places in [`Story::users`] and [`Story::clients`].
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A user comes into being.
    Register(usize),
    /// A request to the REST API, which succeeds.
    Rest {
        /// Who makes it.
        user: usize,
        /// What is asked for.
        operation: Operation,
        /// With what.
        fill: BTreeMap<String, Term>,
        /// What is taken from the answer.
        take: Take,
        /// By what that is judged.
        judge: Judge,
    },
    /// A connection is opened, or refused.
    Connect {
        /// Which.
        client: usize,
        /// What goes into CONNECT, if anything.
        auth: Option<Term>,
        /// What goes into the query string.
        query: Vec<(String, Term)>,
        /// Whether it is accepted.
        accepted: bool,
        /// By what that is judged.
        judge: Judge,
    },
    /// Requests with acks; several have been started before the first was answered.
    Ask {
        /// Which.
        asks: Vec<Ask>,
        /// By what their acks are judged.
        judge: Judge,
    },
    /// An event without an ack, or with one that may come or not.
    Tell {
        /// Who sends it.
        client: usize,
        /// Its name.
        event: String,
        /// Its arguments.
        args: Vec<Term>,
        /// Whether an ack is asked for all the same.
        asks: bool,
    },
    /// A connection is closed.
    Close(usize),
    /// Time passes.
    Pause {
        /// How much, in ms.
        ms: u64,
    },
    /// An event is waited for.
    Hear {
        /// By whom.
        client: usize,
        /// Its name.
        event: String,
        /// Its payload.
        wanted: Term,
        /// Where the events begin that count.
        since: Option<usize>,
        /// What is learned from it.
        binds: Vec<Bind>,
        /// By what it is judged.
        judge: Judge,
    },
    /// From here on events are counted apart: a place that others refer to.
    Mark {
        /// Whose events.
        client: usize,
        /// The number of this mark.
        since: usize,
    },
    /// Events have come in this order, if they have come.
    Order {
        /// To whom.
        client: usize,
        /// Their name.
        event: String,
        /// Their payloads, in the order.
        wanted: Vec<Term>,
        /// By what it is judged.
        judge: Judge,
    },
    /// So many events have come, and no more will.
    Count {
        /// How many.
        n: usize,
        /// To whom.
        client: usize,
        /// Their name.
        event: String,
        /// Their payload.
        wanted: Term,
        /// Where the events begin that count.
        since: Option<usize>,
        /// By what it is judged.
        judge: Judge,
    },
}

/// A request with an ack.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Who sends it.
    pub client: usize,
    /// Its name.
    pub event: String,
    /// Its arguments.
    pub args: Vec<Term>,
    /// What is answered.
    pub ack: Ack,
    /// What is learned from that.
    pub binds: Vec<Bind>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Ack {
    /// This.
    Like(Term),
    /// Any success or error: the contract leaves it open.
    Open,
    /// One of several requests at once, of which some succeed and some do not; which, is open.
    Counted(String),
}

/// A value that the server makes, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// What it is from then on.
    pub var: Var,
    /// JSON pointer to it.
    pub pointer: String,
}

/// What is taken from the answer to a REST request.
#[derive(Clone, Debug, PartialEq)]
pub enum Take {
    /// Nothing but that it succeeded.
    Nothing,
    /// The id of what was made.
    Id(Var),
    /// Messages, which are these.
    Messages(Vec<Term>),
    /// How many messages are unread in chats.
    Unread(Vec<(Var, u64)>),
}

impl Step {
    /// By what it is judged.
    pub fn judge(&self) -> &[String] {
        match self {
            Self::Rest { judge, .. }
            | Self::Connect { judge, .. }
            | Self::Ask { judge, .. }
            | Self::Hear { judge, .. }
            | Self::Order { judge, .. }
            | Self::Count { judge, .. } => judge,
            Self::Register(_)
            | Self::Tell { .. }
            | Self::Close(_)
            | Self::Pause { .. }
            | Self::Mark { .. } => &[],
        }
    }

    /// The same, to be set.
    pub(super) const fn judge_mut(&mut self) -> Option<&mut Judge> {
        match self {
            Self::Rest { judge, .. }
            | Self::Connect { judge, .. }
            | Self::Ask { judge, .. }
            | Self::Hear { judge, .. }
            | Self::Order { judge, .. }
            | Self::Count { judge, .. } => Some(judge),
            Self::Register(_)
            | Self::Tell { .. }
            | Self::Close(_)
            | Self::Pause { .. }
            | Self::Mark { .. } => None,
        }
    }

    /// Every term in it.
    fn terms(&self, see: &mut impl FnMut(&Term)) {
        match self {
            Self::Rest { fill, take, .. } => {
                fill.values().for_each(&mut *see);
                match take {
                    Take::Messages(messages) => messages.iter().for_each(see),
                    Take::Unread(counts) => counts.iter().for_each(|(chat, _)| see(&Term::var(*chat))),
                    Take::Nothing | Take::Id(_) => {}
                }
            }
            Self::Connect { auth, query, .. } => {
                auth.iter()
                    .chain(query.iter().map(|(_, term)| term))
                    .for_each(see);
            }
            Self::Ask { asks, .. } => {
                for ask in asks {
                    ask.args.iter().for_each(&mut *see);
                    if let Ack::Like(term) = &ask.ack {
                        see(term);
                    }
                }
            }
            Self::Tell { args, .. } => args.iter().for_each(see),
            Self::Order { wanted, .. } => wanted.iter().for_each(see),
            Self::Hear { wanted, .. } | Self::Count { wanted, .. } => see(wanted),
            Self::Register(_) | Self::Close(_) | Self::Pause { .. } | Self::Mark { .. } => {}
        }
    }
}

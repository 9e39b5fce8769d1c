//! Users that are there already, with their tokens, in a file, and chats among them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde::Deserialize;
use thiserror::Error;

use super::{Account, NewUser, ProvisionError};
use crate::private::Private;

/// The users of a file, each of whom is given away once: what one scenario does must not show in another. For the same reason
/// a file serves one run: afterwards its users share chats, and some of their sessions have ended.
#[derive(Debug)]
pub struct Roster {
    file: PathBuf,
    users: Vec<Listed>,
    given: AtomicUsize,
    sets: Vec<Set>,
    leases: Mutex<Leases>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    users: Vec<Listed>,
    #[serde(default)]
    sets: Vec<Set>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    id: String,
    access_token: Private<String>,
    session_token: Option<Private<String>>,
}

/// Users for one scenario, in the order in which it asks for them, and the chats that there are among them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    /// Its id, as in `rooms/join-and-leave`.
    scenario: String,
    users: Vec<Listed>,
    #[serde(default)]
    chats: Vec<ListedChat>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedChat {
    id: String,
    /// `dm` or `group`.
    kind: String,
    /// By their place among the users, from 1 on; whoever made it comes first.
    members: Vec<usize>,
}

/// Who has which set.
#[derive(Debug, Default)]
struct Leases {
    /// By scene: the set, and how many of its users have been given away.
    by_scene: HashMap<u64, (usize, usize)>,
    /// The ids of the chats that have been given away.
    chats: HashSet<String>,
}

/// What is wrong with a file of users.
#[derive(Debug, Error)]
pub enum RosterError {
    /// It cannot be read.
    #[error("file of users {path}: {source}")]
    Read {
        /// Path of the file of users.
        path: String,
        /// The error of the file system.
        source: std::io::Error,
    },
    /// It is none.
    #[error("file of users {path} is not valid:\n{why}")]
    Invalid {
        /// Path of the file of users.
        path: String,
        /// The line and what is wrong in it.
        why: String,
    },
}

impl File {
    /// What the types alone do not see.
    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        let everybody = self
            .users
            .iter()
            .chain(self.sets.iter().flat_map(|set| &set.users));
        if let Some(twice) = everybody.map(|user| &user.id).find(|id| !seen.insert(*id)) {
            return Err(format!("the user {twice} is listed twice"));
        }
        for set in &self.sets {
            for chat in &set.chats {
                if !["dm", "group"].contains(&chat.kind.as_str()) {
                    return Err(format!(
                        "the chat {}: the kinds are dm and group, not {}",
                        chat.id, chat.kind
                    ));
                }
                if chat.members.len() < 2 || chat.members.iter().any(|n| !(1..=set.users.len()).contains(n)) {
                    return Err(format!(
                        "the chat {}: members are two or more of the numbers from 1 to {}, the places of the users in \
                         their set",
                        chat.id,
                        set.users.len()
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Listed {
    fn account(&self) -> Account {
        Account {
            id: self.id.clone(),
            access_token: self.access_token.0.clone(),
            session_token: self.session_token.as_ref().map(|token| token.0.clone()),
        }
    }
}

impl Set {
    /// The ids of a chat's members, whoever made it first.
    fn members<'a>(&'a self, chat: &'a ListedChat) -> impl Iterator<Item = &'a str> {
        let places = chat.members.iter();
        places.filter_map(|place| self.users.get(place - 1).map(|user| user.id.as_str()))
    }
}

impl Roster {
    /// Reads a file: `[[users]]` with `id`, `access_token` and perhaps `session_token`, and `[[sets]]` of users with chats.
    pub fn read(path: &Path) -> Result<Self, RosterError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| RosterError::Read {
            path: shown.clone(),
            source,
        })?;
        let invalid = |why: String| RosterError::Invalid { path: shown, why };
        let file = toml::from_str::<File>(&text)
            .map_err(|error| error.to_string().trim_end().to_owned())
            .and_then(|file| file.check().map(|()| file))
            .map_err(invalid)?;
        Ok(Self {
            file: path.to_owned(),
            users: file.users,
            given: AtomicUsize::new(0),
            sets: file.sets,
            leases: Mutex::default(),
        })
    }

    /// The next user that nobody has had: of the scenario's own set, where the file has one.
    pub fn next(&self, person: &NewUser) -> Result<Account, ProvisionError> {
        // What the kit needs for itself is no part of the scenario's story.
        let own = !person.name.starts_with("fence-") && person.name != "preflight";
        if let Some(found) = own.then(|| self.next_of_set(person)).flatten() {
            return found;
        }
        let next = self.users.get(self.given.fetch_add(1, Ordering::Relaxed));
        next.map(Listed::account).ok_or_else(|| {
            ProvisionError::Unavailable(format!(
                "all {} users of {} have been used, and no user is used twice: list more users, or select fewer scenarios \
                 with --only",
                self.users.len(),
                self.file.display()
            ))
        })
    }

    fn next_of_set(&self, person: &NewUser) -> Option<Result<Account, ProvisionError>> {
        let mut leases = self.leases.lock();
        let taken: HashSet<usize> = leases.by_scene.values().map(|(set, _)| *set).collect();
        let mut meant = self
            .sets
            .iter()
            .enumerate()
            .filter(|(_, set)| set.scenario == person.scenario);
        let free = meant
            .find(|(place, _)| !taken.contains(place))
            .map(|(place, _)| (place, 0));
        let (place, next) = leases.by_scene.get(&person.scene).copied().or(free)?;
        leases.by_scene.insert(person.scene, (place, next + 1));
        let user = self.sets[place].users.get(next);
        Some(user.map(Listed::account).ok_or_else(|| {
            ProvisionError::Unavailable(format!(
                "{} needs a user number {} ({}), but its set in {} has only {}",
                person.scenario,
                next + 1,
                person.name,
                self.file.display(),
                self.sets[place].users.len()
            ))
        }))
    }

    /// The id of a chat that these have already, whoever made it first, and that nobody has been given yet.
    pub fn chat(&self, kind: &str, creator: &str, members: &[&str]) -> Option<String> {
        let mut leases = self.leases.lock();
        let wanted: BTreeSet<&str> = members.iter().copied().chain([creator]).collect();
        let set = self
            .sets
            .iter()
            .find(|set| set.users.iter().any(|user| user.id == creator))?;
        let chat = set.chats.iter().find(|chat| {
            chat.kind == kind
                && set.members(chat).next() == Some(creator)
                && set.members(chat).collect::<BTreeSet<_>>() == wanted
                && !leases.chats.contains(&chat.id)
        })?;
        leases.chats.insert(chat.id.clone());
        Some(chat.id.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(text: &str) -> Result<Roster, RosterError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Roster::read(file.path())
    }

    fn person(name: &str, scene: u64) -> NewUser {
        NewUser {
            name: name.to_owned(),
            handle: String::new(),
            email: String::new(),
            password: String::new(),
            scenario: "rooms/a",
            scene,
        }
    }

    #[test]
    fn every_user_is_given_away_once() {
        let roster = roster("[[users]]\nid = 'u1'\naccess_token = 't1'\n").unwrap();
        assert_eq!(roster.next(&person("alice", 1)).unwrap().id, "u1");
        let told = roster.next(&person("bob", 1)).unwrap_err().to_string();
        assert!(told.contains("all 1 users") && told.contains("--only"), "{told}");
    }

    const SETS: &str = "
        [[users]]
        id = 'u'
        access_token = 't'
        [[sets]]
        scenario = 'rooms/a'
        users = [{ id = 'a1', access_token = 't' }, { id = 'a2', access_token = 't' }]
        chats = [{ id = 'c1', kind = 'group', members = [1, 2] }]
        [[sets]]
        scenario = 'rooms/a'
        users = [{ id = 'b1', access_token = 't' }]
    ";

    #[test]
    fn a_scenario_has_a_set_of_its_own_each_time_that_it_plays() {
        let roster = roster(SETS).unwrap();
        let id = |name, scene| roster.next(&person(name, scene)).map(|account| account.id);
        assert_eq!(
            (id("alice", 1).unwrap(), id("alice", 2).unwrap()),
            ("a1".to_owned(), "b1".to_owned())
        );
        assert_eq!(
            (id("bob", 1).unwrap(), id("fence-admin", 1).unwrap()),
            ("a2".to_owned(), "u".to_owned())
        );
        let told = id("bob", 2).unwrap_err().to_string();
        assert!(told.contains("user number 2 (bob)"), "{told}");
    }

    #[test]
    fn a_chat_fits_by_its_kind_its_members_and_who_made_it_and_is_given_away_once() {
        let roster = roster(SETS).unwrap();
        assert_eq!(roster.chat("group", "a2", &["a1"]), None);
        assert_eq!(roster.chat("dm", "a1", &["a2"]), None);
        assert_eq!(roster.chat("group", "a1", &["a2"]).as_deref(), Some("c1"));
        assert_eq!(roster.chat("group", "a1", &["a2"]), None);
    }

    #[test]
    fn mistakes_are_told() {
        let user = "[[users]]\nid = 'u1'\naccess_token = 't1'\n";
        let set = |chat: &str| {
            format!(
                "[[sets]]\nscenario = 's'\nusers = [{{ id = 'a', access_token = 't' }}]\nchats = [{chat}]"
            )
        };
        for (text, told) in [
            ("[[users]]\nid = 'u1'\ntoken = 't1'\n".to_owned(), "line 3"),
            (user.repeat(2), "listed twice"),
            (
                set("{ id = 'c', kind = 'pair', members = [1, 1] }"),
                "dm and group",
            ),
            (set("{ id = 'c', kind = 'dm', members = [1, 2] }"), "from 1 to 1"),
        ] {
            let error = roster(&text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
        assert!(Roster::read(Path::new("/no/such/file")).is_err());
    }
}

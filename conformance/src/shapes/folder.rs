//! The files of a folder: reading them, holding them against what was gathered, and writing them.
//!
//! Other files may be there as well. They are left alone, and one that has the name of ours is never written over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::document::{Document, DocumentError};
use super::subjects;
use crate::baseline::save;

/// Documents by the names of their subjects.
pub type Documents = BTreeMap<&'static str, Document>;

/// A folder, and what was in it when it was read.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// By the name of the file without `.json`.
    documents: BTreeMap<String, Document>,
}

/// Why a folder is of no use.
#[derive(Debug, Error)]
pub enum FolderError {
    /// It is not there.
    #[error("{path} is not there: chatspec snapshot --out {path} writes the snapshots")]
    Absent {
        /// Where it should be.
        path: String,
    },
    /// It has no snapshots.
    #[error("{path} holds no snapshots: chatspec snapshot --out {path} writes them")]
    Empty {
        /// The file or folder.
        path: String,
    },
    /// A file, or the folder itself, cannot be read or written.
    #[error("{path}: {source}")]
    System {
        /// The file or folder.
        path: String,
        /// The error of the file system.
        source: io::Error,
    },
    /// A file has a name of ours and is something else.
    #[error("{path} is no snapshot, but has the name of one: move it away, or give another folder")]
    Foreign {
        /// The file or folder.
        path: String,
    },
    /// A snapshot cannot be read any more.
    #[error(
        "{path} is a snapshot that cannot be read: {why}. Repair it, or remove it and write it again with --out"
    )]
    Broken {
        /// The file or folder.
        path: String,
        /// Why it cannot be read.
        why: String,
    },
}

/// How a file differs from what was gathered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The name of the file.
    pub file: String,
    /// What it holds; nothing where there is no such file.
    pub was: Option<Document>,
    /// What was gathered; nothing where that is not gathered any more.
    pub is: Option<Document>,
}

/// What was done to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have changed.
    pub written: usize,
    /// Files that said the same already.
    pub unchanged: usize,
    /// Snapshots of what is not gathered any more.
    pub removed: usize,
}

impl Folder {
    /// Reads a folder with snapshots in it.
    pub fn read(path: &Path) -> Result<Self, FolderError> {
        let folder = Self::look(path)?;
        if folder.documents.is_empty() {
            let path = path.display().to_string();
            return Err(FolderError::Empty { path });
        }
        Ok(folder)
    }

    /// Reads a folder, which is made if it is not there, to write into it.
    pub fn make(path: &Path) -> Result<Self, FolderError> {
        fs::create_dir_all(path).map_err(|source| system(path, source))?;
        Self::look(path)
    }

    fn look(path: &Path) -> Result<Self, FolderError> {
        let entries = fs::read_dir(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => FolderError::Absent {
                path: path.display().to_string(),
            },
            _ => system(path, source),
        })?;
        let mut documents = BTreeMap::new();
        for entry in entries {
            let file = entry.map_err(|source| system(path, source))?.path();
            if let Some((name, document)) = read_file(&file)? {
                documents.insert(name, document);
            }
        }
        Ok(Self {
            path: path.to_owned(),
            documents,
        })
    }

    /// Path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it differs from what was gathered, file by file.
    pub fn drift(&self, gathered: &Documents) -> Vec<Drift> {
        let here = self.documents.keys().map(String::as_str);
        let names: BTreeSet<&str> = here.chain(gathered.keys().copied()).collect();
        let drift = |name: &str| {
            let (was, is) = (self.documents.get(name), gathered.get(name));
            let same = was.zip(is).is_some_and(|(was, is)| was.says_the_same(is));
            (!same).then(|| Drift {
                file: file_name(name),
                was: was.cloned(),
                is: is.cloned(),
            })
        };
        names.into_iter().filter_map(drift).collect()
    }

    /// Writes what was gathered, and removes the snapshots of what is not gathered any more.
    pub fn write(&self, gathered: &Documents) -> Result<Written, FolderError> {
        let mut done = Written::default();
        for (name, document) in gathered {
            let (path, text) = (self.path.join(file_name(name)), document.to_text());
            if fs::read_to_string(&path).is_ok_and(|old| old == text) {
                done.unchanged += 1;
                continue;
            }
            save::replace(&path, &text).map_err(|source| system(&path, source))?;
            done.written += 1;
        }
        let stale = |name: &&String| !gathered.contains_key(name.as_str());
        for name in self.documents.keys().filter(stale) {
            let path = self.path.join(file_name(name));
            fs::remove_file(&path).map_err(|source| system(&path, source))?;
            done.removed += 1;
        }
        Ok(done)
    }
}

fn file_name(name: &str) -> String {
    format!("{name}.json")
}

fn system(path: &Path, source: io::Error) -> FolderError {
    FolderError::System {
        path: path.display().to_string(),
        source,
    }
}

/// The snapshot in a file, with its name; nothing where it is none and has no name of ours either.
fn read_file(file: &Path) -> Result<Option<(String, Document)>, FolderError> {
    if file.extension().is_none_or(|extension| extension != "json") {
        return Ok(None);
    }
    let name = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let ours = subjects::ALL.iter().any(|subject| subject.name == name);
    let path = || file.display().to_string();
    let parsed = match fs::read(file) {
        Ok(bytes) => Document::parse(&String::from_utf8_lossy(&bytes)),
        Err(source) if ours => return Err(system(file, source)),
        Err(_) => return Ok(None),
    };
    match parsed {
        Ok(document) => Ok(Some((name, document))),
        Err(DocumentError::Other) if ours => Err(FolderError::Foreign { path: path() }),
        Err(DocumentError::Broken(why)) if ours => Err(FolderError::Broken { path: path(), why }),
        // Somebody's notes may well speak of snapshots.
        Err(DocumentError::Other | DocumentError::Broken(_)) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::shape::Plain;
    use super::super::subjects::{JOIN, LEAVE, Subject};
    use super::*;

    fn document(subject: &Subject, plain: Plain) -> Document {
        Document::new(
            subject,
            BTreeMap::from([("ok".to_owned(), plain.into())]),
            BTreeMap::new(),
        )
    }

    fn gathered() -> Documents {
        BTreeMap::from([
            (JOIN.name, document(&JOIN, Plain::Text)),
            (LEAVE.name, document(&LEAVE, Plain::Text)),
        ])
    }

    #[test]
    fn what_was_written_holds_and_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        assert!(matches!(Folder::read(&path), Err(FolderError::Absent { .. })));
        let done = Folder::make(&path).unwrap().write(&gathered()).unwrap();
        assert_eq!(
            done,
            Written {
                written: 2,
                ..Written::default()
            }
        );
        let read = Folder::read(&path).unwrap();
        assert_eq!(read.drift(&gathered()), []);
        let done = read.write(&gathered()).unwrap();
        assert_eq!(
            done,
            Written {
                unchanged: 2,
                ..Written::default()
            }
        );
    }

    #[test]
    fn what_has_changed_is_new_or_is_stale_drifts() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join("ack-room-knock.json");
        fs::write(&stale, document(&JOIN, Plain::Null).to_text()).unwrap();
        let join = folder.path().join("ack-room-join.json");
        fs::write(&join, document(&JOIN, Plain::Number).to_text()).unwrap();
        let read = Folder::read(folder.path()).unwrap();
        let drift = read.drift(&gathered());
        let told: Vec<_> = drift
            .iter()
            .map(|drift| (drift.file.as_str(), drift.was.is_some(), drift.is.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                ("ack-room-join.json", true, true),
                ("ack-room-knock.json", true, false),
                ("ack-room-leave.json", false, true),
            ]
        );
        let done = read.write(&gathered()).unwrap();
        assert_eq!((done.written, done.removed), (2, 1));
        assert!(!stale.exists());
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let others = [
            ("README.md", "chatspec-shapes/1".as_bytes()),
            ("notes.json", b"{\"schema\": \"other\"}"),
            ("bytes.json", b"\xff\xfe"),
        ];
        for (name, bytes) in others {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        fs::create_dir(folder.path().join("folder.json")).unwrap();
        assert!(matches!(
            Folder::read(folder.path()),
            Err(FolderError::Empty { .. })
        ));
        Folder::make(folder.path()).unwrap().write(&gathered()).unwrap();
        assert_eq!(Folder::read(folder.path()).unwrap().drift(&gathered()), []);
        for (name, bytes) in others {
            assert_eq!(fs::read(folder.path().join(name)).unwrap(), bytes, "{name}");
        }
    }

    #[test]
    fn a_file_with_a_name_of_ours_that_is_no_snapshot_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ack-room-join.json");
        fs::write(&path, "{\"mine\": true}").unwrap();
        let error = Folder::make(folder.path()).unwrap_err();
        assert!(matches!(error, FolderError::Foreign { .. }), "{error}");
        let text = document(&JOIN, Plain::Text).to_text();
        fs::write(&path, format!("<<<<<<< HEAD\n{text}")).unwrap();
        let told = Folder::read(folder.path()).unwrap_err().to_string();
        assert!(
            told.contains("ack-room-join.json") && told.contains("Repair it"),
            "{told}"
        );
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(
            Folder::make(folder.path()),
            Err(FolderError::System { .. })
        ));
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            Folder::read(file.path()),
            Err(FolderError::System { .. })
        ));
        assert!(matches!(
            Folder::make(file.path()),
            Err(FolderError::System { .. })
        ));
    }
}

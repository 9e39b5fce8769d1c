//! Passwords: hashed with Argon2id, off the event loop, so many at once and no more.

use std::sync::Arc;

use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// How much memory and how many passes a hash takes.
#[derive(Clone, Copy, Debug)]
pub struct PasswordCost {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

/// Why a password could not be hashed or checked: a fault of the server, never of the password.
#[derive(Debug, thiserror::Error)]
#[error("password hashing failed: {0}")]
pub struct PasswordError(String);

/// Hashes and checks passwords. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Each hash takes a core and its memory; more at once than cores would only take more memory.
    turns: Arc<Semaphore>,
    /// One for each permit of the semaphore, reused: allocators do not give blocks of this size back in time.
    memory: Arc<Mutex<Vec<Memory>>>,
    /// The hash that a login without a user is checked against, so that it takes as long as any other.
    nobody: Arc<str>,
}

/// What one hash is made in.
type Memory = Vec<Block>;

impl Passwords {
    /// A hasher at this cost.
    pub fn new(cost: PasswordCost) -> Result<Self, PasswordError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut memory = Memory::new();
        let nobody = hash(&argon2, "nobody's password", &mut memory)?.into();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            argon2,
            turns: Arc::new(Semaphore::new(cores)),
            memory: Arc::new(Mutex::new(vec![memory])),
            nobody,
        })
    }

    /// The PHC string of a new password.
    pub async fn hash(&self, password: String) -> Result<String, PasswordError> {
        let argon2 = self.argon2.clone();
        self.in_turn(move |memory| hash(&argon2, &password, memory)).await
    }

    /// Whether `password` is the one of `phc`; with no `phc` it takes as long, and is not.
    pub async fn verify(&self, password: String, phc: Option<String>) -> Result<bool, PasswordError> {
        let nobody = self.nobody.clone();
        self.in_turn(move |memory| {
            let known = PasswordHash::new(phc.as_deref().unwrap_or(&nobody)).map_err(failed)?;
            Ok(is_of(&known, &password, memory)? && phc.is_some())
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _turn = self.turns.acquire().await.map_err(failed)?;
        let shared = self.memory.clone();
        let in_memory = move || {
            let lock = || shared.lock();
            let mut memory = lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            lock().push(memory);
            done
        };
        tokio::task::spawn_blocking(in_memory).await.map_err(failed)?
    }
}

fn hash(argon2: &Argon2<'_>, password: &str, memory: &mut Memory) -> Result<String, PasswordError> {
    let salt = SaltString::generate(&mut OsRng);
    let phc = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params()).map_err(failed)?,
        salt: Some(salt.as_salt()),
        hash: Some(output(
            argon2,
            password,
            salt.as_salt(),
            Params::DEFAULT_OUTPUT_LEN,
            memory,
        )?),
    };
    Ok(phc.to_string())
}

/// Whether this is the password of a hash, at the cost that the hash was made with; compared in constant time.
fn is_of(known: &PasswordHash<'_>, password: &str, memory: &mut Memory) -> Result<bool, PasswordError> {
    let (Some(salt), Some(expected)) = (known.salt, known.hash) else {
        return Err(failed("a hash without salt or output"));
    };
    let algorithm = Algorithm::try_from(known.algorithm).map_err(failed)?;
    let version = known.version.map_or(Ok(Version::V0x13), Version::try_from);
    let params = Params::try_from(known).map_err(failed)?;
    let argon2 = Argon2::new(algorithm, version.map_err(failed)?, params);
    Ok(output(&argon2, password, salt, expected.len(), memory)? == expected)
}

fn output(
    argon2: &Argon2<'_>,
    password: &str,
    salt: Salt<'_>,
    bytes: usize,
    memory: &mut Memory,
) -> Result<Output, PasswordError> {
    let mut buffer = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut buffer).map_err(failed)?;
    let blocks = argon2.params().block_count();
    memory.resize(blocks.max(memory.len()), Block::default());
    Output::init_with(bytes, |out| {
        let blocks = memory.get_mut(..blocks).unwrap_or_default();
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, blocks)?)
    })
    .map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> PasswordError {
    PasswordError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::new(PasswordCost {
            memory_kib: 64,
            passes: 1,
        })
        .unwrap();
        let phc = passwords.hash("correct horse".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$"), "{phc}");
        assert!(
            passwords
                .verify("correct horse".into(), Some(phc.clone()))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("correct hors".into(), Some(phc)).await.unwrap());
        assert!(!passwords.verify("nobody's password".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn hashes_of_another_cost_are_still_known_and_agree_with_the_library() {
        use argon2::{PasswordHasher as _, PasswordVerifier as _};

        let passwords = |memory_kib| {
            Passwords::new(PasswordCost {
                memory_kib,
                passes: 1,
            })
            .unwrap()
        };
        let (small, large) = (passwords(64), passwords(256));
        let phc = large.hash("correct horse".into()).await.unwrap();
        for _ in 0..3 {
            assert!(
                small
                    .verify("correct horse".into(), Some(phc.clone()))
                    .await
                    .unwrap()
            );
            assert!(!small.verify("wrong".into(), Some(phc.clone())).await.unwrap());
        }
        let argon2 = Argon2::default();
        let known = PasswordHash::new(&phc).unwrap();
        assert!(argon2.verify_password(b"correct horse", &known).is_ok());
        let salt = SaltString::generate(&mut OsRng);
        let theirs = argon2.hash_password(b"theirs", &salt).unwrap().to_string();
        assert!(small.verify("theirs".into(), Some(theirs.clone())).await.unwrap());
        assert!(!small.verify("ours".into(), Some(theirs)).await.unwrap());
    }
}

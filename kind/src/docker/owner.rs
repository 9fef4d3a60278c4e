//! Whose something at a daemon is: of which cache, and of which of its runs.
//!
//! A run lives as long as its directory in a cache says so, and one daemon may serve several caches: of a developer
//! and of CI, of two users, of two containers with the same socket. What one cache knows nothing about may live in
//! another one, so everything says whose it is, and each cache removes its own.
//!
//! A cache is known by a number that was drawn once, and by where it lies. The place alone would not do: in two
//! containers it is the same. Nor would the number: a cache can be copied with it. A cache that is moved no longer
//! knows what it left before, and leaves it alone; that is told, and nothing living is ever taken for dead.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use handover_fixtures::components::Cache;
use sha2::{Digest, Sha256};

use super::error::DockerError;

/// What everything of ours carries at a daemon, so that nothing else is ever removed: the value is the run's name.
pub const LABEL: &str = "dev.handover.run";
/// What it carries besides: the id of the cache whose run that is.
pub const CACHE: &str = "dev.handover.cache";

/// Bytes of the number that a cache draws.
const DRAWN: usize = 16;

/// A run, and the cache that knows whether it lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The id of the cache; empty if something has none.
    pub cache: String,
    /// The name of the run.
    pub run: String,
}

impl Owner {
    /// A run of a cache.
    ///
    /// # Errors
    /// The cache cannot be written: it has no id yet, and gets none.
    pub fn of(cache: &Cache, run: &str) -> Result<Self, DockerError> {
        Ok(Self { cache: id(cache)?, run: run.to_owned() })
    }

    /// Its labels, as Docker takes them: `NAME=VALUE`.
    pub fn labels(&self) -> [String; 2] {
        [format!("{LABEL}={}", self.run), format!("{CACHE}={}", self.cache)]
    }
}

/// The id of a cache; beside its runs, for it is they who live or not.
pub(super) fn id(cache: &Cache) -> Result<String, DockerError> {
    let runs = cache.root().join("runs");
    fs::create_dir_all(&runs).map_err(DockerError::disk("make", &runs))?;
    let path = runs.join(".id");
    let read = || Ok((drawn(&path)?, fs::canonicalize(&runs)?));
    let (drawn, place) = read().map_err(DockerError::disk("read or write", &path))?;
    let sum = Sha256::new().chain_update(drawn).chain_update(place.as_os_str().as_bytes()).finalize();
    Ok(sum.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The number in this file, which is drawn by whoever comes first.
fn drawn(path: &Path) -> io::Result<Vec<u8>> {
    let whole = |mut file: &File| {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map(|_| (bytes.len() == DRAWN).then_some(bytes))
    };
    if let Ok(file) = File::open(path)
        && let Some(bytes) = whole(&file)?
    {
        return Ok(bytes);
    }
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.lock()?;
    // Drawn by somebody else meanwhile, or half of it before they were killed.
    if let Some(bytes) = whole(&file)? {
        return Ok(bytes);
    }
    let bytes = rand::random::<[u8; DRAWN]>().to_vec();
    file.set_len(0)?;
    file.write_all_at(&bytes, 0)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_stays_the_same_and_is_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| Cache::at(dir.path().join(name));
        let one = id(&at("one")).unwrap();
        assert_eq!((one.len(), id(&at("one")).unwrap()), (16, one.clone()));
        assert_ne!(id(&at("two")).unwrap(), one);
        // By another way to the same place it is the same; a copy of it is not.
        std::os::unix::fs::symlink(dir.path().join("one"), dir.path().join("link")).unwrap();
        assert_eq!(id(&at("link")).unwrap(), one);
        fs::create_dir_all(dir.path().join("copy/runs")).unwrap();
        fs::copy(dir.path().join("one/runs/.id"), dir.path().join("copy/runs/.id")).unwrap();
        assert_ne!(id(&at("copy")).unwrap(), one);
        // What was written by half is written anew, and stays.
        fs::write(dir.path().join("one/runs/.id"), "half").unwrap();
        let anew = id(&at("one")).unwrap();
        assert_ne!(anew, one);
        assert_eq!(id(&at("one")).unwrap(), anew);
    }

    #[test]
    fn many_who_come_first_agree() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::at(dir.path());
        let ids: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| id(&cache).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(ids.len(), 1);
    }

    #[test]
    fn labels_are_what_docker_takes() {
        let owner = Owner { cache: "ab".into(), run: "r1".into() };
        assert_eq!(owner.labels(), ["dev.handover.run=r1", "dev.handover.cache=ab"]);
    }
}

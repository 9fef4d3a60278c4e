//! The daemons of others that runs of a cache use, so that what they leave there is found again whatever `DOCKER_HOST`
//! says by then: one file each, from before anything is made there until nothing is left.

use std::fs;
use std::path::PathBuf;

use handover_fixtures::components::Cache;
use handover_fixtures::files::private_dir;
use sha2::{Digest, Sha256};

use super::error::DockerError;
use super::own::{InUse, Place, write_whole};
use super::owned::Kind;
use super::{Docker, owner};

/// Writes down that runs use the daemon at `host`; who holds `_in_use` is one of them.
///
/// # Errors
/// The disk refuses.
pub(crate) fn remember(place: &Place, host: &str, _in_use: &InUse) -> Result<(), DockerError> {
    let (folder, file) = (place.used(), file(place, host));
    private_dir(&folder).map_err(DockerError::disk("make", &folder))?;
    write_whole(&file, host, 0o600)
}

/// Forgets a daemon if nothing of this cache is there any more; images are a cache. Answers with the right to be alone
/// with Docker where nothing of any cache is there, and no run of this one uses it.
///
/// # Errors
/// The daemon does not say what is there.
pub(crate) async fn settle(cache: &Cache, docker: &Docker) -> Result<Option<InUse>, DockerError> {
    let place = Place::of(cache);
    // Before the daemon is asked: nobody makes anything meanwhile.
    let Some(alone) = place.enter_alone() else { return Ok(None) };
    let id = owner::id(cache)?;
    let owned = docker.owned().await?;
    let mut there = owned.iter().filter(|owned| owned.kind != Kind::Image).peekable();
    let nothing = there.peek().is_none();
    if there.all(|owned| owned.owner.cache != id) {
        let _ = fs::remove_file(file(&place, &docker.host));
    }
    Ok(nothing.then_some(alone))
}

/// Where they are.
pub(super) fn hosts(place: &Place) -> Vec<String> {
    let files = fs::read_dir(place.used()).into_iter().flatten().flatten();
    let mut hosts: Vec<String> = files
        .filter(|file| file.path().extension().is_none())
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .collect();
    hosts.sort();
    hosts
}

/// The file of one.
pub(super) fn file(place: &Place, host: &str) -> PathBuf {
    let sum = Sha256::digest(host);
    let name: String = sum.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    place.used().join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_is_used_is_known_once() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::of(&Cache::at(dir.path()));
        assert_eq!(hosts(&place), [""; 0]);
        let in_use = place.enter().unwrap();
        for host in ["unix:///b", "unix:///a", "unix:///b"] {
            remember(&place, host, &in_use).unwrap();
        }
        assert_eq!(hosts(&place), ["unix:///a", "unix:///b"]);
    }
}

//! The daemons of others that runs of a cache use, so that what they leave there is found again whatever `DOCKER_HOST`
//! says by then: one file each, from before anything is made there until nothing is left.

use std::fs;
use std::path::PathBuf;

use handover_fixtures::cause::chain;
use handover_fixtures::components::Cache;
use handover_fixtures::files::{private_dir, write_private};
use sha2::{Digest, Sha256};

use super::error::DockerError;
use super::find::{Wish, near};
use super::own::{InUse, Place};
use super::owned::Kind;
use super::{Docker, owner};

/// Writes down that runs use the daemon at `host`; who holds `_in_use` is one of them.
///
/// # Errors
/// The disk refuses.
pub(crate) fn remember(place: &Place, host: &str, _in_use: &InUse) -> Result<(), DockerError> {
    let (folder, file) = (place.used(), file(place, host));
    if fs::read_to_string(&file).is_ok_and(|known| known == host) {
        return Ok(());
    }
    private_dir(&folder).map_err(DockerError::disk("make", &folder))?;
    write_private(&file, host).map_err(DockerError::disk("write", &file))
}

/// Forgets a daemon if nothing of this cache is there any more; images are a cache. Who holds `_alone` is all that could
/// make something. Answers whether nothing of any cache is there.
///
/// # Errors
/// The daemon does not say what is there.
pub(crate) async fn settle(cache: &Cache, docker: &Docker, _alone: &InUse) -> Result<bool, DockerError> {
    let id = owner::id(cache)?;
    let owned = docker.owned().await?;
    let mut there = owned.iter().filter(|owned| owned.kind != Kind::Image).peekable();
    let nothing = there.peek().is_none();
    if there.all(|owned| owned.owner.cache != id) {
        let _ = fs::remove_file(file(&Place::of(cache), &docker.host));
    }
    Ok(nothing)
}

/// The daemon at which a run was; or why it cannot be asked any more.
pub(super) async fn ask(place: &Place, wish: &Wish, host: String) -> Result<Docker, DockerError> {
    match near(&wish.at(&host)).await {
        Ok(found) => Ok(found.expect("it is named").docker),
        Err(error) => {
            let why = match error {
                DockerError::NamedDaemon { why, .. } => why,
                error => chain(&error),
            };
            Err(DockerError::Lost { record: file(place, &host), host, why })
        }
    }
}

/// Where they are.
pub(super) fn hosts(place: &Place) -> Vec<String> {
    let files = fs::read_dir(place.used()).into_iter().flatten().flatten();
    let mut hosts: Vec<String> = files
        // Not what somebody is about to write.
        .filter(|file| file.path().extension().is_none())
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .collect();
    hosts.sort();
    hosts
}

/// The file of one.
fn file(place: &Place, host: &str) -> PathBuf {
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

    #[test]
    fn runs_that_begin_at_once_are_in_nobodys_way() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::of(&Cache::at(dir.path()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let in_use = place.enter().unwrap();
                    for n in 0..20 {
                        remember(&place, &format!("unix:///{n}"), &in_use).unwrap();
                        assert!(hosts(&place).iter().all(|host| host.starts_with("unix:///")));
                    }
                });
            }
        });
        assert_eq!(hosts(&place).len(), 20);
    }
}

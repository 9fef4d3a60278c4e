//! The end of a daemon of our own: told to, or after it was killed.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use handover_fixtures::cause::chain;
use handover_fixtures::process::Signal;

use super::{Docker, DockerError, Place, QUESTION, Record, State, launch, state};

/// How long a daemon may take to stop its containers and end.
const STOP: Duration = Duration::from_secs(20);
/// How long the kernel may take to let a killed process go.
const KILL: Duration = Duration::from_secs(10);

/// What became of the daemon.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::docker) enum Ended {
    /// There was none.
    None,
    /// Somebody uses it, or something that is there.
    InUse,
    /// It was stopped; before that it had been found dead, or not.
    Stopped { found_dead: bool },
}

/// Lets `clear` remove what is to go from the daemon in this place, and stops the daemon if `clear` says that
/// nothing is left and nobody uses it. A dead one, or one that hangs, is started again for that on what it left: only a
/// daemon knows what of its data belongs to what.
///
/// # Errors
/// It cannot be started again or stopped; or `clear` fails.
pub(in crate::docker) async fn end(
    place: &Place,
    clear: impl AsyncFnOnce(&Docker) -> Result<bool, DockerError>,
) -> Result<Ended, DockerError> {
    if !place.record().exists() {
        return Ok(Ended::None);
    }
    let _lock = place.lock().await?;
    let (record, found_dead) = match state(place) {
        State::None => return Ok(Ended::None),
        State::Alive(record) if !is_dead(place, &record.docker(place)).await? => (record, false),
        State::Alive(record) | State::Dead(record) => {
            sweep(&record)?;
            if !record.programs.there() {
                // Nobody can ask it any more: what it left is data, and bridges.
                forget(place);
                return Err(DockerError::NoPrograms {
                    programs: record.programs.dockerd.clone(),
                    data: place.data(),
                });
            }
            (launch(place, record.programs.clone(), &record.handover).await?, true)
        }
    };
    let docker = record.docker(place);
    let empty = clear(&docker).await?;
    let alone = place.enter_alone();
    if !empty || alone.is_none() {
        return Ok(Ended::InUse);
    }
    // A network's bridge is the machine's, and stays when its daemon ends.
    docker.ask(&["network", "prune", "--force"], super::super::REMOVAL).await?;
    // A removal that a killed run began may have come as far as a node's container, and not yet to its volume,
    // which has no name and no label.
    docker.ask(&["volume", "prune", "--force"], super::super::REMOVAL).await?;
    stop(place, &record).await?;
    Ok(Ended::Stopped { found_dead })
}

/// Whether a daemon that runs is as good as dead: it does not answer, and nobody uses it.
///
/// # Errors
/// Somebody does: a machine that is busy is slow to answer, and what runs there is not ended for that.
async fn is_dead(place: &Place, docker: &Docker) -> Result<bool, DockerError> {
    match docker.ask(&["version"], QUESTION).await {
        Ok(_) => Ok(false),
        Err(_) if place.enter_alone().is_some() => Ok(true),
        Err(error) => Err(DockerError::Busy { why: chain(&error) }),
    }
}

/// Kills the daemon in this place with all that it runs, whoever uses it. Its data stays, and bridges of its
/// networks may. Blocks.
pub fn kill(place: &Place) {
    if let State::Alive(record) | State::Dead(record) = state(place) {
        let _ = sweep(&record);
    }
}

/// Stops the daemon with all it runs. The place is locked.
async fn stop(place: &Place, record: &Record) -> Result<(), DockerError> {
    if let Some(process) = &record.process {
        let _ = process.signal(Signal::TERM);
        let until = Instant::now() + STOP;
        while process.lives() && Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    sweep(record)?;
    forget(place);
    Ok(())
}

fn forget(place: &Place) {
    for file in [place.record(), place.socket(), place.pid()] {
        let _ = fs::remove_file(file);
    }
}

/// Ends whatever is left of a daemon, and of what it ran; its mounts end with it. The place is locked.
pub(super) fn sweep(record: &Record) -> Result<(), DockerError> {
    record.brood.end(KILL).map_err(|alive| {
        let alive: Vec<String> =
            alive.iter().map(|process| format!("{} {}", process.pid, process.name)).collect();
        DockerError::Left { alive: alive.join(", ") }
    })?;
    remove_cgroups(&record.brood.cgroup);
    Ok(())
}

/// Removes the daemon's empty cgroups of every hierarchy.
fn remove_cgroups(name: &str) {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    for hierarchy in hierarchies.chain([root.to_owned()]) {
        remove_empty(&hierarchy.join(name));
    }
}

/// Removes a folder that holds nothing but folders; the files of a cgroup go with it.
fn remove_empty(folder: &Path) {
    for below in fs::read_dir(folder).into_iter().flatten().flatten() {
        if below.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_empty(&below.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use handover_fixtures::components::Cache;

    use super::*;

    #[tokio::test]
    async fn one_that_does_not_answer_is_dead_only_where_nobody_uses_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::of(&Cache::at(dir.path()));
        let asks = |name: &str, body: &str| {
            let program = dir.path().join(name);
            fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            Docker { program, host: "unix:///nowhere".to_owned() }
        };
        let (silent, answers) =
            (asks("silent", "echo 'broken pipe' >&2; exit 1"), asks("answers", "echo 28"));
        let in_use = place.enter().unwrap();
        assert!(!is_dead(&place, &answers).await.unwrap());
        let told = chain(&is_dead(&place, &silent).await.unwrap_err());
        assert!(told.contains("broken pipe") && told.contains("a run that is not over uses it"), "{told}");
        drop(in_use);
        assert!(is_dead(&place, &silent).await.unwrap());
        assert!(!is_dead(&place, &answers).await.unwrap());
    }
}

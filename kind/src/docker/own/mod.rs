//! A daemon of our own, where none is there: started once, shared by all runs, kept as a cache of images,
//! and stopped by `gc`.
//!
//! It outlives its run on purpose, so nothing ties it to one. What makes sure that it is never lost: its mark
//! is on disk before it runs, every process of it carries that mark or is in its cgroup, and its mounts are in a
//! namespace that ends with the last of them.

mod config;
mod ending;
mod place;
mod programs;
mod room;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use handover_fixtures::components::Resolved;
use handover_fixtures::process::{Brood, Identity, MARK, SweptProcess};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::capability::Bounding;
use super::error::{DockerError, last_words};
use super::runtime::RuntimeError;
use super::{Docker, QUESTION};
use ending::sweep;

pub use ending::kill;
pub(super) use ending::{Ended, end};
pub use place::{InUse, Place};
pub use programs::Programs;
pub use room::{RoomError, become_daemon};

/// The words with which `handover` makes a room for the daemon, and is its OCI runtime.
pub const ROOM: &str = "docker-room";

/// How long a daemon may take until it answers.
const START: Duration = Duration::from_secs(40);
const FORMAT: u32 = 1;

/// What is written down about a daemon before it is started.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    format: u32,
    programs: Programs,
    brood: Brood,
    /// `handover` as it was then, and whether it is the runtime.
    handover: PathBuf,
    process: Option<Identity>,
}

/// A daemon of our own that answers.
#[derive(Debug)]
pub struct OwnDaemon {
    /// How it is asked.
    pub docker: Docker,
    /// That it is used.
    pub in_use: InUse,
    /// Whether it was started just now.
    pub started: bool,
}

/// What is there of a daemon of our own.
#[derive(Debug)]
enum State {
    None,
    Alive(Record),
    /// It ended, and not because it was told to.
    Dead(Record),
}

/// The daemon in this place, which is started if it does not run. `docker` is the component, `handover` a
/// program that understands [`ROOM`] and `oci-runtime`.
///
/// # Errors
/// It cannot be started, or does not answer.
pub async fn start(place: &Place, docker: &Resolved, handover: &Path) -> Result<OwnDaemon, DockerError> {
    place.make()?;
    let _lock = place.lock().await?;
    let started = match state(place) {
        State::Alive(record) => {
            // It may have been started a moment ago, by a run that was killed before it answered.
            wait_ready(place, &record).await?;
            return Ok(OwnDaemon { docker: record.docker(place), in_use: place.enter()?, started: false });
        }
        State::Dead(record) => {
            // Whoever still used it has lost it already.
            sweep(&record)?;
            launch(place, Programs::of(docker), handover).await?
        }
        State::None => launch(place, Programs::of(docker), handover).await?,
    };
    Ok(OwnDaemon { docker: started.docker(place), in_use: place.enter()?, started: true })
}

impl Record {
    fn docker(&self, place: &Place) -> Docker {
        Docker { program: self.programs.docker.clone(), host: format!("unix://{}", place.socket().display()) }
    }

    fn write(&self, place: &Place) -> Result<(), DockerError> {
        let text = serde_json::to_string_pretty(self).expect("a record is plain data");
        place::write(&place.record(), &text, 0o600)
    }
}

/// The daemon in this place, if one runs: how it is asked.
pub fn running(place: &Place) -> Option<Docker> {
    match state(place) {
        State::Alive(record) => Some(record.docker(place)),
        State::None | State::Dead(_) => None,
    }
}

/// The processes of the daemon in this place, whether it runs or not, without the daemon's own.
pub fn processes(place: &Place) -> Vec<SweptProcess> {
    let (State::Alive(record) | State::Dead(record)) = state(place) else { return Vec::new() };
    let own = |process: &SweptProcess| ["(dockerd)", "(containerd)"].contains(&&*process.name);
    record.brood.alive().into_iter().filter(|process| !own(process)).collect()
}

fn state(place: &Place) -> State {
    let text = fs::read_to_string(place.record()).unwrap_or_default();
    match serde_json::from_str::<Record>(&text) {
        Ok(record) if record.format != FORMAT => State::None,
        Ok(record) if record.process.as_ref().is_some_and(Identity::lives) => State::Alive(record),
        Ok(record) => State::Dead(record),
        Err(_) => State::None,
    }
}

/// Starts a daemon and waits until it answers. The place is locked.
async fn launch(place: &Place, programs: Programs, handover: &Path) -> Result<Record, DockerError> {
    let name = format!("handover-{:016x}", rand::random::<u64>());
    let brood = Brood { mark: format!("{:032x}.", rand::random::<u128>()), cgroup: name };
    let lacking = Bounding::of_this_process().map_err(RuntimeError::Capabilities)?.lacking();
    let handover = keep(place, handover).await?;
    let runtime = place.runtime();
    place::write(&runtime, &config::runtime_script(&handover, &programs.runc), 0o700)?;
    let runtime = (!lacking.is_empty()).then_some(&*runtime);
    let config = config::config(place, &programs, &brood.cgroup, runtime);
    place::write(&place.config(), &format!("{config:#}"), 0o600)?;
    place::write(&place.containerd(), &config::containerd(place), 0o600)?;

    let mut record = Record { format: FORMAT, programs, brood, handover, process: None };
    record.write(place)?;

    // A daemon that was killed leaves its own, and whoever has that number now keeps the next one out.
    let _ = fs::remove_file(place.pid());
    let log = fs::File::create(place.log()).map_err(DockerError::disk("write", &place.log()))?;
    let errors = log.try_clone().map_err(DockerError::disk("write", &place.log()))?;
    let mut command = tokio::process::Command::new(&record.handover);
    command
        .arg(ROOM)
        .arg(place.scratch())
        .arg(place.containerd())
        .arg(&record.programs.dockerd)
        .arg("--config-file")
        .arg(place.config());
    command.env_clear().envs(record.programs.environment(place.root())).env(MARK, &record.brood.mark);
    command.current_dir("/").stdin(Stdio::null()).stdout(log).stderr(errors);
    let child =
        command.spawn().map_err(|source| DockerError::Client { program: record.handover.clone(), source })?;
    record.process = child.id().and_then(|pid| Identity::of(pid.cast_signed()));
    record.write(place)?;
    match wait_ready(place, &record).await {
        Ok(()) => Ok(record),
        Err(error) => Err(sweep(&record).err().unwrap_or(error)),
    }
}

/// Waits until the daemon answers.
async fn wait_ready(place: &Place, record: &Record) -> Result<(), DockerError> {
    let docker = record.docker(place);
    let until = Instant::now() + START;
    loop {
        // Looked at first: what has ended by now may have answered before.
        let lives = record.process.as_ref().is_some_and(Identity::lives);
        let what = match docker.ask(&["version"], QUESTION).await {
            Ok(_) => return Ok(()),
            Err(_) if !lives => "ended at once".to_owned(),
            Err(error) if Instant::now() > until => {
                format!("did not answer within {} s ({error}); `handover gc` ends it", START.as_secs())
            }
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(30)).await;
                continue;
            }
        };
        let tail = last_words(&fs::read_to_string(place.log()).unwrap_or_default());
        return Err(DockerError::Start { what, log: place.log(), tail });
    }
}

/// A copy of `handover` that stays as it is when the program is built anew, or goes away. Copies of earlier
/// starts are removed: no daemon runs that would need them.
async fn keep(place: &Place, handover: &Path) -> Result<PathBuf, DockerError> {
    let (root, from) = (place.root().to_owned(), handover.to_owned());
    let kept = tokio::task::spawn_blocking(move || -> std::io::Result<PathBuf> {
        let sum = Sha256::digest(fs::read(&from)?);
        let sum: String = sum.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let to = root.join(format!("handover-{sum}"));
        for old in fs::read_dir(&root)?.flatten() {
            if old.file_name().to_string_lossy().starts_with("handover-") && old.path() != to {
                fs::remove_file(old.path())?;
            }
        }
        if !to.exists() {
            let new = root.join("handover-new");
            fs::copy(&from, &new)?;
            fs::rename(&new, &to)?;
        }
        Ok(to)
    });
    kept.await.map_err(std::io::Error::other).flatten().map_err(DockerError::disk("copy", handover))
}

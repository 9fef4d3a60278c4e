//! Where a daemon of our own lives: one folder of the cache.
//!
//! ```text
//! docker/lock          held by whoever starts or stops the daemon
//! docker/in-use        held, shared, by every run that uses Docker, the user's or our own
//! docker/daemon.json   what was started: programs, mark, process
//! docker/config.json   what it was told; containerd.toml
//! docker/docker.sock   where it answers; docker.pid, daemon.log
//! docker/handover-…    this program as it was at that start; runtime: the script that calls it
//! docker/data          images, containers, volumes: the cache that all of this is kept for
//! docker/scratch       empty
//! docker/used/…        daemons of others at which runs of this cache may have left something
//! docker/sysctls.json  what the machine's settings were before a cluster changed them
//! ```

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use handover_fixtures::components::Cache;
use handover_fixtures::files::{private_dir, try_lock};

use crate::docker::error::DockerError;

/// A path of a socket has room for so many bytes.
const SOCKET: usize = 107;

/// The folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(PathBuf);

/// That Docker is used by a run: as long as this lives, no daemon of our own is stopped.
#[derive(Debug)]
pub struct InUse(#[expect(dead_code, reason = "it is held, not read")] File);

impl Place {
    /// In a cache.
    pub fn of(cache: &Cache) -> Self {
        Self(cache.root().join("docker"))
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Where the daemon answers.
    pub fn socket(&self) -> PathBuf {
        self.0.join("docker.sock")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.0.join("key.json")
    }

    pub(super) fn pid(&self) -> PathBuf {
        self.0.join("docker.pid")
    }

    pub(super) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub(super) fn scratch(&self) -> PathBuf {
        self.0.join("scratch")
    }

    /// What the daemon writes.
    pub fn log(&self) -> PathBuf {
        self.0.join("daemon.log")
    }

    /// What the machine's settings were.
    pub fn sysctls(&self) -> PathBuf {
        self.0.join("sysctls.json")
    }

    /// The daemons of others that runs use.
    pub(in crate::docker) fn used(&self) -> PathBuf {
        self.0.join("used")
    }

    pub(in crate::docker) fn record(&self) -> PathBuf {
        self.0.join("daemon.json")
    }

    pub(super) fn config(&self) -> PathBuf {
        self.0.join("config.json")
    }

    pub(super) fn containerd(&self) -> PathBuf {
        self.0.join("containerd.toml")
    }

    pub(super) fn runtime(&self) -> PathBuf {
        self.0.join("runtime")
    }

    /// Makes the folder, and sees that a socket can be in it.
    pub(super) fn make(&self) -> Result<(), DockerError> {
        if self.socket().as_os_str().len() > SOCKET {
            return Err(DockerError::LongPath { path: self.socket() });
        }
        for folder in [self.0.clone(), self.data(), self.scratch()] {
            let made = private_dir(&folder);
            made.map_err(DockerError::disk("make", &folder))?;
        }
        Ok(())
    }

    /// Takes the right to start or to stop the daemon; waits as long as somebody else has it.
    pub(super) async fn lock(&self) -> Result<File, DockerError> {
        let path = self.0.join("lock");
        let file = open(&path)?;
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
        locked.map_err(std::io::Error::other).flatten().map_err(DockerError::disk("lock", &path))
    }

    /// Says that Docker is used.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn enter(&self) -> Result<InUse, DockerError> {
        let path = self.0.join("in-use");
        private_dir(&self.0).map_err(DockerError::disk("make", &self.0))?;
        let file = open(&path)?;
        file.lock_shared().map_err(DockerError::disk("lock", &path))?;
        Ok(InUse(file))
    }

    /// What [`enter`](Self::enter) says, alone; nothing if anybody else uses Docker.
    pub fn enter_alone(&self) -> Option<InUse> {
        let file = open(&self.0.join("in-use")).ok()?;
        try_lock(&file).ok().map(|()| InUse(file))
    }
}

fn open(path: &Path) -> Result<File, DockerError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(DockerError::disk("open", path))
}

/// Writes a file whole or not at all, for its owner alone.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), DockerError> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = || -> std::io::Result<()> {
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        fs::rename(&new, path)
    };
    written().map_err(DockerError::disk("write", path))
}

//! The programs that clusters are made with, `docker` and `kind`: each started with an environment of its own
//! and a log of its own, and followed to its end.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use handover_fixtures::process::{Child, ExitReport, SpawnError, Spawner, Spec, Stop};

use crate::docker::Docker;

/// Bytes of what one call says that are kept.
const LOG: u64 = 16 << 20;
/// Lines of a log that go into an error.
const TAIL: usize = 20;

/// Starts `docker` and other programs that ask it, for one run.
#[derive(Debug)]
pub struct Tools {
    spawner: Spawner,
    docker: Docker,
    dir: PathBuf,
    calls: AtomicU32,
}

/// How long a program may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it says its first word, if that matters.
    pub first: Option<Duration>,
    /// Until it ends.
    pub all: Duration,
}

impl From<Duration> for Patience {
    fn from(all: Duration) -> Self {
        Self { first: None, all }
    }
}

/// A program that did not do what it was started for.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] SpawnError),
    /// It ended badly.
    #[error("{what}: {program} {end}; its log {}:\n{tail}", .log.display())]
    Ended {
        /// What it was to do: `make a cluster`.
        what: String,
        /// The program: `kind`.
        program: String,
        /// How it ended.
        end: ExitReport,
        /// All it said.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },
    /// It did not end in time, and was ended.
    #[error("{what}: {program} did not end within {within:?}; its log {}:\n{tail}", .log.display())]
    OutOfTime {
        /// What it was to do.
        what: String,
        /// The program.
        program: String,
        /// How long it had.
        within: Duration,
        /// All it said.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },
    /// What it said cannot be read.
    #[error("{what}: cannot read what it said in {}", .log.display())]
    Log {
        /// What it was to do.
        what: String,
        /// Where it should stand.
        log: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It said something that makes no sense here.
    #[error("{what}: {program} said `{said}`, which is no answer")]
    Answer {
        /// What it was to do.
        what: String,
        /// The program.
        program: String,
        /// What it said.
        said: String,
    },
}

impl ToolError {
    /// The last lines of what the program said, if it came so far.
    pub fn said(&self) -> &str {
        match self {
            Self::Ended { tail, .. } | Self::OutOfTime { tail, .. } => tail,
            Self::Answer { said, .. } => said,
            Self::Start(_) | Self::Log { .. } => "",
        }
    }
}

impl Tools {
    /// Tools of one run whose files lie below `dir`, which is made.
    ///
    /// # Errors
    /// What the system said.
    pub fn new(spawner: Spawner, docker: Docker, dir: &Path) -> io::Result<Self> {
        for folder in ["bin", "home", "logs", "tmp"] {
            std::fs::create_dir_all(dir.join(folder))?;
        }
        // `kind` looks for a program of this name, whatever ours is called.
        match std::os::unix::fs::symlink(&docker.program, dir.join("bin/docker")) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
        // A log is appended to: the calls of an earlier process in this directory keep theirs.
        let before = std::fs::read_dir(dir.join("logs"))?.count();
        let calls = AtomicU32::new(u32::try_from(before).unwrap_or(u32::MAX / 2));
        Ok(Self { spawner, docker, dir: dir.to_owned(), calls })
    }

    /// The daemon that they ask.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Where their logs lie.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Asks the daemon for something, and answers with what `docker` said.
    ///
    /// # Errors
    /// [`ToolError`].
    pub async fn ask<Word: AsRef<OsStr>>(
        &self,
        what: &str,
        words: impl IntoIterator<Item = Word>,
        patience: impl Into<Patience>,
    ) -> Result<String, ToolError> {
        self.run(what, &self.docker.program, words, &[], patience).await
    }

    /// Runs a program to its end, with these variables beside those that all get; answers with what it said.
    ///
    /// # Errors
    /// [`ToolError`].
    pub async fn run<Word: AsRef<OsStr>>(
        &self,
        what: &str,
        program: &Path,
        words: impl IntoIterator<Item = Word>,
        variables: &[(&str, &str)],
        patience: impl Into<Patience>,
    ) -> Result<String, ToolError> {
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let log = self.logs().join(format!("{call:03}-{name}.log"));
        let mut spec = Spec::new(&name, program, &self.dir, &log)
            .args(words)
            .env("PATH", self.dir.join("bin"))
            .env("HOME", self.dir.join("home"))
            .env("TMPDIR", self.dir.join("tmp"))
            .env("DOCKER_HOST", &self.docker.host)
            .log_limit(LOG)
            // Long enough to take back what it began.
            .stop(Stop::Term { grace: Duration::from_secs(5) });
        for (name, value) in variables {
            spec = spec.env(name, OsString::from(value));
        }
        let child = self.spawner.spawn(spec).await?;
        let end = end(&child, patience.into()).await;
        let tail = child.log_tail(TAIL);
        // Also where it ended by itself: it is reaped, and what it left behind goes.
        let _ = child.stop().await;
        let what = what.to_owned();
        match end {
            Ok(ExitReport::Status(0)) => match std::fs::read(&log) {
                Ok(said) => Ok(String::from_utf8_lossy(&said).into_owned()),
                Err(source) => Err(ToolError::Log { what, log, source }),
            },
            Ok(end) => Err(ToolError::Ended { what, program: name, end, log, tail }),
            Err(within) => Err(ToolError::OutOfTime { what, program: name, within, log, tail }),
        }
    }
}

/// How often a log is looked at for its first word.
const LOOK: Duration = Duration::from_millis(100);

/// How it ended; or how long it was waited for, when time ran out.
async fn end(child: &Child, patience: Patience) -> Result<ExitReport, Duration> {
    let silent = async {
        let Some(first) = patience.first else { return std::future::pending().await };
        let until = Instant::now() + first;
        while child.log_tail(1).is_empty() {
            if Instant::now() > until {
                return first;
            }
            tokio::time::sleep(LOOK).await;
        }
        std::future::pending().await
    };
    tokio::select! {
        end = tokio::time::timeout(patience.all, child.wait()) => end.map_err(|_| patience.all),
        first = silent => Err(first),
    }
}

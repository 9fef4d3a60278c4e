//! The `kind` program: what it is asked, each time with an environment of its own and a log of its own, to its end.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use handover_fixtures::process::{ExitReport, SpawnError, Spawner, Spec, Stop};

use crate::docker::Docker;

/// Bytes of what one call says that are kept.
const LOG: u64 = 16 << 20;
/// Lines of a log that go into an error.
const TAIL: usize = 20;
/// What `kind` says when a node's system did not start within its 30 seconds, and nothing else is wrong.
const MISSED: &str = "could not find a log line that matches";
/// Which network it puts nodes into.
const NETWORK: &str = "KIND_EXPERIMENTAL_DOCKER_NETWORK";
/// Long enough to end what it began.
const GRACE: Duration = Duration::from_secs(5);

/// How long it may take to make a cluster: its own waits inside end before that.
const CREATE: Duration = Duration::from_secs(6 * 60);
/// How long logs may take to be written.
const COPY: Duration = Duration::from_secs(5 * 60);

/// How `kind` is started: as a process of one run, for one daemon.
#[derive(Debug)]
pub struct Kind {
    program: PathBuf,
    docker: Docker,
    spawner: Spawner,
    logs: PathBuf,
    calls: AtomicU32,
}

/// Why `kind` did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// Its logs have no place.
    #[error("cannot make the directory `{path}` for the logs of kind")]
    Logs {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] SpawnError),
    /// A node's system did not start in time.
    #[error(
        "kind waited 30 s in vain for a node's system to start; the machine is overloaded, or the image is no \
         node's; its log {}:\n{tail}", .log.display()
    )]
    Missed {
        /// All it said.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },
    /// It ended badly.
    #[error("`kind {what}` {end}; its log {}:\n{tail}", .log.display())]
    Ended {
        /// What it was to do.
        what: &'static str,
        /// How it ended.
        end: ExitReport,
        /// All it said.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },
    /// It did not end in time, and was ended.
    #[error("`kind {what}` did not end within {within:?}; its log {}:\n{tail}", .log.display())]
    OutOfTime {
        /// What it was to do.
        what: &'static str,
        /// How long it had.
        within: Duration,
        /// All it said.
        log: PathBuf,
        /// The last lines of that.
        tail: String,
    },
}

impl Kind {
    /// The program, for this daemon; its logs go below `logs`, which is made.
    ///
    /// # Errors
    /// [`KindError::Logs`].
    pub fn new(program: &Path, docker: Docker, spawner: Spawner, logs: &Path) -> Result<Self, KindError> {
        let wrong = |source| KindError::Logs { path: logs.to_owned(), source };
        std::fs::create_dir_all(logs).map_err(wrong)?;
        // A log is appended to: those of an earlier process stay as they are.
        let before = std::fs::read_dir(logs).map_err(wrong)?.count();
        let calls = AtomicU32::new(u32::try_from(before).unwrap_or_default());
        Ok(Self { program: program.to_owned(), docker, spawner, logs: logs.to_owned(), calls })
    }

    /// The daemon that it asks.
    pub fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Makes a cluster in the network of its name; what is there when it fails stays.
    pub(super) async fn create(
        &self,
        name: &str,
        image: &str,
        config: &Path,
        kubeconfig: &Path,
    ) -> Result<(), KindError> {
        let words = ["--retain", "--name", name, "--image", image].map(OsStr::new);
        let words = words.into_iter().chain(["--kubeconfig".as_ref(), kubeconfig.as_os_str()]);
        let words = words.chain(["--config".as_ref(), config.as_os_str()]);
        match self.run("create cluster", words, &[(NETWORK, name)], CREATE).await {
            Err(KindError::Ended { log, tail, .. }) if tail.contains(MISSED) => {
                Err(KindError::Missed { log, tail })
            }
            done => done,
        }
    }

    /// Writes what a cluster's nodes logged into a directory.
    pub(super) async fn export_logs(&self, name: &str, dir: &Path) -> Result<(), KindError> {
        self.run("export logs", [dir.as_os_str(), "--name".as_ref(), name.as_ref()], &[], COPY).await
    }

    async fn run<'a>(
        &self,
        what: &'static str,
        words: impl IntoIterator<Item = &'a OsStr>,
        variables: &[(&str, &str)],
        within: Duration,
    ) -> Result<(), KindError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let log = self.logs.join(format!("{call:02}-kind-{}.log", what.replace(' ', "-")));
        let mut spec = Spec::new("kind", &self.program, &self.logs, &log)
            .args(what.split(' '))
            .args(words)
            .log_limit(LOG)
            .stop(Stop::Term { grace: GRACE });
        for (name, value) in self.docker.environment() {
            spec = spec.env(name, value);
        }
        for (name, value) in variables {
            spec = spec.env(name, value);
        }
        let child = self.spawner.spawn(spec).await?;
        let end = tokio::time::timeout(within, child.wait()).await;
        let tail = child.log_tail(TAIL);
        // Also where it ended by itself: it is reaped, and what it left behind is ended.
        let _ = child.stop().await;
        match end {
            Ok(ExitReport::Status(0)) => Ok(()),
            Ok(end) => Err(KindError::Ended { what, end, log, tail }),
            Err(_) => Err(KindError::OutOfTime { what, within, log, tail }),
        }
    }
}

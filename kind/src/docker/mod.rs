//! Docker: the daemon that is there, or one of our own.

use std::path::PathBuf;

/// What everything of ours carries at a daemon, so that nothing else is ever removed: the value is the run's name.
pub const LABEL: &str = "dev.handover.run";

/// A daemon that answers, and how it is asked.
#[derive(Clone, Debug)]
pub struct Docker {
    /// The `docker` program.
    pub program: PathBuf,
    /// Where the daemon listens: `unix:///…`.
    pub host: String,
}

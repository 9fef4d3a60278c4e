//! Docker: the daemon that is there, or one of our own.
//!
//! ```text
//! find ──► a daemon that answers ──info──► it will do, or why not
//!   └────► none, and root ──own──► one of our own: below the cache, in a room of its own (mounts), kept as a cache
//! owned ──► what carries LABEL, and whose run that is        gc ──► what dead runs left, and the daemon with it
//! ```

mod capability;
mod client;
mod error;
pub mod hidden;
pub mod own;
pub mod runtime;

use std::path::PathBuf;

pub use capability::Bounding;
pub use client::{QUESTION, REMOVAL};
pub use error::DockerError;

/// What everything of ours carries at a daemon, so that nothing else is ever removed: the value is the run's name.
pub const LABEL: &str = "dev.handover.run";

/// A daemon that answers, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Docker {
    /// The `docker` program.
    pub program: PathBuf,
    /// Where the daemon listens: `unix:///…`.
    pub host: String,
}

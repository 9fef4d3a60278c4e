//! Docker: the daemon that is there, or one of our own.
//!
//! ```text
//! find ──► a daemon that answers ──info──► it will do, or why not
//!   └────► none, and root ──own──► one of our own: below the cache, with mounts of its own, kept as a cache
//! used ──► the daemons at which runs may have left something
//! owned ──► what carries LABEL, and whose that is            gc ──► what dead runs left, and the daemon with it
//! ```
//!
//! What there is of ours outside of a run's directory, and what ends it however a run ends:
//!
//! | what | known by | ended by |
//! | --- | --- | --- |
//! | containers, networks, volumes | [`LABEL`] and [`CACHE`] | the run; [`sweep`] of the next one; [`gc`] |
//! | the daemon, its shims and proxies | their mark, the daemon's cgroup | [`gc`], when nobody uses it |
//! | what it mounts | its mount namespace | its last process |
//! | bridges | their network | the network's removal, by a daemon that is started again if need be |
//! | the machine's settings | what was written down | the last run with a cluster; [`gc`] |

mod capability;
mod census;
mod client;
mod daemon;
pub mod doctor;
mod error;
mod find;
mod gc;
pub mod hidden;
mod info;
pub mod own;
mod owned;
mod owner;
mod pull;
pub mod runtime;
pub mod sysctls;
pub(crate) mod used;

use std::path::PathBuf;

pub use capability::Bounding;
pub use census::Census;
pub use client::{QUESTION, REMOVAL};
pub(crate) use daemon::put_back;
pub use daemon::{Daemon, Whose, can_be, daemon};
pub use error::DockerError;
pub use find::{Theirs, Wish, find, near};
pub use gc::{Swept, gc, sweep};
pub use info::{Info, Unfit};
pub use owned::{Kind, Owned, QUIET, by_owner, told};
pub use owner::{CACHE, LABEL, Owner};

/// A daemon that answers, and how it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Docker {
    /// The `docker` program.
    pub program: PathBuf,
    /// Where the daemon listens: `unix:///…`.
    pub host: String,
}

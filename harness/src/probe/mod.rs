//! Asks one hop again and again, at due times that do not depend on the answers.
//!
//! [`schedule`] says which due times are asked and which are missed; [`start`] does the asking, on a thread
//! of its own.

use std::io;
use std::time::Duration;

use crate::event::{CredentialName, Hop, ProbeName, Quantiles};

mod handle;
pub mod schedule;
mod thread;
mod timer;

pub use handle::{Control, ProbeHandle};
pub use thread::start;

/// What is asked about, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its name within the scenario; also that of its thread.
    pub name: ProbeName,
    /// About which credential.
    pub credential: CredentialName,
    /// Where.
    pub hop: Hop,
    /// Its usual period.
    pub every: Duration,
    /// From the start to the first due time.
    pub phase: Duration,
    /// A question that is not answered by then is [`Outcome::Unreachable`](crate::event::Outcome::Unreachable).
    pub timeout: Duration,
    /// How many questions may be unanswered at a time; what is due beyond them is [`Outcome::Missed`](crate::event::Outcome::Missed).
    pub in_flight: usize,
}

impl Probe {
    /// First due at once; a question has 2 s, and 8 of them may be unanswered.
    pub fn new(
        name: impl Into<ProbeName>,
        credential: impl Into<CredentialName>,
        hop: Hop,
        every: Duration,
    ) -> Self {
        Self {
            name: name.into(),
            credential: credential.into(),
            hop,
            every,
            phase: Duration::ZERO,
            timeout: Duration::from_secs(2),
            in_flight: IN_FLIGHT,
        }
    }
}

/// How many questions may be unanswered unless somebody says otherwise.
pub const IN_FLIGHT: usize = 8;

/// Why a probe cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the thread of probe {probe}; allow this process more threads or open files")]
pub struct ProbeError {
    /// Which.
    pub probe: ProbeName,
    /// Why.
    pub source: io::Error,
}

/// What a probe did until it was stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// How many questions it asked, whether or not there was something to record.
    pub asked: u64,
    /// How many due times it could not ask at.
    pub missed: u64,
    /// From due to asked.
    pub lateness: Quantiles,
}

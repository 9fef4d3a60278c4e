//! How soon a broken watch is begun anew: at once, however long the API server has been away. There is one harness, and
//! it has to see what happens when the node is back.

use std::time::Duration;

use kube::runtime::utils::Backoff;

/// A server that refuses at once must not be asked in a tight loop.
const PAUSE: Duration = Duration::from_millis(100);

/// The same pause each time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady;

impl Iterator for Steady {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(PAUSE)
    }
}

impl Backoff for Steady {
    fn reset(&mut self) {}
}

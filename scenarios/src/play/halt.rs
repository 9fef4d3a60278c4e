//! The one reason for which everything stops early: somebody's signal, or an environment that broke.

use std::sync::{Arc, OnceLock};

use handover_harness::event::Ending;
use tokio_util::sync::CancellationToken;

/// Shared by everything that plays. The first reason wins.
#[derive(Clone, Default)]
pub struct Halt {
    token: CancellationToken,
    reason: Arc<OnceLock<Ending>>,
}

impl Halt {
    /// Stops everything for this reason, unless it is stopping already.
    pub fn halt(&self, reason: Ending) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    /// Whether everything is stopping.
    pub fn is_halted(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until everything stops, and says why.
    pub async fn halted(&self) -> Ending {
        self.token.cancelled().await;
        self.reason().expect("the reason is set before the token is cancelled")
    }

    /// Why everything stops, if it does.
    pub fn reason(&self) -> Option<Ending> {
        self.reason.get().cloned()
    }
}

//! What a command obtains before it starts anything, until somebody asks to stop.

use std::sync::Arc;

use handover_fixtures::components::progress::Progress;
use handover_fixtures::components::{Request, ResolvedSet, resolve};

use super::{Failure, run, signals};
use crate::play::halt::Halt;

/// Obtains what is requested.
pub(super) fn obtain(request: Request, progress: Arc<dyn Progress>) -> Result<ResolvedSet, Failure> {
    run::runtime()?.block_on(until_stopped(async {
        resolve(request, progress).await.map_err(|error| Failure::environment(&error))
    }))
}

/// What `work` comes to; the exit of a signal, if one comes first.
pub(super) async fn until_stopped<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let halt = Halt::default();
    let heeding = tokio::spawn(signals::heed(halt.clone()));
    let done = tokio::select! {
        done = work => done,
        ending = halt.halted() => Err(Failure::interrupted(&ending)),
    };
    heeding.abort();
    done
}

//! SIGINT, SIGTERM and SIGHUP end a run in order; a second one ends it at once.

use std::io::Write;
use std::time::Duration;

use handover_harness::event::Ending;
use tokio::signal::unix::{SignalKind, signal};

use crate::play::halt::Halt;

/// What becomes of what is still there.
const SWEPT: &str = "what is still there goes at the next start, or with `handover gc`";

/// What comes sooner after the first is the same wish: `timeout` asks its child, and then the group that it is in.
const SAME: Duration = Duration::from_millis(300);

/// Halts on the first signal; on the second one says so and leaves without waiting. The servers die with this process
/// then, and the next start sweeps the rest.
///
/// From the call on no signal is lost; what is returned has to be awaited to heed them.
pub(super) fn heed(halt: Halt) -> impl Future<Output = ()> {
    let listen = |kind| signal(kind).expect("a process may always listen for these signals");
    let mut interrupt = listen(SignalKind::interrupt());
    let mut terminate = listen(SignalKind::terminate());
    let mut hangup = listen(SignalKind::hangup());
    async move {
        let mut hear = async || {
            tokio::select! {
                _ = interrupt.recv() => ("SIGINT", 130),
                _ = terminate.recv() => ("SIGTERM", 143),
                _ = hangup.recv() => ("SIGHUP", 129),
            }
        };
        let (name, _) = hear().await;
        halt.halt(Ending::Interrupted(name.to_owned()));
        let same = async {
            loop {
                hear().await;
            }
        };
        let _ = tokio::time::timeout(SAME, same).await;
        let _ = writeln!(std::io::stderr(), "{name}: ending in order; a second one ends it at once");
        let (name, code) = hear().await;
        let _ = writeln!(std::io::stderr(), "{name} for the second time: left at once; {SWEPT}");
        std::process::exit(code);
    }
}

//! The other end of a running probe.

use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::Probed;
use crate::clock::Micros;

/// A running probe. Dropped, it stops without anybody waiting for it.
#[derive(Debug)]
pub struct ProbeHandle {
    control: Control,
    /// Dropped to stop.
    stop: oneshot::Sender<()>,
    probed: oneshot::Receiver<Probed>,
    thread: JoinHandle<()>,
}

impl ProbeHandle {
    pub(super) fn new(
        control: Control,
        stop: oneshot::Sender<()>,
        probed: oneshot::Receiver<Probed>,
        thread: JoinHandle<()>,
    ) -> Self {
        Self { control, stop, probed, thread }
    }

    /// Stops asking, lets what is asked be answered for half a second, and ends the thread. What is not
    /// answered then is recorded as [`Outcome::Unclear`](crate::event::Outcome::Unclear).
    pub async fn stop(self) -> Probed {
        drop(self.stop);
        let probed = self.probed.await;
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
        probed.expect("a thread that did not panic has said what it did")
    }

    /// Speaks to the probe while it runs.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

/// Speaks to a running probe from anywhere. Does nothing once the probe has stopped.
#[derive(Clone, Debug)]
pub struct Control(mpsc::UnboundedSender<Command>);

/// What a probe can be told, as the methods of [`Control`] describe it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    SetPeriod(Micros),
    Hurry { period: Micros, since: Micros },
    Ask { due: Micros },
}

impl Control {
    pub(super) fn new(commands: mpsc::UnboundedSender<Command>) -> Self {
        Self(commands)
    }

    /// From now on asks every so often.
    pub fn set_period(&self, every: Duration) {
        self.send(Command::SetPeriod(every.into()));
    }

    /// From now on asks every so often, until the first question asked from now on is answered with
    /// [`Outcome::Refused`](crate::event::Outcome::Refused); then at the usual period again.
    pub fn hurry(&self, every: Duration) {
        self.send(Command::Hurry { period: every.into(), since: Micros::now() });
    }

    /// Asks once more, due now; the due times stay as they are.
    pub fn ask_now(&self) {
        self.send(Command::Ask { due: Micros::now() });
    }

    fn send(&self, command: Command) {
        // Refused only by a probe that has stopped, which has nothing to do any more.
        self.0.send(command).ok();
    }
}
